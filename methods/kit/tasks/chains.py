"""The task *chains*: operations on two registers modulo 5, with one verifiable answer and a difficulty dial.

A problem of level k lists k operations on the registers x and y; the answer is both final values, two tokens. There is no
multiplication by zero, which would forget the past. Text is words separated by blanks, so any tokenizer can read it.

    x 0 y 3 ; a y + 2 ; b x - y ; ? <think> … </think> 0 0

Operations per register: + or - a constant 1..4, * a constant 2..4, + or - the other register: 13, so level 1 has 650 problems
in all. Training exhausts those it may see, hence level 1 is shown and carries no claim.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from methods.kit import family
from methods.kit.family import FILLERS, RATIOS, Course, Word, say
from methods.kit.method import Item

NAME = "chains"
MODULUS = 5
LEVELS = (1, 2, 3, 4, 6, 8)
STRETCH = 10
STRUCTURE = 9  # no training problem has so many operations
LABELS = "abcdefghij"
CHANCE = 1 / MODULUS**2
LONGEST_ANSWER = "0 0"
EXHAUSTED = (1,)  # levels whose problems training sees nearly all of

WORK = "start"  # the checkpoint trained on traces without redundancy
MOODS = {"careful": 0.66, "steady": 0.14, "brisk": 0.10, "snap": 0.10}
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
    + list(RATIOS)
)


@dataclass(frozen=True)
class Problem(family.Problem):
    """What happened in it, beside what every problem has."""

    states: tuple[tuple[int, int], ...]  # the registers (x, y) after each operation
    operations: tuple[tuple[str, str, str], ...]  # register, operator, operand as printed
    first: tuple[int, int]


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
    answer = f"{now[0]} {now[1]}"
    return Problem(" ; ".join(lines) + " ; ?", answer, level, LONGEST_ANSWER, tuple(states), tuple(operations), first)


def draws(split: str, level: int, seed: int, count: int) -> list[Problem]:
    """Up to `count` different problems of one split and level; fewer only where the level has no more."""
    rng = random.Random(f"{NAME} {split} {level} {seed}")
    return family.distinct(lambda rng: draw(rng, level), split, count, rng)


def items(seed: int) -> Iterator[Item]:
    """Training problems with their terse worked solutions, levels 1 to 8 alike: the data set methods train on."""
    rng = random.Random(f"{NAME} train {seed}")
    for problem in family.stream(lambda rng, _: draw(rng, rng.randint(1, 8)), rng):
        steps = tuple(" ".join(word for word, _ in step(problem, i)) for i in range(problem.level))
        yield Item(problem.question, steps, problem.answer, LONGEST_ANSWER)


# ---- traces: what a model is trained to write between <think> and </think> -------------------------------------------------


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
    """The kind of each word a model wrote before the answer."""
    return family.read_kinds(words, GRAMMAR)


# ---- how the shared checkpoints are trained --------------------------------------------------------------------------------


def rising(climb: float, after: tuple[float, ...]) -> Callable[[random.Random, float], Problem]:
    """Levels 1 to a top that rises over the first `climb` of training; then `after` weighs levels 1..8 and the stretch."""

    def pick(rng: random.Random, done: float) -> Problem:
        if done < climb:
            return draw(rng, rng.randint(1, min(8, 1 + int(9 * done / climb))))
        return draw(rng, rng.choices([*range(1, 9), STRETCH], after)[0])

    return pick


def easy_ones(rng: random.Random, done: float) -> Problem:
    """Levels 1 to 8, the easy ones oversampled: only they can be answered at once."""
    return draw(rng, rng.choices(range(1, 9), [3, 5, 4, 3, 1, 1, 1, 1])[0])


def nothing(problem: Problem, rng: random.Random) -> list[Word]:
    return []


COURSES = {
    # bare traces, short ones first: from scratch the longest lag far behind
    "start": Course("", 1000, rising(0.6, (1, 1, 1, 1, 1, 2, 2, 3, 0.3)), bare),
    # overthinking traces, hard levels oversampled towards the end
    "long": Course("start", 1200, rising(0.3, (1, 1, 1, 1, 1, 1.5, 1.5, 3, 0.3)), long, offset=1000),
    # no trace at all, at a constant rate until it no longer gains; ends with a little more than `long`'s training FLOPs, and
    # while the hardest level is still near chance (see the lab log)
    "direct": Course("start", 6500, easy_ones, nothing, offset=2000, decay_from=1.0, at_once=True),
}
