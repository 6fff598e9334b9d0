"""GSM8K: word problems of grade-school arithmetic (Cobbe et al., arXiv 2110.14168), from the Hub or from a file.

gsm8k                openai/gsm8k, through the package `datasets` (extra `pretrained`)
gsm8k:FILE.jsonl     rows of `question` and `answer`, the latter ending in `#### NUMBER`; all of them are test problems
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import count
from pathlib import Path

from methods.kit import family
from methods.kit.errors import Refused
from methods.kit.method import Item
from methods.kit.tasks._borrowed import SLACK, Borrowed, number, stated

HUB_ID = "openai/gsm8k"
LONGEST_ANSWER = f"1,000,000,000.00{SLACK}"
Row = dict[str, str]


@dataclass(frozen=True)
class Problem(family.Problem):
    def solved_by(self, written: str) -> bool:
        return number(stated(written)) == number(self.answer)


@dataclass
class Gsm8k(Borrowed):
    file: Path | None = None
    read: dict[str, list[Row]] = field(default_factory=dict)

    def rows(self, split: str) -> list[Row]:
        """`test` or `train`. Raises `Refused` where there are none."""
        if split not in self.read:
            self.read[split] = from_file(self.file) if self.file else from_hub(split)
        return self.read[split]

    def draws(self, split: str, level: int, seed: int, count: int) -> list[Problem]:
        """The first problems of the test split; others come from the training split."""
        rows = self.rows("test" if split == "test" else "train")
        chosen = rows if split == "test" else random.Random(f"{split} {seed}").sample(rows, len(rows))
        return [problem(row, f"{self.NAME} row {i + 1}") for i, row in enumerate(chosen[:count])]

    def items(self, seed: int) -> Iterator[Item]:
        """Training problems with their worked solutions, all of them once, then again in another order."""
        if self.file:
            raise Refused(f"{self.NAME}: a file holds test problems only: nothing to train on")
        rng, rows = random.Random(seed), self.rows("train")
        for _ in count():
            for row in rng.sample(rows, len(rows)):
                steps = row["answer"].partition("####")[0].strip().splitlines()
                made = problem(row, self.NAME)
                yield Item(made.question, tuple(steps), made.answer, LONGEST_ANSWER)


def named(rest: str) -> Gsm8k:
    """The task of `gsm8k:rest`."""
    if rest and not Path(rest).is_file():
        raise Refused(f"{rest}: no such file of problems", exit_code=2)
    return Gsm8k(f"gsm8k:{Path(rest).name}" if rest else "gsm8k", file=Path(rest) if rest else None)


def problem(row: Row, where: str) -> Problem:
    """Raises `Refused` for a row whose answer cannot be verified."""
    _, mark, last = row["answer"].rpartition("####")
    if not mark or number(last) is None:
        raise Refused(f'{where}: key answer: has no verifiable answer: must end in "#### NUMBER"')
    return Problem(row["question"].strip(), last.strip(), 1, LONGEST_ANSWER)


def from_file(path: Path) -> list[Row]:
    rows: list[Row] = []
    for i, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
        except ValueError:
            raise Refused(f"{path}: line {i}: no JSON") from None
        if not isinstance(row, dict) or not all(isinstance(row.get(key), str) for key in ("question", "answer")):
            raise Refused(f"{path}: line {i}: must be an object with the texts question and answer")
        rows.append(row)
    if not rows:
        raise Refused(f"{path}: no problems in it")
    return rows


def from_hub(split: str) -> list[Row]:
    if find_spec("datasets") is None:
        raise Refused("task 'gsm8k': needs the package datasets: pip install -c constraints.txt -e '.[methods,pretrained]'")
    from datasets import load_dataset

    try:
        return list(load_dataset(HUB_ID, "main", split=split))
    except Exception as error:  # the hub's errors share no base class
        raise Refused(f"task 'gsm8k': {HUB_ID} cannot be fetched: {(str(error) or type(error).__name__).splitlines()[0]}") from None
