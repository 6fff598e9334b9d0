"""What the verbs of the lab share: how they start, and the models and machines they may be pointed at."""

import argparse
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.errors import Refused

if TYPE_CHECKING:
    from methods.kit.guests import Guest
    from methods.kit.zoo import Zoo


def quiet() -> None:
    """One thread, since more slow a model this small down, and no progress bars between the lines."""
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TQDM_DISABLE", "1")
    import torch
    from transformers.utils import logging

    torch.set_num_threads(1)
    logging.disable_progress_bar()
    logging.set_verbosity_error()


def device_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N (default: cpu)")


def model_arguments(parser: argparse.ArgumentParser) -> None:
    """A model from outside, and how it is to be driven."""
    device_argument(parser)
    own = parser.add_argument_group("a model from outside, in the place of the lab's own")
    own.add_argument("--model", metavar="PATH_OR_ID", help="a checkpoint folder, a .gguf file, or OWNER/NAME[@REVISION] on the Hub")
    own.add_argument("--endpoint", metavar="URL", help="a server of completions (…/v1) with --model; for methods that need text")
    own.add_argument("--closes", metavar="TEXT", default="", help="what ends the thinking of a model that has no delimiter")
    own.add_argument("--dtype", choices=("float32", "bfloat16", "float16"), help="default: float32 on a CPU, bfloat16 on a GPU")
    own.add_argument("--tokens", type=int, default=0, metavar="N", help="most tokens of thinking (default: what each method says)")
    own.add_argument("--batch", type=int, default=8, metavar="N", help="problems at a time (default: 8)")
    own.add_argument("--problems", type=int, metavar="N", help="test problems a level")


def device(asked: str) -> str:
    """Raises `Refused` for one that is not there."""
    import torch

    try:
        kind = torch.device(asked)
    except RuntimeError:
        raise Refused(f"--device: {asked!r}: must be cpu, cuda or cuda:N", exit_code=2) from None
    if kind.type not in ("cpu", "cuda"):
        raise Refused(f"--device: {asked!r}: must be cpu, cuda or cuda:N", exit_code=2)
    if kind.type == "cuda" and (not torch.cuda.is_available() or (kind.index or 0) >= torch.cuda.device_count()):
        raise Refused(f"--device: {asked!r}: torch {torch.__version__} sees {torch.cuda.device_count()} GPUs here", exit_code=2)
    return asked


def guest(args: argparse.Namespace, root: Path) -> "Guest | None":
    """The model asked for, found and ready to load; None for the zoo."""
    from methods.kit import guests
    from methods.kit.endpoint import Endpoint

    if not args.model:
        for name, given in (("endpoint", args.endpoint), ("closes", args.closes), ("tokens", args.tokens), ("dtype", args.dtype)):
            if given:
                raise Refused(f"--{name}: needs --model, whose tokenizer or weights it is about", exit_code=2)
        return None
    dtype = args.dtype or ("float32" if args.device == "cpu" else "bfloat16")
    how = {"dtype": dtype, "closes": args.closes, "most_tokens": args.tokens, "batch": args.batch}
    if not args.endpoint:
        return guests.unpacked(guests.find(args.model, **how), root / "build" / "models")
    found = guests.find(args.model, described_only=True, **how)
    served = Endpoint(args.endpoint).names()
    if len(served) != 1 and args.model not in served:
        raise Refused(f"--endpoint: {args.endpoint}: serves {', '.join(served) or 'nothing'}, not {args.model!r}")
    return replace(found, endpoint=args.endpoint, served_as=args.model if args.model in served else served[0])


def ground(args: argparse.Namespace, root: Path, task: str, own: "Guest | None") -> "Zoo":
    """The zoo of a task, or the guest in its place. What methods train on a guest goes below build/."""
    from methods.kit import family
    from methods.kit.zoo import Zoo, shipped

    if own is None:
        if task not in family.grown():
            raise Refused(f"--task {task}: needs --model: the lab's own know {' and '.join(family.grown())} only", exit_code=2)
        return replace(shipped(root, task), device=args.device)
    folder = root / "build" / "zoo" / slug_of(task) / slug_of(own.name)
    return Zoo(task, folder, folder, own, args.device)


def check_needs(slug: str, needs: str, args: argparse.Namespace) -> None:
    """Raises `Refused` for a method that a server of text cannot serve."""
    if args.endpoint and needs != "text":
        raise Refused(f'{slug}: needs {needs}: over an endpoint only methods with NEEDS = "text" run', exit_code=2)


def words_of(args: argparse.Namespace, own: "Guest | None") -> list[str]:
    """The options about model and machine, as they would be typed again elsewhere: without the folders of this machine."""
    named = [("model", own.name if own else ""), ("endpoint", args.endpoint), ("closes", args.closes), ("dtype", args.dtype)]
    named += [("tokens", args.tokens), ("problems", args.problems), ("batch", args.batch if args.batch != 8 else None)]
    words = [f"--{name} {value}" for name, value in named if value]
    return [*words, *([f"--device {args.device}"] if args.device != "cpu" else [])]


def slug_of(name: str) -> str:
    """A name as a file may have it."""
    return "".join(letter if letter.isalnum() or letter in "._" else "-" for letter in name).strip("-").lower()
