"""Decoding: batches change nothing, budgets are kept, and the public `generate` agrees."""

import random

import pytest
import torch

from methods.kit.decoding import State, decode, extend, feed, prefill, probe
from methods.kit.meter import Meter
from methods.kit.models import Role
from methods.kit.tasks import chains


def prompts(role: Role, levels: list[int]) -> list[list[int]]:
    rng = random.Random(0)
    return [role.prompt(chains.draw(rng, level).question) for level in levels]


def test_rows_of_any_length_decode_as_if_alone(reasoner: Role) -> None:
    rows = prompts(reasoner, [1, 4, 2, 8, 3])
    together = decode(reasoner, rows, [reasoner.eos_id], 40)
    alone = [decode(reasoner, [row], [reasoner.eos_id], 40)[0] for row in rows]
    assert together == alone


def test_a_finished_row_leaves_and_the_others_go_on(reasoner: Role) -> None:
    rows = prompts(reasoner, [2, 2, 3, 6])
    free = decode(reasoner, rows, [], 30)
    stop = free[1][4]
    stopped = decode(reasoner, rows, [stop], 30)
    for full, cut in zip(free, stopped, strict=True):
        end = full.index(stop) + 1 if stop in full else 30
        assert cut == full[:end]


def test_agrees_with_the_public_generate(reasoner: Role) -> None:
    row = prompts(reasoner, [5])[0]
    theirs = reasoner.model.generate(  # type: ignore[operator]
        torch.tensor([row]), attention_mask=torch.ones(1, len(row)), max_new_tokens=25, do_sample=False, eos_token_id=None
    )[0, len(row) :]
    assert decode(reasoner, [row], [], 25)[0] == theirs.tolist()


@pytest.mark.parametrize("budget", [0, 1, 7])
def test_a_budget_closes_thinking_exactly_there(reasoner: Role, budget: int) -> None:
    rows = prompts(reasoner, [1, 6])
    free = decode(reasoner, rows, [], 20)
    cut = decode(reasoner, rows, [], 20, budgets=[budget, 19])
    assert reasoner.closes_id not in free[0][:budget]
    assert cut[0][:budget] == free[0][:budget]
    assert cut[0][budget] == reasoner.closes_id
    assert cut[1][:19] == free[1][:19]


def test_sampling_is_fixed_by_its_seed(reasoner: Role) -> None:
    rows = prompts(reasoner, [3, 3])

    def once(seed: int) -> list[list[int]]:
        return decode(reasoner, rows, [], 20, temperature=1.0, generator=torch.Generator().manual_seed(seed))

    assert once(1) == once(1)
    assert once(1) != once(2)


def test_feeding_embeddings_equals_feeding_their_ids(reasoner: Role) -> None:
    rows = prompts(reasoner, [2, 5])
    ids = torch.tensor([[7, 9], [8, 7]])
    by_id = feed(reasoner, prefill(reasoner, rows), ids=ids)
    by_vector = feed(reasoner, prefill(reasoner, rows), embeds=reasoner.model.get_input_embeddings()(ids))  # type: ignore[operator]
    torch.testing.assert_close(by_id.logits, by_vector.logits)


def test_right_padding_in_what_is_fed_changes_nothing_before_it(reasoner: Role) -> None:
    rows = prompts(reasoner, [2, 5])
    whole = feed(reasoner, prefill(reasoner, rows), ids=torch.tensor([[7, 9, 5], [8, 7, 6]]), keep=0)
    mask = torch.tensor([[1, 1, 0], [1, 1, 1]])
    padded = feed(reasoner, prefill(reasoner, rows), ids=torch.tensor([[7, 9, 0], [8, 7, 6]]), mask=mask, keep=0)
    torch.testing.assert_close(whole.logits[0, :2], padded.logits[0, :2])
    torch.testing.assert_close(whole.logits[1], padded.logits[1])


def test_extend_stops_at_most_tokens(reasoner: Role) -> None:
    assert [len(row) for row in extend(reasoner, prefill(reasoner, prompts(reasoner, [1, 2])), [], 6)] == [6, 6]


def test_an_answer_cannot_outgrow_its_budget(reasoner: Role) -> None:
    """A cut chain that would go on thinking after the delimiter is ended there; the other row's end is its own."""
    rows = prompts(reasoner, [1, 6])
    cut = decode(reasoner, rows, [], 30, budgets=[4, 9], answer_tokens=3)
    assert [len(row) for row in cut] == [4 + 1 + 3, 9 + 1 + 3]
    free = decode(reasoner, rows, [], 30, budgets=[4, 9])
    assert [row[: len(own)] for row, own in zip(free, cut, strict=True)] == cut


def test_a_probe_writes_what_the_row_would_and_leaves_the_state_alone(reasoner: Role) -> None:
    rows = prompts(reasoner, [1, 4, 2, 6])
    state = prefill(reasoner, rows)
    before = [layer.keys.clone() for layer in state.cache.layers]
    tokens, probabilities = probe(reasoner, state, torch.tensor([1, 3]), [reasoner.closes_id], 3)
    assert tokens.tolist() == decode(reasoner, [[*rows[i], reasoner.closes_id] for i in (1, 3)], [], 3)
    assert ((probabilities > 0) & (probabilities <= 1)).all()
    assert all(torch.equal(layer.keys, old) for layer, old in zip(state.cache.layers, before, strict=True))


def test_a_probe_is_booked_on_the_rows_it_is_for(reasoner: Role) -> None:
    meter = Meter(3)
    with meter.watching({"long": reasoner}):
        state = prefill(reasoner, [[5, 6], [7, 8], [9, 10]])
        probe(reasoner, state, torch.tensor([2]), [reasoner.closes_id], 2)
    assert meter.positions.tolist() == [2, 2, 2 + 2]  # the delimiter and the first of two tokens are fed
    assert meter.forward_passes.tolist() == [1, 1, 3]


def test_steering_sees_each_row_and_its_word_is_what_is_read_on(reasoner: Role) -> None:
    """A row forced to a token goes on as if the token had been in its prompt; the others as ever."""
    rows, seen = prompts(reasoner, [1, 4, 2]), list[list[int]]()

    def force(state: State, alive: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
        seen.append(alive.tolist())
        return torch.where((alive == 1) & (len(seen) == 3), 7, chosen)

    free, forced = decode(reasoner, rows, [], 8), extend(reasoner, prefill(reasoner, rows), [], 8, steer=force)
    assert seen == [[0, 1, 2]] * 8
    assert [forced[0], forced[2]] == [free[0], free[2]]
    assert forced[1][:3] == [*free[1][:2], 7]
    assert forced[1][3:] == decode(reasoner, [[*rows[1], *forced[1][:3]]], [], 5)[0]
