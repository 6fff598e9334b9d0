"""CoT-Valve: one direction in the space of weights along which chains get shorter, opened as far as wanted.

Paper: Ma et al., "CoT-Valve: Length-Compressible Chain-of-Thought Tuning", arXiv 2502.09601 (ACL 2025).
Idea: tune a low-rank change ΔW of a reasoning model on shorter chains; W + α·ΔW then writes longer chains for α below 1 and shorter
    ones above it, although only α = 1 was trained.
Kept: adapters on every linear map of the layers, from the reasoning model itself; the model's own correct chains as data; one
    strength in training, and interpolation as well as extrapolation of it at test.
Left out: training on several strengths at once (++) and in stages from long to short (+P). The chains tuned on are sampled
    from the reasoning model, those nearest to a given share of its greedy chain's length; the paper takes them from a data set
    or from another model.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch

from methods.kit.adapters import LowRank
from methods.kit.claims import Claim, gain, saved
from methods.kit.decoding import reason
from methods.kit.method import Data, Item, Output, Prompt
from methods.kit.models import Models, Role, copy_of
from methods.kit.sampling import own_chains
from methods.kit.training import Cost, Example, Recipe, supervised, train

ROLES = ("long",)
FROM = ("long",)
NEEDS = "weights"
MODULES = {"cot_valve": LowRank}


@dataclass(frozen=True)
class Config:
    strength: float = 1.5  # α at test (section 3: above 1 chains go on getting shorter)
    trained_strength: float = 1.0
    rank: int = 8
    share: float = 0.4  # of the greedy chain's tokens that the chains tuned on have
    problems: int = 400
    samples: int = 8
    steps: int = 30  # few: a change trained to the end has nowhere further to go (see the lab log)
    rate: float = 1e-3
    warm_up: int = 10
    most_thinking_tokens: int = 320


ARMS = {"": Config(), **{f"strength_{a:g}": Config(strength=a) for a in (0.0, 0.5, 1.0, 2.0)}}


def checkpoint(config: Config) -> str:
    return "valve"


def generate(models: Models, prompts: list[Prompt], config: Config, seed: int) -> list[Output]:
    role = models["long"]
    rows = [role.prompt(prompt.question) for prompt in prompts]
    valve = models["cot_valve"].model
    assert isinstance(valve, LowRank)
    with valve.on(role.model, config.strength):
        return reason(role, rows, prompts, config.most_thinking_tokens)


# ---- training --------------------------------------------------------------------------------------------------------------


def nearest_chain(chains: list[list[int]], wanted: float) -> list[int]:
    """The chain whose length is nearest to `wanted` tokens; of two, the shorter."""
    return min(chains, key=lambda chain: (abs(len(chain) - wanted), len(chain)))


def shorter_chains(role: Role, items: list[Item], config: Config, seed: int) -> tuple[list[tuple[Item, list[int]]], Cost]:
    """For each problem with a correct greedy chain: a correct sampled one of about `share` of its tokens, delimiter and answer
    included; and what sampling cost."""
    whole, once = own_chains(role, items, config.most_thinking_tokens)
    sampled, often = own_chains(role, [item for item, _ in whole], config.most_thinking_tokens, config.samples, seed)
    lengths = {item.question: len(chain) for item, (chain,) in whole}
    return [(item, nearest_chain(own, config.share * lengths[item.question])) for item, own in sampled], once + often


def prepare(models: Models, data: Data, config: Config, seed: int) -> Models:
    """Tunes the adapter on the model's own shorter chains. Returns the models with the role `cot_valve`, the adapter, added."""
    torch.manual_seed(seed)
    long = models["long"]
    chains, sampled = shorter_chains(long, list(islice(data.items(4000 + seed), config.problems)), config, seed)
    frozen, rng = copy_of(long, "long"), random.Random(seed)
    frozen.model.requires_grad_(False)
    valve = LowRank.of(frozen.model, config.rank).to(long.device)

    def examples() -> Iterator[Example]:
        while True:
            item, chain = rng.choice(chains)
            yield supervised(frozen.prompt(item.question), chain)

    with valve.on(frozen.model, config.trained_strength):
        cost = train(frozen, examples(), Recipe(config.steps, rate=config.rate, warm_up=config.warm_up), seed)
    return {**models, "cot_valve": Role("cot_valve", valve, cost=sampled + cost)}


CLAIMS = [
    Claim(
        id="opens_further",
        text="At strength 1.5, never trained, chains are at least 10 % shorter than at 1, the strength trained",
        kind="emergent",
        measure=saved("cot_valve", "cot_valve@strength_1"),
        at_least=0.10,
        because="Section 3: strengths above 1 extrapolate to chains shorter than those tuned on",
        needs=("ability", "choice", "room"),
        primary=True,
    ),
    Claim(
        id="not_inferior",
        text="At strength 1.5 it loses at most 2 points against the full chain",
        kind="emergent",
        measure=gain("cot_valve", "cot"),
        at_least=-0.02,
        because="Table 1: 95.1 to 94.0 on GSM8K, 741.1 to 352.8 tokens, QwQ-32B-Preview",
        needs=("ability", "thought counts", "room"),
    ),
    Claim(
        id="half_open",
        text="At strength 0.5, never trained, chains are at least 5 % shorter than the full ones, those at 1 as much shorter again",
        kind="emergent",
        measure=lambda means: np.minimum(
            saved("cot_valve@strength_0.5", "cot")(means), saved("cot_valve@strength_1", "cot_valve@strength_0.5")(means)
        ),
        at_least=0.05,
        because="Section 3: strengths between 0 and 1 interpolate between long and short chains",
        needs=("ability", "choice", "room"),
    ),
]
