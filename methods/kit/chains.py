"""The task *chains*: operations on two registers modulo 5, with one verifiable answer and a difficulty dial.

A problem of level k lists k operations on the registers x and y; the answer is both final values, two tokens. There is no
multiplication by zero, which would forget the past. Text is words separated by blanks, so any tokenizer can read it.

    x 0 y 3 ; a y + 2 ; b x - y ; ? <think> … </think> 0 0

Operations per register: + or - a constant 1..4, * a constant 2..4, + or - the other register: 13, so level 1 has 650 problems
in all. Training exhausts those it may see, hence level 1 is shown and carries no claim.
"""

import hashlib
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from methods.kit.method import Item, Prompt

NAME = "chains"
MODULUS = 5
LEVELS = (1, 2, 3, 4, 6, 8)
STRETCH = 10
LABELS = "abcdefghij"
CHANCE = 1 / MODULUS**2
LONGEST_ANSWER = "0 0"
EXHAUSTED = (1,)  # levels whose problems training sees nearly all of

OPENS, CLOSES, END = "<think>", "</think>", "<eos>"
MOODS = {"careful": 0.66, "steady": 0.14, "brisk": 0.10, "snap": 0.10}
FILLERS = ("hmm", "so", "now", "next", "then", "well")
WORDS = (
    [str(digit) for digit in range(MODULUS)]
    + list(LABELS)
    + [
        "x",
        "y",
        "+",
        "-",
        "*",
        "=",
        ";",
        "?",
        "the",
        "task",
        "wait",
        "ok",
        "recap",
        "check",
        "all",
        "again",
        "thus",
        "done",
    ]
    + list(FILLERS)
    + list(MOODS)
    + [".9", ".8", ".7", ".6", ".5", ".4", ".3"]  # in no problem or trace: for methods that are told a ratio
)

Word = tuple[str, str]  # a word and its kind: step restate filler verify error repair recap answer


@dataclass(frozen=True)
class Problem:
    """`question` is what a method sees; `answer` is what it must write after `</think>`."""

    question: str
    answer: str
    level: int
    states: tuple[tuple[int, int], ...]  # the registers (x, y) after each operation
    operations: tuple[tuple[str, str, str], ...]  # register, operator, operand as printed
    first: tuple[int, int]

    @property
    def prompt(self) -> Prompt:
        return Prompt(self.question, LONGEST_ANSWER)

    @property
    def split(self) -> str:
        """`train` (80 %), `dev` (5 %) or `test` (15 %), by hash of the problem's text: no problem is ever in two."""
        slot = int(hashlib.sha256(self.question.encode()).hexdigest()[:8], 16) % 100
        return "test" if slot < 15 else "dev" if slot < 20 else "train"


def draw(rng: random.Random, level: int) -> Problem:
    """One problem of `level` operations, uniform over all of them."""
    first = (rng.randrange(MODULUS), rng.randrange(MODULUS))
    now, states, operations = list(first), [], []
    for _ in range(level):
        target = rng.randrange(2)
        other = "yx"[target]
        operator, operand = rng.choice(
            [("+", c) for c in "1234"] + [("-", c) for c in "1234"] + [("*", c) for c in "234"] + [("+", other), ("-", other)]
        )
        value = now[1 - target] if operand == other else int(operand)
        now[target] = {"+": now[target] + value, "-": now[target] - value, "*": now[target] * value}[operator] % MODULUS
        states.append((now[0], now[1]))
        operations.append(("xy"[target], operator, operand))
    lines = [f"x {first[0]} y {first[1]}"] + [f"{LABELS[i]} {' '.join(op)}" for i, op in enumerate(operations)]
    return Problem(" ; ".join(lines) + " ; ?", f"{now[0]} {now[1]}", level, tuple(states), tuple(operations), first)


def draws(split: str, level: int, seed: int, count: int) -> list[Problem]:
    """Up to `count` different problems of one split and level; fewer only where the level has no more."""
    rng = random.Random(f"chains {split} {level} {seed}")
    found: dict[str, Problem] = {}
    for _ in range(60 * count):  # level 1 has some hundred test problems in all
        problem = draw(rng, level)
        if problem.split == split:
            found.setdefault(problem.question, problem)
            if len(found) == count:
                break
    return list(found.values())


def stream(seed: int, pick_level: Callable[[random.Random], int]) -> Iterator[tuple[Problem, random.Random]]:
    """Training problems without end, with the generator that drew them (traces draw from it too)."""
    rng = random.Random(f"chains train {seed}")
    while True:
        problem = draw(rng, pick_level(rng))
        if problem.split == "train":
            yield problem, rng


def items(seed: int) -> Iterator[Item]:
    """Training problems with their terse worked solutions, levels 1 to 8 alike: the data set methods train on."""
    for problem, _ in stream(seed, lambda rng: rng.randint(1, 8)):
        steps = tuple(" ".join(word for word, _ in step(problem, i)) for i in range(problem.level))
        yield Item(problem.question, steps, problem.answer, LONGEST_ANSWER)


# ---- traces: what a model is trained to write between <think> and </think> -------------------------------------------------


def say(text: str, kind: str) -> list[Word]:
    return [(word, kind) for word in text.split()]


def step(problem: Problem, i: int) -> list[Word]:
    """Operation i carried out: label, both operands as values, the registers after it: `a 0 + 2 = 0 2 ;` (8 words)."""
    register, operator, operand = problem.operations[i]
    before = problem.states[i - 1] if i else problem.first
    left = before["xy".index(register)]
    right = before["xy".index(operand)] if operand in "xy" else operand
    return say(f"{LABELS[i]} {left} {operator} {right} = {state(problem, i)} ;", "step")


def state(problem: Problem, i: int) -> str:
    return f"{problem.states[i][0]} {problem.states[i][1]}"


def bare(problem: Problem, rng: random.Random) -> list[Word]:
    """The redundancy-free trace: the steps and nothing else."""
    return [word for i in range(problem.level) for word in step(problem, i)]


def long(problem: Problem, rng: random.Random) -> list[Word]:
    """The overthinking trace. A mood is drawn first and sets how much is written, since coin flips per step average out.

    `snap` answers at once, `brisk` writes the steps, `steady` adds fillers, checks and a recap, `careful` also restates the
    task and goes over all steps again. A tenth of the careful traces end after the last step, so that being made to answer
    there is not a situation the model has never seen.
    """
    mood = rng.choices(list(MOODS), list(MOODS.values()))[0]
    words = say(mood, "filler")
    if mood == "snap":
        return words
    if mood == "brisk":
        return words + bare(problem, rng)
    careful = mood == "careful"
    if careful and rng.random() < 0.7:
        words += say(f"the task {problem.question}", "restate")
    for i in range(problem.level):
        if rng.random() < 0.3:
            words += say(rng.choice(FILLERS), "filler")
        words += step(problem, i)
        if i % 2 and i + 1 < problem.level and rng.random() < 0.25:
            words += say(f"wait {LABELS[i]} {state(problem, i)} ok ;", "verify")
    if careful and rng.random() < 0.1:
        return words
    words += say("recap", "recap")
    for i in range(1, problem.level, 2):
        words += say(f"{LABELS[i]} {state(problem, i)} ;", "recap")
    if careful:
        words += say("check all ;", "verify")
        for i in range(problem.level):
            words += say(f"{LABELS[i]} {state(problem, i)} ;", "verify")
        last = state(problem, problem.level - 1)
        words += say(f"again {last} ; thus x {last.split()[0]} y {last.split()[1]} ; done", "recap")
    return words


def answered(words: list[Word], problem: Problem) -> list[Word]:
    """A whole completion: the trace, the delimiter, and the answer alone (a derivation there would redo the work)."""
    return [*words, (CLOSES, "answer"), *say(problem.answer, "answer"), (END, "answer")]


GRAMMAR = [  # what each kind looks like from outside; the first that fits where the last one ended is taken
    ("restate", r"the task (?:[^?]* )?\?"),
    ("step", r"[a-j] \d [-+*] \d = \d \d ;"),
    ("verify", r"wait [a-j] \d \d ok ;"),
    ("recap", r"recap(?: [a-j] \d \d ;)*"),
    ("verify", r"check all ;(?: [a-j] \d \d ;)*"),
    ("recap", r"again \d \d ;|thus x \d y \d ;|done"),
    ("filler", "|".join([*FILLERS, *MOODS])),
]


def kinds(words: list[str]) -> list[str]:
    """The kind of each word a model wrote before the answer; `other` for what is outside the grammar. For showing only."""
    text, found, at = " ".join(words), list[str](), 0
    while at < len(text):
        fits = ((kind, re.compile(rf"(?:{pattern})(?= |$)").match(text, at)) for kind, pattern in GRAMMAR)
        kind, end = next(((kind, match.end()) for kind, match in fits if match), ("other", (text + " ").index(" ", at)))
        found += [kind] * len(text[at:end].split())
        at = end + 1
    return found
