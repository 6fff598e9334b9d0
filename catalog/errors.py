"""What a person did that cannot be done: one line for them, an exit code for scripts."""

from collections.abc import Iterable
from difflib import get_close_matches


class Refused(Exception):
    """One clear line that names file, key and value. `exit_code`: 1 a bad file or failed work, 2 wrong usage."""

    def __init__(self, line: str, exit_code: int = 1) -> None:
        super().__init__(" ".join(line.split()))
        self.exit_code = exit_code


def nearest(word: str, choices: Iterable[str]) -> str:
    """`; did you mean 'x'?` for the closest of `choices`, or the choices themselves when none is close."""
    known = sorted(choices)
    close = get_close_matches(word, known, n=1, cutoff=0.5)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known: {', '.join(known[:12])}" if known else ""
