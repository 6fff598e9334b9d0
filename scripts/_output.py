"""How verbs print: tables on a terminal, plain tab-separated lines elsewhere, one JSON document when asked."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any


def document(content: Any) -> None:
    """One JSON document on stdout. Lone surrogates and the like are escaped, so that any terminal can take it."""
    print(json.dumps(content, indent=2, ensure_ascii=True, default=str))


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """`None` prints as an empty cell."""
    texts = [["" if cell is None else str(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for row in texts:
            print("\t".join(" ".join(cell.split()) for cell in row).encode("utf-8", "replace").decode())
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in texts:
        shown.add_row(*map(Text, row))  # Text: square brackets in titles are not markup
    Console().print(shown)


def line(text: str) -> None:
    print(text.encode("utf-8", "replace").decode())


def note(text: str) -> None:
    """A line about progress; stderr, so that stdout stays what was asked for."""
    print(text, file=sys.stderr, flush=True)
