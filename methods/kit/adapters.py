"""Low-rank adapters: a small change of the weights that can be put on at any strength."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn.utils import parametrize


def adaptable(model: nn.Module) -> dict[str, nn.Linear]:
    """The linear maps within the layers, by name; embeddings and the read-out are left alone."""
    return {name: part for name, part in model.named_modules() if isinstance(part, nn.Linear) and "layers." in name}


class LowRank(nn.Module):
    """ΔW = B·A for each adapted map of a model, of rank `rank`. Zero before training, since B is."""

    def __init__(self, shapes: dict[str, list[int]], rank: int) -> None:
        super().__init__()
        self.arguments = {"shapes": shapes, "rank": rank}
        self.a = nn.ParameterDict({key(name): torch.randn(rank, wide) / wide**0.5 for name, (_, wide) in shapes.items()})
        self.b = nn.ParameterDict({key(name): torch.zeros(high, rank) for name, (high, _) in shapes.items()})

    @classmethod
    def of(cls, model: nn.Module, rank: int) -> "LowRank":
        return cls({name: list(part.weight.shape) for name, part in adaptable(model).items()}, rank)

    @contextmanager
    def on(self, model: nn.Module, strength: float) -> Iterator[None]:
        """In here the model's weights are W + strength · ΔW; gradients reach A and B."""
        parts = adaptable(model)
        for name, part in parts.items():
            parametrize.register_parametrization(part, "weight", Shift(self.a[key(name)], self.b[key(name)], strength))
        try:
            yield
        finally:
            for part in parts.values():
                parametrize.remove_parametrizations(part, "weight", leave_parametrized=False)


class Shift(nn.Module):
    """W → W + strength · B·A."""

    def __init__(self, a: torch.Tensor, b: torch.Tensor, strength: float) -> None:
        super().__init__()
        self.a, self.b, self.strength = a, b, strength

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        return weight + self.strength * (self.b @ self.a) if self.strength else weight


def key(name: str) -> str:
    """Names of parameters may not hold dots."""
    return name.replace(".", "-")
