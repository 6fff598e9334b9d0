"""A small catalogue of our own, with the titles that strangers might send, built once."""

import os
import shutil
import threading
from collections.abc import Iterator
from datetime import date
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlmodel import Session

from catalog import schema, store
from scripts._speed_site import CHROMIUM
from tests.site.hostile import HOSTILE

if TYPE_CHECKING:
    from playwright.sync_api import Browser

REPOSITORY = Path(__file__).parents[2]
RECORDS = REPOSITORY / "tests" / "fixtures" / "records"


def paper(number: int, title: str, **more: object) -> schema.Paper:
    values = {
        "key": f"2502.{number:05}",
        "arxiv_id": f"2502.{number:05}",
        "title": title,
        "status": schema.CONFIRMED,
        "found_by": "a-list",
        "first_seen": date(2026, 3, 1),
        **more,
    }
    return schema.Paper(**values)


def make_root(folder: Path, *, records: bool = True) -> Path:
    """A checkout without a database of papers: the real pages, taxonomy, entries and errata."""
    for name in ("site", "methods", "catalog/entries"):
        shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "zoo", "*.safetensors"))
    kept = [path for path in (REPOSITORY / "catalog").iterdir() if path.suffix in (".toml", ".json")]
    texts = sorted(path.relative_to(REPOSITORY) for path in kept)
    for name in (Path("mkdocs.yml"), Path("CONTRIBUTING.md"), *texts):
        shutil.copy(REPOSITORY / name, folder / name)
    results = folder / "methods" / "results"
    shutil.rmtree(results, ignore_errors=True)
    if records:
        shutil.copytree(RECORDS, results)
    return folder


def fill(root: Path) -> None:
    """The database: hostile titles in February 2025, one paper that only a list names, one list."""
    with store.writing(root) as session:
        for number, title in enumerate(HOSTILE, 1):
            session.add(paper(number, title))
        session.add(paper(12067, "TokenSkip: Controllable Chain-of-Thought Compression in LLMs"))
        session.add(
            schema.Paper(
                key="title-0123456789ab",
                title="Known by name",
                status=schema.LISTED,
                found_by="a-list",
                first_seen=date(2026, 3, 1),
            )
        )
        session.commit()
        for number, name in enumerate(["Ann <b>Author</b>", "Bo & Co"]):
            session.add(schema.Author(paper_key="2502.00001", position=number, name=name))
        mention(session, "2502.00001", ["<i>Top</i>", "{: .x } Section"], ["javascript:alert(1)"])
        mention(session, "title-0123456789ab", ["Other"], ["javascript:alert(1)"])
        session.add(schema.SourceState(name="a-list", entries=2, last_new=date(2026, 3, 1)))
        session.commit()


def mention(session: Session, key: str, section: list[str], urls: list[str]) -> None:
    session.add(
        schema.Mention(
            key=f"m-{key}",
            list_name="a-list",
            section=section,
            title="as printed",
            urls=urls,
            line=1,
            file_sha256="0" * 64,
            paper_key=key,
            resolution="confirmed",
            first_seen=date(2026, 3, 1),
        )
    )


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The built site of the hostile catalogue: …/public of a root made for this run."""
    from catalog.pages.build import build

    root = make_root(tmp_path_factory.mktemp("root"))
    before = dict(os.environ)
    os.environ.pop("LACONIC_DB", None)
    try:
        fill(root)
        yield build(root, lambda record, where: [])
    finally:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh root with an empty, existing database."""
    monkeypatch.delenv("LACONIC_DB", raising=False)
    folder = make_root(tmp_path / "root", records=False)
    with store.writing(folder):
        pass
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    if not CHROMIUM.exists():
        message = f"{CHROMIUM} is missing: apt-get install chromium-headless-shell"
        pytest.fail(message) if os.environ.get("CI") == "true" else pytest.skip(message)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=options)
        yield started
        started.close()


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    quiet = type("Quiet", (SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
