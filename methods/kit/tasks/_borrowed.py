"""What problems made by others share: one level, free text around the answer, and no models of the lab's own.

A file of this folder with `named(rest)` holds such tasks: `gsm8k`, `gsm8k:FILE.jsonl`, `rg:gsm_symbolic`.
"""

import re
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

LEVELS = (1,)
SLACK = " **The answer is** \\boxed{}."  # what reasoning models write around an answer, though asked for it alone
NUMBER = re.compile(r"-?(?:\d[\d,]*(?:\.\d+)?|\.\d+)")


@dataclass
class Borrowed:
    """The part of a family that does not depend on where its problems are from."""

    NAME: str
    LEVELS: tuple[int, ...] = LEVELS
    CHANCE: float = 0.0
    EXHAUSTED: tuple[int, ...] = field(default=())

    def kinds(self, words: list[str]) -> list[str]:
        """The grammar of what these models write is not known."""
        return ["other"] * len(words)


def stated(written: str) -> str:
    """The answer in what was written after the thinking: what is boxed, else the first line that says something."""
    boxed = re.search(r"\\boxed\{([^{}]*)\}", written)
    if boxed:
        return boxed[1].strip()
    written = re.sub(r"^[\W_]*(?:the )?(?:final )?answer(?: is)?\b", "", written.strip(), flags=re.IGNORECASE)
    lines = [line.strip(" :*#$`\t") for line in written.splitlines()]
    return next((line.removesuffix(".") for line in lines if line), "")


def number(text: str) -> Decimal | None:
    """The first number in a text, thousands separated or not."""
    found = NUMBER.search(text)
    try:
        return Decimal(found[0].replace(",", "")) if found else None
    except InvalidOperation:
        return None
