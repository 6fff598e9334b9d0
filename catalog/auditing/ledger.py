"""The ledger: no number of an entry changes silently, and none is left out without a reason.

`numbers.jsonl` is the book: each number as it first stood here, one a line, only ever added to. `ledger.toml` has what came
after: number, old, new, reason, date. Book and changes together must say what the entries say.
"""

import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from catalog import entries
from catalog.entries import METRICS, Entry
from catalog.errors import Refused, nearest
from catalog.toml import Strict, read

FILE = Path("catalog/ledger.toml")
BOOK = Path("catalog/numbers.jsonl")


class Change(Strict):
    """`old` or `new` is missing where the number came back or was taken out. `number` is `entries.key`."""

    slug: str
    number: str
    old: float | None = None
    new: float | None = None
    reason: str
    date: date


class LeftOut(Strict):
    """Figures that were at hand and stand in no entry."""

    slug: str
    what: str
    count: int
    reason: str


class Ledger(Strict):
    change: list[Change] = []
    left_out: list[LeftOut] = []


def load(root: Path) -> Ledger:
    """Raises `Refused` (exit 1) that names file, key and value."""
    return read(root / FILE, Ledger, root)


def numbers(written: Iterable[Entry]) -> dict[tuple[str, str], float]:
    """(slug, number) → value, as the entries have it."""
    return {
        (entry.slug, entries.key(group, row, metric)): value
        for entry in written
        for group in entry.written.reported
        for row in group.rows
        for metric in METRICS
        if (value := getattr(row, metric)) is not None
    }


def check(root: Path, written: Iterable[Entry]) -> list[tuple[str, str]]:
    """The numbers that are not in the book yet.

    Raises `Refused` (exit 1) for one that changed or went without a line in the ledger, and for a line that does not fit.
    """
    told = _told(root)
    now = numbers(written)
    for (slug, number), value in told.items():
        if value is not None and now.get((slug, number)) != value:
            found = now.get((slug, number))
            became = "is gone" if found is None else f"is now {found}"
            raise Refused(f"catalog/entries/{slug}.toml: {number!r} was {value} and {became}: add a [[change]] to {FILE}")
    return sorted(key for key in now if told.get(key) is None)


def write_book(root: Path, written: Iterable[Entry]) -> int:
    """Adds the numbers that the book lacks and returns how many. Raises as `check` does; a changed number is never rewritten."""
    written = list(written)
    fresh, now = check(root, written), numbers(written)
    again = [key for key in fresh if key in _told(root)]
    if again:
        raise Refused(f"catalog/entries/{again[0][0]}.toml: {again[0][1]!r} came back: add a [[change]] with `new` to {FILE}")
    lines = (root / BOOK).read_text("utf-8").splitlines() if (root / BOOK).exists() else []
    lines += [json.dumps({"slug": s, "number": n, "value": now[s, n]}, ensure_ascii=False) for s, n in fresh]
    (root / BOOK).write_text("".join(f"{line}\n" for line in sorted(lines)), "utf-8")
    return len(fresh)


def _told(root: Path) -> dict[tuple[str, str], float | None]:
    """What book and changes say of each number; None for one that was taken out."""
    told: dict[tuple[str, str], float | None] = {}
    if (root / BOOK).exists():
        for index, line in enumerate((root / BOOK).read_text("utf-8").splitlines(), 1):
            try:
                found = json.loads(line)
                told[found["slug"], found["number"]] = float(found["value"])
            except (ValueError, KeyError, TypeError):
                raise Refused(f"{BOOK}: line {index}: no number with slug, number and value") from None
    for index, change in enumerate(load(root).change):
        here, key = f"{FILE}: change[{index}]", (change.slug, change.number)
        if key not in told:
            known = [number for slug, number in told if slug == change.slug] or {slug for slug, _ in told}
            raise Refused(f"{here}.number: {change.slug}: the book has no {change.number!r}{nearest(change.number, known)}")
        if told[key] != change.old:
            raise Refused(f"{here}.old: {change.old}, but until then it was {told[key]}")
        if change.new == change.old:
            raise Refused(f"{here}.new: {change.new} is what it was")
        told[key] = change.new
    return told
