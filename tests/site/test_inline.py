"""Whatever goes through `inline` is seen as it was given, and is never markup."""

import unicodedata

import markdown
import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

from catalog.pages.inline import finalize, inline, link, number, written
from catalog.pages.render import fence
from catalog.text import clean

EXTENSIONS = ["toc", "tables", "attr_list", "admonition", "pymdownx.superfences", "pymdownx.details", "pymdownx.highlight"]
# Letters alone would seldom make markup: mix whole pieces of it in.
PIECES = st.sampled_from(
    [
        "<script>",
        "</p>",
        "{: #a }",
        "**",
        "`",
        "```",
        "[a](b)",
        "![",
        "&lt;",
        "&#60;",
        "\n\n",
        "    ",
        "# ",
        "1. ",
        "- ",
        "> ",
        "|",
        "~~",
        "\u202e",
        "\u0002wzxhzdk:0\u0003",
        "!!! note",
        "???",
        "[TOC]",
        "\ud800",
        "--",
        "\\",
        "_",
        "www.example.org",
        "\u00a0",
    ]
)
TEXT = st.lists(st.one_of(PIECES, st.text(max_size=8)), max_size=8).map("".join)


def shown(page: str) -> str:
    html = markdown.markdown(page, extensions=EXTENSIONS)
    soup = BeautifulSoup(html, "html.parser")
    assert {tag.name for tag in soup.find_all()} <= {"p"}
    assert not any(tag.attrs for tag in soup.find_all())
    return " ".join(soup.get_text().split())


@pytest.mark.fuzz
@given(TEXT)
def test_a_paragraph_shows_the_text_itself(text: str) -> None:
    assert shown(f"A {inline(text)} z") == " ".join(f"A {clean(text)} z".split())


@pytest.mark.fuzz
@given(TEXT)
def test_a_line_of_its_own_shows_the_text_itself(text: str) -> None:
    assert shown(str(inline(text))) == " ".join(clean(text).split())


@pytest.mark.fuzz
@given(TEXT)
def test_in_html_and_in_an_attribute_it_stays_within_its_quotes(text: str) -> None:
    html = markdown.markdown(f'<div title="{inline(text)}">{inline(text)}</div>', extensions=EXTENSIONS)
    soup = BeautifulSoup(html, "html.parser")
    assert [tag.name for tag in soup.find_all()] == ["div"]
    assert soup.div is not None
    assert soup.div.attrs == {"title": clean(text)}
    assert soup.div.get_text() == clean(text)


@pytest.mark.fuzz
@given(st.lists(TEXT.map(clean), max_size=5).map("\n".join))
def test_a_fenced_block_shows_the_text_itself_and_ends_where_it_should(text: str) -> None:
    html = markdown.markdown(f"before\n\n{fence(text, 'bibtex')}\n\nafter", extensions=EXTENSIONS)
    soup = BeautifulSoup(html, "html.parser")
    assert [paragraph.get_text() for paragraph in soup.find_all("p")] == ["before", "after"]
    assert soup.pre is not None
    assert soup.pre.get_text().strip("\n") == text.strip("\n")


@pytest.mark.fuzz
@given(st.text())
def test_controls_surrogates_and_reordering_marks_are_gone(text: str) -> None:
    import html

    for letter in html.unescape(inline(text)):
        assert unicodedata.category(letter) not in {"Cc", "Cs"}
        assert letter not in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "http://example.org/",
        "data:text/html,x",
        "//example.org",
        'https://x"onclick=1',
        "https://x y",
        " https://x",
        "HTTPS://x",
        "",
    ],
)
def test_only_https_becomes_a_link(url: str) -> None:
    assert link(url, "words") == inline("words")


def test_an_https_address_becomes_a_link() -> None:
    found = BeautifulSoup(link("https://arxiv.org/abs/2502.12067?a=1&b=2", "a < b"), "html.parser").a
    assert found is not None
    assert (found["href"], found.get_text()) == ("https://arxiv.org/abs/2502.12067?a=1&b=2", "a < b")


def test_a_number_carries_its_source_and_a_missing_one_is_a_dash() -> None:
    data = BeautifulSoup(number(0.9754, "methods/results/cot.json x", "percent"), "html.parser").data
    assert data is not None
    assert (data["data-source"], data["value"], data.get_text()) == ("methods/results/cot.json x", "0.9754", "97.5")
    assert BeautifulSoup(number(None, "x"), "html.parser").get_text() == "–"


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (1097, "count", "1\u202f097"),
        (433e6, "short", "433\u202fM"),
        (999, "short", "999"),
        (12.04, "tenths", "12.0"),
        (0.516, "ratio", "0.52"),
        (213.6, "", "213.6"),
        (0.03, "", "0.03"),
    ],
)
def test_numbers_are_written_as_their_kind_is_read(value: float, form: str, text: str) -> None:
    assert written(value, form) == text


def test_jinja_encodes_by_default() -> None:
    assert finalize("<b>") == "&#60;b&#62;"
    assert finalize(inline("<b>")) == "&#60;b&#62;"
    assert finalize(None) == ""
