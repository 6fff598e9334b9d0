"""Adaptive consistency in its limits: never safe is a vote of all chains, one chain is no vote; and the rule itself."""

from collections import Counter
from collections.abc import Callable
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from methods import adaptive_consistency
from methods.kit.models import Role, load
from methods.kit.runner import measure, read_answer
from methods.kit.tasks import chains
from methods.kit.zoo import shipped


@pytest.fixture(scope="module")
def models(root: object) -> dict[str, Role]:
    return {"long": load("long", shipped(root, "chains").base("long", 0))}  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def problems() -> list[chains.Problem]:
    return [problem for level in (2, 8) for problem in chains.draws("dev", level, 0, 6)]


def votes(*counts: int) -> Counter[tuple[int, ...]]:
    return Counter({(place,): count for place, count in enumerate(counts) if count})


@given(st.integers(1, 30), st.integers(0, 30), st.integers(0, 5))
def test_the_sum_is_the_integral(a: int, b: int, third: int) -> None:
    a, b, third = max(a, b), min(a, b), min(third, a, b)
    x = np.linspace(0, 1, 20_001)
    mass = x**a * (1 - x) ** b
    share = np.trapezoid(mass[10_000:], x[10_000:]) / np.trapezoid(mass, x)
    if abs(share - 0.95) > 1e-6:
        assert adaptive_consistency.safe(votes(a, b, third), 0.95) is bool(share >= 0.95)


def four_alike_are_safe(module: ModuleType) -> None:
    """A threshold of 0.95 asks for four of four, or six of seven; five of six will not do."""
    for counts, said in (((3,), False), ((4,), True), ((6, 1), True), ((5, 1), False), ((9, 2), True), ((5, 5), False)):
        assert module.safe(votes(*counts), 0.95) is said, counts
    assert not module.safe(votes(), 0.95)
    assert not module.safe(votes(12), None)


def test_rule() -> None:
    four_alike_are_safe(adaptive_consistency)


def test_a_mutated_rule_fails(mutated: Callable[..., ModuleType]) -> None:
    """A bare majority of the throws instead of the whole tail."""
    wrong = mutated("adaptive_consistency", "throws = a + b + 1", "throws = a + b")
    with pytest.raises(AssertionError):
        four_alike_are_safe(wrong)


def test_the_most_frequent_answer_is_handed_in_and_all_chains_are_paid_for(
    models: dict[str, Role], problems: list[chains.Problem]
) -> None:
    role, config = models["long"], adaptive_consistency.Config(samples=5, threshold=None, temperature=1.5)
    for output in adaptive_consistency.generate(models, [problem.prompt for problem in problems], config, 3):
        written = [token for token, label in zip(output.ids, output.labels) if label != "prompt"]
        assert output.labels.count("prompt") % 5 == 0
        assert output.unread == 5
        said = [answer for answer in spoken(role, written, output.unread) if answer]
        if said:
            most = max(Counter(said).values())
            assert Counter(said)[read_answer(role, output, 4)] == most


def spoken(role: Role, written: list[int], chains_drawn: int) -> list[str]:
    """What each chain says at its end: a chain ends with its end mark, or was cut."""
    chains_read: list[list[int]] = [[]]
    for token in written:
        chains_read[-1].append(token)
        if token == role.eos_id:
            chains_read.append([])
    assert len(chains_read) <= chains_drawn + 1
    return [role.decode(chain).partition("<eos>")[0].rpartition("</think>")[2].strip() for chain in chains_read if chain]


def test_sure_at_once_is_one_chain_and_never_sure_is_all(models: dict[str, Role], problems: list[chains.Problem]) -> None:
    single, sure, never = (
        measure(adaptive_consistency, models, adaptive_consistency.Config(samples=samples, threshold=threshold), problems, 0)
        for samples, threshold in ((1, 0.95), (4, 0.5), (4, None))
    )
    assert [output.ids for output in single.outputs] == [output.ids for output in sure.outputs]
    assert {output.unread for output in never.outputs} == {4}
    assert (never.values["flops"] > single.values["flops"]).all(), "the first of the four is the single one"
    assert (never.values["peak_context_tokens"] < never.values["tokens"]).all(), "one chain at a time, not all in one cache"
