"""A slimmer page says the same: no text, tag or attribute of the content changes, whatever strangers wrote into it."""

from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

from catalog.pages.evidence import read
from catalog.pages.inline import inline
from catalog.pages.slimming import slim

TEXT = st.text() | st.text("<>&\"'`={}: \n#;039onclick")


@given(TEXT)
def test_decoding_changes_no_text_and_makes_no_markup(text: str) -> None:
    html = f'<body><article><p title="{inline(text)}" lang=x>{inline(text)}</p></article></body>'
    before, after = (BeautifulSoup(page, "html.parser") for page in (html, slim(html)))
    assert before == after
    assert [tag.name for tag in after.find_all()] == ["body", "article", "p"]


def test_blanks_go_outside_the_content_and_stay_in_code() -> None:
    code = '<article><pre><code><b>a</b>\n\n    <b>b</b></code></pre></article>'
    assert slim(f"<nav>\n\n   <a>x</a> \n </nav>{code}") == f"<nav>\n<a>x</a>\n</nav>{code}"


def test_code_keeps_its_words_and_the_colours_that_it_has() -> None:
    html = '<article><span class="k">def</span><span class="w"> </span><span class="n">f</span><span class="p">(</span></article>'
    assert slim(html) == '<article><span class="k">def</span> f(</article>'


def test_a_table_says_once_which_file_its_numbers_come_from() -> None:
    cells = "".join(f'<td><data value="{n}" data-source="methods/results/x.json results.{n}">{n}</data></td>' for n in range(9))
    other = '<td><data value="1" data-source="catalog/entries/x.toml">1</data></td>'
    html = f'<article><table class="numbers"><tr>{cells}{other}</tr></table></article>'
    assert slim(html).count("x.json") == 1
    assert read(slim(html)) == read(html)
    mixed = html.replace("catalog/entries/x.toml", "survey, Table 1")  # no file: it must not be taken for a place in one
    assert slim(mixed) == mixed


def test_pieces_of_one_colour_become_one() -> None:
    doc = '<span class="sd">"""One.</span>\n\n<span class="sd">    Two."""</span>'
    html = f'<article><pre>{doc} <span class="k">def</span> <span class="k">is</span> <span class="c1"># a</span></pre></article>'
    assert slim(html) == html.replace('</span>\n\n<span class="sd">', "\n\n")
