"""What only the lists together show: one title under several ids, one paper with several repositories."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from catalog.lists.defects import Defect, defect, repository
from catalog.text import fold

Row = Mapping[str, Any]  # a mention: list_name, title, urls, printed_id, paper_key, resolution


def across(rows: Iterable[Row]) -> dict[str, list[Defect]]:
    """Mention key → what the other lists say otherwise. Rows must be in a fixed order."""
    rows = list(rows)
    found: dict[str, list[Defect]] = defaultdict(list)
    for key, told in [*_ids(rows), *_code(rows)]:
        found[key].append(told)
    return found


def _ids(rows: list[Row]) -> Iterable[tuple[str, Defect]]:
    by_title: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row["printed_id"] and fold(row["title"]):
            by_title[fold(row["title"])].append(row)
    for group in by_title.values():
        if len({row["printed_id"] for row in group}) < 2:
            continue
        settled = any(row["resolution"] == "confirmed" for row in group)
        for row in group:
            others = sorted({(o["list_name"], o["printed_id"]) for o in group if o["printed_id"] != row["printed_id"]})
            if not (settled and row["resolution"] == "confirmed"):
                said = ", ".join(f"{name} prints {number}" for name, number in others)
                yield row["key"], defect("ids_differ", f"{said} for this title")


def _code(rows: list[Row]) -> Iterable[tuple[str, Defect]]:
    by_paper: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_paper[row["paper_key"]].append(row)
    for group in by_paper.values():
        given = [(row, {repository(url) for url in row["urls"]} - {""}) for row in group]
        for row, own in given:
            others = sorted({(o["list_name"], min(theirs)) for o, theirs in given if theirs and not theirs & own})
            if own and others:
                said = ", ".join(f"{name} gives {other}" for name, other in others)
                yield row["key"], defect("code_differs", said)
