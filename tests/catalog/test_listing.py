"""Lists are read by their structure: the shapes that real lists have, with contents of our own."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import Refused
from catalog.lists import defects
from catalog.lists.listing import Entry, decode, parse, read

ARXIV = "https://arxiv.org/abs/2501.00011"


def only(text: str) -> Entry:
    entries = parse(text)
    assert len(entries) == 1, entries
    return entries[0]


SHEEP = "Sheep Counted in Few Steps"
TITLE_COLUMN = f"""| Date | Title | Paper |
| - | - | - |
| 2025.01 | **{SHEEP}** | [link]({ARXIV}) |"""
ROW_WITH_BADGES_AND_NO_END = f"""| Title & Authors | Introduction | Links |
| - | - | - |
|[![S](https://x.org/s.svg)](https://x.org/a)<br>[{SHEEP}]({ARXIV}) <br> A. Example |<img src="f.png"> |[Paper]({ARXIV})|[//]: #5"""
TWO_LINES = f"""- **Sheep: Counted in Few Steps**
  *A. Example*. [[pdf]({ARXIV})], [[code](https://github.com/a/b)], 2025.01. ![](https://img.shields.io/badge/Sheep-blue)"""
NUMBERED = f"""1. 2025_Venue_SHP_{SHEEP}.
   [[arXiv]]({ARXIV})
   [[Github]](https://github.com/a/b)"""
SUMMARY = f"""<summary>{SHEEP} <a href="{ARXIV}">
 [Paper]
</a></summary>"""
NESTED = f"""- {SHEEP}
  - Paper: {ARXIV}
  - Code: https://github.com/a/b"""


@pytest.mark.parametrize(
    ("text", "title", "date"),
    [
        (f"- [{SHEEP}]({ARXIV})", SHEEP, None),
        (f"* {SHEEP} [[Paper]]({ARXIV}) ![](https://img.shields.io/badge/pdf-2025.01-red)", SHEEP, "2025.01"),
        (TWO_LINES, "Sheep: Counted in Few Steps", "2025.01"),
        (f"- **{SHEEP}**\n\nA. Example. [[pdf]({ARXIV})], 2025.01.", SHEEP, "2025.01"),
        (f'- **SHP**: "{SHEEP}". [![arXiv](https://img.shields.io/badge/arXiv-x-red)]({ARXIV})', SHEEP, None),
        (NUMBERED, SHEEP, "2025"),
        (SUMMARY, SHEEP, None),
        (TITLE_COLUMN, SHEEP, "2025.01"),
        (ROW_WITH_BADGES_AND_NO_END, SHEEP, None),
        (NESTED, SHEEP, None),
        (f"- [2025.01] {SHEEP}, [paper]({ARXIV})", SHEEP, "2025.01"),
    ],
)
def test_each_shape_of_entry(text: str, title: str, date: str | None) -> None:
    entry = only(f"# List\n\n## Part\n\n{text}\n")
    assert (entry.title, entry.printed_id, entry.date) == (title, "2501.00011", date)
    assert entry.section == ["List", "Part"]


def test_sections_follow_headings_bold_lines_and_groups() -> None:
    text = f"""# Top
## One
**Bold part**
- [First Paper Here]({ARXIV})
### Two
- Group of things
  - [Second Paper Here]({ARXIV})
## Three
- [Third Paper Here]({ARXIV})
"""
    assert [entry.section for entry in parse(text)] == [
        ["Top", "One", "Bold part"],
        ["Top", "One", "Two", "Group of things"],
        ["Top", "Three"],
    ]


def test_lines_are_those_of_the_file_in_markdown_and_in_raw_html() -> None:
    text = f"""# T

- [First Paper Here]({ARXIV})

<details>
<summary>Second Paper Here <a href='{ARXIV}'>p</a></summary>
</details>

<summary>Third Paper Here <a href='{ARXIV}'>p</a></summary>
"""
    assert [entry.line for entry in parse(text)] == [3, 6, 9]


def test_the_first_arxiv_link_counts_even_when_it_is_malformed() -> None:
    links = "[l](https://arxiv.org/abs/2501.000111) | [l](https://arxiv.org/abs/2402.00001)"
    entry = only(f"| Title | Paper | Code |\n|-|-|-|\n| {SHEEP} | {links} |")
    assert (entry.printed_id, entry.arxiv_id) == ("2501.000111", None)
    assert [defect["kind"] for defect in entry.defects] == ["malformed_id", "several_ids", "paper_link_as_code"]


def test_what_is_no_entry() -> None:
    text = f"""# List
- [Part](#part)
- 2025-05-22: The survey is out on [arXiv]({ARXIV})!
- **2025.05**: Some news with a [link]({ARXIV})
- March 20, 2025: More news [here]({ARXIV})
- [another/awesome-list](https://github.com/another/awesome-list)
- Just words
- [pdf]({ARXIV})
- [Sheep](javascript:alert(1))

```
- [Code Is Not a Listing]({ARXIV})
```
"""
    assert parse(text) == []


OTHER = "https://arxiv.org/abs/2402.00001"
ROWS = "| Date | Title | Paper | Code |\n| - | - | - | - |\n"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("malformed_id", f"- [{SHEEP}](https://arxiv.org/abs/2501.000111)"),
        ("malformed_link", f"- [{SHEEP}](https://gooarxiv.org/abs/2501.00011)"),
        ("malformed_link", f"- [{SHEEP}]({ARXIV}) [code](https://github.com/a/bhttps://github.com/a/b)"),
        ("several_ids", f"- {SHEEP} [paper]({ARXIV}) [pdf]({OTHER})"),
        ("paper_link_as_code", f"{ROWS}| 2025.01 | {SHEEP} | [link]({ARXIV}) | [link]({ARXIV}) |"),
        ("dead_link", f"- [![Venue](https://x.org/v.svg)]() [{SHEEP}]({ARXIV})"),
        ("date_mismatch", f"- [{SHEEP}]({ARXIV}) 2025.07"),
        ("date_mismatch", f"- [{SHEEP}]({ARXIV}), 2024"),
        ("date_one_month_off", f"- [{SHEEP}]({ARXIV}) 2024.12"),
        ("missing_cells", f"{ROWS}| 2025.01 | {SHEEP} | [link]({ARXIV}) |"),
        ("comment_in_row", f"{ROWS}| 2025.01 | {SHEEP} | [link]({ARXIV}) | - | [//]: #01/02"),
        ("full_width_bar", f"{ROWS}｜ 2025.01 ｜ {SHEEP} ｜ [link]({ARXIV}) ｜ - ｜"),
        ("authors_cut_off", f"{ROWS}| 2025.01 | <b>{SHEEP}</b><br>., <a href='{ARXIV}'>p</a> | - | - |"),
        ("stray_tag", f"{ROWS}| 2025.01 | <b>{SHEEP}</b> <a href='{ARXIV}'>p</a></li> | - | - |"),
        ("blank_line_inside", f"- **{SHEEP}**\n\n  *A. Example*. [[pdf]({ARXIV})]"),
        ("blank_line_inside", f"- **{SHEEP}**\n\nA. Example. [[pdf]({ARXIV})]"),
        ("line_not_indented", f"- **{SHEEP}**\n*A. Example*. [[pdf]({ARXIV})]"),
        ("unclosed_bracket", f"- **{SHEEP}** [[pdf]({ARXIV}), [[code](https://github.com/a/b)]\n- [Goats Came Home]({OTHER})"),
        ("encoded_title", f"- [Counting-Sheep-in-Fewer-Steps=A-Study]({ARXIV})"),
        ("encoded_title", f"- [Sheep- Counted in Few Steps]({ARXIV})"),
    ],
)
def test_each_slip_of_an_entry_is_told_by_kind(kind: str, text: str) -> None:
    told = [defect["kind"] for defect in parse(f"## Part\n\n{text}\n")[0].defects]
    assert told == [kind]


def test_slips_that_a_whole_list_shows() -> None:
    text = f"""## A
- [Sheep Counted in Few Steps]({ARXIV}) 2025.01 [code](https://github.com/a/b)
- [Sheep Counted in Few Steps]({ARXIV}), again
- [Goats Are Not Like That]({ARXIV})
- [Cows Came Home Late](https://arxiv.org/abs/2501.00022) [code](https://github.com/A/b.git)
- [[pdf]](https://arxiv.org/abs/2501.00033)
## B
- [Sheep Counted in Few Steps]({ARXIV})
- [Cows came home late!](https://arxiv.org/abs/2501.00044)
## C
1. [First Paper Here](https://arxiv.org/abs/2501.00055)
2. [Second Paper Here](https://arxiv.org/abs/2501.00056)
4. [Third Paper Here](https://arxiv.org/abs/2501.00057)
"""
    kinds = [sorted(defect["kind"] for defect in entry.defects) for entry in parse(text)]
    assert kinds == [
        ["shared_code"],
        ["duplicate"],
        ["id_used_twice"],
        ["shared_code"],
        ["missing_title"],
        [],  # the same paper in another section is meant
        ["title_used_twice"],
        [],
        [],
        ["numbering"],
    ]


def test_slips_of_the_list_itself() -> None:
    text = f"""# L
## Updates
- [Second part](#first-part)
###
### First part
- [Sheep Counted in Few Steps]({ARXIV})
### Second part
<summary>Goats Are Not Like That <a href="{OTHER}">p</a></summary>
"""
    told = [(defect["line"], defect["kind"]) for defect in read(text).defects]
    assert sorted(told) == [(3, "wrong_anchor"), (4, "empty_heading"), (6, "entries_under_news"), (8, "summary_without_details")]


def test_surplus_cells_and_repositories_among_papers_are_not_lost() -> None:
    entries = parse(
        f"{ROWS}| 2025.01 | {SHEEP} | - | - | [pdf]({ARXIV}) |\n| 2025.02 | Tool of Theirs | - | [link](https://github.com/a/b) |"
    )
    assert [(entry.title, entry.arxiv_id) for entry in entries] == [(SHEEP, "2501.00011"), ("Tool of Theirs", None)]


def test_a_json_list() -> None:
    entries = parse(json.dumps({"Part": [{"paper": SHEEP, "link": ARXIV, "date": "2025-01"}]}))
    assert [(e.title, e.section, e.printed_id, e.date, e.line) for e in entries] == [(SHEEP, ["Part"], "2501.00011", "2025-01", 1)]


def test_every_kind_is_documented_and_none_else_is_told() -> None:
    assert all(meaning for meaning in defects.KINDS.values())
    with pytest.raises(AssertionError):
        defects.defect("no_such_kind", "")


def test_hostile_titles_come_out_as_one_clean_line() -> None:
    entry = only(f"- [Sheep \u202egnitnuoc <script>alert(1)</script> {{: onclick=x }}]({ARXIV})")
    assert "\u202e" not in entry.title
    assert "\n" not in entry.title


@pytest.mark.parametrize("text", ["<ul>" * 20_000 + "<li>x", "- " * 3_000 + "a", "[" * 3_000, "|" * 5_000, "<!--line 9-->" * 50])
def test_deep_nesting_is_no_bomb(text: str) -> None:
    parse(text)


@pytest.mark.fuzz
@given(st.lists(st.sampled_from([*"-*[]()<>|#`\n ab:/\"'&\\!0", ARXIV, "<li>", "</a>", "<a href=", "<td>"])).map("".join))
def test_no_text_breaks_the_parser(text: str) -> None:
    for entry in parse(text):
        assert entry.line >= 1
        assert entry.urls


def test_a_list_not_utf8_is_refused_by_line() -> None:
    with pytest.raises(Refused, match="some.md: line 2: byte 0xff"):
        decode(b"fine\n\xff", "some.md")
