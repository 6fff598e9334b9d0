"""Cost is metered, not reported: hooks on the forward count passes, positions, FLOPs and cache bytes for every problem.

A method only labels what it fed (prompt, thinking, answer, probe, latent); the labels must add up to what the meter saw.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn


def shape(config: Any) -> tuple[int, int, int, int]:
    """Layers, width, query heads × head size, key-value heads × head size."""
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    kv_heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    return config.num_hidden_layers, config.hidden_size, config.num_attention_heads * head, kv_heads * head


def forward_flops(config: Any, positions: Any, context: Any, logits: Any) -> Any:
    """FLOPs of a forward pass of a gated decoder: two per multiply-add, matrix products only, as torch's FlopCounterMode counts.

    `positions` new ones, each attending to `context` (masked pairs included: the kernels compute them), `logits` read out.
    Numbers or tensors of the same shape.
    """
    layers, width, query, kv = shape(config)
    linear = 2 * (width * query * 2 + width * kv * 2 + 3 * width * config.intermediate_size)
    return layers * (positions * linear + 4 * positions * context * query) + 2 * logits * width * config.vocab_size


@dataclass
class Meter:
    """Per-problem tallies, each a float64 tensor (N,), for the roles watched. One meter serves one call of `generate`.

    `flops` are those of forward passes; `backward_flops` come on top where gradients are wanted, twice as many.
    """

    problems: int
    rows: torch.Tensor = field(init=False)  # which problem each row of the current batch belongs to
    forward_passes: torch.Tensor = field(init=False)
    positions: torch.Tensor = field(init=False)
    flops: torch.Tensor = field(init=False)
    backward_flops: torch.Tensor = field(init=False)
    peak_context_tokens: torch.Tensor = field(init=False)
    cache_bytes: torch.Tensor = field(init=False)

    def __post_init__(self) -> None:
        self.rows = torch.arange(self.problems)
        for name in ("forward_passes", "positions", "flops", "backward_flops", "peak_context_tokens", "cache_bytes"):
            setattr(self, name, torch.zeros(self.problems, dtype=torch.float64))

    def see(self, config: Any, arguments: dict[str, Any], output: Any) -> None:
        """Books one forward pass. Padding (mask 0) costs nothing: it is the batch's, not the method's."""
        fed = arguments["input_ids"] if arguments.get("input_ids") is not None else arguments["inputs_embeds"]
        mask = arguments.get("attention_mask")
        if mask is None:
            past = output.past_key_values.get_seq_length() if output.past_key_values is not None else fed.shape[1]
            mask = torch.ones(fed.shape[0], past)
        if mask.dim() == 4:  # who may see whom: a real position sees itself
            mask = mask[:, 0].diagonal(dim1=1, dim2=2)
        mask = mask.detach().to("cpu", torch.float64)
        new, context = mask[:, -fed.shape[1] :].sum(1), mask.sum(1)
        logits = torch.minimum(new, torch.tensor(float(output.logits.shape[1])))
        rows = self.rows[: len(new)]
        self.forward_passes[rows] += (new > 0).double()
        self.positions[rows] += new
        flops = forward_flops(config, new, context, logits)
        self.flops[rows] += flops
        if output.logits.requires_grad:
            self.backward_flops[rows] += 2 * flops
        self.peak_context_tokens[rows] = torch.maximum(self.peak_context_tokens[rows], context)
        if output.past_key_values is not None:
            bytes_per_position = sum(
                2 * layer.keys.shape[1] * layer.keys.shape[3] * layer.keys.element_size() for layer in output.past_key_values.layers
            )
            self.cache_bytes[rows] = torch.maximum(self.cache_bytes[rows], context * bytes_per_position)

    @contextmanager
    def watching(self, models: dict[str, Any]) -> Iterator["Meter"]:
        """Hooks every language model among `models` (a role without a tokenizer has no cache and is metered by its owner)."""
        hooks = []
        for role in models.values():
            if role.tokenizer is not None and isinstance(role.model, nn.Module):
                config = role.model.config

                def book(_: Any, __: Any, arguments: dict[str, Any], output: Any, config: Any = config) -> None:
                    self.see(config, arguments, output)

                hooks.append(role.model.register_forward_hook(book, with_kwargs=True))
                role.meter = self
        try:
            yield self
        finally:
            for hook in hooks:
                hook.remove()
            for role in models.values():
                role.meter = None
