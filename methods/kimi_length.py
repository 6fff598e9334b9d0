"""Kimi k1.5's length reward: among chains for one question the short ones gain, the long ones lose; wrong ones can only lose.

Paper: Kimi Team, "Kimi k1.5: Scaling Reinforcement Learning with LLMs", arXiv 2501.12599 (2025).
Idea: how long a chain has to be is seen from the others for the same question. Reinforcement learning then shortens where it can
    be afforded.
Kept: the reward (section 2.3.3), over all samples of a question; first some rounds without it; the policy objective (section
    2.3.2): log-likelihood weighted by reward above the group's mean, less a squared log-ratio to the model that sampled.
Left out: the report's curriculum, its sampling by past success and partial rollouts; code and vision; its other ways from long to
    short chains. The optimizer keeps its moments over rounds.
Control: the same loop with weight 0, which rewards nothing but right answers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch

from methods.kit.claims import Claim, gain, saved
from methods.kit.decoding import reason
from methods.kit.method import Data, Output, Prompt
from methods.kit.models import Models, copy_of
from methods.kit.policy import Objective, Plan, centred, improve, online

ROLES: tuple[str, ...] = ()
FROM = ("long",)
NEEDS = "weights"


@dataclass(frozen=True)
class Config:
    weight: float = 0.5  # of the length reward beside 1 for a right answer (not in the report; another group's code has 0.4)
    plain_rounds: int = 5  # without it at first (section 2.3.3: it slows training early on)
    tau: float = 0.02  # τ, of the squared log-ratio (not in the report)
    rounds: int = 60
    problems: int = 8  # a round
    samples: int = 8  # k
    rate: float = 1.5e-4
    most_thinking_tokens: int = 320


ARMS = {"": Config(), "no_length": Config(weight=0.0)}


def checkpoint(config: Config) -> str:
    return "length" if config.weight else "no_length"


def generate(models: Models, prompts: list[Prompt], config: Config, seed: int) -> list[Output]:
    role = models["kimi_length"]
    return reason(role, [role.prompt(prompt.question) for prompt in prompts], prompts, config.most_thinking_tokens)


# ---- training --------------------------------------------------------------------------------------------------------------


def length_rewards(lengths: Sequence[int], right: Sequence[bool]) -> list[float]:
    """From 0.5 for the shortest of all samples to -0.5 for the longest; wrong ones at most 0; nothing where all are as long."""
    shortest, longest = min(lengths), max(lengths)
    if shortest == longest:
        return [0.0] * len(lengths)
    scores = [0.5 - (length - shortest) / (longest - shortest) for length in lengths]
    return [score if good else min(0.0, score) for score, good in zip(scores, right, strict=True)]


def mirror_descent(tau: float) -> Objective:
    """- advantage · log π + τ/2 · (log π / π_before)², of whole chains."""

    def objective(now: torch.Tensor, before: torch.Tensor, counts: torch.Tensor, advantages: torch.Tensor) -> torch.Tensor:
        chain = now.sum(1)
        return (tau / 2 * (chain - before.sum(1)) ** 2 - advantages * chain).mean()

    return objective


def prepare(models: Models, data: Data, config: Config, seed: int) -> Models:
    """Reinforcement learning from `long`. Returns the models with the role `kimi_length` added."""
    role = copy_of(models["long"], "kimi_length")
    plan = Plan(config.rounds, config.problems, config.samples, rate=config.rate, most_tokens=config.most_thinking_tokens)

    def reward(turn: int, lengths: Sequence[int], right: Sequence[bool]) -> list[float]:
        weight = config.weight if turn >= config.plain_rounds else 0.0
        return [good + weight * score for good, score in zip(right, length_rewards(lengths, right), strict=True)]

    items = list(islice(data.items(6000 + seed), config.rounds * config.problems))
    role.cost = improve(role, online(role, items, reward, plan, seed), centred, mirror_descent(config.tau), plan)
    return {**models, "kimi_length": role}


CLAIMS = [
    Claim(
        id="beats_plain_reward",
        text="Against the same loop without the length reward it writes at least 10 % fewer tokens and loses at most 2 points",
        kind="emergent",
        measure=lambda means: np.minimum(
            saved("kimi_length", "kimi_length@no_length")(means) - 0.10, gain("kimi_length", "kimi_length@no_length")(means) + 0.02
        ),
        at_least=0.0,
        because="Section 2.3.3: without the reward chains grow as training goes on; with it they shorten at like accuracy",
        needs=("ability", "choice", "price", "room"),
        zoos=5,
        primary=True,
    ),
    Claim(
        id="much_shorter",
        text="It writes at least 30 % fewer tokens than the full chain",
        kind="emergent",
        measure=saved("kimi_length", "cot"),
        at_least=0.30,
        because="Section 3.4: training from long to short this way gave the best accuracy for its tokens of all ways tried",
        needs=("ability", "choice", "price", "room"),
        zoos=5,
    ),
    Claim(
        id="not_inferior",
        text="It loses at most 2 points against the full chain",
        kind="emergent",
        measure=gain("kimi_length", "cot"),
        at_least=-0.02,
        because="Section 3.4: the short model keeps most of the long one's accuracy",
        needs=("ability", "choice", "price"),
        zoos=5,
    ),
]
