"""The task: answers that are right, splits that do not meet, traces whose kinds can be read back."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from methods.kit import family
from methods.kit.tasks import chains

seeds = st.integers(0, 10**6)
levels = st.sampled_from([*chains.LEVELS, 5, 7, chains.STRETCH, chains.STRUCTURE])


def solve(question: str) -> str:
    """An independent reading of the problem's text."""
    first, *lines = [part.split() for part in question.removesuffix("?").split(";") if part.strip()]
    registers = {first[0]: int(first[1]), first[2]: int(first[3])}
    for _, target, operator, operand in lines:
        value = registers[operand] if operand in registers else int(operand)
        results = {"+": registers[target] + value, "-": registers[target] - value, "*": registers[target] * value}
        registers[target] = results[operator] % 5
    return f"{registers['x']} {registers['y']}"


@given(seeds, levels)
@settings(max_examples=200)
def test_answer_is_what_the_text_says(seed: int, level: int) -> None:
    problem = chains.draw(random.Random(seed), level)
    assert solve(problem.question) == problem.answer
    assert problem.question.count(";") == level + 1


@given(seeds, levels)
@settings(max_examples=200)
def test_no_multiplication_forgets_the_past(seed: int, level: int) -> None:
    for _, operator, operand in chains.draw(random.Random(seed), level).operations:
        assert operand != "0"
        assert operator != "*" or operand in "234"


@pytest.mark.parametrize("level", chains.LEVELS)
def test_splits_never_meet(level: int) -> None:
    drawn = {
        split: {p.question for p in chains.draws(split, level, seed, 60)} for seed, split in enumerate(("train", "dev", "test"))
    }
    assert not drawn["train"] & drawn["test"]
    assert not drawn["train"] & drawn["dev"]
    assert not drawn["dev"] & drawn["test"]


def test_training_stream_is_the_train_split_only() -> None:
    stream = family.stream(lambda rng, _: chains.draw(rng, rng.randint(1, 3)), random.Random(0))
    assert {next(stream).split for _ in range(300)} == {"train"}


def test_level_one_runs_out_and_the_others_do_not() -> None:
    assert 60 <= len(chains.draws("test", 1, 0, 800)) < 160
    assert len(chains.draws("test", 2, 0, 800)) == 800


@given(seeds, levels)
@settings(max_examples=200)
def test_kinds_are_read_back_from_surface_words(seed: int, level: int) -> None:
    rng = random.Random(seed)
    trace = chains.long(chains.draw(rng, level), rng)
    assert chains.kinds([word for word, _ in trace]) == [kind for _, kind in trace]


@given(st.lists(st.sampled_from([*chains.WORDS, "", "??", "\u202e"]).filter(bool)))
def test_kinds_give_one_kind_a_word_for_anything(words: list[str]) -> None:
    assert len(chains.kinds(words)) == len(words)


@given(seeds, levels)
@settings(max_examples=100)
def test_a_trace_ends_in_the_answer_alone(seed: int, level: int) -> None:
    rng = random.Random(seed)
    problem = chains.draw(rng, level)
    words = [word for word, _ in family.answered(chains.long(problem, rng), problem)]
    assert words.count(family.CLOSES) == 1
    assert " ".join(words[words.index(family.CLOSES) :]) == f"</think> {problem.answer} <eos>"


def test_moods_spread_lengths_and_the_main_one_leads() -> None:
    rng = random.Random(0)
    problem = chains.draw(rng, 8)
    lengths = sorted(len(chains.long(problem, rng)) for _ in range(400))
    assert lengths[360] >= 2 * lengths[40]
    assert lengths[-1] <= 240
    assert max(chains.MOODS.values()) >= 2 * sorted(chains.MOODS.values())[-2]
