"""Dynasor in its limits: never certain is cot with probes on the side; the first probe that counts alone stops the chain there."""

from collections.abc import Callable
from types import ModuleType

import pytest

from methods import cot, dynasor
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


def test_never_certain_is_cot(models: dict[str, Role], problems: list[search.Problem]) -> None:
    prompts: list[Prompt] = [problem.prompt for problem in problems]
    ours = dynasor.generate(models, prompts, dynasor.Config(every_tokens=8, agreeing=999), 0)
    theirs = cot.generate(models, prompts, cot.Config(), 0)
    for own, plain in zip(ours, theirs, strict=True):
        assert own.written("thinking") == plain.written("thinking")
        assert own.written("answer") == plain.written("answer")
        # one at each eighth token that is still thought: the delimiter and two answer tokens
        assert own.count("probe") == 3 * ((len(plain.written("thinking")) - 1) // 8) > 0


def test_one_answer_is_enough_for_itself(models: dict[str, Role], problems: list[search.Problem]) -> None:
    for own in dynasor.generate(models, [problem.prompt for problem in problems], dynasor.Config(every_tokens=8, agreeing=1), 0):
        assert len(own.written("thinking")) == 9  # eight words and the delimiter
        # what was tried is what is then answered: the copy of the cache stood where the chain did
        assert own.written("probe")[1:] == own.written("answer")[:2]


def agreement_is_of_the_last(module: ModuleType) -> None:
    one, two, doubt = (7, 8), (7, 9), (7, 30)
    assert module.certain([two, one, one], 2, {30})
    assert not module.certain([one, two, one], 2, {30})
    assert not module.certain([one], 2, {30}), "too few"
    assert not module.certain([(), ()], 2, {30}), "no answer is none"
    assert not module.certain([doubt, doubt], 2, {30})
    assert module.certain([doubt, doubt], 2, set())


def test_rule() -> None:
    agreement_is_of_the_last(dynasor)


def test_a_mutated_rule_fails(mutated: Callable[..., ModuleType]) -> None:
    """The first answers instead of the last."""
    wrong = mutated("dynasor", "answers[-agreeing:]", "answers[:agreeing]")
    with pytest.raises(AssertionError):
        agreement_is_of_the_last(wrong)


def test_probes_are_paid_for(models: dict[str, Role], problems: list[search.Problem]) -> None:
    plain = measure(cot, models, cot.Config(), problems, 0).values
    asked = measure(dynasor, models, dynasor.Config(agreeing=999), problems, 0).values
    assert (asked["tokens"] == plain["tokens"] + asked["probe_tokens"]).all()
    assert (asked["flops"] > plain["flops"]).all()
