"""One supervised training loop: sequences in, weights changed, cost counted."""

import logging
import math
import random
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from itertools import chain

import torch
from torch import nn
from torch.nn import functional as F

from methods.kit.errors import Refused
from methods.kit.meter import Meter
from methods.kit.models import Models, Role

log = logging.getLogger(__name__)
IGNORED = -100
POOL = 16  # batches sorted by length together
Example = tuple[list[int], list[int]]  # token ids, and the same with IGNORED where no loss is wanted


@dataclass(frozen=True)
class Recipe:
    """AdamW as the whole zoo uses it; after the fraction `decay_from` of its steps the rate falls linearly to 0."""

    steps: int
    rate: float = 1e-3
    batch: int = 64
    warm_up: int = 50
    decay_from: float = 0.75
    weight_decay: float = 0.01
    clip: float = 1.0


@dataclass
class Cost:
    """What a training run took. `flops` counts the forward pass three times (forward, and twice that backward)."""

    steps: int = 0
    tokens: int = 0
    flops: float = 0.0
    minutes: float = 0.0

    def __add__(self, more: "Cost") -> "Cost":
        return Cost(self.steps + more.steps, self.tokens + more.tokens, self.flops + more.flops, self.minutes + more.minutes)

    def as_dict(self) -> dict[str, float]:
        return {key: round(value, 2) if isinstance(value, float) else value for key, value in asdict(self).items()}


def supervised(prompt: list[int], completion: list[int]) -> Example:
    """Loss on the completion only."""
    return prompt + completion, [IGNORED] * len(prompt) + completion


def batches(
    examples: Iterator[Example], size: int, pad: int, seed: int
) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """Ids, labels and attention mask, each (B, T). Sorted by length in pools, so that little is padding."""
    rng = random.Random(seed)
    while True:
        pool = sorted((next(examples) for _ in range(POOL * size)), key=lambda example: len(example[0]))
        chunks = [pool[i : i + size] for i in range(0, len(pool), size)]
        rng.shuffle(chunks)
        for chunk in chunks:
            width = max(len(ids) for ids, _ in chunk)
            ids = torch.tensor([row + [pad] * (width - len(row)) for row, _ in chunk])
            labels = torch.tensor([row + [IGNORED] * (width - len(row)) for _, row in chunk])
            mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row, _ in chunk])
            yield ids, labels, mask


def rate_at(step: int, recipe: Recipe) -> float:
    warm = min(1.0, (step + 1) / recipe.warm_up)
    left = 1 - step / recipe.steps
    return recipe.rate * warm * min(1.0, left / (1 - recipe.decay_from) if recipe.decay_from < 1 else 1.0)


class Enough(Exception):
    """Training has taken the steps asked for in `first_steps`."""


_watched: ContextVar[tuple[list[float], int] | None] = ContextVar("watched", default=None)


@contextmanager
def first_steps(count: int) -> Iterator[list[float]]:
    """In here training raises `Enough` after `count` optimizer steps; the losses before each are in the list given."""
    losses: list[float] = []
    token = _watched.set((losses, count))
    try:
        yield losses
    finally:
        _watched.reset(token)


def optimize(
    models: Models,
    weights: Iterable[nn.Parameter],
    next_loss: Callable[[], torch.Tensor],
    recipe: Recipe,
    watch: Callable[[int, float], None] | None = None,
    every: int = 100,
) -> Cost:
    """AdamW over `weights`, with the forward passes of `models` metered.

    `watch(step, loss)` is called every `every` steps and at the end. Raises `Refused` when the loss is not a number.
    """
    weights = [p for p in weights if p.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=recipe.rate, betas=(0.9, 0.98), weight_decay=recipe.weight_decay)
    meter, started = Meter(recipe.batch), time.perf_counter()
    for step in range(recipe.steps):
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step, recipe)
        with meter.watching(models):
            loss = next_loss()
        value = loss.item()
        if not math.isfinite(value):
            raise Refused(f"training: loss is {value} at step {step} of {recipe.steps} (rate {recipe.rate})")
        if watched := _watched.get():
            losses, count = watched
            losses.append(value)
            if len(losses) >= count:
                raise Enough
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(weights, recipe.clip)
        optimizer.step()
        if step % every == 0 or step == recipe.steps - 1:
            log.info("step %d of %d, loss %.4f", step, recipe.steps, value)
            if watch:
                watch(step, value)
    minutes = (time.perf_counter() - started) / 60
    return Cost(recipe.steps, int(meter.positions.sum()), 3 * float(meter.flops.sum()), minutes)


def train(
    role: Role,
    examples: Iterator[Example],
    recipe: Recipe,
    seed: int,
    watch: Callable[[int, float], None] | None = None,
    every: int = 100,
) -> Cost:
    """Next-token training of all parameters that require gradients.

    The loss of a batch is its sum divided by a constant number of tokens (the mean of the first pool), not by its own count:
    with batches sorted by length, a mean per batch would weigh short traces many times over.
    """
    torch.manual_seed(seed)
    source = batches(examples, recipe.batch, role.pad_id, seed)
    first = [next(source) for _ in range(POOL)]
    scale = sum(int((labels != IGNORED).sum()) for _, labels, _ in first) / POOL
    waiting = chain(first, source)

    def next_loss() -> torch.Tensor:
        ids, labels, mask = (part.to(role.device) for part in next(waiting))
        logits = role.model(input_ids=ids, attention_mask=mask, use_cache=False).logits
        return F.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), ignore_index=IGNORED, reduction="sum") / scale

    role.model.train()
    cost = optimize({role.name: role}, role.model.parameters(), next_loss, recipe, watch, every)
    role.model.eval()
    return cost
