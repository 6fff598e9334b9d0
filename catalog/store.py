"""Opening the database, and writing to it in bulk. SQLite is embedded; a PostgreSQL URL runs the same code."""

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from itertools import chain, islice
from operator import itemgetter
from pathlib import Path
from typing import Any

from pydantic_core import from_json
from sqlalchemy import Column, Connection, Engine, Table, create_engine, event, inspect, literal_column, or_, select, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlmodel import Session, SQLModel

from catalog import schema
from catalog.errors import Refused

# A paper's abstract takes a third of a page of the usual size; larger pages, set when a file is made, write it a quarter faster.
PRAGMAS = ("page_size=16384", "foreign_keys=ON", "busy_timeout=10000", "synchronous=NORMAL")
CHUNK = 5_000  # rows per executemany; measured: larger gains nothing


def database_url(root: Path) -> URL:
    """`LACONIC_DB`, or the SQLite file `build/laconic.db` under the root. Raises `Refused` (exit 2) on no URL."""
    given = os.environ.get("LACONIC_DB")
    if not given:
        return URL.create("sqlite", database=str(root / "build" / "laconic.db"))
    try:
        url = make_url(given)
    except ArgumentError:  # its message repeats the text, and with it a password
        raise Refused(
            "LACONIC_DB is not a database URL such as sqlite:///laconic.db or postgresql://user@host/name", exit_code=2
        ) from None
    return url.set(drivername="postgresql+psycopg") if url.drivername in ("postgres", "postgresql") else url


def describe(url: URL) -> str:
    """The database's name for people: the path of an SQLite file, else the URL without its password."""
    if is_sqlite_file(url):
        return str(url.database)
    return url.difference_update_query(_secrets(url)).render_as_string(hide_password=True)


def _secrets(url: URL) -> dict[str, str]:
    """What of the query is a password: PostgreSQL takes `?password=` and `?sslpassword=`, too."""
    return {name: str(value) for name, value in url.query.items() if "password" in name.lower()}


def is_sqlite_file(url: URL) -> bool:
    name = url.database or ":memory:"
    return url.get_backend_name() == "sqlite" and name != ":memory:" and not name.startswith("file:")


def connect(url: URL, *, read_only: bool = False) -> Engine:
    """An engine; the first connection is made when used. Raises `Refused` where the driver is missing."""
    if read_only and is_sqlite_file(url) and not os.access(Path(str(url.database)).parent, os.W_OK):
        # Even a reader of a write-ahead log must create a file beside it, or be told that nothing changes.
        target = Path(str(url.database)).resolve().as_uri()
        url = url.set(database=target, query={"mode": "ro", "immutable": "1", "uri": "true"})
    try:
        # A failing batch would print every abstract it holds.
        engine = create_engine(url, hide_parameters=True, json_deserializer=from_json)
    except (NoSuchModuleError, ModuleNotFoundError):
        raise Refused(
            f"LACONIC_DB: no driver for {url.drivername!r}; SQLite is built in, PostgreSQL needs "
            "pip install -e '.[postgres]'",
            exit_code=2,
        ) from None
    if url.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _set_pragmas)
    return engine


def _set_pragmas(connection: Any, _record: object) -> None:
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def write_ahead(engine: Engine) -> None:
    """In SQLite a write-ahead log, which stays with the file: readers never block the crawl."""
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            connection.execute(text("PRAGMA journal_mode=WAL"))


def create_tables(connection: Connection) -> None:
    """Empty tables and their schema version, in one transaction: half of them would be taken for another's database."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # the driver itself would commit table by table
    SQLModel.metadata.create_all(connection)
    version = {"name": "schema_version", "value": str(schema.SCHEMA_VERSION)}
    connection.execute(table_of(schema.Meta).insert(), version)


def stored_version(engine: Engine) -> str | None:
    """The database's schema version; None where it holds no table at all, `"?"` where its tables are not ours."""
    names = inspect(engine).get_table_names()
    if "meta" not in names:
        return "?" if names else None
    with engine.connect() as connection:
        return connection.execute(text("SELECT value FROM meta WHERE name = 'schema_version'")).scalar() or "?"


def is_there(url: URL) -> bool:
    """Whether anything was stored yet: no file, or a database without tables, is nothing. Raises `Refused`."""
    if is_sqlite_file(url):
        return Path(str(url.database)).exists()
    engine = connect(url, read_only=True)
    with plain_errors(url):
        try:
            return stored_version(engine) is not None
        finally:
            engine.dispose()


@contextmanager
def reading(root: Path) -> Iterator[Session]:
    """A session on a filled database. Raises `Refused` where it is missing, unreadable or of another schema."""
    url = database_url(root)
    if is_sqlite_file(url) and not Path(str(url.database)).exists():
        raise Refused(f"{describe(url)}: no database yet; run `laconic import` (or `laconic update`) first")
    with _session(url, read_only=True) as session:
        yield session


@contextmanager
def writing(root: Path) -> Iterator[Session]:
    """A session for the one writer; makes database and tables where there are none. Commit what should stay."""
    url = database_url(root)
    with one_writer(root, url), _session(url, read_only=False) as session:
        yield session


@contextmanager
def _session(url: URL, *, read_only: bool) -> Iterator[Session]:
    engine = connect(url, read_only=read_only)
    with plain_errors(url):
        try:
            version = stored_version(engine)
            if version is None and not read_only:
                write_ahead(engine)
                with engine.begin() as connection:
                    create_tables(connection)
            elif version is None:
                raise Refused(f"{describe(url)}: an empty database; run `laconic import` first")
            elif version != str(schema.SCHEMA_VERSION):
                raise Refused(
                    f"{describe(url)}: schema version {version}, this Laconic needs {schema.SCHEMA_VERSION}; "
                    "run `laconic import` to rebuild it (abstracts are kept)"
                )
            with Session(engine) as session:
                yield session
        finally:
            engine.dispose()


@contextmanager
def plain_errors(url: URL) -> Iterator[None]:
    """Turns a driver's error into one line that names the database and never its password."""
    try:
        yield
    except DBAPIError as error:
        cause = " ".join(str(error.orig).split())
        for secret in filter(None, [str(url.password or ""), *_secrets(url).values()]):
            cause = cause.replace(secret, "***")
        raise Refused(f"{describe(url)}: {cause}") from None


@contextmanager
def one_writer(root: Path, url: URL) -> Iterator[None]:
    """Holds the lock of this database for as long as it is open. Raises `Refused` where another process holds it."""
    if is_sqlite_file(url):
        path = Path(f"{url.database}.lock")
    else:
        path = root / "build" / f"{hashlib.sha256(describe(url).encode()).hexdigest()[:12]}.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = path.open("a")
    except OSError as error:
        raise Refused(f"{path}: cannot be written ({error.strerror})") from None
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(f"{describe(url)}: another update or import is at work; try again when it is done") from None
        yield


def upsert(
    connection: Connection,
    table: Table,
    rows: Iterable[Mapping[str, Any]],
    *,
    keep: Iterable[str] = (),
    where: Any = None,
) -> None:
    """Inserts rows, or updates those whose primary key is there already; rows of one call have the same columns.

    `keep` names columns that an existing row keeps; `where` is a function of (table, excluded) that gives the condition,
    without bound values, under which a row is updated at all. Within one call the last row of a key wins. Rows are taken
    from `rows` as they are written, so that a generator of any length needs no memory.
    """
    rows = iter(rows)
    if (first := next(rows, None)) is None:
        return
    key = [column.name for column in table.primary_key]
    insert = import_module(f"sqlalchemy.dialects.{connection.dialect.name}").insert(table)  # PostgreSQL's takes a while to load
    columns = {name: insert.excluded[name] for name in first if name not in key and name not in set(keep)}
    if columns:
        statement = insert.on_conflict_do_update(
            index_elements=key, set_=columns, where=where(table, insert.excluded) if where is not None else None
        )
    else:
        statement = insert.on_conflict_do_nothing(index_elements=key)
    # Compiled once and handed to the driver: SQLAlchemy's own handling of each row takes longer than the writing of it.
    compiled = statement.compile(dialect=connection.dialect, column_keys=list(first))
    names = compiled.positiontup or list(compiled.binds)
    encode = _encoder(connection, table, names, first)
    rows = chain([first], rows)
    while chunk := [encode(row) for row in islice(rows, CHUNK)]:
        sent = chunk if compiled.positional else [dict(zip(names, values)) for values in chunk]
        connection.exec_driver_sql(str(compiled), sent)


def _encoder(
    connection: Connection, table: Table, names: Sequence[str], first: Mapping[str, Any]
) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    """What turns a row into the values that the driver takes, in the order of `names`."""
    defaults = {name: _default(table.c[name]) for name in names if name not in first}
    processors = []
    for place, name in enumerate(names):
        if process := table.c[name].type.dialect_impl(connection.dialect).bind_processor(connection.dialect):
            processors.append((place, process))
    pick = itemgetter(*names)  # two names or more: no table here has fewer

    def encode(row: Mapping[str, Any]) -> tuple[Any, ...]:
        values = list(pick({**defaults, **row} if defaults else row))
        for place, process in processors:
            values[place] = process(values[place])
        return tuple(values)

    return encode


def _default(column: Column[Any]) -> Any:
    default: Any = column.default
    return default.arg(None) if default.is_callable else default.arg


def table_of(model: type[SQLModel]) -> Table:
    return SQLModel.metadata.tables[str(model.__tablename__)]


def columns(session: Session, model: type[SQLModel], names: str, order: str = "") -> Sequence[Any]:
    """The named columns of every row, as tuples with names: where thousands are only read, objects take three times as long."""
    table = table_of(model)
    chosen = select(*(table.c[name] for name in names.split())).order_by(*(table.c[name] for name in order.split()))
    return session.connection().execute(chosen).all()


def upsert_papers(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Papers by key. Who found one first, and when, stays; what a mirror says never replaces what arXiv itself said."""

    def welcome(table: Table, excluded: Any) -> Any:
        arxiv: Any = literal_column(f"'{schema.ARXIV}'")
        return or_(table.c.served_by.is_(None), table.c.served_by != arxiv, excluded.served_by == arxiv)

    upsert(connection, table_of(schema.Paper), rows, keep=("found_by", "first_seen"), where=welcome)
