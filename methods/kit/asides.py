"""What a method asks its model on the side, on a copy of the cache, put where it was asked."""

from collections.abc import Sequence

from methods.kit.method import Label, Output, labelled, split_answer
from methods.kit.models import Role


def with_asides(role: Role, row: list[int], chain: list[int], asides: Sequence[tuple[int, list[int]]]) -> Output:
    """Everything in the order it happened: prompt `row`, then `chain`, with each aside (after how many of its tokens; what was fed
    and written) where the chain was left for it."""
    parts: list[tuple[list[int], Label]] = [(row, "prompt")]
    begun = 0
    for at, written in asides:
        parts += [(chain[begun:at], "thinking"), (written, "probe")]
        begun = at
    output = labelled(*parts, *split_answer(role, chain[begun:]))
    output.unread += len(asides)
    return output
