"""LightThinker in its limits: the masked forward equals eviction; with nothing to end a thought it is the long model; what is
evicted is what the mask hides."""

from collections.abc import Callable
from types import ModuleType

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from methods import cot, lightthinker
from methods.kit.decoding import State, evict, feed, prefill
from methods.kit.method import Prompt
from methods.kit.models import OPENS, Role
from methods.kit.runner import measure
from methods.kit.tasks import chains
from methods.kit.training import IGNORED

CONFIG = lightthinker.Config(gists=2, least=4)


@pytest.fixture
def thinker(reasoner: Role) -> Role:
    torch.manual_seed(0)
    return lightthinker.grown(reasoner, CONFIG)


def masked_logits(module: ModuleType, role: Role, ids: list[int]) -> torch.Tensor:
    row = torch.tensor([ids])
    seen = module.visible(row, torch.ones_like(row), role.encode(OPENS)[0], module.fed_after(role, CONFIG))
    with torch.no_grad():
        return role.model(input_ids=row, attention_mask=seen, use_cache=False).logits[0]


def evicting_logits(role: Role, prompt: list[int], rest: list[int]) -> torch.Tensor:
    """Fed one by one; before the token to go on from, the thought and its mark leave the cache."""
    after, mark = lightthinker.fed_after(role, CONFIG), role.encode(lightthinker.MARK)[0]
    state, found, length = prefill(role, [prompt]), list[torch.Tensor](), 0
    with torch.no_grad():
        for token in rest:
            found.append(state.logits[0, -1])
            if token == after[-1]:
                drop = torch.zeros_like(state.mask, dtype=torch.bool)
                drop[:, -(CONFIG.gists + length) : -CONFIG.gists] = True
                evict(state, drop)
                length = 0
            elif token == mark or token not in after:
                length += 1
            state = feed(role, state, ids=torch.tensor([[token]]))
        found.append(state.logits[0, -1])
    return torch.stack(found)


def mask_equals_eviction(module: ModuleType, role: Role, level: int, seed: int) -> None:
    item = next(item for item in chains.items(seed) if len(item.steps) >= level)
    prompt = role.prompt(item.question)
    chain = [*role.encode(" ".join(item.steps)), role.closes_id, *role.encode(item.answer), role.eos_id]
    ids, _ = module.with_gists(role, chain, CONFIG, module.line_ends(role))
    assert role.encode(lightthinker.ON)[0] in ids
    whole = masked_logits(module, role, prompt + ids)[len(prompt) - 1 :]
    torch.testing.assert_close(whole, evicting_logits(role, prompt, ids), atol=1e-4, rtol=1e-4)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(level=st.integers(2, 6), seed=st.integers(0, 10_000))
def test_rule(thinker: Role, level: int, seed: int) -> None:
    mask_equals_eviction(lightthinker, thinker, level, seed)


def test_a_mutated_rule_fails(thinker: Role, mutated: Callable[..., ModuleType]) -> None:
    """The token to go on from still sees the thought."""
    wrong = mutated("lightthinker", " & ~on[:, :, None]", "")
    with pytest.raises(AssertionError):
        mask_equals_eviction(wrong, thinker, 3, 0)


def test_generation_writes_what_the_masked_forward_would(thinker: Role) -> None:
    """Rows of a batch end thoughts at different times; each still writes what the mask alone would give, greedily."""
    config = lightthinker.Config(gists=2, every=5, most_thinking_tokens=40)
    prompts = [problem.prompt for level in (1, 3, 6) for problem in chains.draws("dev", level, 0, 2)]
    after, mark = lightthinker.fed_after(thinker, config), thinker.encode(lightthinker.MARK)[0]
    for prompt, output in zip(prompts, lightthinker.generate({"lightthinker": thinker}, prompts, config, 0), strict=True):
        question, ids = thinker.prompt(prompt.question), [i for i in output.ids if i is not None]
        assert ids[: len(question)] == question
        best = masked_logits(lightthinker, thinker, ids).argmax(-1)[len(question) - 1 : -1].tolist()
        written = [(own, chosen) for own, chosen in zip(ids[len(question) :], best, strict=True) if own not in (mark, *after)]
        assert all(own == chosen for own, chosen in written)
        assert ids.count(after[-1]) >= 3


def test_without_an_end_to_thoughts_it_is_the_long_model(reasoner: Role, thinker: Role) -> None:
    """An untrained vocabulary is never written, so nothing is evicted: position for position what cot gives."""
    head = thinker.model.get_output_embeddings().weight.data  # type: ignore[operator]
    head[reasoner.model.get_output_embeddings().weight.shape[0] :] = 0  # type: ignore[operator]
    prompts: list[Prompt] = [problem.prompt for problem in chains.draws("dev", 3, 0, 4)]
    ours = lightthinker.generate({"lightthinker": thinker}, prompts, lightthinker.Config(most_thinking_tokens=30), 0)
    theirs = cot.generate({"long": reasoner}, prompts, cot.Config(most_thinking_tokens=30), 0)
    assert [(o.ids, o.labels) for o in ours] == [(o.ids, o.labels) for o in theirs]


def test_the_peak_is_the_meters_and_smaller(reasoner: Role, thinker: Role) -> None:
    problems = chains.draws("dev", 4, 0, 3)
    config = lightthinker.Config(gists=2, every=8, most_thinking_tokens=60)
    own = measure(lightthinker, {"lightthinker": thinker}, config, problems, 0).values
    prompt = own["prompt_tokens"]
    # 60 tokens hold at most five whole thoughts, of which three positions each stay, and the one being written with its mark
    assert (own["peak_context_tokens"] <= prompt + 5 * 3 + 8 + 1 + 2 + 4).all()
    assert (own["cache_bytes"] == own["peak_context_tokens"] * 2 * 2 * 32 * 4).all()  # layers, keys and values, width, float32
    plain = measure(cot, {"long": reasoner}, cot.Config(most_thinking_tokens=60), problems, 0).values
    assert (own["peak_context_tokens"] < plain["peak_context_tokens"]).all()


def test_flops_agree_with_torchs_counter_after_eviction(thinker: Role) -> None:
    problem, config = chains.draws("dev", 4, 0, 1), lightthinker.Config(gists=2, every=8, most_thinking_tokens=40)
    thinker.model.set_attn_implementation("eager")  # type: ignore[operator]  # torch does not count its CPU attention kernel
    with FlopCounterMode(display=False) as counter:
        lightthinker.generate({"lightthinker": thinker}, [problem[0].prompt], config, 0)
    assert measure(lightthinker, {"lightthinker": thinker}, config, problem, 0).values["flops"] == [counter.get_total_flops()]


def test_no_loss_on_what_is_fed(thinker: Role) -> None:
    chain = [*thinker.encode("a 0 + 2 = 0 2 ; b 0 + 1 = 0 3 ; c 0 + 1 = 0 4 ;"), thinker.closes_id, *thinker.encode("0 4")]
    mark, after = thinker.encode(lightthinker.MARK)[0], lightthinker.fed_after(thinker, CONFIG)
    ids, labels = lightthinker.with_gists(thinker, chain, CONFIG, lightthinker.line_ends(thinker))
    assert ids.count(mark) == 2  # the last thought is not condensed: the answer follows it
    assert [i for i in ids if i not in (mark, *after)] == chain
    for token, label in zip(ids, labels, strict=True):
        assert label == (IGNORED if token in after else token)
    _, blind = lightthinker.with_gists(thinker, chain, lightthinker.Config(gists=2, every=5), frozenset())
    assert blind.count(mark) == 0


def test_eviction_leaves_the_rest_in_place(reasoner: Role) -> None:
    """Nothing dropped: nothing changed. Dropped: as if masked, with a cache that is smaller in fact."""
    rows = [[5, 6, 7, 8, 9], [10, 11, 12]]
    state = prefill(reasoner, rows)
    evict(state, torch.zeros_like(state.mask, dtype=torch.bool))
    torch.testing.assert_close(feed(reasoner, state, ids=torch.tensor([[7], [8]])).logits, step_after(reasoner, rows, []))
    state = prefill(reasoner, rows)
    drop = torch.tensor([[False, True, True, False, False], [False, False, True, False, False]])
    evict(state, drop)
    assert state.cache.get_seq_length() == 3
    assert state.mask.tolist() == [[1, 1, 1], [0, 1, 1]]
    after = feed(reasoner, state, ids=torch.tensor([[7], [8]]))
    torch.testing.assert_close(after.logits, step_after(reasoner, rows, [(0, 1), (0, 2), (1, 2)]))


def step_after(role: Role, rows: list[list[int]], hidden: list[tuple[int, int]]) -> torch.Tensor:
    """One more token each, some positions masked but still in the cache."""
    state = prefill(role, rows)
    for row, column in hidden:
        state.mask[row, column] = 0
    fed = State(state.cache, state.mask, state.fed, state.logits)
    return feed(role, fed, ids=torch.tensor([[7], [8]])).logits
