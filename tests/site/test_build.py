"""The built site: whole, the same each time, safe, and honest about what is missing."""

import re
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest
from bs4 import BeautifulSoup, NavigableString, Tag

from catalog import entries
from catalog.errors import Refused
from catalog.pages.build import build, convert
from catalog.text import clean
from tests.site.conftest import REPOSITORY, fill
from tests.site.hostile import HOSTILE


def soup(page: Path) -> BeautifulSoup:
    return BeautifulSoup(page.read_text("utf-8"), "html.parser")


def article(page: Path) -> Tag:
    found = soup(page).find("article")
    assert isinstance(found, Tag)
    return found


def unchanged(record: object, root: Path) -> list[str]:
    return []


def test_hostile_titles_are_text(site: Path) -> None:
    page = article(site / "papers" / "2025.html")
    rows = {row["id"]: row for row in page.select("ul.papers > li")}
    for number, title in enumerate(HOSTILE, 1):
        cite = rows[f"p-2502-{number:05}"].cite
        assert cite is not None
        assert cite.get_text() == clean(title)
        assert [tag.name for tag in cite.find_all()] == ["a"]
    assert not page.select("img, [onmouseover], [onerror], #top")
    assert "Ann <b>Author</b>, Bo & Co" in page.get_text()


def test_a_link_that_is_not_https_is_dropped(site: Path) -> None:
    for page in site.rglob("*.html"):
        for anchor in article(page).select("a[href]") if "<article" in page.read_text() else ():
            target = str(anchor["href"])
            assert target.startswith("https://") or not re.match(r"[a-zA-Z][a-zA-Z+.-]*:|//", target), (page, target)


def test_internal_links_and_anchors_resolve(site: Path) -> None:
    pages = {page: soup(page) for page in site.rglob("*.html")}
    ids = {page: {tag["id"] for tag in parsed.select("[id]")} for page, parsed in pages.items()}
    for page, parsed in pages.items():
        if page.name == "404.html":
            continue  # its links are absolute, for any depth
        for tag in parsed.select("[href], [src]"):
            target = str(tag.get("href") or tag.get("src"))
            if target.startswith(("https://", "data:")):
                continue
            path, fragment = urldefrag(target)
            other = (page.parent / unquote(path)).resolve() if path else page
            other = other / "index.html" if other.is_dir() else other
            assert other.exists(), (page, target)
            if fragment and not fragment.startswith("__"):
                assert fragment in ids[other], (page, target)


def test_every_page_has_a_policy_that_names_its_scripts_and_no_other_host(site: Path) -> None:
    from base64 import b64encode

    for page in site.rglob("*.html"):
        found = soup(page)
        meta = found.select_one('meta[http-equiv="Content-Security-Policy"]')
        assert meta is not None, page
        policy = dict(part.split(" ", 1) for part in str(meta["content"]).split("; "))
        assert policy["default-src"] == "'none'"
        assert "unsafe" not in policy["script-src"]
        assert "http" not in str(meta["content"])
        for script in found.select("script:not([src]):not([type])"):
            digest = b64encode(sha256(script.decode_contents(formatter=None).encode()).digest()).decode()
            assert f"'sha256-{digest}'" in policy["script-src"]
        for tag in found.select("script[src], link[rel=stylesheet], img[src], iframe"):
            assert not re.match(r"(https?:)?//", str(tag.get("src") or tag.get("href")))


def test_markup_that_came_alive_stops_the_build(root: Path) -> None:
    build(root, unchanged)
    old = (root / "public" / "index.html").read_bytes()
    page = root / "build" / "docs" / "errata.md"
    page.write_text(page.read_text() + '\n<p onclick="alert(1)">x</p>\n')
    with pytest.raises(Refused, match=r"errata\.html: the text of this page became live markup"):
        convert(root, entries.load(root))
    assert (root / "public" / "index.html").read_bytes() == old


def test_the_same_inputs_give_the_same_bytes(root: Path) -> None:
    def hashes() -> dict[str, str]:
        folder = build(root, unchanged)
        return {str(p.relative_to(folder)): sha256(p.read_bytes()).hexdigest() for p in folder.rglob("*") if p.is_file()}

    fill(root)
    first = hashes()
    assert len(first) > 30
    assert hashes() == first


def test_a_broken_link_is_refused_and_the_old_site_stands(root: Path) -> None:
    build(root, unchanged)
    old = (root / "public" / "index.html").read_bytes()
    page = root / "site" / "docs" / "protocol.md"
    page.write_text(page.read_text() + "\n[gone](nowhere.md)\n")
    with pytest.raises(Refused, match="the old one stands: .*nowhere.md"):
        build(root, unchanged)
    assert (root / "public" / "index.html").read_bytes() == old


def test_without_records_every_page_says_so_and_none_breaks(root: Path) -> None:
    folder = build(root, unchanged)
    assert "No record yet" in article(folder / "index.html").get_text()
    for slug in ("direct", "cot", "token_skip", "coconut"):
        assert "No record yet" in article(folder / "methods" / f"{slug}.html").get_text()
    assert "No record yet" in article(folder / "calibration.html").get_text()


def test_a_stale_record_is_marked(root: Path, tmp_path: Path) -> None:
    results = root / "methods" / "results"
    results.mkdir()
    for path in (REPOSITORY / "tests" / "fixtures" / "records").glob("*.json"):
        (results / path.name).write_bytes(path.read_bytes())
    folder = build(root, lambda record, where: ["methods/cot.py"] if record["method"] == "cot" else [])
    assert "This record is stale" in article(folder / "methods" / "cot.html").get_text()
    assert "This record is stale" not in article(folder / "methods" / "token_skip.html").get_text()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "methods/results/cot.json: must be one JSON object"),
        ("{", "methods/results/cot.json: cannot be read as JSON"),
        ('{"protocol": "full"}', "methods/results/cot.json: no record: the key 'method' is missing"),
    ],
)
def test_a_file_that_is_no_record_is_named(root: Path, text: str, words: str) -> None:
    (root / "methods" / "results").mkdir()
    (root / "methods" / "results" / "cot.json").write_text(text)
    with pytest.raises(Refused) as refused:
        build(root, unchanged)
    assert str(refused.value).startswith(words)


def test_a_record_that_lacks_what_its_page_needs_is_named(root: Path) -> None:
    results = root / "methods" / "results"
    results.mkdir()
    text = (REPOSITORY / "tests" / "fixtures" / "records" / "cot.json").read_text("utf-8")
    (results / "cot.json").write_text(text.replace('"verdict"', '"verdikt"'))
    with pytest.raises(Refused, match=r"method\.md\.j2: the page methods/cot\.md cannot be rendered: .*verdict"):
        build(root, unchanged)


def test_a_method_page_shows_what_it_must(site: Path) -> None:
    page = article(site / "methods" / "token_skip.html")
    headings = [heading.get_text().rstrip("¶") for heading in page.select("h2")]
    assert headings == [
        "Idea",
        "Limits",
        "Measured here",
        "Reported by others",
        "Differences from the paper",
        "One problem, side by side",
        "Run it",
        "The code",
        "Cite the paper",
    ]
    text = page.get_text()
    assert text.index("Before the numbers") < text.index("All tokens")
    assert "not reproduced" in text
    assert "213.17" in text
    assert "class Config" in text
    assert "eprint = {2502.12067}" in text
    assert {"step", "verify", "answer"} <= {name for tag in page.select(".tokens .piece") for name in tag["class"]}
    assert page.select_one('svg[role="img"][aria-label]') is not None


def test_the_caveat_stands_before_the_first_number_of_the_landing_page(site: Path) -> None:
    page = article(site / "index.html")
    first = page.find("data")
    assert isinstance(first, Tag)
    assert first.find_previous(class_="caveat") is not None


def test_each_number_says_where_it_came_from(site: Path) -> None:
    """No digit in the main content but in code, ids, dates, and what carries its source."""
    allowed = {"code", "pre", "data", "time", "cite", "script", "style", "title"}
    pages = [
        site / "index.html",
        site / "errata.html",
        site / "freshness.html",
        site / "calibration.html",
        site / "taxonomy.html",
        *(site / "methods").glob("*.html"),
    ]
    for page in pages:
        for text in article(page).find_all(string=re.compile(r"\d")):
            assert isinstance(text, NavigableString)
            sourced = any(
                parent.name in allowed or parent.has_attr("data-source") or "id" in parent.get("class", [])
                for parent in text.parents
                if isinstance(parent, Tag)
            )
            known = re.sub(r"95 % intervals|GPT-2|C3oT|\b[DSL]\d+\b|arXiv \d{4}\.\d{4,5}", "", text)
            assert sourced or not re.search(r"\d", known), (page.name, str(text)[:80])


def test_the_site_needs_neither_torch_nor_transformers_nor_scikit_learn() -> None:
    code = (
        "import sys\n"
        "for name in ('torch', 'transformers', 'sklearn'): sys.modules[name] = None\n"
        "import scripts.site, catalog.pages.build\n"
        "print('fine')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.stdout == "fine\n", done.stderr
