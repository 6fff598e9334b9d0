"""DEER in its limits: never sure is cot with trials on the side; a trial changes nothing; sure at once closes at the first turn."""

from collections.abc import Callable
from types import ModuleType

import pytest
import torch

from methods import cot, deer
from methods.kit.method import Prompt
from methods.kit.models import Role, load
from methods.kit.runner import measure
from methods.kit.tasks import search
from methods.kit.zoo import shipped


@pytest.fixture(scope="module")
def models(root: object) -> dict[str, Role]:
    return {"long": load("long", shipped(root, "search").base("long", 0))}  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def problems() -> list[search.Problem]:
    return search.draws("dev", 5, 0, 12)


def never_sure_is_cot(module: ModuleType, models: dict[str, Role], problems: list[search.Problem]) -> None:
    prompts: list[Prompt] = [problem.prompt for problem in problems]
    ours = module.generate(models, prompts, module.Config(threshold=1.0), 0)
    theirs = cot.generate(models, prompts, cot.Config(), 0)
    for own, plain in zip(ours, theirs, strict=True):
        assert own.written("thinking") == plain.written("thinking")
        assert own.written("answer") == plain.written("answer")
        turns = sum(own.written("thinking").count(pause) for pause in models["long"].pause_ids)
        assert own.count("probe") == 3 * turns > 0  # the delimiter and two answer tokens at each


def always_sure_stops_at_the_first_turn(module: ModuleType, models: dict[str, Role], problems: list[search.Problem]) -> None:
    prompts = [problem.prompt for problem in problems]
    for own in module.generate(models, prompts, module.Config(threshold=0.0), 0):
        assert own.count("probe") == 3
        assert not set(own.written("thinking")) & set(models["long"].pause_ids)
        # what was tried is what is then answered: the copy of the cache stood where the chain did
        assert own.written("probe")[1:] == own.written("answer")[:2]


def test_rule(models: dict[str, Role], problems: list[search.Problem]) -> None:
    never_sure_is_cot(deer, models, problems)
    always_sure_stops_at_the_first_turn(deer, models, problems)


def test_a_mutated_rule_fails(models: dict[str, Role], problems: list[search.Problem], mutated: Callable[..., ModuleType]) -> None:
    """Leaving when in doubt instead of when sure."""
    wrong = mutated("deer", "confidence(role, tokens, probabilities) > config", "confidence(role, tokens, probabilities) < config")
    with pytest.raises(AssertionError):
        never_sure_is_cot(wrong, models, problems)


def test_trials_are_paid_for(models: dict[str, Role], problems: list[search.Problem]) -> None:
    """`measure` holds labels against the meter; and the cost of the trials is there to see."""
    plain = measure(cot, models, cot.Config(), problems, 0).values
    tried = measure(deer, models, deer.Config(threshold=1.0), problems, 0).values
    assert (tried["tokens"] == plain["tokens"] + tried["probe_tokens"]).all()
    assert (tried["flops"] > plain["flops"]).all()


def test_confidence_ends_before_the_end_mark(models: dict[str, Role]) -> None:
    role = models["long"]
    tokens = torch.tensor([[7, 8, role.eos_id, 5], [role.eos_id, 5, 5, 5]])
    probabilities = torch.tensor([[0.25, 1.0, 0.9, 0.1], [0.5, 0.1, 0.1, 0.1]])
    torch.testing.assert_close(deer.confidence(role, tokens, probabilities), torch.tensor([0.5, 0.5]))
