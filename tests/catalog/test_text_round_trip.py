"""Hostile titles through the snapshot: database → text → database loses no letter, and the text is the same again."""

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Engine
from sqlalchemy.pool import StaticPool
from sqlmodel import Session, SQLModel

from catalog import exporting, importing, schema
from catalog.lists.mentions import mention_key
from catalog.text import clean

PIECES = [
    *["\u2028", "\u2029", "\x85", "\n", '"', "\\", "{", "}", "\\u0041", "\u00a0", "\ufeff", "\u202e", "\ud800", "\0", "🐑"],
    "e\u0301",
]
TEXT = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=8)), max_size=6).map("".join).map(clean)
TITLE = TEXT.filter(bool)
PRINTED = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)  # what a list printed stays as it was, defects and all


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """Tables in memory, with foreign keys off: only text is at stake here."""
    engine = create_engine("sqlite://", poolclass=StaticPool)
    # The driver's own transactions would end at the first savepoint.
    event.listen(engine, "connect", lambda connection, _: setattr(connection, "isolation_level", None))
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    SQLModel.metadata.create_all(engine)
    yield engine
    engine.dispose()


def store(session: Session, rows: list[SQLModel]) -> None:
    for row in rows:
        session.add(row)
    session.flush()


@pytest.mark.fuzz
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(TITLE, TITLE, st.lists(TITLE, max_size=2), PRINTED), min_size=1, max_size=2))
def test_titles_survive_export_and_import(engine: Engine, tmp_path: Path, told: list[tuple[str, str, list[str], str]]) -> None:
    day = date(2026, 3, 1)
    folder, again = tmp_path / "one", tmp_path / "two"
    first: list[SQLModel] = []
    for number, (title, former, names, printed) in enumerate(told, 1):
        key = f"2501.{number:05}"
        url = f"https://example.org/{number}"
        first.append(schema.Paper(key=key, arxiv_id=key, status="confirmed", title=title, found_by="first", first_seen=day))
        first += [schema.Author(paper_key=key, position=n, name=name) for n, name in enumerate(names)]
        first.append(schema.FormerTitle(paper_key=key, title=former, replaced_on=day))
        first.append(
            schema.Mention(
                key=mention_key("first", [former], title, [url]),
                list_name="first",
                section=[former],
                title=title,
                urls=[url],
                printed_id=printed or None,
                line=number,
                file_sha256="0" * 64,
                paper_key=key,
                resolution="confirmed",
                defects=[{"kind": "malformed_id", "detail": printed}],
                first_seen=day,
            )
        )
    with engine.connect() as connection, connection.begin() as transaction, Session(connection) as session:
        store(session, first)
        exporting.export(session, folder)
        transaction.rollback()
    read = importing.read(folder)
    with engine.connect() as connection, connection.begin() as transaction, Session(connection) as session:
        tables = [(schema.Paper, read.papers), (schema.Author, read.authors), (schema.FormerTitle, read.former_titles)]
        store(session, [model(**row) for model, rows in [*tables, (schema.Mention, read.mentions)] for row in rows])
        exporting.export(session, again)
        transaction.rollback()
    files = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert {path.relative_to(again): path.read_bytes() for path in again.rglob("*") if path.is_file()} == files
    assert [row["title"] for row in read.papers] == [title for title, *_ in told]
    assert [row["title"] for row in read.former_titles] == [former for _, former, *_ in told]
    assert [row["name"] for row in read.authors] == [name for _, _, names, _ in told for name in names]
    assert [row["printed_id"] or "" for row in read.mentions] == [printed for *_, printed in told]
    assert [row["section"] for row in read.mentions] == [[former] for _, former, *_ in told]
    shutil.rmtree(folder)
    shutil.rmtree(again)
