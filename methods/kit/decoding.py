"""Batched decoding with cache reuse: prefill, feed, extend. Finished rows leave the batch.

Prompts of different length are padded on the left. A `State` is where a batch of rows stands; methods that need more than
plain sampling (latents, probes) feed it themselves and go on from there.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from transformers import DynamicCache

from methods.kit.method import Output, Prompt, answer_budget, labelled, split_answer
from methods.kit.models import Role


@dataclass
class State:
    """B rows part-way: the cache, its mask (B, S), how many positions each row was fed so far (B,), those evicted since included,
    and the logits (B, T, V) and hidden states (B, T, D) of what was fed last."""

    cache: DynamicCache
    mask: torch.Tensor
    fed: torch.Tensor
    logits: torch.Tensor
    hidden: torch.Tensor | None = None


def left_padded(rows: Sequence[Sequence[int]], pad: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and attention mask, each (B, T)."""
    width = max(len(row) for row in rows)
    ids = torch.tensor([[pad] * (width - len(row)) + list(row) for row in rows], device=device)
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows], device=device)
    return ids, mask


def feed(
    role: Role,
    state: State | None,
    ids: torch.Tensor | None = None,
    embeds: torch.Tensor | None = None,
    mask: torch.Tensor | None = None,
    hidden: bool = False,
    keep: int = 1,
) -> State:
    """One forward pass over new positions: ids (B, T) or embeddings (B, T, D), with their own mask (B, T) where some are padding.

    `keep` is the number of last positions whose logits are wanted, 0 for all. Gradients flow unless the caller forbids them.
    """
    given = ids if ids is not None else embeds
    assert given is not None
    new = mask if mask is not None else torch.ones(given.shape[:2], dtype=torch.long, device=given.device)
    whole = new if state is None else torch.cat([state.mask, new], 1)
    before = 0 if state is None else state.fed[:, None]
    positions = (before + new.cumsum(1) - 1).clamp(min=0)
    output = role.model(
        input_ids=ids,
        inputs_embeds=embeds,
        attention_mask=whole,
        position_ids=positions,
        past_key_values=DynamicCache() if state is None else state.cache,
        use_cache=True,
        output_hidden_states=hidden,
        logits_to_keep=keep,
    )
    return State(output.past_key_values, whole, positions[:, -1] + 1, output.logits, output.hidden_states[-1] if hidden else None)


def prefill(role: Role, rows: Sequence[Sequence[int]], hidden: bool = False) -> State:
    """Reads B prompts of any lengths in one pass."""
    ids, mask = left_padded(rows, role.pad_id, role.device)
    return feed(role, None, ids=ids, mask=mask, hidden=hidden)


def choose(logits: torch.Tensor, temperature: float, generator: torch.Generator | None) -> torch.Tensor:
    """Next ids (B,) from logits (B, V): the argmax at temperature 0, else a sample."""
    if temperature == 0:
        return logits.argmax(-1)
    return torch.multinomial(torch.softmax(logits.float() / temperature, -1).cpu(), 1, generator=generator)[:, 0].to(logits.device)


# Given where the rows going on stand, which ones they are (their places in the batch at the start) and the token each is about to
# write: the tokens to write instead. It may evict from the state.
Steer = Callable[[State, torch.Tensor, torch.Tensor], torch.Tensor]


def fork(state: State, picked: torch.Tensor) -> State:
    """A copy of the rows `picked` (P,), to be fed without touching the state."""
    cache = DynamicCache()
    for i, layer in enumerate(state.cache.layers):
        cache.update(layer.keys[picked], layer.values[picked], i)
    return State(cache, state.mask[picked], state.fed[picked], state.logits[picked])


def evict(state: State, drop: torch.Tensor) -> None:
    """Takes the positions `drop` (B, S) out of the cache for good. What stays keeps its place in the sequence, since keys were
    turned by it before they were cached; rows are moved together at the right, so that the cache shrinks with its fullest row."""
    keep = state.mask.bool() & ~drop
    width = int(keep.sum(1).max())
    order = keep.long().argsort(dim=1, stable=True)[:, -width:]  # what is kept comes last, in its order
    cache = DynamicCache()
    for i, layer in enumerate(state.cache.layers):
        place = order[:, None, :, None].expand(-1, layer.keys.shape[1], -1, layer.keys.shape[3])
        cache.update(layer.keys.gather(2, place), layer.values.gather(2, place), i)
    state.cache, state.mask = cache, keep.gather(1, order).long()


@contextmanager
def only(role: Role, picked: torch.Tensor) -> Iterator[None]:
    """Passes in here are booked on the rows `picked` of the batch."""
    if role.meter is None:
        yield
        return
    rows = role.meter.rows
    role.meter.rows = rows[picked.cpu()]
    try:
        yield
    finally:
        role.meter.rows = rows


@torch.inference_mode()
def probe(role: Role, state: State, picked: torch.Tensor, ids: Sequence[int], tokens: int) -> tuple[torch.Tensor, torch.Tensor]:
    """What rows `picked` would write after `ids`, greedily, and how sure they are of it: both (P, tokens), tokens and their
    probabilities. Done on a copy of the cache; the last token is not fed."""
    with only(role, picked):
        ahead = feed(role, fork(state, picked), ids=torch.tensor([list(ids)], device=picked.device).expand(len(picked), -1))
        best = [torch.softmax(ahead.logits[:, -1].float(), -1).max(-1)]
        while len(best) < tokens:
            ahead = feed(role, ahead, ids=best[-1].indices[:, None])
            best.append(torch.softmax(ahead.logits[:, -1].float(), -1).max(-1))
    return torch.stack([own.indices for own in best], 1), torch.stack([own.values for own in best], 1)


@torch.inference_mode()
def extend(
    role: Role,
    state: State,
    stop_ids: Sequence[int],
    most_tokens: int,
    temperature: float = 0.0,
    generator: torch.Generator | None = None,
    budgets: Sequence[int] | None = None,
    answer_tokens: int | None = None,
    steer: Steer | None = None,
) -> list[list[int]]:
    """Writes on from `state` until one of `stop_ids` (kept) or `most_tokens`. A row's last token is never fed back.

    With `budgets` (B,), a row that has not closed its thinking by then is made to: the closing delimiter takes the place of
    its next token. With `answer_tokens`, a row ends that many tokens after the delimiter, so that a chain which was cut cannot
    go on in the answer. `steer` may put other tokens in the place of those chosen. The cache of `state` is used up. Returns the
    new ids of each of the B rows. A model without a delimiter of its own ends its turn instead, or rambles on: there, too, it is
    made to answer.
    """
    told = answer_tokens is not None and not role.opens
    if told and answer_tokens is not None and budgets is None:
        budgets = [most_tokens - answer_tokens - 1] * len(state.mask)
    ends = torch.tensor(list(stop_ids), device=state.mask.device)
    due = torch.tensor(list(budgets), device=state.mask.device) if budgets is not None else None
    last = torch.full((len(state.mask),), most_tokens - 1, device=state.mask.device)  # the step at which a row ends at the latest
    batch = len(state.mask)
    rows = alive = torch.arange(batch)
    if role.meter is not None:
        rows = role.meter.rows
    columns: list[tuple[torch.Tensor, torch.Tensor]] = []
    try:
        for count in range(most_tokens):
            chosen = choose(state.logits[:, -1], temperature, generator)
            if due is not None:
                if told:
                    chosen = torch.where((due >= 0) & torch.isin(chosen, ends), role.closes_id, chosen)
                chosen = torch.where(due == count, role.closes_id, chosen)
            if steer is not None:
                chosen = steer(state, alive, chosen)
            if due is not None:
                due = torch.where(chosen == role.closes_id, -1, due)
            columns.append((alive, chosen))
            if answer_tokens is not None:
                last = torch.where(chosen == role.closes_id, torch.clamp(last, max=count + answer_tokens), last)
            going = ~torch.isin(chosen, ends) & (last > count)
            if not bool(going.any()):
                break
            if not bool(going.all()):
                state.cache.batch_select_indices(going.nonzero()[:, 0])
                state = State(state.cache, state.mask[going], state.fed[going], state.logits[going])
                chosen, alive = chosen[going], alive[going.cpu()]
                last, due = last[going], due[going] if due is not None else None
                if role.meter is not None:
                    role.meter.rows = rows[alive]
            state = feed(role, state, ids=chosen[:, None])
    finally:
        if role.meter is not None:
            role.meter.rows = rows
    written: list[list[int]] = [[] for _ in range(batch)]
    for owners, tokens in columns:
        for row, token in zip(owners.tolist(), tokens.tolist(), strict=True):
            written[row].append(token)
    return written


@torch.inference_mode()
def decode(
    role: Role,
    rows: Sequence[Sequence[int]],
    stop_ids: Sequence[int],
    most_tokens: int,
    temperature: float = 0.0,
    generator: torch.Generator | None = None,
    budgets: Sequence[int] | None = None,
    answer_tokens: int | None = None,
    steer: Steer | None = None,
) -> list[list[int]]:
    """What the model writes after each prompt: `prefill`, then `extend`; over an endpoint, what comes back."""
    if role.server is not None:
        assert steer is None, "a server writes without a hand on its pen"
        assert set(stop_ids) <= {role.eos_id}, "a server ends a text at its end mark only"
        seed = generator.initial_seed() if generator else 0
        return list(role.server.write(role, rows, most_tokens, temperature, seed, budgets, answer_tokens))
    return extend(role, prefill(role, rows), stop_ids, most_tokens, temperature, generator, budgets, answer_tokens, steer)


def reason(
    role: Role,
    rows: Sequence[Sequence[int]],
    prompts: Sequence[Prompt],
    most_thinking_tokens: int,
    budgets: Sequence[int] | None = None,
    steer: Steer | None = None,
) -> list[Output]:
    """What the model thinks and answers, greedily, after each of `rows`, the ids in which `prompts` are put to it."""
    answer = answer_budget(role, prompts)
    most = most_thinking_tokens + answer
    chains = decode(role, rows, [role.eos_id], most, budgets=budgets, answer_tokens=answer, steer=steer)
    return [labelled((row, "prompt"), *split_answer(role, written)) for row, written in zip(rows, chains, strict=True)]
