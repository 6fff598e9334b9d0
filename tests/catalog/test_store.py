"""Upserts mean the same on both databases."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, select

from catalog import store
from catalog.schema import Paper
from tests.catalog.conftest import Laconic, postgres_url


def row(key: str, **changes: Any) -> dict[str, Any]:
    return {
        "key": key, "arxiv_id": key, "status": "confirmed", "title": f"Paper {key}", "categories": ["cs.CL"],
        "withdrawn": False, "served_by": "mirror", "found_by": "here", "first_seen": date(2026, 1, 1),
    } | changes  # fmt: skip


@pytest.fixture
def session(database: str, root: Path) -> Iterator[Session]:
    with store.writing(root) as session:
        yield session
        session.rollback()


def test_upsert_inserts_then_updates_and_keeps_who_found_it_first(session: Session) -> None:
    store.upsert_papers(session.connection(), [row("2501.00001"), row("2501.00002")])
    again = row("2501.00001", title="New", found_by="there", first_seen=date(2026, 2, 2))
    store.upsert_papers(session.connection(), [again])
    papers = {paper.key: paper for paper in session.exec(select(Paper))}
    assert len(papers) == 2
    first = papers["2501.00001"]
    assert (first.title, first.found_by, first.first_seen) == ("New", "here", date(2026, 1, 1))


def test_a_key_twice_in_one_batch_counts_as_its_last(session: Session) -> None:
    store.upsert_papers(session.connection(), [row("2501.00001"), row("2501.00001", title="Last")])
    assert session.exec(select(Paper.title)).all() == ["Last"]


def test_arxivs_own_word_is_not_replaced_by_a_mirrors(session: Session) -> None:
    store.upsert_papers(session.connection(), [row("2501.00001", served_by="arxiv", title="Own")])
    store.upsert_papers(session.connection(), [row("2501.00001", title="Mirrored")])
    assert session.exec(select(Paper.title)).all() == ["Own"]
    store.upsert_papers(session.connection(), [row("2501.00001", served_by="arxiv", title="Newer")])
    session.expire_all()
    assert session.exec(select(Paper.title)).all() == ["Newer"]


def test_more_rows_than_a_chunk(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "CHUNK", 7)
    store.upsert_papers(session.connection(), [row(f"2501.{n:05d}") for n in range(1, 51)])
    assert len(session.exec(select(Paper.key)).all()) == 50


@pytest.mark.postgres
def test_the_main_job_on_postgresql(laconic: Laconic, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    laconic("update")
    laconic("export")
    monkeypatch.setenv("LACONIC_DB", postgres_url())
    assert laconic("import")[0] == 0
    assert laconic("update")[0] == 0
    assert laconic("import")[0] == 0, "over a database in use"
    assert laconic("update")[0] == 0
    assert laconic("export", str(tmp_path / "again"))[0] == 0
    assert laconic("search", "sheep", "--json")[1]["hits"][0]["key"] == "2501.00011"
    for path in (root / "catalog" / "snapshot").rglob("*.jsonl"):
        assert (tmp_path / "again" / path.relative_to(root / "catalog" / "snapshot")).read_bytes() == path.read_bytes()
