"""Lists composed in every style from facts that were read by hand in real lists: the parser must give the facts back."""

import pytest
from composing import STYLES, compose, facts, names, url
from hypothesis import given
from hypothesis import strategies as st

from catalog.lists.listing import Entry, parse

# A style may say less than a fact: these hold no section deeper than Markdown's six, and so on.
ENOUGH = 0.99


def right(entry: Entry | None, fact: dict[str, object]) -> bool:
    return entry is not None and (entry.title, entry.arxiv_id, entry.section) == (
        fact["title"],
        fact.get("arxiv_id"),
        fact["section"],
    )


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("style", STYLES)
def test_every_style_gives_the_facts_back(style: str, name: str) -> None:
    text, placed = compose(style, facts(name))
    entries = {entry.line: entry for entry in parse(text)}
    wrong = [
        (each.line, each.fact["title"], entries.get(each.line)) for each in placed if not right(entries.get(each.line), each.fact)
    ]
    assert len(wrong) <= (1 - ENOUGH) * len(placed), wrong[:3]
    assert len(entries) <= len(placed) * 1.01


@pytest.mark.fuzz
@given(
    st.sampled_from([style for style in STYLES if style != "paragraph"]),  # one alone cannot be told from prose
    st.sampled_from(names()),
    st.integers(0, 200),
    st.text(
        st.characters(blacklist_characters="<`~[]()\\#|｜>&!*_-+=:\t\r\n$\"'", blacklist_categories=["Cs", "Cc", "Zl", "Zp"]),
        max_size=60,
    ),
)
def test_words_between_sections_cost_no_link(style: str, name: str, start: int, words: str) -> None:
    chosen = facts(name)[start : start + 3] or facts(name)[:3]
    text, placed = compose(style, chosen, filler=lambda: [f"x {words.strip()} x"])
    read = {link for entry in parse(text) for link in entry.urls}
    assert {url(each.fact) for each in placed} <= read


@pytest.mark.fuzz
@given(st.sampled_from(STYLES), st.sampled_from(names()), st.integers(0, 200), st.data())
def test_a_damaged_list_still_reads(style: str, name: str, start: int, data: st.DataObject) -> None:
    text, _ = compose(style, facts(name)[start : start + 3] or facts(name)[:3])
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 30))
        text = (
            text[:place]
            + data.draw(st.sampled_from(["", "|", "\n", "<li>", "</a>", "](", "[", "**", "\0", "`", "<!--", "｜", "💥"]))
            + text[place + cut :]
        )
    lines = text.count("\n") + 1
    for entry in parse(text):
        assert 1 <= entry.line <= lines
        assert entry.urls
        assert entry.title == " ".join(entry.title.split())
        assert entry.title or any(defect["kind"] == "missing_title" for defect in entry.defects)
