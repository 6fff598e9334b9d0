"""One training loop: batches in, weights changed, cost counted. Interrupted, it goes on from where it was."""

import json
import logging
import math
import random
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from itertools import chain, count
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

from methods.kit.errors import Refused
from methods.kit.meter import Meter
from methods.kit.models import Models, Role

log = logging.getLogger(__name__)
IGNORED = -100
POOL = 16  # batches sorted by length together
KEPT_EVERY = 100  # steps after which an interrupted training goes on
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
    """What a training run took: `flops` of all passes, forward and backward."""

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


_kept: ContextVar[Iterator[Path] | None] = ContextVar("kept", default=None)


@contextmanager
def resumable(folder: Path) -> Iterator[None]:
    """In here every training keeps its state in `folder` as it goes; entered again after an interruption, the same trainings in
    the same order go on from there. Once all is done the folder is removed."""
    folder.mkdir(parents=True, exist_ok=True)
    token = _kept.set(folder / f"{i}.safetensors" for i in count())
    try:
        yield
    finally:
        _kept.reset(token)
    shutil.rmtree(folder)


def keep(path: Path, weights: list[nn.Parameter], optimizer: torch.optim.Optimizer, cost: Cost) -> None:
    """Writes weights and the optimizer's moments; `path` holds the state before or the state now, never half of one."""
    tensors = {f"weight.{i}": weight.detach() for i, weight in enumerate(weights)}
    tensors |= {f"{name}.{i}": own[name] for i, own in optimizer.state_dict()["state"].items() for name in own}
    save_file(
        {name: tensor.contiguous() for name, tensor in tensors.items()},
        path.with_suffix(".part"),
        {"cost": json.dumps(asdict(cost))},
    )
    path.with_suffix(".part").replace(path)


def resume(path: Path, weights: list[nn.Parameter], optimizer: torch.optim.Optimizer) -> Cost:
    """Puts back what `keep` wrote. Raises `Refused` for a file that does not fit; it names the folder to remove."""
    moments: dict[int, dict[str, torch.Tensor]] = {}
    try:
        with safe_open(path, "pt") as file:
            for i, weight in enumerate(weights):
                weight.data.copy_(file.get_tensor(f"weight.{i}"))
            for name, _, i in (key.rpartition(".") for key in file.keys() if not key.startswith("weight.")):  # noqa: SIM118
                moments.setdefault(int(i), {})[name] = file.get_tensor(f"{name}.{i}")
            cost = Cost(**json.loads(file.metadata()["cost"]))
        optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
    except Exception as error:  # safetensors and shape errors share no base class
        raise Refused(
            f"{path}: cannot go on from it ({str(error).splitlines()[0]}); without {path.parent} it starts anew"
        ) from None
    return cost


B = TypeVar("B")


def optimize(
    models: Models,
    weights: Iterable[nn.Parameter],
    batches: Iterator[B],
    loss_of: Callable[[B], torch.Tensor],
    recipe: Recipe,
    watch: Callable[[int, float], None] | None = None,
    every: int = 100,
) -> Cost:
    """AdamW over `weights`, one batch a step, with the forward passes of `models` in `loss_of` metered.

    `watch(step, loss)` is called every `every` steps and at the end. Raises `Refused` when the loss is not a number.
    """
    weights = [p for p in weights if p.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=recipe.rate, betas=(0.9, 0.98), weight_decay=recipe.weight_decay)
    path = next(paths) if (paths := _kept.get()) else None
    before = resume(path, weights, optimizer) if path and path.exists() else Cost()
    meter, started = Meter(recipe.batch), time.perf_counter()

    def cost() -> Cost:
        flops = float(meter.flops.sum() + meter.backward_flops.sum())
        return before + Cost(step + 1 - before.steps, int(meter.positions.sum()), flops, (time.perf_counter() - started) / 60)

    step = before.steps - 1
    for _ in range(before.steps):
        next(batches)
    for step in range(before.steps, recipe.steps):
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step, recipe)
        batch = next(batches)
        with meter.watching(models):
            loss = loss_of(batch)
        value = loss.item()
        if not math.isfinite(value):
            raise Refused(f"training: loss is {value} at step {step} of {recipe.steps} (rate {recipe.rate})")
        if watched := _watched.get():
            losses, most = watched
            losses.append(value)
            if len(losses) >= most:
                raise Enough
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(weights, recipe.clip)
        optimizer.step()
        if step % every == 0 or step == recipe.steps - 1:
            log.info("step %d of %d, loss %.4f", step, recipe.steps, value)
            if watch:
                watch(step, value)
        if path and ((step + 1) % KEPT_EVERY == 0 or step == recipe.steps - 1):
            keep(path, weights, optimizer, cost())
    return cost()


Attend = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def train(
    role: Role,
    examples: Iterator[Example],
    recipe: Recipe,
    seed: int,
    watch: Callable[[int, float], None] | None = None,
    every: int = 100,
    attend: Attend | None = None,
) -> Cost:
    """Next-token training of all parameters that require gradients. `attend` turns ids and mask (B, T) into who may see whom
    (B, 1, T, T); without it each position sees all before it.

    The loss of a batch is its sum divided by a constant number of tokens (the mean of the first pool), not by its own count:
    with batches sorted by length, a mean per batch would weigh short traces many times over.
    """
    torch.manual_seed(seed)
    source = batches(examples, recipe.batch, role.pad_id, seed)
    first = [next(source) for _ in range(POOL)]
    scale = sum(int((labels != IGNORED).sum()) for _, labels, _ in first) / POOL
    waiting = chain(first, source)

    def loss_of(batch: tuple[torch.Tensor, torch.Tensor, torch.Tensor]) -> torch.Tensor:
        ids, labels, mask = (part.to(role.device) for part in batch)
        logits = role.model(input_ids=ids, attention_mask=attend(ids, mask) if attend else mask, use_cache=False).logits
        return F.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), ignore_index=IGNORED, reduction="sum") / scale

    role.model.train()
    cost = optimize({role.name: role}, role.model.parameters(), waiting, loss_of, recipe, watch, every)
    role.model.eval()
    return cost
