"""TokenSkip in its limits: ratio 1 is the long model; the rest of the tokens keep their order."""

from collections.abc import Callable
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from methods import cot, token_skip
from methods.kit.models import Role, copy_of
from methods.kit.tasks import chains

chain_and_scores = st.lists(st.tuples(st.integers(0, 50), st.floats(-5, 5)), min_size=1, max_size=60)


def keeps_the_most_important_in_order(compress: Callable[[list[int], list[float], float], list[int]]) -> None:
    chain, scores = [10, 11, 12, 13, 14, 15], [0.1, 2.0, -1.0, 3.0, 0.5, 1.0]
    assert compress(chain, scores, 1.0) == chain
    assert compress(chain, scores, 0.5) == [11, 13, 15]


def test_rule() -> None:
    keeps_the_most_important_in_order(token_skip.compress)


def test_a_mutated_rule_fails(mutated: Callable[..., ModuleType]) -> None:
    """Keeping the least important is what reading the quantile upside down would do."""
    wrong = mutated("token_skip", "key=lambda i: (-importance[i], i)", "key=lambda i: (importance[i], i)")
    with pytest.raises(AssertionError):
        keeps_the_most_important_in_order(wrong.compress)


@given(chain_and_scores, st.sampled_from(token_skip.Config().ratios))
def test_compression_keeps_its_share_and_the_order(pairs: list[tuple[int, float]], ratio: float) -> None:
    ids = list(range(len(pairs)))
    kept = token_skip.compress(ids, [score for _, score in pairs], ratio)
    assert len(kept) == round(ratio * len(ids))
    assert kept == sorted(kept)
    left_out = set(ids) - set(kept)
    assert all(pairs[out][1] <= pairs[kept_one][1] for out in left_out for kept_one in kept)


def test_at_ratio_1_it_is_the_long_model(reasoner: Role) -> None:
    """No marker in the prompt, and before training the same weights: position for position what cot gives."""
    models = {"long": reasoner, "token_skip": copy_of(reasoner, "token_skip")}
    prompts = [problem.prompt for problem in chains.draws("dev", 3, 0, 3)]
    ours = token_skip.generate({"token_skip": models["token_skip"]}, prompts, token_skip.Config(ratio=1.0), 0)
    theirs = cot.generate(models, prompts, cot.Config(), 0)
    assert [(o.ids, o.labels) for o in ours] == [(o.ids, o.labels) for o in theirs]


def test_the_ratio_stands_between_end_marks(reasoner: Role) -> None:
    asked = reasoner.decode(token_skip.asked(reasoner, "x 0 y 1 ; ?", 0.5))
    assert asked.split() == ["x", "0", "y", "1", ";", "?", "<eos>", ".5", "<eos>", "<think>"]
    assert reasoner.tokenizer.unk_token_id not in token_skip.asked(reasoner, "x 0 y 1 ; ?", 0.7)


@given(st.lists(st.integers(0, 9), max_size=40), st.lists(st.integers(0, 9), max_size=20))
def test_needed_tokens_spell_part_of_the_terse_solution(chain: list[int], terse: list[int]) -> None:
    labels = token_skip.needed(chain, terse)
    marked = [token for token, label in zip(chain, labels, strict=True) if label]
    rest = iter(terse)
    assert all(token in rest for token in marked)  # in order, none invented


def test_a_chain_with_its_solution_inside_is_labelled_so() -> None:
    assert token_skip.needed([7, 7, 1, 2, 3, 9], [1, 2, 3]) == [0, 0, 1, 1, 1, 0]
