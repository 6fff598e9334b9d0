"""DEER: at each turn of thought, try an answer; if the model is sure of it, stop thinking.

Paper: Yang et al., "Dynamic Early Exit in Reasoning Models", arXiv 2504.15895 (2025).
Idea: a chain often holds its answer long before it ends. Words like "wait" mark where one thought is over; there the model is
    made to answer on the side, and the probability it gives its own words says whether more thinking is needed.
Kept: trial answers at each such word, greedy, on a copy of the cache; the mean probability of the trial's tokens as confidence
    (geometric, as in the variant for Qwen3); threshold 0.95; below it the word is written and thinking goes on.
Left out: exits at paragraph ends; the rule that the trial's first token does not count, which is written for answers in a box: here
    the first token is the answer's own. The answer is written anew after an exit, so the trial is a cost, and it is counted.
Caution: whether it beats a fixed fraction depends on where in its traces a model reaches the goal; on an earlier model, whose
    traces went on longer behind it, the comparison came out the other way round.
"""

from dataclasses import dataclass

import torch

from methods.kit.asides import with_asides
from methods.kit.claims import Claim, gain, saved
from methods.kit.decoding import State, extend, prefill, probe
from methods.kit.method import Output, Prompt, answer_budget
from methods.kit.models import Models, Role

TASK = "search"  # chains do not turn: their "wait" confirms and goes on
ROLES = ("long",)
NEEDS = "logits"


@dataclass(frozen=True)
class Config:
    threshold: float = 0.95  # λ (the official code's default)
    most_thinking_tokens: int = 320


ARMS = {"": Config(), **{f"threshold_{t:g}": Config(threshold=t) for t in (0.6, 0.8, 0.99, 0.999)}}


def confidence(role: Role, tokens: torch.Tensor, probabilities: torch.Tensor) -> torch.Tensor:
    """The geometric mean (P,) of the probabilities (P, T) of each trial's tokens, from its first up to its end mark."""
    within = (tokens == role.eos_id).cumsum(1) == 0
    within[:, 0] = True
    return torch.exp((probabilities.log() * within).sum(1) / within.sum(1))


def generate(models: Models, prompts: list[Prompt], config: Config, seed: int) -> list[Output]:
    role = models["long"]
    rows = [role.prompt(prompt.question) for prompt in prompts]
    answer, written_so_far = answer_budget(role, prompts), 0
    thinking = torch.ones(len(rows), dtype=torch.bool)
    turns = torch.tensor(role.pause_ids, dtype=torch.long)
    trials: list[list[tuple[int, list[int]]]] = [[] for _ in rows]  # after how many tokens, and what was fed and written

    def exit_when_sure(state: State, alive: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
        nonlocal written_so_far
        turning = (thinking[alive] & torch.isin(chosen.cpu(), turns)).nonzero()[:, 0]
        if len(turning):
            tokens, probabilities = probe(role, state, turning.to(chosen.device), [role.closes_id], answer - 1)
            for row, trial in zip(alive[turning].tolist(), tokens.tolist(), strict=True):
                trials[row].append((written_so_far, [role.closes_id, *trial]))
            sure = confidence(role, tokens, probabilities) > config.threshold
            chosen = chosen.clone()
            chosen[turning.to(chosen.device)[sure]] = role.closes_id
        thinking[alive] &= (chosen != role.closes_id).cpu()
        written_so_far += 1
        return chosen

    most = config.most_thinking_tokens + answer
    chains = extend(role, prefill(role, rows), [role.eos_id], most, answer_tokens=answer, steer=exit_when_sure)
    return [with_asides(role, row, chain, own) for row, chain, own in zip(rows, chains, trials, strict=True)]


CLAIMS = [
    Claim(
        id="knows_when",
        text="It is at least 5 points more accurate than leaving every chain at one fraction of its length, at the same cost in "
        "all, trial answers counted",
        kind="emergent",
        measure=gain("deer", "deer@fraction"),
        at_least=0.05,
        because="Table 5: accuracy is kept at about two thirds of the length, which no blind cut does",
        needs=("ability", "thought counts", "exit exists"),
        primary=True,
        zoos=0,
    ),
    Claim(
        id="saves",
        text="It spends at least 15 % less than the full chain, trial answers counted",
        kind="emergent",
        measure=saved("deer", "cot"),
        at_least=0.15,
        because="Table 5: 917 of 1,484 tokens on GSM8K, 2,143 of 3,858 on MATH-500 (trials not counted)",
        needs=("ability", "exit exists"),
        zoos=0,
    ),
    Claim(
        id="loses_nothing",
        text="It loses at most 2 points against the full chain",
        kind="emergent",
        measure=gain("deer", "cot"),
        at_least=-0.02,
        because="Table 5: 89.6 to 90.6 on GSM8K, 87.4 to 89.8 on MATH-500",
        needs=("ability", "thought counts", "exit exists"),
        zoos=0,
    ),
]
