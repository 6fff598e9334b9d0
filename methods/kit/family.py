"""What the families of tasks share: marks, words with their kinds, splits, streams of problems, and courses of training.

A family is a file of `methods/kit/tasks/`, found by its name; the folder is the list. It has

    NAME, LEVELS, STRETCH, STRUCTURE    standard levels; one rare in training; one whose structure training never meets
    CHANCE, EXHAUSTED                   what guessing scores; levels so small that training sees nearly all of them
    WORDS, WORK                         the vocabulary; the checkpoint trained on traces without redundancy
    draw(rng, level), draws(split, level, seed, count), items(seed), kinds(words)
    COURSES                             {"role": Course}: how each shared checkpoint is trained, in this order

Problems of others, for models from outside, have no COURSES; `named(rest)` makes the family of `file:rest`, see tasks/_borrowed.py.
"""

import hashlib
import importlib
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import count
from pathlib import Path
from typing import Any, Generic, TypeVar

from methods.kit.errors import Refused
from methods.kit.method import Prompt

OPENS, CLOSES, END = "<think>", "</think>", "<eos>"
FILLERS = ("hmm", "so", "now", "next", "then", "well")
RATIOS = (".9", ".8", ".7", ".6", ".5", ".4", ".3")  # in no problem or trace: for methods that are told a ratio
FOLDER = Path(__file__).parent / "tasks"

Word = tuple[str, str]  # a word and its kind: step restate filler verify error repair recap answer
Grammar = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Problem:
    """`question` is what a method sees; `answer` is what it must write after `</think>`."""

    question: str
    answer: str
    level: int
    longest_answer: str

    @property
    def prompt(self) -> Prompt:
        return Prompt(self.question, self.longest_answer)

    def solved_by(self, written: str) -> bool:
        """Whether what was written after the thinking is the answer."""
        return written.split() == self.answer.split()

    @property
    def canonical(self) -> str:
        """The same text for two wordings of one problem."""
        return self.question

    @property
    def split(self) -> str:
        """`train` (80 %), `dev` (5 %) or `test` (15 %), by hash of the canonical form: no problem is ever in two."""
        slot = int(hashlib.sha256(self.canonical.encode()).hexdigest()[:8], 16) % 100
        return "test" if slot < 15 else "dev" if slot < 20 else "train"


P = TypeVar("P", bound=Problem)


@dataclass(frozen=True)
class Course(Generic[P]):
    """How one shared checkpoint is trained: from which other (none: from scratch), on which problems, with what written.

    `draw` is told how far training is, from 0 to 1. `offset` keeps the problems of one course apart from those of others.
    """

    parent: str
    steps: int
    draw: Callable[[random.Random, float], P]
    trace: Callable[[P, random.Random], list[Word]]
    offset: int = 0
    decay_from: float = 0.75
    at_once: bool = False  # it answers without thinking


def names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("[!_]*.py"))


def load(name: str) -> Any:
    """The family of that name; of a file that holds many, `file:name` is one. Raises `Refused` (exit 2) for what is not there."""
    stem, _, rest = name.partition(":")
    if stem not in names():
        close = get_close_matches(stem, names(), n=1, cutoff=0.5)
        hint = f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(names())}"
        raise Refused(f"task: {name!r}: no such family{hint}", exit_code=2)
    module = importlib.import_module(f"methods.kit.tasks.{stem}")
    if hasattr(module, "named"):
        return module.named(rest)
    if rest:
        raise Refused(f"task: {name!r}: {stem!r} is one family, without {rest!r}", exit_code=2)
    return module


def grown() -> list[str]:
    """The families on which the lab trains models of its own."""
    return [name for name in names() if hasattr(importlib.import_module(f"methods.kit.tasks.{name}"), "COURSES")]


# ---- problems --------------------------------------------------------------------------------------------------------------


def distinct(draw: Callable[[random.Random], P], split: str, wanted: int, rng: random.Random) -> list[P]:
    """Up to `wanted` different problems of one split; fewer only where there are no more."""
    found: dict[str, P] = {}
    for _ in range(60 * wanted):  # a small level has some hundred test problems in all
        problem = draw(rng)
        if problem.split == split:
            found.setdefault(problem.canonical, problem)
            if len(found) == wanted:
                break
    return list(found.values())


def stream(draw: Callable[[random.Random, float], P], rng: random.Random, total: int = 1) -> Iterator[P]:
    """Training problems without end. `draw` is told the share of `total` drawn so far. Traces draw from `rng` too."""
    for drawn in count(1):
        problem = draw(rng, drawn / total)
        if problem.split == "train":
            yield problem


# ---- traces: what a model is trained to write between <think> and </think> -------------------------------------------------


def say(text: str, kind: str) -> list[Word]:
    return [(word, kind) for word in text.split()]


def answered(words: list[Word], problem: Problem) -> list[Word]:
    """A whole completion: the trace, the delimiter, and the answer alone (a derivation there would redo the work)."""
    return [*words, (CLOSES, "answer"), *say(problem.answer, "answer"), (END, "answer")]


def read_kinds(words: list[str], grammar: Grammar) -> list[str]:
    """The kind of each word a model wrote before the answer; `other` for what is outside the grammar. For showing only.

    `grammar` says what each kind looks like from outside; the first that fits where the last one ended is taken.
    """
    text, found, at = " ".join(words), list[str](), 0
    while at < len(text):
        fits = ((kind, re.compile(rf"(?:{pattern})(?= |$)").match(text, at)) for kind, pattern in grammar)
        kind, end = next(((kind, match.end()) for kind, match in fits if match), ("other", (text + " ").index(" ", at)))
        found += [kind] * len(text[at:end].split())
        at = end + 1
    return found
