"""Bare traces: nothing but the steps a problem takes, in a model that was trained to write no more. The other end of `cot`.

Paper: none; the reference point of this lab's tables, the length called T* there.
Idea: a chain of thought holds steps and what is written around them. A model trained on steps alone shows how short chains can get
    here without loss; what lies between it and the full chain is what a method can remove.
Kept: greedy decoding until the model ends by itself.
Left out: traces with several steps in one line, which may be shorter still: T* is an upper bound.
"""

from dataclasses import dataclass

from methods.kit.claims import Claim, gain, saved
from methods.kit.decoding import reason
from methods.kit.method import Output, Prompt
from methods.kit.models import Models

ROLES = ("start",)
NEEDS = "text"


@dataclass(frozen=True)
class Config:
    most_thinking_tokens: int = 320


ARMS = {"": Config()}

CLAIMS = [
    Claim(
        id="loses_nothing",
        text="Bare steps lose at most 2 points against the full chain",
        kind="emergent",
        measure=gain("bare", "cot"),
        at_least=-0.02,
        because="On chains every step is known when it is due, so that what stands around it can be left out",
        needs=("ability", "room"),
        primary=True,
    ),
    Claim(
        id="half_is_room",
        text="They take at most half of the full chain's tokens",
        kind="by_construction",
        measure=saved("bare", "cot"),
        at_least=0.5,
        because="Traces are made so: fillers, checks and restatements are more than half of them",
        needs=("ability",),
    ),
]


def generate(models: Models, prompts: list[Prompt], config: Config, seed: int) -> list[Output]:
    role = models["start"]
    return reason(role, [role.prompt(prompt.question) for prompt in prompts], prompts, config.most_thinking_tokens)
