"""Self-training on short chains: sample many of one's own, keep the shortest right one a problem, fine-tune on those.

Paper: Munkhbat et al., "Self-Training Elicits Concise Reasoning in Large Language Models", arXiv 2502.20122 (Findings of ACL 2025).
Idea: among a model's own chains for one problem some are short and right all the same. Trained on these it writes so by itself, and
    nothing of another model's style comes with them.
Kept: 16 samples a problem; the shortest of the right ones is learned; all weights are tuned; greedy decoding after.
Left out: the terse examples that make half of the samples shorter to begin with, since the lab's models take none: what is left
    is best of N without them.
Control: the same training on one of the right samples picked at random. It is what any tuning on own right chains does.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch

from methods.kit.claims import Claim, gain, saved
from methods.kit.decoding import reason
from methods.kit.method import Data, Output, Prompt
from methods.kit.models import Models, copy_of
from methods.kit.sampling import own_chains
from methods.kit.statistics import Means
from methods.kit.training import Example, Recipe, supervised, train

ROLES: tuple[str, ...] = ()
FROM = ("long",)
NEEDS = "weights"


@dataclass(frozen=True)
class Config:
    pick: str = "shortest"  # of a problem's right samples; or any of them: the control
    samples: int = 16  # N (the authors' README, "Reproducing Paper Results"; there 16 more with examples)
    problems: int = 400
    steps: int = 60
    rate: float = 3e-4
    most_thinking_tokens: int = 320


ARMS = {"": Config(), "any": Config(pick="any")}


def checkpoint(config: Config) -> str:
    return config.pick


def generate(models: Models, prompts: list[Prompt], config: Config, seed: int) -> list[Output]:
    role = models["fs_bon"]
    return reason(role, [role.prompt(prompt.question) for prompt in prompts], prompts, config.most_thinking_tokens)


# ---- training --------------------------------------------------------------------------------------------------------------


def picked(chains: list[list[int]], pick: str, rng: random.Random) -> list[int]:
    """One chain of those written for a problem; of the shortest the first, so that doubles change nothing."""
    return min(chains, key=len) if pick == "shortest" else rng.choice(chains)


def prepare(models: Models, data: Data, config: Config, seed: int) -> Models:
    """Fine-tunes a copy of `long` on one of its own right chains a problem. Adds the role `fs_bon`."""
    torch.manual_seed(seed)
    long, rng = models["long"], random.Random(seed)
    items = list(islice(data.items(7000 + seed), config.problems))
    written, sampled = own_chains(long, items, config.most_thinking_tokens, config.samples, seed)
    chains = [(long.prompt(item.question), picked(own, config.pick, random.Random(item.question))) for item, own in written]
    role = copy_of(long, "fs_bon")

    def examples() -> Iterator[Example]:
        while True:
            yield supervised(*rng.choice(chains))

    role.cost = sampled + train(role, examples(), Recipe(config.steps, rate=config.rate, warm_up=10), seed)
    return {**models, "fs_bon": role}


def left(means: Means, level: int) -> np.ndarray:
    """The share of the full chain's tokens that is still written at a level."""
    return np.asarray(means("fs_bon", "tokens", level) / means("cot", "tokens", level))


CLAIMS = [
    Claim(
        id="shorter_at_no_loss",
        text="Against the same training on any right sample it writes at least 20 % fewer tokens and loses at most 2 points",
        kind="emergent",
        measure=lambda means: np.minimum(saved("fs_bon", "fs_bon@any")(means) - 0.20, gain("fs_bon", "fs_bon@any")(means) + 0.02),
        at_least=0.0,
        because="Abstract: 30 % fewer tokens on average at the same accuracy, terse examples included",
        needs=("ability", "choice", "room"),
        primary=True,
    ),
    Claim(
        id="any_sample_shortens_nothing",
        text="Training on any right sample changes the length of chains by at most 10 %",
        kind="emergent",
        measure=lambda means: 0.10 - np.abs(saved("fs_bon@any", "cot")(means)),
        at_least=0.0,
        because="A model tuned on what it samples learns what it does already; where chains get shorter, the picking did it",
        needs=("ability", "choice"),
    ),
    Claim(
        id="easy_problems_shorten_more",
        text="The share saved against the full chain is at least 5 points larger at the easiest level than at the hardest",
        kind="emergent",
        measure=lambda means: left(means, 8) - left(means, 1),
        at_least=0.05,
        because="A hard problem's steps cannot be left out, so its shortest right chain is closer to the usual one",
        needs=("ability", "choice", "room"),
    ),
]
