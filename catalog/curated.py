"""What people wrote (`catalog/entries/*.toml`) as rows: methods, their reported numbers and their curated facets."""

from pathlib import Path
from typing import Any

from sqlmodel import Session, SQLModel, select

from catalog import clock, entries
from catalog.schema import ENTRY, LISTED, Facet, Method, Paper, ReportedNumber
from catalog.store import table_of, upsert_papers


def store(session: Session, root: Path) -> int:
    """Makes the curated tables say what the entries say, and returns how many entries there are. Does not commit.

    Raises `Refused` naming file, key and value for a malformed entry; nothing is written then.
    """
    written = entries.load(root)
    papers: list[dict[str, Any]] = []
    methods: list[dict[str, Any]] = []
    numbers: list[dict[str, Any]] = []
    facets: list[dict[str, Any]] = []
    known = set(session.exec(select(Paper.key)))
    for entry in written:
        paper = entry.written.paper
        key = paper.arxiv if paper else None
        if paper and key not in known:
            papers.append(
                {"key": key, "arxiv_id": key, "status": LISTED, "title": paper.title, "categories": []}
                | {"withdrawn": False, "found_by": ENTRY, "first_seen": clock.today()}
            )
            known.add(key or "")
        methods.append(
            {"slug": entry.slug, "title": entry.written.name, "paper_key": key, "summary": entry.written.summary}
        )
        for number in entry.reported:
            numbers.append({"id": len(numbers) + 1, "method": entry.slug} | vars(number))
        if key:
            facets += [
                {"paper_key": key, "facet": facet, "tag": tag, "source": f"entry:{entry.slug}", "origin": "curated"}
                for facet, tags in entry.written.facets.items()
                for tag in tags
            ]
    upsert_papers(session.connection(), papers)
    told: list[tuple[type[SQLModel], list[dict[str, Any]]]] = [(Facet, facets), (ReportedNumber, numbers), (Method, methods)]
    changed = [(model, rows) for model, rows in told if not _same(session, model, rows)]
    if changed:
        # What people wrote is small and whole in the files, so it is written anew rather than compared row by row.
        for model, _ in told:
            session.connection().execute(table_of(model).delete().where(*_curated(model)))
        for model, rows in reversed(told):
            if rows:
                session.connection().execute(table_of(model).insert(), rows)
    session.expire_all()
    return len(written)


def _curated(model: type[SQLModel]) -> list[Any]:
    return [table_of(Facet).c.origin == "curated"] if model is Facet else []


def _same(session: Session, model: type[SQLModel], rows: list[dict[str, Any]]) -> bool:
    stored = [row.model_dump() for row in session.exec(select(model).where(*_curated(model)))]
    return _bag(stored) == _bag([model(**row).model_dump() for row in rows])


def _bag(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(repr(sorted(row.items())) for row in rows)
