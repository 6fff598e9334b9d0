"""An update or export that is killed anywhere leaves nothing that the next run does not put right.

A forked child runs the command line and ends itself, as a kill would (`os._exit`), at its n-th commit or file write: before
it, half-way through a file, or after it; for every n. Then one plain rerun must export what an undisturbed one does.
"""

import io
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine.default import DefaultDialect

from scripts.__main__ import main
from tests.catalog import week
from tests.catalog.conftest import Calendar, Laconic
from tests.catalog.loopback import Loopback
from tests.catalog.week import MONDAY, TUESDAY, WEDNESDAY, exported, updates

KILLED = 99


def run_until(point: int, words: list[str]) -> bool:
    """Runs a command line in a child that is killed at that point; whether it got there. It must not fail otherwise."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            _die_at(point)
            sys.argv, sys.stdout = ["laconic", *words], io.StringIO()
            main()
        except SystemExit as ended:
            code = int(str(ended.code or 0))
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, KILLED)
    return code == KILLED


def _die_at(point: int) -> None:
    passed = 0

    def here() -> None:
        nonlocal passed
        passed += 1
        if passed == point:
            os._exit(KILLED)

    commit, write_bytes, replace = DefaultDialect.do_commit, Path.write_bytes, os.replace

    def do_commit(self: DefaultDialect, connection: Any) -> None:
        here()
        commit(self, connection)
        here()

    def write(path: Path, data: Any) -> int:
        here()
        write_bytes(path, data[: len(data) // 2])
        here()
        return write_bytes(path, data)

    def put(source: Any, target: Any) -> None:
        here()
        replace(source, target)
        here()

    def opened(event: str, args: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(args[0], str) and args[0].endswith((".gate", ".lock")):
            here()

    sys.addaudithook(opened)
    DefaultDialect.do_commit, Path.write_bytes, os.replace = do_commit, write, put  # type: ignore[method-assign,assignment]


def put_back(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    for name, content in files.items():
        (folder / name).write_bytes(content)


@pytest.mark.parametrize("day", [MONDAY, TUESDAY, WEDNESDAY])
def test_an_update_killed_anywhere(
    laconic: Laconic, on: Calendar, root: Path, server: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, day: str
) -> None:
    """On the first day, on an ordinary one, and on one that has to catch up on a mailing that was missed."""
    week.fill(server)
    monkeypatch.setenv("LACONIC_ARXIV_INTERVAL", "0.001")
    build = root / "build"
    before: dict[str, bytes] = {}
    if day != MONDAY:
        updates(laconic, on, MONDAY)
        before = {"laconic.db": (build / "laconic.db").read_bytes()}
    updates(laconic, on, day)
    peace = exported(laconic, tmp_path / "peace")
    points = 0
    put_back(build, before)
    while run_until(points + 1, ["update"]):
        points += 1
        updates(laconic, on, day)
        assert exported(laconic, tmp_path / "out") == peace, f"killed at point {points}"
        put_back(build, before)
        for path in (tmp_path / "out").rglob("*.json*"):
            path.unlink()
    assert points >= 15


def test_an_export_or_import_killed_anywhere(
    laconic: Laconic, on: Calendar, root: Path, server: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    week.fill(server)
    monkeypatch.setenv("LACONIC_ARXIV_INTERVAL", "0.001")
    snapshot = root / "catalog" / "snapshot"
    updates(laconic, on, MONDAY)
    old = exported(laconic, snapshot)
    updates(laconic, on, TUESDAY)
    new = exported(laconic, tmp_path / "peace")
    points = 0
    while run_until(points + 1, ["export"]):
        points += 1
        standing = {path.relative_to(snapshot).as_posix(): path.read_bytes() for path in sorted(snapshot.rglob("*.json*"))}
        assert all(content in (old[name], new[name]) for name, content in standing.items() if not name.endswith(".new"))
        assert exported(laconic, snapshot) == new, f"killed at point {points}"
        for name, content in old.items():
            (snapshot / name).write_bytes(content)
    assert points >= 10
    assert exported(laconic, snapshot) == new
    points = 0
    while run_until(points + 1, ["import"]):
        points += 1
        assert exported(laconic, tmp_path / f"after{points}") == new, f"killed at point {points}"
    assert points >= 4
