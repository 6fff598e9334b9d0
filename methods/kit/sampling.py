"""Chains a model writes itself for training problems: graded, and paid for by who trains on them."""

from collections.abc import Iterator, Sequence

import torch

from methods.kit.decoding import decode
from methods.kit.errors import Refused
from methods.kit.meter import Meter
from methods.kit.method import Item, split_answer
from methods.kit.models import Role
from methods.kit.training import Cost


def right(role: Role, written: list[int], item: Item) -> bool:
    """Whether what was written answers the item, and nothing but it."""
    _, (answer, _) = split_answer(role, written)
    return role.decode(answer).replace(role.tokenizer.eos_token, "").split() == item.answer.split()


def own_chains(
    role: Role, items: Sequence[Item], most_tokens: int, samples: int = 0, seed: int = 0, batch: int = 250
) -> tuple[list[tuple[Item, list[list[int]]]], Cost]:
    """Each item the model answers, questions of like length together, with its right chains as written, answer and end mark
    included; and what writing took. One greedy chain an item, or `samples` at temperature 1.

    Raises `Refused` where no chain is right: there is nothing of its own to learn from.
    """
    generator, found, cost = torch.Generator().manual_seed(seed), list[tuple[Item, list[list[int]]]](), Cost()
    for part in parts(sorted(items, key=lambda item: len(item.question)), max(1, batch // max(samples, 1))):
        asked = [item for item in part for _ in range(max(samples, 1))]
        meter = Meter(len(asked))
        with meter.watching({role.name: role}):
            rows = [role.prompt(item.question) for item in asked]
            chains = decode(role, rows, [role.eos_id], most_tokens, 1.0 if samples else 0.0, generator)
        cost += Cost(0, int(meter.positions.sum()), float(meter.flops.sum()))
        for i, item in enumerate(part):
            own = [chain for chain in chains[i * max(samples, 1) : (i + 1) * max(samples, 1)] if right(role, chain, item)]
            found += [(item, own)] if own else []
    if not found:
        raise Refused(f"{role.name}: the model answers none of {len(items)} training problems: no chain of its own to learn from")
    return found, cost


def parts(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    return (items[i : i + size] for i in range(0, len(items), size))
