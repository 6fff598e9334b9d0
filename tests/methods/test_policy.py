"""The policy-gradient loop: what is rewarded becomes likelier, online and offline; advantages and objectives in their limits."""

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from methods.kit import policy
from methods.kit.errors import Refused
from methods.kit.models import Role, copy_of
from methods.kit.policy import Group, Plan, centred, clipped, improve, log_probabilities, online, standardized, without_itself
from methods.kit.tasks import chains
from methods.kit.training import Cost, resumable

PLAN = Plan(rounds=6, groups=2, samples=4, updates=2, rate=1e-2, warm_up=1, most_tokens=12)
rewards = st.lists(st.floats(-2, 2), min_size=2, max_size=9)


def plainly(now: torch.Tensor, before: torch.Tensor, counts: torch.Tensor, advantages: torch.Tensor) -> torch.Tensor:
    return -(now.sum(1) * advantages).mean()


def short_is_good(turn: int, lengths: Sequence[int], right: Sequence[bool]) -> list[float]:
    return [-float(length) for length in lengths]


def trained(reasoner: Role, plan: Plan, seed: int = 0) -> tuple[Role, list[list[Group]], Cost]:
    role, seen, items = copy_of(reasoner, "policy"), list[list[Group]](), list(islice(chains.items(0), 8))
    cost = improve(role, online(role, items, short_is_good, plan, seed), centred, plainly, plan, lambda _, own: seen.append(own))
    return role, seen, cost


def test_what_is_rewarded_becomes_likelier(reasoner: Role) -> None:
    """An untrained model that earns by ending early ends early."""
    _, seen, cost = trained(reasoner, replace(PLAN, rounds=25, rate=3e-2))
    lengths = [sum(len(chain) for group in own for chain in group.chains) for own in seen]
    assert sum(lengths[-3:]) < 0.7 * sum(lengths[:3])
    assert cost.steps == 50
    assert cost.tokens > sum(lengths)  # sampling, and reading again


def test_offline_it_learns_from_chains_kept(reasoner: Role) -> None:
    role, prompt = copy_of(reasoner, "policy"), reasoner.prompt("x 0 y 1 ; ?")
    kept = Group(prompt, [[5, 6, 1], [7, 8, 9, 1]], [1.0, 0.0])
    before, _ = log_probabilities(role, [kept])
    improve(role, lambda turn: [kept], centred, clipped(0.2, 0.2), Plan(10, groups=1, samples=2, updates=1, rate=1e-2))
    after, _ = log_probabilities(role, [kept])
    gain = (after - before).sum(1)
    assert gain[0] > 0 > gain[1]


def test_an_interrupted_run_goes_on_to_the_same_end(reasoner: Role, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "KEPT_EVERY", 4)
    monkeypatch.setattr("methods.kit.training.KEPT_EVERY", 4)
    whole, seen, cost = trained(reasoner, PLAN)

    def breaks_off(turn: int, lengths: Sequence[int], right: Sequence[bool]) -> list[float]:
        if turn == 3:
            raise KeyboardInterrupt
        return short_is_good(turn, lengths, right)

    items = list(islice(chains.items(0), 8))
    broken, resumed = copy_of(reasoner, "policy"), copy_of(reasoner, "policy")
    with pytest.raises(KeyboardInterrupt), resumable(tmp_path / "kept"):
        improve(broken, online(broken, items, breaks_off, PLAN, 0), centred, plainly, PLAN)
    turns: list[int] = []
    with resumable(tmp_path / "kept"):
        again = improve(
            resumed, online(resumed, items, short_is_good, PLAN, 0), centred, plainly, PLAN, lambda turn, _: turns.append(turn)
        )
    assert turns == [2, 3, 4, 5]  # from the last state kept
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name
    assert (again.steps, again.tokens, again.flops) == (cost.steps, cost.tokens, cost.flops)
    assert not (tmp_path / "kept").exists()


def test_a_reward_that_is_no_number_is_refused(reasoner: Role) -> None:
    role, items = copy_of(reasoner, "policy"), list(islice(chains.items(0), 4))
    groups = online(role, items, lambda turn, lengths, right: [math.nan] * len(lengths), PLAN, 0)
    with pytest.raises(Refused, match="loss is nan at step 0"):
        improve(role, groups, centred, plainly, PLAN)


def test_rounds_sample_anew_and_a_seed_fixes_them(reasoner: Role) -> None:
    items = list(islice(chains.items(0), 2))
    groups = online(reasoner, items, short_is_good, PLAN, 0)
    assert groups(0) == groups(0)
    assert [group.chains for group in groups(0)] != [group.chains for group in groups(1)]
    assert groups(0) != online(reasoner, items, short_is_good, PLAN, 1)(0)


def test_log_probabilities_are_the_models(reasoner: Role) -> None:
    """Of each chain alone, whatever padding stands beside it."""
    groups = [Group([5, 6, 7], [[8, 9, 1], [10]], [0.0, 0.0]), Group([5], [[7, 7, 7, 7]], [0.0])]
    found, theirs = log_probabilities(reasoner, groups)
    alone = [(group.prompt, chain) for group in groups for chain in group.chains]
    for (prompt, chain), row, counts in zip(alone, found, theirs, strict=True):
        logits = reasoner.model(input_ids=torch.tensor([prompt + chain])).logits[0].log_softmax(-1)
        own = [logits[len(prompt) - 1 + i, token] for i, token in enumerate(chain)]
        torch.testing.assert_close(row[counts.bool()], torch.stack(own))
        assert int(counts.sum()) == len(chain)


@given(rewards)
def test_advantages_of_a_group_sum_to_nothing(own: list[float]) -> None:
    earned = torch.tensor(own, dtype=torch.float64)
    for advantage in (centred, standardized, without_itself):
        assert abs(float(advantage(earned).sum())) < 1e-6 * max(1.0, len(own) * 1e3)
    assert torch.allclose(standardized(torch.full((4,), 0.7)), torch.zeros(4), atol=1e-5)
    for i in range(len(own)):  # RLOO, written out
        others = torch.cat([earned[:i], earned[i + 1 :]]).mean()
        torch.testing.assert_close(without_itself(earned)[i], earned[i] - others)


def test_the_clip_holds_back_what_went_far_and_nothing_else() -> None:
    counts, before = torch.ones(1, 3), torch.zeros(1, 3)
    for ratio, advantage, moves in ((1.1, 1.0, True), (1.5, 1.0, False), (0.5, 1.0, True), (0.5, -1.0, False), (1.5, -1.0, True)):
        now = torch.full((1, 3), math.log(ratio), requires_grad=True)
        clipped(0.2, 0.2)(now, before, counts, torch.tensor([advantage])).backward()
        assert now.grad is not None
        assert bool(now.grad.abs().sum() > 0) == moves, (ratio, advantage)
