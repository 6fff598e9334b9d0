"""Answering at once: the question, a closed reasoning block, the answer. The other end of every comparison.

Paper: none; the no-reasoning baseline of the papers compared here.
Idea: whatever the model can do in its forward passes over the question and the answer.
Kept: in the lab, a checkpoint of its own with at least the reasoning model's training compute, so that it is not starved.
Left out: nothing.
"""

from dataclasses import dataclass

from methods.kit.claims import Claim
from methods.kit.decoding import decode
from methods.kit.method import Output, Prompt, answer_budget, labelled
from methods.kit.models import Models

ROLES = ("direct",)
NEEDS = "text"


@dataclass(frozen=True)
class Config:
    pass


ARMS = {"": Config()}

CLAIMS = [
    Claim(
        id="steps_wear_it_down",
        text="Without writing, accuracy at 2 operations is at least 50 points above that at 8",
        kind="emergent",
        measure=lambda means: means("direct", "accuracy", 2) - means("direct", "accuracy", 8),
        at_least=0.50,
        because="A network of fixed depth carries out a bounded number of dependent steps in one pass",
        needs=("need",),
        primary=True,
    )
]


def generate(models: Models, prompts: list[Prompt], config: Config, seed: int) -> list[Output]:
    role = models["direct"]
    rows = [[*role.prompt(prompt.question), role.closes_id] for prompt in prompts]
    answers = decode(role, rows, [role.eos_id], answer_budget(role, prompts))
    return [labelled((row, "prompt"), (answer, "answer")) for row, answer in zip(rows, answers, strict=True)]
