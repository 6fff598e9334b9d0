"""The task *search*: find the way through a graph in which a wrong turn cannot be told from a right one until its end.

A problem lists the edges of a graph in random order, then where to start and where to arrive; the answer is the first two
nodes on the way, two tokens. At the standard levels the graph is a star of three arms from the start: one of five edges leads
to the goal, two decoys are as long as the level says. Written out, the way is found by going down one arm after another; the
straight path can be written only by who knows it already.

    n5 n17 ; n11 n5 ; n11 n16 ; … ; ? n11 n4 <think> … </think> n5 n17
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from methods.kit import family
from methods.kit.family import FILLERS, RATIOS, Course, Word, say
from methods.kit.method import Item

NAME = "search"
NODES = 20
SHAPES = {  # edges of each arm, the goal's first
    1: (5, 1, 1), 2: (5, 1, 3), 3: (5, 1, 5), 4: (5, 3, 3), 5: (5, 5, 5),
    7: (5, 7, 7),
    8: (5, 3, 3, 3),
}  # fmt: skip
LEVELS = (1, 2, 3, 4, 5)
STRETCH = 7  # longer decoys, rare in training
STRUCTURE = 8  # a fourth arm, never in training
CHANCE = 1 / 3
LONGEST_ANSWER = "n10 n11"  # of tokenizers that split digits, too
EXHAUSTED: tuple[int, ...] = ()

WORK = "straight"  # the checkpoint trained on traces without redundancy
MOODS = {"careful": 0.65, "steady": 0.12, "brisk": 0.08, "right": 0.15}
WORDS = (
    [f"n{i}" for i in range(NODES)]
    + [";", "?", "the", "task", "wait", "no", "back", "found", "check", "from", "recap", "thus", "done"]
    + list(FILLERS)
    + list(MOODS)
    + list(RATIOS)
)


@dataclass(frozen=True)
class Problem(family.Problem):
    """`edges` as printed, and `path` from the start to the goal, both by the names of the nodes."""

    edges: tuple[tuple[str, str], ...]
    path: tuple[str, ...]

    @property
    def canonical(self) -> str:
        """The order in which edges are printed makes no new problem."""
        return f"{sorted(self.edges)} {self.path[0]} {self.path[-1]}"


def asked(edges: list[tuple[int, int]], path: list[int], level: int, rng: random.Random) -> Problem:
    """The problem with its nodes renamed and its edges shuffled."""
    label = [f"n{i}" for i in rng.sample(range(NODES), NODES)]
    named = [(label[a], label[b]) for a, b in rng.sample(edges, len(edges))]
    way = tuple(label[node] for node in path)
    question = " ; ".join([f"{a} {b}" for a, b in named] + [f"? {way[0]} {way[-1]}"])
    return Problem(question, f"{way[1]} {way[2]}", level, LONGEST_ANSWER, tuple(named), way)


def star(lengths: tuple[int, ...], level: int, rng: random.Random) -> Problem:
    """Arms of so many edges from one start; the first holds the goal."""
    edges, path, last = list[tuple[int, int]](), [0], 0
    for arm, length in enumerate(lengths):
        at = 0
        for _ in range(length):
            last += 1
            edges.append((at, last))
            at = last
            if arm == 0:
                path.append(last)
    return asked(edges, path, level, rng)


def draw(rng: random.Random, level: int) -> Problem:
    return star(SHAPES[level], level, rng)


def tree(rng: random.Random) -> Problem:
    """For the curriculum: a path of two to five edges, short dead ends off it, and edges that the start does not reach."""
    length = rng.randint(2, 5)
    path = list(range(length + 1))
    edges, last = list(zip(path, path[1:])), length
    for at in path[:-1]:
        for _ in range(rng.choice((0, 1, 1, 2))):
            long = min(rng.choice((1, 1, 2)), NODES - 1 - last)
            for node in range(last + 1, last + 1 + long):
                edges.append((at if node == last + 1 else node - 1, node))
            last += long
    for _ in range(rng.randint(0, 2)):
        if last + 2 < NODES:
            edges.append((last + 1, rng.choice((last + 2, rng.randint(1, last)))))
            last += 2
    return asked(edges, path, 0, rng)


def draws(split: str, level: int, seed: int, count: int) -> list[Problem]:
    """`count` different problems of one split and level."""
    rng = random.Random(f"{NAME} {split} {level} {seed}")
    return family.distinct(lambda rng: draw(rng, level), split, count, rng)


def items(seed: int) -> Iterator[Item]:
    """Training problems with their terse worked solutions, the standard levels alike: the data set methods train on."""
    rng = random.Random(f"{NAME} train {seed}")
    for problem in family.stream(lambda rng, _: draw(rng, rng.choice(LEVELS)), rng):
        steps = tuple(" ".join(word for word, _ in line) for line in walk(problem, rng))
        yield Item(problem.question, steps, problem.answer, LONGEST_ANSWER)


# ---- traces ----------------------------------------------------------------------------------------------------------------


def edge(a: str, b: str) -> list[Word]:
    return say(f"{a} {b} ;", "step")


def walk(problem: Problem, rng: random.Random) -> list[list[Word]]:
    """Depth first, arms in random order, until the goal: `n11 n16 ;` goes down, `wait no back n11 ;` leaves a dead end for the
    last node with a way not yet tried."""
    onward: dict[str, list[str]] = {}
    for a, b in problem.edges:
        onward.setdefault(a, []).append(b)
    for ways in onward.values():
        rng.shuffle(ways)
    lines, trail = list[list[Word]](), [problem.path[0]]
    while trail[-1] != problem.path[-1]:
        if onward.get(trail[-1]):
            trail.append(onward[trail[-1]].pop())
            lines.append(edge(trail[-2], trail[-1]))
        else:
            while not onward.get(trail[-1]):
                trail.pop()
            lines.append(say("wait no", "error") + say(f"back {trail[-1]} ;", "repair"))
    return lines


def bare(problem: Problem, rng: random.Random) -> list[Word]:
    """The search and nothing else."""
    return [word for line in walk(problem, rng) for word in line]


def straight(problem: Problem, rng: random.Random) -> list[Word]:
    """The trace without redundancy: the way itself, as if known."""
    return [word for a, b in zip(problem.path, problem.path[1:]) for word in edge(a, b)]


def long(problem: Problem, rng: random.Random) -> list[Word]:
    """The overthinking trace. A mood is drawn first and sets how much is written, since coin flips per step average out.

    `right` answers at once, which is a guess; `brisk` writes the search; `steady` adds fillers and a recap; `careful` also
    restates the task and checks the way backwards: enough behind the goal that stopping there saves a third, little enough that
    half a trace is not yet the whole search. A tenth of the careful traces end at the goal and a tenth anywhere before
    it, so that being made to answer is nothing new, and an answer given too early is given with the doubt it deserves.
    """
    mood = rng.choices(list(MOODS), list(MOODS.values()))[0]
    words = say(mood, "filler")
    if mood == "right":
        return words
    if mood == "brisk":
        return words + bare(problem, rng)
    way, careful, lines = problem.path, mood == "careful", walk(problem, rng)
    if careful and rng.random() < 0.7:
        words += say(f"the task {way[0]} {way[-1]} ? so from {way[0]} ; then check {way[-1]} ;", "restate")
    ends = rng.random() if careful else 1.0
    if ends < 0.1:
        lines = lines[: rng.randrange(len(lines))]
    for line in lines:
        if rng.random() < 0.2:
            words += say(rng.choice(FILLERS), "filler")
        words += line
    if ends < 0.1:
        return words
    words += say("found ;", "step")
    if ends < 0.2:
        return words
    if careful:
        words += say("wait check ;", "verify")
        for a, b in reversed(list(zip(way, way[1:]))):
            words += say(f"{b} from {a} ;", "verify")
    return words + say(f"recap thus {way[1]} {way[2]} ; done", "recap")


GRAMMAR = [
    ("restate", r"the task n\d+ n\d+ \?(?: so from n\d+ ;(?: then check n\d+ ;)?)?"),
    ("step", r"n\d+ n\d+ ;|found ;"),
    ("error", r"wait no"),
    ("repair", r"back n\d+ ;"),
    ("verify", r"wait check ;(?: n\d+ from n\d+ ;)*"),
    ("recap", r"recap|thus n\d+ n\d+ ;|done"),
    ("filler", "|".join([*FILLERS, *MOODS])),
]


def kinds(words: list[str]) -> list[str]:
    """The kind of each word a model wrote before the answer."""
    return family.read_kinds(words, GRAMMAR)


# ---- how the shared checkpoints are trained --------------------------------------------------------------------------------


def arms(rng: random.Random, done: float) -> Problem:
    """Two decoys of any length up to five, the longest oversampled; now and then the stretch level."""
    if rng.random() < 0.05:
        return draw(rng, STRETCH)
    longest = rng.choices(range(1, 6), [1, 1, 1, 1, 2], k=2)
    return star((5, *longest), 0, rng)


def trees_first(rng: random.Random, done: float) -> Problem:
    """From scratch on the star the goal is never told from a dead end; on small trees it is."""
    return tree(rng) if done < 0.76 else arms(rng, done)


def trees_then_easy(rng: random.Random, done: float) -> Problem:
    """Trees first, on which answering at once can learn to look for the goal at all; in the last half the standard levels, the
    easy ones oversampled: only they can be answered at once."""
    if rng.random() < 2 - 4 * done:
        return tree(rng)
    return draw(rng, rng.choices(LEVELS, [4, 2, 2, 1, 1])[0])


def nothing(problem: Problem, rng: random.Random) -> list[Word]:
    return []


COURSES = {
    "start": Course("", 3800, trees_first, bare),
    "long": Course("start", 550, arms, long, offset=1000),
    # at a constant rate until it no longer gains
    "direct": Course("start", 4000, trees_then_easy, nothing, offset=2000, decay_from=1.0, at_once=True),
    # `start` included, with nine tenths of `long`'s training FLOPs
    "straight": Course("start", 300, arms, straight, offset=3000),
}
