"""Whether changed code still measures the same: a small record and the first steps of training, as hashes.

A record carries both. When code under it changes, doing them again tells a rewording of the code from a change of what it does,
in a minute instead of an hour.
"""

from contextlib import suppress
from pathlib import Path
from typing import Any

from methods.kit import record
from methods.kit.comparison import compare
from methods.kit.runner import load_method
from methods.kit.training import Enough, first_steps
from methods.kit.zoo import Zoo, load_bases

PROBLEMS, STEPS = 100, 20  # in all; of each checkpoint


def replayed(slug: str, root: Path, zoo: Zoo, seed: int, workers: int) -> dict[str, str]:
    """Hashes of what a method measures on some 100 test problems, and of the losses of the first 20 steps of each training."""
    per_level = -(-PROBLEMS // len(zoo.task.LEVELS))
    small = compare(slug, root, zoo, per_level=per_level, date="", command="", gates=dict, seeds=(seed,), workers=workers)
    figures = {key: {name: cell for name, cell in own.items() if name != "latency_ratio"} for key, own in small["results"].items()}
    found = {"problems": record.hashed([figures, small["claims"], small["trace"]])}
    method = load_method(slug, root)
    if hasattr(method, "prepare"):
        for config in method.ARMS.values():
            name = f"training of {method.checkpoint(config)}"
            if name not in found:
                found[name] = record.hashed(losses(method, zoo, config, seed))
    return found


def losses(method: Any, zoo: Zoo, config: Any, seed: int) -> list[float]:
    bases, _ = load_bases(zoo, method.FROM, seed)
    with first_steps(STEPS) as seen, suppress(Enough):
        method.prepare(bases, zoo.task, config, seed)
    return seen
