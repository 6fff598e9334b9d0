"""Snapshot → database. The new database is built beside the old one and put in its place only when it is whole."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, inspect
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, SQLModel

from catalog import arxiv_id, curated, store
from catalog.errors import Refused
from catalog.labels import MACHINE
from catalog.lists.mentions import mention_key
from catalog.schema import (
    ARXIV,
    AskedId,
    Author,
    CrawlRun,
    Facet,
    FormerTitle,
    Mention,
    Paper,
    PaperVersion,
    Repository,
    SourceState,
    Window,
)
from catalog.snapshot_lines import MentionLine, PaperLine, RepositoryLine, read_lines, read_state
from catalog.sources.followed import ARXIV as ARXIV_SOURCE

Rows = list[dict[str, Any]]

_NEVER = date(1970, 1, 1)
# What the database knows of a source and the snapshot does not.
_PRIVATE = ("etag", "last_modified", "last_success", "served_by", "seen_through", "asked_at", "cursor")


@dataclass
class Snapshot:
    """The rows of a snapshot, checked."""

    papers: Rows = field(default_factory=list)
    authors: Rows = field(default_factory=list)
    former_titles: Rows = field(default_factory=list)
    versions: Rows = field(default_factory=list)
    labels: Rows = field(default_factory=list)
    repositories: Rows = field(default_factory=list)
    mentions: Rows = field(default_factory=list)
    states: Rows = field(default_factory=list)


@dataclass
class Carried:
    """What only the old database knows."""

    abstracts: dict[str, str] = field(default_factory=dict)
    announced: dict[str, int] = field(default_factory=dict)  # versions announced whose records were not had yet
    runs: Rows = field(default_factory=list)
    states: Rows = field(default_factory=list)
    asked: Rows = field(default_factory=list)
    windows: Rows = field(default_factory=list)
    checked: dict[str, date] = field(default_factory=dict)  # by repository
    problem: str = ""


def read(folder: Path) -> Snapshot:
    """Raises `Refused` naming file, line number and key for whatever is not a snapshot's."""
    found = Snapshot()
    lines: dict[str, int] = {}
    path = folder / "papers.jsonl"
    for number, paper in read_lines(path, PaperLine):
        if paper.key in lines:
            raise Refused(f"{path}: line {number}: key: {paper.key} stands at line {lines[paper.key]} already")
        lines[paper.key] = number
        row = paper.model_dump(exclude={"authors", "former_titles", "versions", "labels"})
        found.papers.append({**row, "arxiv_id": arxiv_id.bare(paper.key)})
        found.authors += [{"paper_key": paper.key, "position": n, "name": name} for n, name in enumerate(paper.authors)]
        found.former_titles += [{"paper_key": paper.key, **title.model_dump()} for title in paper.former_titles]
        served = {"paper_key": paper.key, "served_by": ARXIV}  # a mirror's versions are never exported
        found.versions += [{**served, **version.model_dump()} for version in paper.versions]
        found.labels += [{"paper_key": paper.key, "origin": MACHINE, **label.model_dump()} for label in paper.labels]
    if (repositories := folder / "repositories.jsonl").exists():
        found.repositories = [line.model_dump() for _, line in read_lines(repositories, RepositoryLine)]
    for path in sorted((folder / "listings").glob("*.jsonl")):
        found.mentions += _mentions(path, lines)
    for name, state in read_state(folder / "state.json").sources.items():
        found.states.append({"name": name, **state.model_dump()})
    return found


def _mentions(path: Path, papers: dict[str, int]) -> Rows:
    rows: dict[str, dict[str, Any]] = {}
    for number, mention in read_lines(path, MentionLine):
        key = mention_key(path.stem, mention.section, mention.title, mention.urls)
        if key in rows:
            raise Refused(f"{path}: line {number}: title: {mention.title[:80]!r} stands twice in one section")
        if mention.paper not in papers:
            raise Refused(f"{path}: line {number}: paper: {mention.paper!r} is not in papers.jsonl")
        row = mention.model_dump()
        rows[key] = {"key": key, "list_name": path.stem, "paper_key": row.pop("paper"), **row}
    return list(rows.values())


def replace(root: Path, snapshot: Snapshot) -> Carried:
    """Makes the database say what `snapshot` and the entries say, and carries over what the old one alone knew.

    Raises `Refused`; the old database is untouched then.
    """
    url = store.database_url(root)
    with store.one_writer(root, url), store.plain_errors(url):
        carried = _carry(url)
        if store.is_sqlite_file(url):
            _replace_file(root, Path(str(url.database)), snapshot, carried)
        else:
            engine = store.connect(url)
            with engine.begin() as connection:  # here a transaction can hold the tables themselves
                SQLModel.metadata.drop_all(connection)
                store.create_tables(connection)
                _fill(connection, root, snapshot, carried)
            engine.dispose()
    return carried


def _replace_file(root: Path, path: Path, snapshot: Snapshot, carried: Carried) -> None:
    beside = path.with_name(path.name + ".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove(beside)
        engine = store.connect(store.URL.create("sqlite", database=str(beside)))
        store.write_ahead(engine)
        with engine.begin() as connection:
            store.create_tables(connection)
            _fill(connection, root, snapshot, carried)
        engine.dispose()  # the last one out folds the write-ahead log into the file
        if carried.problem:
            os.replace(path, path.with_name(path.name + ".unreadable"))
        _remove(path, log_only=True)  # an old log must not be replayed into the new file
        os.replace(beside, path)
    except OSError as error:
        raise Refused(f"{path}: cannot be written ({error.strerror})") from None
    finally:
        _remove(beside)


def _remove(path: Path, *, log_only: bool = False) -> None:
    for suffix in ("-wal", "-shm") if log_only else ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _fill(connection: Connection, root: Path, snapshot: Snapshot, carried: Carried) -> None:
    states = {row["name"]: dict(row) for row in snapshot.states}
    asked: Rows = []
    windows: Rows = []
    for old in carried.states:
        state = states.get(old["name"])
        # Validators of another text, or the success of a crawl that the snapshot does not hold, would hide what is missing.
        if state is not None and all(state[name] == old.get(name) for name in ("sha256", "last_new")):
            state |= {name: old[name] for name in _PRIVATE if name in old}
            if old["name"] == ARXIV_SOURCE:
                asked, windows = carried.asked, carried.windows
    tables: list[tuple[type[SQLModel], Rows]] = [
        (Paper, [{**row, **_private(row["key"], carried)} for row in snapshot.papers]),
        (Author, snapshot.authors),
        (FormerTitle, snapshot.former_titles),
        (PaperVersion, snapshot.versions),
        (Facet, snapshot.labels),
        (Mention, snapshot.mentions),
        (SourceState, [SourceState(**state).model_dump() for state in states.values()]),
        (Repository, [{**row, "checked_on": carried.checked.get(row["name"], _NEVER)} for row in snapshot.repositories]),
        (AskedId, asked),
        (Window, windows),
        (CrawlRun, carried.runs),
    ]
    for model, rows in tables:
        if rows:
            connection.execute(insert(store.table_of(model)), rows)
    with Session(connection) as session:
        curated.store(session, root)
        session.flush()


def _private(key: str, carried: Carried) -> dict[str, Any]:
    return {"abstract": carried.abstracts.get(key), "announced_version": carried.announced.get(key)}


def _carry(url: store.URL) -> Carried:
    """Reads what is worth keeping from the old database, whatever its schema; says why where it cannot."""
    carried = Carried()
    if store.is_sqlite_file(url) and not Path(str(url.database)).exists():
        return carried
    engine = store.connect(url)
    try:
        with engine.connect() as connection:
            names = set(inspect(connection).get_table_names())
            if "papers" in names:
                rows = _rows(connection, "papers", Paper)
                for row in rows:
                    if row.get("abstract"):
                        carried.abstracts[row["key"]] = row["abstract"]
                    if row.get("announced_version"):
                        carried.announced[row["key"]] = row["announced_version"]
            if "crawl_runs" in names:
                runs = sorted(_rows(connection, "crawl_runs", CrawlRun), key=lambda run: run["id"])
                # The new database counts its runs itself; else its next one would meet a number already taken.
                carried.runs = [{name: value for name, value in run.items() if name != "id"} for run in runs]
            if "source_states" in names:
                carried.states = list(_rows(connection, "source_states", SourceState))
            if "asked_ids" in names:
                carried.asked = list(_rows(connection, "asked_ids", AskedId))
            if "windows" in names:
                carried.windows = list(_rows(connection, "windows", Window))
            if "repositories" in names:
                rows = _rows(connection, "repositories", Repository)
                carried.checked = {row["name"]: row["checked_on"] for row in rows}
    except (DBAPIError, ValueError, TypeError, KeyError) as error:
        if not store.is_sqlite_file(url):
            raise
        carried.problem = " ".join(str(getattr(error, "orig", error)).split())
    finally:
        engine.dispose()
    return carried


def _rows(connection: Connection, name: str, model: type[SQLModel]) -> Iterator[dict[str, Any]]:
    """Rows of a stored table, read with the types of today's `model` for the columns that both have."""
    stored = {column["name"] for column in inspect(connection).get_columns(name)}
    table = store.table_of(model)
    shared = [column for column in table.columns if column.name in stored]
    for row in connection.execute(table.select().with_only_columns(*shared)):
        yield dict(row._mapping)
