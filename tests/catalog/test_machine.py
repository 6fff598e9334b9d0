"""What the machine can do to an update: a full disk, a database that cannot be written, a second update, no network."""

import io
import multiprocessing
import resource
import socket
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from catalog import exporting, store
from catalog.sources import polite
from scripts.__main__ import main
from tests.catalog import week
from tests.catalog.conftest import Calendar, Laconic
from tests.catalog.loopback import Loopback
from tests.catalog.week import MONDAY, SECOND_URL, TUESDAY, exported, updates

FORK = multiprocessing.get_context("fork")


@pytest.fixture
def monday(laconic: Laconic, on: Calendar, server: Loopback, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The database as Monday left it; what Tuesday comes to in peace is exported into the folder beside it."""
    week.fill(server)
    monkeypatch.setenv("LACONIC_ARXIV_INTERVAL", "0.001")
    updates(laconic, on, MONDAY)
    rows = "".join(f"- **Herding {n} Goats Past a Gate** [[page](https://example.org/{n})]\n" for n in range(150))
    server.lists[SECOND_URL] += rows.encode()  # enough for the database to grow
    database, kept = root / "build" / "laconic.db", tmp_path / "monday.db"
    kept.write_bytes(database.read_bytes())
    updates(laconic, on, TUESDAY)
    server.log.clear()
    exported(laconic, tmp_path / "peace")
    for path in (root / "build").iterdir():
        path.unlink()
    database.write_bytes(kept.read_bytes())
    return database


def as_in_peace(laconic: Laconic, tmp_path: Path) -> bool:
    """A plain update, and then the same exported bytes as an undisturbed Tuesday's."""
    assert laconic("update")[0] == 0
    return exported(laconic, tmp_path / "out") == exported_before(tmp_path / "peace")


def exported_before(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.json*"))}


def in_child(words: list[str], prepare: Callable[[], object] = lambda: None) -> tuple[int, str]:
    """Exit code and stderr of a command line run in a process of its own."""
    ours, theirs = FORK.Pipe(duplex=False)

    def run() -> None:
        sys.argv, sys.stderr = ["laconic", *words], io.StringIO()
        prepare()
        try:
            main()
        except SystemExit as ended:
            theirs.send((ended.code, sys.stderr.getvalue()))

    child = FORK.Process(target=run)
    child.start()
    assert ours.poll(30)
    code, said = ours.recv()
    child.join(30)
    return code, said


def no_file_beyond(kilobytes: int) -> None:
    """The kernel refuses every byte after that: what a full disk does, without filling one."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes * 1024, kilobytes * 1024))


@pytest.mark.parametrize("kilobytes", [0, 40, 70, 100])
def test_a_disk_that_is_full(laconic: Laconic, monday: Path, tmp_path: Path, kilobytes: int) -> None:
    code, said = in_child(["update", "--json"], lambda: no_file_beyond(kilobytes))
    assert (code, said.count("\n")) == (1, 1), said
    with sqlite3.connect(monday) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert as_in_peace(laconic, tmp_path)


def test_a_database_that_may_not_grow(laconic: Laconic, monday: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with sqlite3.connect(monday) as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
    with monkeypatch.context() as patch:
        patch.setattr(store, "PRAGMAS", (*store.PRAGMAS, f"max_page_count={pages}"))
        code, _, err = laconic("update")
        assert (code, "full" in err, err.count("\n")) == (1, True, 1)
    assert as_in_peace(laconic, tmp_path)


@pytest.mark.parametrize("kilobytes", [0, 1, 3])
def test_an_export_onto_a_full_disk_leaves_whole_files(
    laconic: Laconic, monday: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kilobytes: int
) -> None:
    folder = tmp_path / "snapshot"
    old, new = exported(laconic, folder), exported_before(tmp_path / "peace")
    assert laconic("update")[0] == 0
    write = exporting._write

    def limit_then_write(path: Path, content: str) -> None:
        no_file_beyond(kilobytes)
        write(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(exporting, "_write", limit_then_write)
        code, said = in_child(["export", str(folder)])
    assert (code, "cannot be written" in said, said.count("\n")) == (1, True, 1)
    assert all(content in (old[name], new[name]) for name, content in exported_before(folder).items())
    assert exported(laconic, folder) == new


@contextmanager
def locked(database: Path) -> Iterator[Any]:
    connection = sqlite3.connect(database, check_same_thread=False)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
    finally:
        connection.close()


def test_a_locked_database_is_waited_for_and_then_given_up(
    laconic: Laconic, monday: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(store, "PRAGMAS", (*store.PRAGMAS, "busy_timeout=100"))
        with locked(monday):
            code, _, err = laconic("update")
            assert (code, "locked" in err, err.count("\n")) == (1, True, 1)
    with locked(monday) as connection:
        threading.Timer(0.5, connection.rollback).start()
        assert as_in_peace(laconic, tmp_path), "a lock that goes away is waited for"


def test_two_updates_at_once(laconic: Laconic, monday: Path, server: Loopback, tmp_path: Path) -> None:
    server.fail("drip", "/raw", 1)  # long enough for the other to find the door closed
    with ThreadPoolExecutor() as pool:
        first = pool.submit(in_child, ["update", "--json"])
        while not server.asked("/raw"):
            time.sleep(0.01)
        second = pool.submit(in_child, ["update"])
    assert (first.result(), second.result()[0]) == ((0, ""), 1)
    assert "another update or import is at work" in second.result()[1]
    assert exported(laconic, tmp_path / "out") == exported_before(tmp_path / "peace")


@contextmanager
def black_hole() -> Iterator[str]:
    """An address whose packets vanish: a queue of connections that nobody takes, full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = []
        for _ in range(4):
            waiting.append(socket.socket())
            waiting[-1].setblocking(False)
            waiting[-1].connect_ex(listener.getsockname())
        time.sleep(0.05)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        for each in waiting:
            each.close()


@pytest.mark.parametrize("swallowed", [False, True])
def test_no_network_and_one_that_swallows_packets(
    laconic: Laconic, monday: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, swallowed: bool
) -> None:
    monkeypatch.setattr(polite, "CONNECT_S", 0.2)
    with black_hole() as hole, monkeypatch.context() as patch:
        there = hole if swallowed else "http://127.0.0.1:9"
        for name in ("ARXIV", "RSS", "OAI", "RAW"):
            patch.setenv(f"LACONIC_{name}_URL", f"{there}/x")
        started = time.monotonic()
        code, document, err = laconic("update", "--json")
        assert (code, err) == (1, "")
        assert time.monotonic() - started < 10
        assert all(f"{there}: cannot be reached" in source["detail"] for source in document["sources"])
    with sqlite3.connect(monday) as connection:
        logged = connection.execute("SELECT exit_code, sources FROM crawl_runs ORDER BY id DESC").fetchone()
    assert logged[0] == 1
    assert "cannot be reached" in logged[1]
    assert as_in_peace(laconic, tmp_path)
