"""Coconut in its limits: no latents is answering at once; a latent is the state before it; strangers' latents are strangers'."""

from collections.abc import Callable
from types import ModuleType

import pytest
import torch

from methods import coconut, direct
from methods.kit.decoding import decode, feed, prefill
from methods.kit.method import Prompt, answer_budget
from methods.kit.models import Role, copy_of
from methods.kit.tasks import chains


@pytest.fixture
def models(reasoner: Role) -> dict[str, Role]:
    return {"coconut": copy_of(reasoner, "coconut")}


@pytest.fixture
def prompts() -> list[Prompt]:
    return [problem.prompt for problem in chains.draws("dev", 3, 0, 4)]


def test_with_no_latents_it_is_answering_at_once(models: dict[str, Role], prompts: list[Prompt]) -> None:
    """Nothing stands between the question and what is written; closed at once, that is what `direct` writes."""
    role = models["coconut"]
    rows = [role.prompt(prompt.question) for prompt in prompts]
    outputs = coconut.generate(models, prompts, coconut.Config(thought="none"), 0)
    budget = 1 + answer_budget(role, prompts)
    plain = decode(role, rows, [role.eos_id], budget)
    assert [output.ids for output in outputs] == [row + written for row, written in zip(rows, plain, strict=True)]
    closed = decode(role, rows, [role.eos_id], budget, budgets=[0] * len(rows))
    answers = direct.generate({"direct": role}, prompts, direct.Config(), 0)
    assert [written[1:] for written in closed] == [answer.written("answer") for answer in answers]


def a_thought_is_the_state_before_it(module: ModuleType, models: dict[str, Role], prompts: list[Prompt]) -> None:
    role = models["coconut"]
    state = prefill(role, [role.prompt(prompt.question) for prompt in prompts], hidden=True)
    before = coconut.as_input(role, state.hidden[:, -1:])  # type: ignore[index]
    after, fed = module.think(models, state, module.Config(stages=2), 2)
    torch.testing.assert_close(fed[0], before)
    again = prefill(role, [role.prompt(prompt.question) for prompt in prompts], hidden=True)
    once = feed(role, again, embeds=before, hidden=True)
    torch.testing.assert_close(fed[1], coconut.as_input(role, once.hidden[:, -1:]))  # type: ignore[index]
    assert after.mask.sum(1).tolist() == (state.mask.sum(1) + 2).tolist()


def test_rule(models: dict[str, Role], prompts: list[Prompt]) -> None:
    a_thought_is_the_state_before_it(coconut, models, prompts)


def test_a_mutated_rule_fails(models: dict[str, Role], prompts: list[Prompt], mutated: Callable[..., ModuleType]) -> None:
    """Feeding the first position's state instead of the last one's."""
    wrong = mutated("coconut", "thought = as_input(role, state.hidden[:, -1:])", "thought = as_input(role, state.hidden[:, :1])")
    with pytest.raises(AssertionError):
        a_thought_is_the_state_before_it(wrong, models, prompts)


def test_latents_of_the_same_problem_change_nothing(models: dict[str, Role], prompts: list[Prompt]) -> None:
    """Swapping among copies of one problem is no swap."""
    same = [prompts[0]] * 3
    own = coconut.generate(models, same, coconut.Config(), 0)
    swapped = coconut.generate(models, same, coconut.Config(swapped_for="another problem's"), 0)
    assert [o.written("answer") for o in own] == [o.written("answer") for o in swapped]


def test_controls_feed_what_they_say(models: dict[str, Role], prompts: list[Prompt]) -> None:
    role = models["coconut"]
    rows = [role.prompt(prompt.question) for prompt in prompts]
    pauses = {**models, "pause": Role("pause", coconut.PauseVectors(4, role.width))}
    _, fed = coconut.think(pauses, prefill(role, rows, hidden=True), coconut.Config(thought="pause"), 3)
    for i, vector in enumerate(fed):
        torch.testing.assert_close(vector, pauses["pause"].model(i).expand(4, 1, -1))
    state = prefill(role, rows, hidden=True)
    size = coconut.as_input(role, state.hidden[:, -1:]).norm(dim=-1)  # type: ignore[index]
    _, noise = coconut.think(models, state, coconut.Config(swapped_for="noise"), 1)
    torch.testing.assert_close(noise[0].norm(dim=-1), size)


@pytest.mark.parametrize(("stage", "left"), [(0, 3), (1, 2), (2, 1), (8, 0)])
def test_each_stage_takes_one_more_step_out(models: dict[str, Role], stage: int, left: int) -> None:
    item = next(item for item in chains.items(0) if len(item.steps) == 3)
    role = models["coconut"]
    text = role.decode(coconut.remaining(role, item, stage, coconut.Config()))
    steps = " ".join(item.steps[3 - left :]) if left else ""
    assert text.split() == f"{steps} </think> {item.answer} <eos>".split()


def test_the_gradient_reaches_through_the_chain(models: dict[str, Role]) -> None:
    """The loss on the text after the latents moves the embeddings of the question's first word."""
    items = [item for item, _ in zip(chains.items(0), range(3), strict=False)]
    coconut.curriculum_loss(models, items, 4, coconut.Config()).backward()
    first = models["coconut"].encode("x")[0]
    assert models["coconut"].model.get_input_embeddings().weight.grad[first].abs().sum() > 0  # type: ignore[operator]
