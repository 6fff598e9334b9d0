"""How every verb of the lab starts: one thread, since more slow a model this small down, and no progress bars between the lines."""


def quiet() -> None:
    import torch
    from transformers.utils import logging

    torch.set_num_threads(1)
    logging.disable_progress_bar()
