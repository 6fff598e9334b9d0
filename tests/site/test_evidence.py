"""The build's last look: a number that leads nowhere, or to another number, stops it; so does an entry without a page."""

import shutil
from pathlib import Path

import pytest

from catalog import entries
from catalog.errors import Refused
from catalog.pages.evidence import check
from tests.site.conftest import REPOSITORY

DOCS = REPOSITORY / "site" / "docs"


@pytest.fixture
def built(site: Path, tmp_path: Path) -> Path:
    shutil.copytree(site, tmp_path / "site")
    return tmp_path / "site"


@pytest.fixture(scope="module")
def written() -> list[entries.Entry]:
    return entries.load(REPOSITORY)


def change(page: Path, old: str, new: str) -> None:
    html = page.read_text("utf-8")
    assert old in html
    page.write_text(html.replace(old, new, 1), "utf-8")


def test_the_built_site_holds(site: Path, written: list[entries.Entry]) -> None:
    check(site, written, DOCS)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('<data value="213.17"', '<data value="213.71"', "213.71 is shown with .*, where 213.17 stands"),
        ("rows[3].tokens", "rows[33].tokens", "is no row of an entry"),
        (
            'data-file="catalog/entries/token_skip.toml"',
            'data-file="catalog/entries/nobody.toml"',
            "no row of an entry",
        ),
        ("<article", "<p>x</p><article><p>It saves 40 % of all.</p></article><article", "'It saves 40 % of all.' does not say"),
        ("<article", "<article><data>7</data></article><article", "does not say where it came from"),
    ],
)
def test_a_number_without_evidence_stops_the_build(
    built: Path, written: list[entries.Entry], old: str, new: str, words: str
) -> None:
    change(built / "methods" / "token_skip.html", old, new)
    with pytest.raises(Refused, match=f"methods/token_skip.html: .*{words}"):
        check(built, written, DOCS)


def test_an_entry_without_a_page_stops_the_build(built: Path, written: list[entries.Entry]) -> None:
    (built / "methods" / "dast.html").unlink()
    with pytest.raises(Refused, match=r"methods/dast\.html: the entry 'dast' has no page"):
        check(built, written, DOCS)


def test_prose_written_by_hand_may_count(built: Path, written: list[entries.Entry]) -> None:
    change(built / "protocol.html", "<article", "<article><p>Three seeds, 4000 problems.</p></article><article")
    check(built, written, DOCS)
