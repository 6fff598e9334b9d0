"""Adaptive consistency: a vote over sampled chains ends as soon as its winner is safe.

Paper: Aggarwal et al., "Let's Sample Step by Step: Adaptive-Consistency for Efficient Reasoning and Coding with LLMs",
    arXiv 2305.11860 (2023).
Idea: a vote needs many chains only where answers disagree. After each chain one asks how likely the leader is to stay ahead of
    the second, and stops when that is likely enough.
Kept: chains one after another; the rule over the two largest counts a and b, the mass above one half of a Beta distribution
    (a + 1, b + 1), and its threshold 0.95 (official code, `BetaStoppingCriteria`); the most frequent answer wins.
Left out: the rules that the paper compares with (Dirichlet over all answers, entropy, a bare majority); 40 chains at most, here 12.
    A chain without an answer has no vote. Prompts are read anew for each chain: a cache of prefixes would save that.
Controls: a vote of all 12 chains, and a single sampled chain.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
import torch

from methods.kit.claims import Claim, gain, saved
from methods.kit.decoding import decode, only
from methods.kit.method import Label, Output, Prompt, answer_budget, labelled, split_answer
from methods.kit.models import Models, Role
from methods.kit.statistics import Means

ROLES = ("long",)
NEEDS = "text"


@dataclass(frozen=True)
class Config:
    samples: int = 12  # chains at most (official code: 40)
    threshold: float | None = 0.95  # (official code); None: the vote is never safe
    temperature: float = 1.0
    most_thinking_tokens: int = 320


ARMS = {"": Config(), "fixed": Config(threshold=None), "single": Config(samples=1)}


def safe(votes: Counter[tuple[int, ...]], threshold: float | None) -> bool:
    """Whether the leader, with a votes, stays ahead of the second, with b: ∫½¹ xᵃ(1−x)ᵇ dx / ∫₀¹ xᵃ(1−x)ᵇ dx ≥ threshold.

    For whole numbers that is the chance of at most a heads in a + b + 1 throws of a coin.
    """
    if threshold is None or not votes:
        return False
    a, b = ([count for _, count in votes.most_common(2)] + [0])[:2]
    throws = a + b + 1
    return sum(comb(throws, heads) for heads in range(a + 1)) / 2**throws >= threshold


def vote(role: Role, chain: list[int]) -> tuple[int, ...]:
    """The tokens of the chain's answer; none where it was never closed."""
    return tuple(token for token in split_answer(role, chain)[1][0] if token != role.eos_id)


def handed_in(role: Role, row: list[int], chains: Sequence[list[int]]) -> Output:
    """All chains in their order. The answer is that of the first which says what most say; all else was thought."""
    votes = Counter(filter(None, (vote(role, chain) for chain in chains)))
    winner = votes.most_common(1)[0][0] if votes else ()
    chosen = next(place for place, chain in enumerate(chains) if vote(role, chain) == winner)
    parts: list[tuple[Sequence[int], Label]] = []
    for place, chain in enumerate(chains):
        parts.append((row, "prompt"))
        parts += split_answer(role, chain) if place == chosen else [(chain, "thinking")]
    output = labelled(*parts)
    output.unread = len(chains)
    return output


def generate(models: Models, prompts: list[Prompt], config: Config, seed: int) -> list[Output]:
    role = models["long"]
    rows = [role.prompt(prompt.question) for prompt in prompts]
    answer = answer_budget(role, prompts)
    most = config.most_thinking_tokens + answer
    chains: list[list[list[int]]] = [[] for _ in rows]
    open_votes = list(range(len(rows)))
    for turn in range(config.samples):
        generator = torch.Generator().manual_seed(1000 * seed + turn)
        with only(role, torch.tensor(open_votes)):
            asked = [rows[row] for row in open_votes]
            written = decode(role, asked, [role.eos_id], most, config.temperature, generator, answer_tokens=answer)
        for row, chain in zip(open_votes, written, strict=True):
            chains[row].append(chain)
        votes = {row: Counter(filter(None, (vote(role, chain) for chain in chains[row]))) for row in open_votes}
        open_votes = [row for row in open_votes if not safe(votes[row], config.threshold)]
        if not open_votes:
            break
    return [handed_in(role, row, own) for row, own in zip(rows, chains, strict=True)]


def chains_drawn(means: Means, level: int) -> np.ndarray:
    """How many chains of a single one's mean length its tokens at a level are worth."""
    return means("adaptive_consistency", "tokens", level) / means("adaptive_consistency@single", "tokens", level)


CLAIMS = [
    Claim(
        id="keeps_the_vote",
        text="Against a vote of 12 chains each time it writes at least 30 % fewer tokens and loses at most half a point",
        kind="emergent",
        measure=lambda means: np.minimum(
            saved("adaptive_consistency", "adaptive_consistency@fixed")(means) - 0.30,
            gain("adaptive_consistency", "adaptive_consistency@fixed")(means) + 0.005,
        ),
        at_least=0.0,
        because="The authors' project page: up to 6 times fewer samples, accuracy less than 0.1 % lower on average",
        needs=("ability",),
        primary=True,
        zoos=0,
    ),
    Claim(
        id="vote_helps",
        text="It is at least 2 points more accurate than a single sampled chain",
        kind="emergent",
        measure=gain("adaptive_consistency", "adaptive_consistency@single"),
        at_least=0.02,
        because="What is to be kept is the gain of a vote over one chain; where there is none there is nothing to keep",
        needs=("ability",),
        zoos=0,
    ),
    Claim(
        id="harder_takes_more",
        text="It draws at least half a chain more for a problem of 8 steps than for one of 2",
        kind="emergent",
        measure=lambda means: chains_drawn(means, 8) - chains_drawn(means, 2),
        at_least=0.5,
        because="Chains disagree more on hard questions, so that the saving follows difficulty",
        needs=("ability",),
        zoos=0,
    ),
]
