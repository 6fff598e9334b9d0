"""Cost is metered: FLOPs agree with torch's own counter, padding costs nothing, hooks go away."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from methods.kit.decoding import decode, feed, prefill
from methods.kit.meter import Meter
from methods.kit.models import Role, load


def metered(role: Role, rows: list[list[int]], tokens: int) -> Meter:
    meter = Meter(len(rows))
    with meter.watching({"long": role}):
        decode(role, rows, [], tokens)
    return meter


def test_flops_agree_with_torchs_counter(reasoner: Role) -> None:
    rows = [[5, 6, 7, 8, 9]] * 3
    reasoner.model.set_attn_implementation("eager")  # type: ignore[operator]  # torch does not count its CPU attention kernel
    with FlopCounterMode(display=False) as counter:
        decode(reasoner, rows, [], 12)
    assert metered(reasoner, rows, 12).flops.sum().item() == counter.get_total_flops()


def test_flops_agree_with_grouped_queries(bpe_checkpoint: object) -> None:
    role = load("long", str(bpe_checkpoint))
    role.model.set_attn_implementation("eager")  # type: ignore[operator]
    with FlopCounterMode(display=False) as counter:
        decode(role, [[5, 6, 7]], [], 5)
    assert metered(role, [[5, 6, 7]], 5).flops.sum().item() == counter.get_total_flops()


def test_padding_and_finished_rows_cost_nothing(reasoner: Role) -> None:
    rows = [[5, 6, 7, 8, 9, 10, 11], [5, 6]]
    together, first, second = metered(reasoner, rows, 8), metered(reasoner, rows[:1], 8), metered(reasoner, rows[1:], 8)
    for name in ("positions", "flops", "forward_passes", "peak_context_tokens", "cache_bytes"):
        assert getattr(together, name).tolist() == getattr(first, name).tolist() + getattr(second, name).tolist(), name


def test_counts_of_one_row(reasoner: Role) -> None:
    meter = metered(reasoner, [[5, 6, 7]], 4)
    assert meter.positions.tolist() == [3 + 4 - 1]  # the last token is read by nobody
    assert meter.forward_passes.tolist() == [4]
    assert meter.peak_context_tokens.tolist() == [6]
    layers, heads, head_size, bytes_each = 2, 2, 16, 4
    assert meter.cache_bytes.tolist() == [6 * layers * 2 * heads * head_size * bytes_each]


def test_a_mask_of_who_sees_whom_counts_the_real_positions(reasoner: Role) -> None:
    """And the kernel computes all pairs of them, seen or not."""
    ids, real = torch.tensor([[5, 6, 7, 8], [5, 6, 0, 0]]), torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])
    causal = torch.ones(4, 4, dtype=torch.bool).tril() & real[:, None, None].bool()
    flat, square = Meter(2), Meter(2)
    for meter, mask in ((flat, real), (square, causal)):
        with meter.watching({"long": reasoner}), torch.no_grad():
            reasoner.model(input_ids=ids, attention_mask=mask, use_cache=False)
    assert square.positions.tolist() == flat.positions.tolist() == [4, 2]
    assert square.flops.tolist() == flat.flops.tolist()


def test_latent_positions_are_seen(reasoner: Role) -> None:
    meter = Meter(2)
    with meter.watching({"long": reasoner}):
        state = prefill(reasoner, [[5, 6], [7, 8]], hidden=True)
        assert state.hidden is not None
        feed(reasoner, state, embeds=state.hidden[:, -1:])
    assert meter.positions.tolist() == [3, 3]


def test_nothing_is_watched_afterwards(reasoner: Role) -> None:
    meter = metered(reasoner, [[5, 6]], 2)
    before = meter.positions.clone()
    decode(reasoner, [[5, 6]], [], 2)
    assert torch.equal(meter.positions, before)
    assert reasoner.meter is None


def test_hooks_go_even_after_an_error(reasoner: Role) -> None:
    with pytest.raises(ZeroDivisionError), Meter(1).watching({"long": reasoner}):
        1 / 0  # noqa: B018
    assert reasoner.meter is None
    assert not reasoner.model._forward_hooks
