"""The catalog as one SQLite file for anybody: facts only; the same facts give the same bytes, from whatever database."""

import sqlite3
from operator import itemgetter
from pathlib import Path
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, ForeignKey, MetaData, Select, Table, case, create_engine, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.pool import StaticPool
from sqlmodel import Session, SQLModel

from catalog.errors import Refused
from catalog.schema import ARXIV, Author, Facet, FormerTitle, Mention, Meta, Method, Paper, ReportedNumber, Repository, SourceState
from catalog.store import table_of

# What goes out, by name, so that a new column stays at home until somebody lets it go. Abstracts, what tells their words
# (the evidence of machine labels), the run log and what is known of single visits never do.
PUBLISHED: dict[type[SQLModel], str] = {
    Meta: "name value",
    Paper: "key arxiv_id status title categories primary_category comment doi journal_ref version published updated withdrawn "
    "served_by found_by first_seen merged_into",
    Author: "paper_key position name",
    FormerTitle: "paper_key title replaced_on",
    Mention: "key list_name section title urls printed_id printed_date line file_sha256 paper_key resolution defects first_seen "
    "gone_on",
    Facet: "paper_key facet tag source origin confidence",
    Method: "slug title paper_key summary",
    ReportedNumber: "id method benchmark model setting metric value unit direction evidence verified locator checked_on note",
    Repository: "name state moved_to archived licence pushed_on",
    SourceState: "name sha256 parser entries last_new",
}
COPY = "copy"  # its name beside the database that is read
# A mirror may estimate these, so only arXiv's own word goes out.
ARXIVS_OWN = ("published", "updated", "version", "comment", "doi", "journal_ref")


def write(session: Session, path: Path) -> None:
    """Replaces `path`. Raises `Refused` where it cannot be written."""
    source = session.connection()
    # SQLite copies into a database of its own by itself; what another holds goes through here, row by row.
    elsewhere = None if source.dialect.name == "sqlite" else create_engine("sqlite://", poolclass=StaticPool)
    target = elsewhere.connect() if elsewhere else source
    driver: Any = target.connection.driver_connection
    driver.execute(f"ATTACH ':memory:' AS {COPY}")
    try:
        metadata = MetaData(schema=COPY)
        tables = {model: _copy(table_of(model), names.split(), metadata) for model, names in PUBLISHED.items()}
        metadata.create_all(target)
        for model, table in tables.items():
            chosen = _chosen(table_of(model), table)
            if not elsewhere:
                driver.execute(f"INSERT INTO {table} {chosen.compile(source)}")
            elif rows := _stored(source, chosen, table):
                driver.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(table.columns))})", rows)
        driver.commit()
        path.unlink(missing_ok=True)
        driver.execute(f"VACUUM {COPY} INTO ?", (str(path),))
    except sqlite3.Error as error:
        raise Refused(f"{path}: cannot be written ({error})") from None
    finally:
        driver.rollback()
        driver.execute(f"DETACH {COPY}")
        if elsewhere:
            elsewhere.dispose()


def _chosen(source: Table, table: Table) -> Select[Any]:
    """The rows of `table`, by its primary key."""
    columns: list[ColumnElement[Any]] = [source.c[column.name] for column in table.columns]
    if source is table_of(Paper):
        own = source.c.served_by == text(f"'{ARXIV}'")
        columns = [case((own, each)) if name in ARXIVS_OWN else each for name, each in zip(table.columns.keys(), columns)]
    return source.select().with_only_columns(*columns).order_by(*(source.c[key.name] for key in table.primary_key))


def _stored(connection: Connection, chosen: Select[Any], table: Table) -> list[tuple[Any, ...]]:
    """Rows of another database as SQLite stores and sorts them: databases disagree on the order of letters."""
    dialect = sqlite.dialect()
    encoders = [column.type.dialect_impl(dialect).bind_processor(dialect) for column in table.columns]
    found = connection.execute(chosen)
    rows = [tuple(encode(value) if encode else value for encode, value in zip(encoders, row)) for row in found]
    return sorted(rows, key=itemgetter(*(n for n, column in enumerate(table.columns) if column.primary_key)))


def _copy(table: Table, names: list[str], metadata: MetaData) -> Table:
    return Table(table.name, metadata, *(_column(table.c[name]) for name in names))


def _column(column: Column[Any]) -> Column[Any]:
    keys = [ForeignKey(key.target_fullname) for key in column.foreign_keys]
    return Column(column.name, column.type, *keys, primary_key=column.primary_key, nullable=column.nullable, autoincrement=False)
