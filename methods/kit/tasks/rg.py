"""Generated tasks of the package reasoning-gym (extra `pretrained`), by name: `rg:gsm_symbolic`. Each brings its own verifier."""

import hashlib
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import partial
from importlib.util import find_spec
from typing import Any

from methods.kit import family
from methods.kit.errors import Refused
from methods.kit.tasks._borrowed import SLACK, Borrowed, stated


@dataclass(frozen=True)
class Problem(family.Problem):
    score: Callable[[str], float] = field(repr=False, compare=False, hash=False, default=lambda text: 0.0)

    def solved_by(self, written: str) -> bool:
        """Partial credit is none."""
        return self.score(stated(written)) == 1


def graded(rows: Any, row: dict[str, Any], text: str) -> float:
    return float(rows.score_answer(text, row))


@dataclass
class Generator(Borrowed):
    """One generator of the gym at its default difficulty."""

    generator: str = ""

    def draws(self, split: str, level: int, seed: int, count: int) -> list[Problem]:
        """Different problems of one split. Raises `Refused` where the generator's own answer does not verify."""
        import reasoning_gym

        start = int(hashlib.sha256(f"{self.generator} {split} {seed}".encode()).hexdigest()[:6], 16)
        rows = reasoning_gym.create_dataset(self.generator, seed=start, size=60 * count)
        found: dict[str, tuple[dict[str, Any], family.Problem]] = {}
        for i in range(60 * count):
            row = rows[i]
            if not isinstance(row["answer"], str) or rows.score_answer(row["answer"], row) != 1:
                raise Refused(f"task {self.NAME!r}: has no verifiable answer: its own, {row['answer']!r}, is not graded as right")
            plain = family.Problem(row["question"], row["answer"], 1, "")
            if plain.split == split:
                found.setdefault(plain.canonical, (row, plain))
            if len(found) == count:
                break
        longest = max((row["answer"] for row, _ in found.values()), key=len) + SLACK
        return [Problem(plain.question, plain.answer, 1, longest, partial(graded, rows, row)) for row, plain in found.values()]


def named(rest: str) -> Generator:
    """The task of `rg:rest`. Raises `Refused` without the package, or for a generator it does not have."""
    if find_spec("reasoning_gym") is None:
        raise Refused("task 'rg': needs the package reasoning-gym: pip install -c constraints.txt -e '.[methods,pretrained]'")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what it imports, about escapes in strings
        import reasoning_gym  # noqa: F401
        from reasoning_gym.factory import DATASETS
    if rest not in DATASETS:
        close = get_close_matches(rest, DATASETS, n=1, cutoff=0.5)
        raise Refused(f"task 'rg:{rest}': no such generator{f'; did you mean {close[0]!r}?' if close else ''}", exit_code=2)
    return Generator(f"rg:{rest}", generator=rest)
