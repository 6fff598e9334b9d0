"""Kimi's length reward in its limits: equal lengths earn nothing, weight 0 is the plain reward, wrong chains never gain."""

from collections.abc import Callable
from types import ModuleType

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from methods import cot, kimi_length
from methods.kit.models import Role, copy_of
from methods.kit.tasks import chains

samples = st.lists(st.tuples(st.integers(1, 300), st.booleans()), min_size=2, max_size=12)


def rewards_are_the_papers(module: ModuleType) -> None:
    assert module.length_rewards([10, 20, 30], [True, True, True]) == [0.5, 0.0, -0.5]
    assert module.length_rewards([10, 20, 30], [False, True, False]) == [0.0, 0.0, -0.5]
    assert module.length_rewards([7, 7], [True, False]) == [0.0, 0.0]


def test_rule() -> None:
    rewards_are_the_papers(kimi_length)


def test_a_mutated_rule_fails(mutated: Callable[..., ModuleType]) -> None:
    """Wrong and short pays like right and short."""
    wrong = mutated("kimi_length", "[score if good else min(0.0, score) for", "[score if good else score for")
    with pytest.raises(AssertionError):
        rewards_are_the_papers(wrong)


@given(samples)
def test_shorter_never_earns_less_and_wrong_never_gains(own: list[tuple[int, bool]]) -> None:
    lengths, right = [length for length, _ in own], [good for _, good in own]
    rewards = kimi_length.length_rewards(lengths, right)
    for length, good, reward in zip(lengths, right, rewards, strict=True):
        assert -0.5 <= reward <= (0.5 if good else 0.0)
        for other, also, earned in zip(lengths, right, rewards, strict=True):
            assert not (good == also and length < other and reward < earned)


def test_the_squared_ratio_pulls_back() -> None:
    """Where the chain has become likelier than when it was sampled, the penalty pushes down; on the spot it does nothing."""
    counts, before, objective = torch.ones(1, 2), torch.zeros(1, 2), kimi_length.mirror_descent(0.5)
    for shift, sign in ((0.5, 1), (0.0, 0), (-0.5, -1)):
        now = torch.full((1, 2), shift, requires_grad=True)
        objective(now, before, counts, torch.zeros(1)).backward()
        assert now.grad is not None
        assert now.grad.sign().tolist() == [[sign, sign]]


def test_with_weight_0_no_reward_is_for_length(reasoner: Role, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Callable[..., list[float]]] = []

    def no_training(role: Role, items: object, reward: Callable[..., list[float]], *_: object) -> None:
        asked.append(reward)

    monkeypatch.setattr(kimi_length, "online", no_training)
    monkeypatch.setattr(kimi_length, "improve", lambda *_: None)
    for config in (kimi_length.Config(), kimi_length.ARMS["no_length"]):
        kimi_length.prepare({"long": reasoner}, chains, config, 0)
    ours, control = asked
    assert control(99, [10, 30], [True, False]) == [1.0, 0.0] == ours(0, [10, 30], [True, False])  # and none at first
    assert ours(99, [10, 30], [True, True]) == [1.25, 0.75]


def test_untrained_it_is_the_long_model(reasoner: Role) -> None:
    prompts = [problem.prompt for problem in chains.draws("dev", 3, 0, 3)]
    ours = kimi_length.generate({"kimi_length": copy_of(reasoner, "kimi_length")}, prompts, kimi_length.Config(), 0)
    theirs = cot.generate({"long": reasoner}, prompts, cot.Config(), 0)
    assert [(o.ids, o.labels) for o in ours] == [(o.ids, o.labels) for o in theirs]
