"""Self-training in its limits: what is learned is the shortest right chain; with one sample a problem there is nothing to pick."""

import random
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from methods import fs_bon
from methods.kit.method import Item
from methods.kit.models import Role
from methods.kit.tasks import chains
from methods.kit.training import Cost, Example

CONFIG = fs_bon.Config(steps=3, problems=4, samples=2)
lists = st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=12), min_size=1, max_size=6)


def written(role: Role, most: int) -> list[tuple[Item, list[list[int]]]]:
    """Right chains of growing length for a few problems, at most so many for each."""
    found = []
    for item in [item for item, _ in zip(chains.items(0), range(4), strict=False)]:
        whole = [*role.encode(" ".join(item.steps)), role.closes_id, *role.encode(item.answer), role.eos_id]
        found.append((item, [[*role.encode("so then " * extra), *whole] for extra in (2, 0, 1)][:most]))
    return found


def learned(
    module: ModuleType, role: Role, monkeypatch: pytest.MonkeyPatch, pick: str, most: int = 3
) -> tuple[list[Example], dict[str, torch.Tensor]]:
    """What `prepare` trains on, and the weights that come of it."""
    seen: list[Example] = []

    def watched(prompt: list[int], completion: list[int]) -> Example:
        seen.append((prompt, completion))
        return real(prompt, completion)

    real = fs_bon.supervised
    monkeypatch.setattr(module, "own_chains", lambda *_: (written(role, most), Cost()))
    monkeypatch.setattr(module, "supervised", watched)
    made = module.prepare({"long": role}, chains, replace(CONFIG, pick=pick), 0)
    return seen, made["fs_bon"].model.state_dict()


def the_shortest_is_learned(module: ModuleType, role: Role, monkeypatch: pytest.MonkeyPatch) -> None:
    seen, _ = learned(module, role, monkeypatch, "shortest")
    shortest = [min(own, key=len) for _, own in written(role, 3)]
    assert seen
    assert all(chain in shortest for _, chain in seen)


def test_rule(reasoner: Role, monkeypatch: pytest.MonkeyPatch) -> None:
    the_shortest_is_learned(fs_bon, reasoner, monkeypatch)


def test_a_mutated_rule_fails(reasoner: Role, monkeypatch: pytest.MonkeyPatch, mutated: Callable[..., ModuleType]) -> None:
    """The longest instead of the shortest."""
    wrong = mutated("fs_bon", "min(chains, key=len)", "max(chains, key=len)")
    with pytest.raises(AssertionError):
        the_shortest_is_learned(wrong, reasoner, monkeypatch)


def test_with_one_sample_there_is_nothing_to_pick(reasoner: Role, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {name: value.clone() for name, value in reasoner.model.state_dict().items()}
    (_, short), (_, any_) = (learned(fs_bon, reasoner, monkeypatch, pick, most=1) for pick in ("shortest", "any"))
    assert all(torch.equal(short[name], any_[name]) for name in short)
    assert any(not torch.equal(short[name], before[name]) for name in short)
    assert all(torch.equal(value, before[name]) for name, value in reasoner.model.state_dict().items())  # `long` stays


@given(lists, st.integers(0, 99))
def test_what_is_picked_was_written(own: list[list[int]], seed: int) -> None:
    short, any_ = (fs_bon.picked(own, pick, random.Random(seed)) for pick in ("shortest", "any"))
    assert short in own
    assert any_ in own
    assert len(short) == min(map(len, own))
