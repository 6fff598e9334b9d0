"""A parsed list against facts that people read in its source, and against a scan for ids that shares nothing with the
parser.

Facts (`LIST.jsonl`): one entry a line, `line, section, title, arxiv_id` and `printed_id` where that is no arXiv id.
Differences (`LIST.differences.jsonl`, beside them): `id, why` for each id that only the scan or only the parser sees.
"""

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from catalog import arxiv_id
from catalog.lists.listing import Entry
from catalog.snapshot_lines import read_lines
from catalog.toml import Strict

# Whatever looks like an id in an address of arXiv's, its DOI or Hugging Face's page; matched against the bare text.
_SCAN = re.compile(r"(?:arxiv\.org/(?:abs|pdf|html)/|10\.48550/arXiv\.|huggingface\.co/papers/)(\d{4}\.\d+)", re.IGNORECASE)


class Fact(Strict):
    line: Annotated[int, Field(ge=1)]
    section: list[str] = []
    title: str
    arxiv_id: str | None = None
    printed_id: str | None = None


class Difference(Strict):
    id: str
    why: str


def check(entries: list[Entry], text: str, facts: Path) -> dict[str, Any]:
    """How many facts came out right, which did not and how; the ids on which scan and parser differ, and why.

    Raises `Refused` naming file and line where the facts or differences are malformed.
    """
    known = [fact for _, fact in read_lines(facts, Fact)]
    by_line: dict[int, list[Entry]] = {}
    for entry in entries:
        by_line.setdefault(entry.line, []).append(entry)
    wrong = [said for fact in known if (said := _wrong(fact, by_line.get(fact.line, [])))]
    return {"facts": len(known), "right": len(known) - len(wrong), "wrong": wrong} | _scan(entries, text, facts)


def _wrong(fact: Fact, there: list[Entry]) -> dict[str, Any] | None:
    expected = (fact.title, fact.arxiv_id, fact.section)
    if any((entry.title, entry.arxiv_id, entry.section) == expected for entry in there):
        return None
    found = [{"title": entry.title, "arxiv_id": entry.arxiv_id, "section": entry.section} for entry in there]
    return {"line": fact.line, "expected": fact.title, "found": found}


def _scan(entries: list[Entry], text: str, facts: Path) -> dict[str, Any]:
    seen = set(_SCAN.findall(text))
    parsed = {printed.text for entry in entries for url in entry.urls if (printed := arxiv_id.from_url(url))}
    path = facts.with_suffix(".differences.jsonl")
    told = {row.id: row.why for _, row in read_lines(path, Difference)} if path.exists() else {}
    differing = sorted(seen ^ parsed)
    return {
        "scanned_ids": len(seen),
        "agreeing_ids": len(seen & parsed),
        "differences": [{"id": each, "why": told.get(each, "")} for each in differing],
        "unexplained": [each for each in differing if not told.get(each)],
        "explained_for_nothing": sorted(set(told) - set(differing)),
    }
