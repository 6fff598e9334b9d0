"""Survey lists → mentions. Each listing is kept as printed; which paper it means is decided over all lists together."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Container, Iterable
from datetime import date
from typing import Any

from sqlmodel import Session, select

from catalog import arxiv_id
from catalog.lists import comparing, decisions
from catalog.lists.decisions import Decided
from catalog.lists.defects import FOUND_LATER
from catalog.lists.listing import Entry
from catalog.lists.resolving import resolve
from catalog.records import Counts
from catalog.root import find_root
from catalog.schema import CONFIRMED, ENTRY, LISTED, PRINTED_ID, FormerTitle, Mention, Paper
from catalog.sources.survey_lists import Fetched
from catalog.store import table_of, upsert, upsert_papers


def mention_key(list_name: str, section: list[str], title: str, urls: list[str]) -> str:
    """One listing's identity: list, section path, printed title and first URL. Its line may move, its authors grow."""
    parts = json.dumps([list_name, section, title, urls[0] if urls else ""], ensure_ascii=False)
    return hashlib.sha256(parts.encode()).hexdigest()[:16]


def printed_ids(entries: Iterable[Entry]) -> set[str]:
    return {entry.arxiv_id for entry in entries if entry.arxiv_id}


def listed_ids(session: Session) -> set[str]:
    """The well-formed ids that present mentions print, and those that people decided on."""
    printed = session.exec(select(Mention.printed_id).where(Mention.gone_on == None)).all()  # noqa: E711
    decided = {each.arxiv for each in decisions.load(find_root()).all if each.arxiv}
    return decided | {found for text in printed if text and (found := arxiv_id.bare(text))}


def confirmed_titles(session: Session) -> dict[str, list[str]]:
    """arXiv id → the record's title, then its former ones, for every confirmed paper."""
    titles: dict[str, list[str]] = {}
    for number, title in session.exec(select(Paper.key, Paper.title).where(Paper.status == CONFIRMED)):
        titles[number] = [title]
    for former in session.exec(select(FormerTitle)):
        titles.setdefault(former.paper_key, []).append(former.title)
    return titles


def settle(session: Session, fetched: dict[str, Fetched], today: date, keep_missing: Container[str] = ()) -> dict[str, Counts]:
    """Stores the lists in `fetched` and resolves every mention anew; counts per list what moved. Does not commit.

    A listing that is not there any more is marked as gone, but for the lists in `keep_missing`.
    """
    before = {mention.key: mention.model_dump() for mention in session.exec(select(Mention))}
    after = {key: dict(row) for key, row in before.items()}
    counts: dict[str, Counts] = {}
    for name, served in fetched.items():
        if served.entries is not None:
            present = _rows(name, served.entries, str(served.sha256), today)
            counts[name] = _merge(name, present, after, today, keep_missing=name in keep_missing)
    _resolve(after, confirmed_titles(session), decisions.load(find_root()))
    _store_papers(session, after, before, today)
    moved = [row for key, row in after.items() if row != before.get(key)]
    upsert(session.connection(), table_of(Mention), moved)
    session.expire_all()
    return counts


def _rows(name: str, entries: list[Entry], sha256: str, today: date) -> dict[str, dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    for entry in entries:
        key = mention_key(name, entry.section, entry.title, entry.urls)
        if key in rows:  # the same row twice: one mention, which says so
            twice = {"kind": "duplicate", "detail": f"stands at line {entry.line} of this section too"}
            rows[key]["defects"] = [*rows[key]["defects"], twice]
            continue
        rows[key] = {
            "key": key,
            "list_name": name,
            "section": entry.section,
            "title": entry.title,
            "urls": entry.urls,
            "printed_id": entry.printed_id,
            "printed_date": entry.date,
            "line": entry.line,
            "file_sha256": sha256,
            "defects": entry.defects,
            "first_seen": today,
            "gone_on": None,
        }
    return rows


def _merge(
    name: str, present: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]], today: date, *, keep_missing: bool
) -> Counts:
    counts = Counts()
    for key, row in present.items():
        old = after.get(key)
        if old is None:
            counts.new += 1
            after[key] = {**row, "paper_key": "", "resolution": ""}
            continue
        said = ("urls", "printed_id", "printed_date", "gone_on")
        parsed = [defect for defect in old["defects"] if defect["kind"] not in FOUND_LATER]
        if all(old[field] == row[field] for field in said) and _stable(parsed) == _stable(row["defects"]):
            counts.unchanged += 1
            continue
        counts.changed += 1
        old.update({field: row[field] for field in said}, defects=row["defects"])
    for key, row in after.items():
        if row["list_name"] == name and key not in present and row["gone_on"] is None and not keep_missing:
            counts.changed += 1
            row["gone_on"] = today
    return counts


def _stable(defects: list[dict[str, str]]) -> list[tuple[str, str]]:
    """Defects without the line numbers they mention, which move whenever a list grows above them."""
    return [(defect["kind"], "" if "at line" in defect["detail"] else defect["detail"]) for defect in defects]


def _resolve(rows: dict[str, dict[str, Any]], titles: dict[str, list[str]], decided: Decided) -> None:
    ordered = [rows[key] for key in sorted(rows)]
    answers = resolve([_Listing(row) for row in ordered], titles, decided)
    for row, resolved in zip(ordered, answers):
        row["paper_key"], row["resolution"] = resolved.key, resolved.resolution
    elsewhere = comparing.across(row for row in ordered if row["gone_on"] is None)
    for row, resolved in zip(ordered, answers):
        kept = [defect for defect in row["defects"] if defect["kind"] not in FOUND_LATER]
        row["defects"] = [*kept, *resolved.defects, *elsewhere.get(row["key"], [])]


class _Listing:
    def __init__(self, row: dict[str, Any]) -> None:
        self.list_name: str = row["list_name"]
        self.title: str = row["title"]
        self.printed_id: str | None = row["printed_id"]


def _store_papers(session: Session, after: dict[str, dict[str, Any]], before: dict[str, dict[str, Any]], today: date) -> None:
    """A paper for every key that a mention now points to, and forwarding from keys that lost their last mention."""
    naming: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in after.values():
        naming[row["paper_key"]].append(row)
    papers = {paper.key: paper for paper in session.exec(select(Paper))}
    lists = {row["list_name"] for row in after.values()}
    new = []
    for key, rows in naming.items():
        paper, found_by = papers.get(key), min(rows, key=lambda row: (row["first_seen"], row["list_name"]))["list_name"]
        if paper is None:
            number = None if key.startswith("title-") else key
            row = {"key": key, "arxiv_id": number, "status": LISTED, "title": _most_printed(rows), "categories": []}
            new.append({**row, "withdrawn": False, "found_by": found_by, "first_seen": today})
            continue
        if paper.status == LISTED and paper.title != (title := _most_printed(rows)):
            paper.title = title
        # On the day of first sight the finder is settled with the rest: a record that came late does not decide it.
        if paper.found_by in (PRINTED_ID, ENTRY) or (paper.first_seen == today and paper.found_by in lists):
            paper.found_by = found_by
        if paper.merged_into is not None:
            paper.merged_into = None
    for key, row in before.items():
        left, now = papers.get(row["paper_key"]), after[key]["paper_key"]
        if left is not None and left.arxiv_id is None and left.key not in naming and left.merged_into != now:
            left.merged_into = now
    session.flush()
    upsert_papers(session.connection(), new)


def _most_printed(rows: list[dict[str, Any]]) -> str:
    counted = Counter(row["title"] for row in rows if row["title"]) or Counter(row["printed_id"] or "" for row in rows)
    return min(counted, key=lambda title: (-counted[title], title))
