"""The task: one way to the goal, answers an independent solver agrees with, splits that do not meet, readable traces."""

import random
from collections import deque
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from methods.kit import family
from methods.kit.tasks import search

seeds = st.integers(0, 10**6)
levels = st.sampled_from(sorted(search.SHAPES))


def ways(question: str) -> tuple[list[tuple[str, str]], list[list[str]]]:
    """The edges of the problem's text, and every way from its start to its goal, breadth first."""
    *lines, asked = [part.split() for part in question.split(";")]
    edges = [(a, b) for a, b in lines]
    mark, start, goal = asked
    assert mark == "?"
    found, waiting = [], deque([[start]])
    while waiting:
        way = waiting.popleft()
        if way[-1] == goal:
            found.append(way)
        waiting.extend([*way, b] for a, b in edges if a == way[-1] and b not in way)
    return edges, found


@st.composite
def problems(draw: st.DrawFn) -> search.Problem:
    rng = random.Random(draw(seeds))
    return search.tree(rng) if draw(st.booleans()) else search.draw(rng, draw(levels))


@given(problems())
@settings(max_examples=200)
def test_the_one_way_starts_as_the_answer_says(problem: search.Problem) -> None:
    edges, found = ways(problem.question)
    assert len(set(edges)) == len(edges)
    assert len(found) == 1
    assert tuple(found[0]) == problem.path
    assert found[0][1:3] == problem.answer.split()


@given(seeds, levels)
@settings(max_examples=100)
def test_a_level_is_its_shape(seed: int, level: int) -> None:
    problem = search.draw(random.Random(seed), level)
    onward = {a: b for a, b in problem.edges if a != problem.path[0]}
    lengths = []
    for start in (b for a, b in problem.edges if a == problem.path[0]):
        length, at = 1, start
        while at in onward:
            at, length = onward[at], length + 1
        lengths.append((at == problem.path[-1], length))
    assert sorted(lengths) == sorted((i == 0, length) for i, length in enumerate(search.SHAPES[level]))


def test_the_structure_split_is_never_trained_on() -> None:
    """Four ways from the start occur in no training problem of any course, nor among the standard levels."""

    def widest(problem: search.Problem) -> int:
        sources = [a for a, _ in problem.edges]
        return max(map(sources.count, sources))

    rng = random.Random(0)
    for course in search.COURSES.values():
        assert all(widest(course.draw(rng, done / 300)) <= 3 for done in range(300))
    assert widest(search.draw(rng, search.STRUCTURE)) == 4


@given(seeds)
def test_the_order_of_edges_makes_no_new_problem(seed: int) -> None:
    rng = random.Random(seed)
    problem = search.draw(rng, 3)
    shuffled = search.Problem(
        problem.question,
        problem.answer,
        3,
        problem.longest_answer,
        tuple(rng.sample(problem.edges, len(problem.edges))),
        problem.path,
    )
    assert shuffled.split == problem.split
    assert shuffled.canonical == problem.canonical


@pytest.mark.parametrize("level", search.LEVELS)
def test_splits_never_meet(level: int) -> None:
    drawn = {
        split: {p.canonical for p in search.draws(split, level, seed, 60)} for seed, split in enumerate(("train", "dev", "test"))
    }
    assert all(len(own) == 60 for own in drawn.values())
    assert not drawn["train"] & drawn["test"]
    assert not drawn["train"] & drawn["dev"]
    assert not drawn["dev"] & drawn["test"]


@given(problems(), seeds)
@settings(max_examples=200)
def test_the_walk_goes_along_edges_and_back_to_where_a_way_is_left(problem: search.Problem, seed: int) -> None:
    rng, left = random.Random(seed), set(problem.edges)
    trail = [problem.path[0]]
    for line in search.walk(problem, rng):
        words = [word for word, _ in line]
        if words[0] == "wait":
            assert not any(a == trail[-1] for a, _ in left)  # a dead end, and not before
            assert trail[-1] != problem.path[-1]
            while trail[-1] != words[3]:
                trail.pop()
            assert any(a == trail[-1] for a, _ in left)
        else:
            assert words[0] == trail[-1]
            left.remove((words[0], words[1]))
            trail.append(words[1])
    assert tuple(trail) == problem.path


@given(problems(), seeds)
@settings(max_examples=200)
def test_kinds_are_read_back_from_surface_words(problem: search.Problem, seed: int) -> None:
    for trace in (search.long, search.bare, search.straight):
        words = trace(problem, random.Random(seed))
        assert search.kinds([word for word, _ in words]) == [kind for _, kind in words]


@given(st.lists(st.sampled_from([*search.WORDS, "", "\u202e"]).filter(bool)))
def test_kinds_give_one_kind_a_word_for_anything(words: list[str]) -> None:
    assert len(search.kinds(words)) == len(words)


@given(problems(), seeds)
@settings(max_examples=100)
def test_every_word_is_in_the_vocabulary(problem: search.Problem, seed: int) -> None:
    rng = random.Random(seed)
    written = {word for word, _ in family.answered(search.long(problem, rng), problem)} | set(problem.question.split())
    assert written <= {*search.WORDS, family.CLOSES, family.END}


def test_long_writes_enough_after_it_has_found_the_way() -> None:
    """The main mood's traces: what stands up to `found ;` is at most 65 % of the tokens, at every level."""
    for level in search.LEVELS:
        before = whole = 0
        for problem in search.draws("train", level, 0, 300):
            words = [word for word, _ in search.long(problem, random.Random(problem.question))]
            if words[0] == "careful" and words[-1] == "done":
                before, whole = before + words.index("found") + 2, whole + len(words)
        assert before <= 0.65 * whole


def test_items_are_worked_solutions() -> None:
    for item in islice(search.items(0), 50):
        _, (way,) = ways(item.question)
        assert item.answer == f"{way[1]} {way[2]}"
        assert item.steps[-1] == f"{way[-2]} {way[-1]} ;"
