"""CoT-Valve in its limits: closed it is the long model bit for bit; open it is the merged weights; the nearest chain is nearest."""

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from methods import cot, cot_valve
from methods.kit.adapters import LowRank, adaptable, key
from methods.kit.decoding import prefill
from methods.kit.method import Prompt
from methods.kit.models import Role, copy_of
from methods.kit.tasks import chains


def moved(role: Role) -> LowRank:
    """An adapter that does something."""
    valve = LowRank.of(role.model, rank=2)
    generator = torch.Generator().manual_seed(0)
    for b in valve.b.values():
        b.data = torch.randn(b.shape, generator=generator) * 0.3
    return valve


@pytest.fixture
def prompts() -> list[Prompt]:
    return [problem.prompt for problem in chains.draws("dev", 3, 0, 4)]


def logits(role: Role, prompts: list[Prompt]) -> torch.Tensor:
    return prefill(role, [role.prompt(prompt.question) for prompt in prompts]).logits


def closed_is_the_long_model(module: ModuleType, reasoner: Role, prompts: list[Prompt]) -> None:
    models = {"long": reasoner, "cot_valve": Role("cot_valve", moved(reasoner))}
    config = module.Config(strength=0.0, most_thinking_tokens=30)
    ours = module.generate(models, prompts, config, 0)
    theirs = cot.generate(models, prompts, cot.Config(most_thinking_tokens=30), 0)
    assert [(o.ids, o.labels) for o in ours] == [(o.ids, o.labels) for o in theirs]
    opened = module.generate(models, prompts, replace(config, strength=2.0), 0)
    assert [o.ids for o in opened] != [o.ids for o in theirs]


def test_rule(reasoner: Role, prompts: list[Prompt]) -> None:
    closed_is_the_long_model(cot_valve, reasoner, prompts)


def test_a_mutated_rule_fails(reasoner: Role, prompts: list[Prompt], mutated: Callable[..., ModuleType]) -> None:
    """The strength trained instead of the one asked for."""
    wrong = mutated("cot_valve", "role.model, config.strength)", "role.model, config.trained_strength)")
    with pytest.raises(AssertionError):
        closed_is_the_long_model(wrong, reasoner, prompts)


@pytest.mark.parametrize("strength", [-0.5, 0.5, 2.0])
def test_on_is_the_merged_model(reasoner: Role, prompts: list[Prompt], strength: float) -> None:
    valve, merged, plain = moved(reasoner), copy_of(reasoner, "merged"), logits(reasoner, prompts)
    for name, part in adaptable(merged.model).items():
        part.weight.data += strength * valve.b[key(name)] @ valve.a[key(name)]
    with valve.on(reasoner.model, strength), torch.no_grad():
        torch.testing.assert_close(logits(reasoner, prompts), logits(merged, prompts))
    assert torch.equal(logits(reasoner, prompts), plain)  # off again, bit for bit


def test_a_new_adapter_changes_nothing(reasoner: Role, prompts: list[Prompt]) -> None:
    plain = logits(reasoner, prompts)
    with LowRank.of(reasoner.model, rank=4).on(reasoner.model, 1.0):
        assert torch.equal(logits(reasoner, prompts), plain)


def test_training_moves_the_adapter_and_nothing_else(reasoner: Role, monkeypatch: pytest.MonkeyPatch) -> None:
    item = next(chains.items(0))
    chain = [*reasoner.encode(" ".join(item.steps)), reasoner.closes_id, *reasoner.encode(item.answer), reasoner.eos_id]
    monkeypatch.setattr(cot_valve, "shorter_chains", lambda *_: ([(item, chain)], cot_valve.Cost()))
    before = {name: value.clone() for name, value in reasoner.model.state_dict().items()}
    config = cot_valve.Config(steps=3, problems=1)
    made = cot_valve.prepare({"long": reasoner}, chains, config, 0)
    assert all(torch.equal(value, before[name]) for name, value in reasoner.model.state_dict().items())
    assert all(p.requires_grad for p in reasoner.model.parameters())
    valve = made["cot_valve"].model
    assert isinstance(valve, LowRank)
    assert all(b.abs().sum() > 0 for b in valve.b.values())
    assert set(valve.state_dict()) == set(LowRank(**valve.arguments).state_dict())  # loads again


@given(st.lists(st.lists(st.just(1), min_size=1, max_size=30), min_size=1, max_size=8), st.floats(0, 40))
def test_the_nearest_chain_is_nearest_and_the_shorter_of_two(found: list[list[int]], wanted: float) -> None:
    best = cot_valve.nearest_chain(found, wanted)
    assert all(abs(len(best) - wanted) <= abs(len(chain) - wanted) for chain in found)
    assert not any(len(chain) < len(best) and abs(len(chain) - wanted) == abs(len(best) - wanted) for chain in found)
