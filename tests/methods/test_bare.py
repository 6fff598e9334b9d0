"""Bare traces differ from the full chain in who writes, and in nothing else: given the same model they are the same."""

from collections.abc import Callable
from types import ModuleType

import pytest

from methods import bare, cot
from methods.kit.models import Role
from methods.kit.tasks import chains


def the_writer_alone_differs(module: ModuleType, role: Role) -> None:
    prompts = [problem.prompt for problem in chains.draws("dev", 3, 0, 4)]
    ours = module.generate({"start": role}, prompts, module.Config(most_thinking_tokens=12), 0)
    theirs = cot.generate({"long": role}, prompts, cot.Config(most_thinking_tokens=12), 0)
    assert [(own.ids, own.labels) for own in ours] == [(own.ids, own.labels) for own in theirs]


def test_rule(reasoner: Role) -> None:
    the_writer_alone_differs(bare, reasoner)


def test_a_mutated_rule_fails(reasoner: Role, mutated: Callable[..., ModuleType]) -> None:
    """Fewer tokens allowed than asked for."""
    wrong = mutated("bare", "prompts, config.most_thinking_tokens)", "prompts, config.most_thinking_tokens - 1)")
    with pytest.raises(AssertionError):
        the_writer_alone_differs(wrong, reasoner)
