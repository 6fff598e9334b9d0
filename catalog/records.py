"""arXiv records → papers. A superseded title goes to history; nothing is ever taken away."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlmodel import Session, col, delete, select

from catalog.schema import ARXIV, CONFIRMED, MIRROR, AskedId, Author, FormerTitle, Paper, PaperVersion
from catalog.sources.arxiv_query import Record
from catalog.store import table_of, upsert, upsert_papers
from catalog.text import fold


@dataclass
class Counts:
    new: int = 0
    changed: int = 0
    unchanged: int = 0

    def add(self, other: "Counts") -> None:
        self.new += other.new
        self.changed += other.changed
        self.unchanged += other.unchanged


@dataclass
class SourceReport:
    """What came of one source. `outcome`: stored, unchanged, nothing_announced, nothing_matched, partial or failed."""

    name: str
    outcome: str = "unchanged"
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    failed: int = 0
    requests: int = 0
    detail: str = ""

    def count(self, counts: Counts) -> None:
        self.new, self.changed, self.unchanged = counts.new, counts.changed, counts.unchanged


def store_records(
    session: Session, records: Iterable[Record], *, found_by: str, served_by: str, today: date
) -> Counts:
    """Writes what is new or changed and counts it; `new` are papers that had no record before. Does not commit."""
    unique = {record.arxiv_id: record for record in records}
    known = {paper.key: paper for paper in papers_of(session, list(unique))}
    authors = _authors(session, list(known))
    counts, rows, names, history = Counts(), [], [], []
    for number, record in unique.items():
        paper = known.get(number)
        if paper is not None and paper.served_by == ARXIV and served_by == MIRROR:
            counts.unchanged += 1
            continue
        row = _row(record, found_by, served_by, today)
        if paper is None or paper.status != CONFIRMED:
            counts.new += 1
        elif _same(paper, row) and authors.get(number, []) == record.authors:
            counts.unchanged += 1
            continue
        else:
            counts.changed += 1
            if fold(paper.title) != fold(record.title):
                history.append({"paper_key": number, "title": paper.title, "replaced_on": today})
        rows.append(row)
        names += [{"paper_key": number, "position": n, "name": name} for n, name in enumerate(record.authors)]
    connection = session.connection()
    upsert_papers(connection, rows)
    for start in range(0, len(rows), 500):
        keys = [row["key"] for row in rows[start : start + 500]]
        connection.execute(delete(Author).where(col(Author.paper_key).in_(keys)))
    upsert(connection, table_of(Author), names)
    upsert(connection, table_of(FormerTitle), history)
    session.expire_all()
    return counts


def store_former(session: Session, records: Iterable[Record], served_by: str) -> None:
    """What earlier versions of known papers were called. Does not commit."""
    records = list(records)
    known = {paper.key: paper for paper in papers_of(session, sorted({record.arxiv_id for record in records}))}
    titles, versions = [], []
    for record in records:
        paper = known.get(record.arxiv_id)
        if paper is None:
            continue
        if fold(record.title) != fold(paper.title):
            titles.append({"paper_key": record.arxiv_id, "title": record.title, "replaced_on": record.updated.date()})
        row = {"paper_key": record.arxiv_id, "number": record.version, "submitted": record.updated}
        versions.append({**row, "withdrawn": record.withdrawn, "served_by": served_by})
    upsert(session.connection(), table_of(FormerTitle), titles)
    upsert(session.connection(), table_of(PaperVersion), versions)
    session.expire_all()


def note_asked(session: Session, asked: Iterable[str], known: Iterable[str], today: date) -> None:
    found = set(known)
    rows = [{"arxiv_id": number, "asked_on": today, "known": number in found} for number in asked]
    upsert(session.connection(), table_of(AskedId), rows)


def _row(record: Record, found_by: str, served_by: str, today: date) -> dict[str, Any]:
    row = asdict(record)
    del row["authors"]
    return {
        **row,
        "key": record.arxiv_id,
        "status": CONFIRMED,
        "abstract": record.abstract or None,
        "withdrawn": record.withdrawn,
        "served_by": served_by,
        "found_by": found_by,
        "first_seen": today,
    }


def _same(paper: Paper, row: dict[str, Any]) -> bool:
    return all(_plain(getattr(paper, name)) == _plain(row[name]) for name in row if name not in ("found_by", "first_seen"))


def _plain(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def papers_of(session: Session, keys: Sequence[str]) -> list[Paper]:
    found: list[Paper] = []
    for start in range(0, len(keys), 500):  # databases limit how many values one statement may carry
        found += session.exec(select(Paper).where(col(Paper.key).in_(keys[start : start + 500]))).all()
    return found


def _authors(session: Session, keys: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for start in range(0, len(keys), 500):
        chosen = select(Author).where(col(Author.paper_key).in_(keys[start : start + 500]))
        for author in session.exec(chosen.order_by(col(Author.paper_key), col(Author.position))):
            found.setdefault(author.paper_key, []).append(author.name)
    return found
