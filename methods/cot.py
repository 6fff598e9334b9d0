"""Chain of thought, written out in full: the baseline every other method is paired with.

Paper: Wei et al., "Chain-of-Thought Prompting Elicits Reasoning in Large Language Models", arXiv 2201.11903 (2022).
Idea: intermediate steps, written before the answer, are computation the model can read back.
Kept: greedy decoding until the model ends by itself.
Left out: the exemplars: a reasoning model writes its chain unasked.
"""

from dataclasses import dataclass

from methods.kit.claims import Claim, gain
from methods.kit.decoding import reason
from methods.kit.method import Output, Prompt
from methods.kit.models import Models

ROLES = ("long",)
NEEDS = "text"


@dataclass(frozen=True)
class Config:
    most_thinking_tokens: int = 320  # more than the longest training trace
    budgets: tuple[int, ...] | None = None  # thinking tokens after which a prompt's chain is closed: the rival "truncated"


ARMS = {"": Config()}

CLAIMS = [
    Claim(
        id="thinking_helps",
        text="Writing the steps is at least 30 points more accurate than answering at once",
        kind="emergent",
        measure=gain("cot", "direct"),
        at_least=0.30,
        because="Section 3.2 of the paper: gains of this size on multi-step problems, at a scale where steps can be carried out",
        needs=("need", "ability"),
        primary=True,
    )
]


def generate(models: Models, prompts: list[Prompt], config: Config, seed: int) -> list[Output]:
    role = models["long"]
    rows = [role.prompt(prompt.question) for prompt in prompts]
    return reason(role, rows, prompts, config.most_thinking_tokens, budgets=config.budgets)
