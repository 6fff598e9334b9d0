"""Dynasor: every so many tokens the model is asked for its answer; when the last few agree, it stops thinking.

Paper: Fu et al., "Efficiently Serving LLM Reasoning Programs with Certaindex", arXiv 2412.20993 (2024); the rule for chains of
    thought is the authors' later one, "certainty probing", as their code has it.
Idea: a model that gives the same answer at one point of its chain after the other will hardly change it any more.
Kept: probes at fixed distances on a copy of the cache, greedy; the last w answers have to be there, equal, and without a word of
    doubt (official code, `cot.py`).
Left out: the serving of many programs at once, which Certaindex was made for; the entropy of sampled programs' answers; the
    sentence before a probe, here the end of thinking. The code's presets ask every 64 tokens, which whole chains here hardly have.
Caution: a probe costs 3 tokens, and chains have some 80. Where chains are a hundred times as long, probes weigh next to nothing.
"""

from dataclasses import dataclass

import torch

from methods.kit.asides import with_asides
from methods.kit.claims import Claim, gain, saved
from methods.kit.decoding import State, extend, prefill, probe
from methods.kit.method import Output, Prompt, answer_budget
from methods.kit.models import Models

TASK = "search"  # as for DEER
ROLES = ("long",)
NEEDS = "logits"


@dataclass(frozen=True)
class Config:
    every_tokens: int = 16  # c (official presets: 64, or 32)
    agreeing: int = 2  # w (official preset "high"; others have 3, 5 and 8)
    most_thinking_tokens: int = 320


ARMS = {"": Config(), "agreeing_3": Config(agreeing=3), "every_8": Config(every_tokens=8, agreeing=3)}


def certain(answers: list[tuple[int, ...]], agreeing: int, doubts: set[int]) -> bool:
    """Whether the last `agreeing` answers are there, equal, and hold no word of doubt."""
    last = answers[-agreeing:]
    return len(last) == agreeing and len(set(last)) == 1 and bool(last[0]) and doubts.isdisjoint(last[0])


def generate(models: Models, prompts: list[Prompt], config: Config, seed: int) -> list[Output]:
    role = models["long"]
    rows = [role.prompt(prompt.question) for prompt in prompts]
    answer, written_so_far = answer_budget(role, prompts), 0
    thinking = torch.ones(len(rows), dtype=torch.bool)
    probes: list[list[tuple[int, list[int]]]] = [[] for _ in rows]  # after how many tokens, and what was fed and written
    answers: list[list[tuple[int, ...]]] = [[] for _ in rows]

    def exit_when_certain(state: State, alive: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
        nonlocal written_so_far
        asked = thinking[alive].nonzero()[:, 0]
        if written_so_far and written_so_far % config.every_tokens == 0 and len(asked):
            tokens, _ = probe(role, state, asked.to(chosen.device), [role.closes_id], answer - 1)
            chosen = chosen.clone()
            for place, row, written in zip(asked.tolist(), alive[asked].tolist(), tokens.tolist(), strict=True):
                probes[row].append((written_so_far, [role.closes_id, *written]))
                answers[row].append(tuple(written[: written.index(role.eos_id)] if role.eos_id in written else written))
                if certain(answers[row], config.agreeing, set(role.pause_ids)):
                    chosen[place] = role.closes_id
        thinking[alive] &= (chosen != role.closes_id).cpu()
        written_so_far += 1
        return chosen

    most = config.most_thinking_tokens + answer
    chains = extend(role, prefill(role, rows), [role.eos_id], most, answer_tokens=answer, steer=exit_when_certain)
    return [with_asides(role, row, chain, own) for row, chain, own in zip(rows, chains, probes, strict=True)]


CLAIMS = [
    Claim(
        id="knows_when",
        text="It is at least 5 points more accurate than leaving every chain at one fraction of its length, at the same cost in "
        "all, probes counted",
        kind="emergent",
        measure=gain("dynasor", "dynasor@fraction"),
        at_least=0.05,
        because="Agreement is said to tell problem by problem when enough was thought, which no blind cut does",
        needs=("ability", "thought counts", "exit exists"),
        primary=True,
        zoos=0,
    ),
    Claim(
        id="saves",
        text="It spends at least 10 % less than the full chain, probes counted",
        kind="emergent",
        measure=saved("dynasor", "cot"),
        at_least=0.10,
        because="The authors report up to 29 % fewer tokens (from memory, not checked; on chains of thousands of tokens)",
        needs=("ability", "exit exists"),
        zoos=0,
    ),
    Claim(
        id="loses_nothing",
        text="It loses at most 2 points against the full chain",
        kind="emergent",
        measure=gain("dynasor", "cot"),
        at_least=-0.02,
        because="The authors report no loss of accuracy (from memory, not checked)",
        needs=("ability", "thought counts", "exit exists"),
        zoos=0,
    ),
]
