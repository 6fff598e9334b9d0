"""A small catalogue of our own, with the titles that strangers might send, built once."""

import os
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlmodel import Session

from catalog import schema, store

REPOSITORY = Path(__file__).parents[2]
RECORDS = REPOSITORY / "tests" / "fixtures" / "records"

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{: onmouseover=alert(1) } *bold* _it_ `code`",
    "[click](javascript:alert(1)) ![i](https://tracker.example/x.png)",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "# Heading",
    "1. item",
    "- item\n\n    code\n\n## injected {: #top }",
    "{{ 7 * 7 }} {% raw %}",
    "--8<-- 'secret' <div markdown>*x*</div>",
    "</title><script>alert(2)</script>",
    "a | b | c :smile: ~~x~~ ^[note] [^1] ==m==",
    "Solving <answer> tags & more \\(x^2\\) $y$",
]


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
    texts = sorted(path.relative_to(REPOSITORY) for path in (REPOSITORY / "catalog").glob("*.toml"))
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
