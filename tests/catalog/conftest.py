"""A checkout of its own for each test, with two small lists and a loopback server to follow them on."""

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, text

from catalog import store
from scripts.__main__ import main
from tests.catalog.loopback import Loopback, serving

HERE = Path(__file__).resolve().parents[2]

ONE_LIST = """
[arxiv]
canary = "1706.03762"
categories = ["cs.CL"]
first_window_days = 20

[[arxiv.topic]]
name = "discovery"
title = ["Found by Asking"]

[[list]]
name = "first"
repository = "someone/first-list"
path = "README.md"
"""
SOURCES = f"""{ONE_LIST}
[[list]]
name = "second"
repository = "someone/second-list"
path = "README.md"
"""

FIRST = """# A list

## Shorter chains
- [Counting Sheep in Fewer Steps](https://arxiv.org/abs/2501.00011) 2025.01
- [Walking Backwards: A Study of Reversal](https://arxiv.org/abs/2501.000122)
- [Known to Nobody Yet but This List](https://arxiv.org/pdf/2502.00099v1)

## Quiet thought
| Date | Title | Paper |
| --- | --- | --- |
| 2025.03 | **Thinking Without a Word** | [link](https://arxiv.org/abs/2501.00011) |
| 2025.03 | **Only in Proceedings** | [link](https://openreview.net/forum?id=abc) |
"""

SECOND = """# Another

### All
- **Walking Backwards: A Study of Reversal**
  *Ada Example*. [[pdf](https://arxiv.org/pdf/2501.00012)], 2025.01
- **Thinking Without a Word**
  *Ada Example*. [[pdf](https://arxiv.org/pdf/2503.00013)], 2025.03
"""

RECORDS = {
    "2501.00011": ("Counting Sheep in Fewer Steps", "2025-01-02"),
    "2501.00012": ("Walking Backwards: A Study of Reversal", "2025-01-03"),
    "2503.00013": ("Thinking Without a Word", "2025-03-04"),
    "2603.00014": ("Found by Asking, Named by No List", "2026-03-10"),
}


@pytest.fixture
def server() -> Iterator[Loopback]:
    with serving() as loopback:
        loopback.records |= RECORDS
        loopback.lists["someone/first-list/HEAD/README.md"] = FIRST.encode()
        loopback.lists["someone/second-list/HEAD/README.md"] = SECOND.encode()
        yield loopback


@pytest.fixture
def root(tmp_path: Path, server: Loopback, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose only source is the loopback server, on the day 2026-03-17 (a Tuesday)."""
    root = tmp_path / "checkout"
    (root / "catalog" / "entries").mkdir(parents=True)
    (root / "catalog" / "taxonomy.toml").write_bytes((HERE / "catalog" / "taxonomy.toml").read_bytes())
    (root / "catalog" / "sources.toml").write_text(SOURCES)
    monkeypatch.chdir(root)
    monkeypatch.setenv("LACONIC_ARXIV_URL", f"{server.url}/api")
    monkeypatch.setenv("LACONIC_RAW_URL", f"{server.url}/raw")
    monkeypatch.setenv("LACONIC_ARXIV_INTERVAL", "0.01")
    monkeypatch.setenv("LACONIC_NOW", "2026-03-17")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("LACONIC_DB", "LACONIC_CONTACT", "LACONIC_GITHUB_URL", "GITHUB_TOKEN", "CI"):
        monkeypatch.delenv(name, raising=False)
    return root


Laconic = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def laconic(root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Laconic:
    """Runs the command line as a user does: (exit code, JSON document or text on stdout, stderr)."""

    def run(*words: str) -> tuple[int, Any, str]:
        monkeypatch.setattr(sys, "argv", ["laconic", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return int(str(ended.value.code or 0)), json.loads(out) if "--json" in words and out else out, err

    return run


Calendar = Callable[[str], None]


@pytest.fixture
def on(root: Path, server: Loopback, monkeypatch: pytest.MonkeyPatch) -> Calendar:
    """All of arXiv's interfaces, on one calendar: `on("2026-03-17T09:00")` sets our clock and the day that is theirs."""
    monkeypatch.setenv("LACONIC_RSS_URL", f"{server.url}/rss")
    monkeypatch.setenv("LACONIC_OAI_URL", f"{server.url}/oai")

    def move(moment: str) -> None:
        monkeypatch.setenv("LACONIC_NOW", moment)
        server.today = moment[:10]

    return move


def postgres_url() -> str:
    """An empty database of this test process on the server that LACONIC_TEST_POSTGRES names; skips where there is none."""
    given = os.environ.get("LACONIC_TEST_POSTGRES")
    if not given:
        if os.environ.get("CI") == "true":
            pytest.fail("LACONIC_TEST_POSTGRES is not set, and under CI PostgreSQL must be there")
        pytest.skip("LACONIC_TEST_POSTGRES (an URL of an empty database) is not set")
    server = make_url(given).set(drivername="postgresql+psycopg")
    own = f"laconic_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {own} WITH (FORCE)")
        connection.exec_driver_sql(f"CREATE DATABASE {own}")
    engine.dispose()
    return server.set(drivername="postgresql", database=own).render_as_string(hide_password=False)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, root: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The same test on both databases."""
    if request.param == "postgres":
        monkeypatch.setenv("LACONIC_DB", postgres_url())
    return str(request.param)


def rows(root: Path, query: str) -> list[Any]:
    """What a query of the database finds; days as text."""
    engine = store.connect(store.database_url(root))
    try:
        with engine.begin() as connection:
            found = connection.execute(text(query))
            read = [tuple(row) for row in found] if found.returns_rows else []
    finally:
        engine.dispose()
    return [tuple(cell.isoformat() if isinstance(cell, date) else cell for cell in row) for row in read]


@pytest.fixture
def tagger_root(tmp_path: Path) -> Path:
    """A root with the tagger's files, to be damaged."""
    (tmp_path / "catalog").mkdir()
    for name in ("taxonomy.toml", "tagger_rules.toml", "tagger.json", "sections.toml", "tagger_examples.jsonl"):
        shutil.copy(HERE / "catalog" / name, tmp_path / "catalog" / name)
    shutil.copytree(HERE / "catalog" / "snapshot" / "listings", tmp_path / "catalog" / "snapshot" / "listings")
    return tmp_path
