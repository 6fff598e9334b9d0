"""The slips of survey lists: what kinds there are, and those that one list alone can show.

What needs arXiv's records or the other lists is found where these are at hand: see `resolving` and `comparing`.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import pairwise
from typing import Any, Protocol
from urllib.parse import urlsplit

from catalog import arxiv_id
from catalog.text import fold, same_title

Defect = dict[str, str]  # {kind, detail}

# Kinds are stable: scripts, stored mentions and decisions rely on them.
OF_AN_ENTRY = {
    "malformed_id": "the printed id is not in arXiv's grammar; it is kept as printed and never cut into a valid one",
    "malformed_link": "an address without a scheme, two run together, or a host that only resembles arXiv's",
    "several_ids": "the entry links to more than one arXiv paper; the first outside a code link counts",
    "paper_link_as_code": "a link called code, or in a column called code, leads to a paper",
    "dead_link": "a link or badge without an address",
    "date_mismatch": "the printed date is two months or more, or for a mere year one or more, from the id's",
    "date_one_month_off": "the printed month is the one before or after the id's, often a month's end",
    "missing_title": "an entry among others has links but no title",
    "missing_cells": "a table row has fewer cells than its header",
    "comment_in_row": "a table row ends in a comment instead of a closing bar",
    "full_width_bar": "｜ stands for | in a table",
    "authors_cut_off": "a comma where the authors should stand",
    "blank_line_inside": "a blank line parts the title from the rest of its entry",
    "line_not_indented": "the entry's next line is not indented; it belongs to it by lazy continuation only",
    "unclosed_bracket": "square brackets that do not pair, as in an unfinished link",
    "stray_tag": "an HTML tag that closes nothing",
    "numbering": "the list's own numbers jump or repeat",
    "encoded_title": "words of the title are joined by - and = instead of spaces and colons",
}
WITHIN_A_LIST = {
    "duplicate": "the same paper twice in one section; in several sections it is meant and no defect",
    "id_used_twice": "one id printed for two titles: a link copied from another row, or a paper that was renamed",
    "title_used_twice": "one title printed with two ids",
    "shared_code": "one repository given for papers with different titles",
}
OF_A_LIST = {
    "empty_heading": "a heading without text",
    "wrong_anchor": "the table of contents names one section and links to another",
    "summary_without_details": "<summary> outside <details>, so it folds nothing",
    "entries_under_news": "all entries hang under a heading that announces news",
}
AGAINST_RECORDS = {
    "title_variant": "the title is the record's, shortened or with slips of the pen",
    "retitled": "the title is a former one of the record",
    "id_repaired": "the printed id is wrong, malformed or missing; the right one is proved",
    "id_of_another_paper": "the printed id leads to another paper and the right one is not proved",
    "decided": "a person decided what the entry means (`catalog/decisions.toml`)",
    "not_a_paper": "a person decided that the entry is no paper",
}
ACROSS_LISTS = {
    "ids_differ": "another list prints another id for the same title",
    "code_differs": "another list gives another repository for the same paper",
}
FOUND_LATER = {**AGAINST_RECORDS, **ACROSS_LISTS}
KINDS = {**OF_AN_ENTRY, **WITHIN_A_LIST, **OF_A_LIST, **FOUND_LATER}

COMPARED = 30  # users of one repository that the others are compared with
CODE_HOSTS = frozenset({"github.com", "www.github.com", "gitlab.com", "www.gitlab.com"})


class Entry(Protocol):
    """What is read of an entry; `listing.Entry` is one."""

    line: int
    section: list[str]
    title: str
    urls: list[str]
    arxiv_id: str | None
    defects: list[Defect]


def defect(kind: str, detail: str) -> Defect:
    assert kind in KINDS, kind
    return {"kind": kind, "detail": detail}


def of_date(printed: str | None, number: str | None) -> list[Defect]:
    """How far a printed date stands from the month of the id. It never overrides that month."""
    said = re.match(r"(?:20)?(\d\d)(?:[./-](\d\d?))?", printed or "")
    month = re.match(r"(\d\d)(\d\d)\.", number or "")
    if not said or not month:
        return []
    if not said[2]:
        years = int(said[1]) - int(month[1])
        return [defect("date_mismatch", f"printed {printed}, the id is of 20{month[1]}")] if years else []
    gap = (int(said[1]) - int(month[1])) * 12 + int(said[2]) - int(month[2])
    if gap == 0:
        return []
    far = f"{abs(gap)} month{'s' * (abs(gap) > 1)} {'after' if gap > 0 else 'before'} the id's month"
    return [defect("date_mismatch" if abs(gap) > 1 else "date_one_month_off", f"printed {printed}, {far}")]


def of_link(url: str) -> str:
    """Why an address cannot be what its author meant; empty where nothing speaks against it."""
    host = (urlsplit(url).hostname or "").lower()
    known = host in arxiv_id.HOSTS | arxiv_id.READERS or host.endswith(".arxiv.org")
    if not known and re.search(r"arxiv\.?org$|^arxiv\.", host):
        return f"{host} is not arXiv"
    if not host.startswith("web.archive") and (second := re.search(r"(?<=[^=/:])https?://", url[8:])):
        return f"two addresses run together at {url[8 + second.start() :][:60]}"
    return ""


def of_title(title: str) -> list[Defect]:
    if " " not in title.strip() and title.count("-") >= 4:
        return [defect("encoded_title", f"reads “{' '.join(title.replace('=', ': ').replace('-', ' ').split())}”")]
    if ":" not in title and (joined := re.search(r"(?<=[^\W_])[=-] (?=\S)", title)):
        return [defect("encoded_title", f"reads “{title[: joined.start()]}: {title[joined.end() :]}”")]
    return []


@lru_cache(maxsize=50_000)  # lists share most of their addresses
def repository(url: str) -> str:
    """`github.com/owner/name` in small letters, for a link into a code host's repository; else empty."""
    try:
        parts = urlsplit(url)
    except ValueError:  # an unclosed bracket, say
        return ""
    host = (parts.hostname or "").lower().removeprefix("www.")
    steps = [step.lower() for step in parts.path.split("/") if step]
    return f"{host}/{steps[0]}/{steps[1].removesuffix('.git')}" if host in CODE_HOSTS and len(steps) >= 2 else ""


def within(entries: Iterable[Entry]) -> None:
    """Adds to the entries of one list what only their comparison shows."""
    entries = list(entries)
    _repeated(entries, lambda entry: (*entry.section, entry.arxiv_id or ""), lambda entry: bool(entry.arxiv_id))
    _repeated(entries, lambda entry: (*entry.section, fold(entry.title)), lambda entry: bool(fold(entry.title)))
    ids: dict[str, Entry] = {}
    titles: dict[str, Entry] = {}
    for entry in entries:
        if not entry.arxiv_id or not entry.title:
            continue
        other = ids.setdefault(entry.arxiv_id, entry)
        if not same_title(other.title, entry.title):
            _add(entry, "id_used_twice", f"{entry.arxiv_id} is printed at line {other.line} for another title")
        other = titles.setdefault(fold(entry.title), entry)
        if other.arxiv_id != entry.arxiv_id:
            _add(entry, "title_used_twice", f"stands at line {other.line} with {other.arxiv_id}")
    _shared_code(entries)


def _repeated(entries: list[Entry], key: Callable[[Entry], Any], counts: Callable[[Entry], bool]) -> None:
    first: dict[Any, Entry] = {}
    for entry in filter(counts, entries):
        known = first.setdefault(key(entry), entry)
        if known is not entry and same_title(known.title, entry.title):
            _add(entry, "duplicate", f"stands at line {known.line} of this section too")


def _shared_code(entries: list[Entry]) -> None:
    users: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        for name in {repository(url) for url in entry.urls} - {""}:
            users[name].append(entry)
    for name, sharing in users.items():
        for entry in sharing:
            other = next((other for other in sharing[:COMPARED] if _different(entry, other)), None)
            if other:
                _add(entry, "shared_code", f"{name} is given at line {other.line} for another paper too")


def _different(one: Entry, other: Entry) -> bool:
    same_id = one.arxiv_id is not None and one.arxiv_id == other.arxiv_id
    return not same_id and fold(one.title) != fold(other.title) and not same_title(one.title, other.title)


def _add(entry: Entry, kind: str, detail: str) -> None:
    if not any(known["kind"] == kind for known in entry.defects):
        entry.defects.append(defect(kind, detail))


def jumps(numbers: list[int]) -> dict[int, str]:
    """Position → why, for the numbers of an ordered list that do not follow. `1. 1. 1.` is Markdown's own way."""
    if len(set(numbers)) == 1:
        return {}
    return {place: f"{after} follows {before}" for place, (before, after) in enumerate(pairwise(numbers), 1) if after != before + 1}
