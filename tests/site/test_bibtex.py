"""BibTeX that any title survives: read back by BibTeX's own rule, under which an escaped brace is a brace."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.pages.bibtex import bibtex, escape
from catalog.text import clean

# What TeX shows for what we write; longest first.
SHOWN = {
    r"\textbackslash{}": "\\", r"\textasciitilde{}": "~", r"\textasciicircum{}": "^", r"\textbraceleft{}": "{",
    r"\textbraceright{}": "}", r"\%": "%", r"\#": "#", r"\&": "&", r"\_": "_", r"\$": "$",
}  # fmt: skip
HOSTILE = st.lists(
    st.one_of(st.sampled_from([*"\\{}%#&_$~^\",@=\n", " and ", "}}", "@misc{x,", "\\input{x}"]), st.text(max_size=6)), max_size=12
).map("".join)


def read(text: str) -> list[tuple[str, dict[str, str]]]:
    """(key, fields) of each record, by brace counting alone."""
    found = []
    for record in braced(text, "@misc"):
        key, _, rest = record.partition(",")
        fields = {}
        while begun := re.match(r"\s*([A-Za-z]+) = (?=\{)", rest):
            value = next(braced(rest[begun.end() :], ""))
            fields[begun[1]] = value
            rest = rest[begun.end() + len(value) + 2 :].removeprefix(",")
        assert not rest.strip(), rest
        found.append((key, fields))
    return found


def braced(text: str, before: str):  # type: ignore[no-untyped-def]
    """What stands in braces behind `before`, nesting counted as BibTeX counts it: a backslash changes nothing."""
    at = 0
    while (begin := text.find(before + "{", at)) >= 0:
        depth, end = 0, begin + len(before)
        while True:
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
            if depth == 0:
                break
        yield text[begin + len(before) + 1 : end - 1]
        at = end


def shown(tex: str) -> str:
    """The text that TeX would set; fails on anything that it would take for a command."""
    pattern = "|".join(map(re.escape, SHOWN))
    assert not re.search(r"[\\{}%#&_$~^]", re.sub(pattern, "", tex)), tex
    return re.sub(pattern, lambda found: SHOWN[found.group()], tex)


def names(field: str) -> list[str]:
    """A list of authors as BibTeX takes it apart: at each `and` outside of braces."""
    inner = field.replace(r"\textbackslash{}", "\\textbackslash\0").replace("{}", "\0")
    parts, depth, start = [], 0, 0
    for place, letter in enumerate(inner):
        depth += {"{": 1, "}": -1}.get(letter, 0)
        if depth == 0 and re.match(r" and ", inner[place:], re.IGNORECASE):
            parts.append(inner[start:place])
            start = place + 5
    restored = [part.replace("\0", "{}") for part in [*parts, inner[start:]]]
    return [part[1:-1] if part.startswith("{") else part for part in restored]


@pytest.mark.fuzz
@given(HOSTILE, st.lists(HOSTILE.filter(lambda text: clean(text) != ""), max_size=4), HOSTILE)
def test_what_is_written_is_read_back(title: str, authors: list[str], venue: str) -> None:
    text = bibtex(title, authors, 2025, "2502.12067", venue)
    ((key, fields),) = read(f"{text}\n\n")
    assert re.fullmatch(r"[a-z]+2025[a-z]+", key)
    assert shown(fields["title"].removeprefix("{").removesuffix("}")) == clean(title)
    assert fields["title"].startswith("{")
    assert [shown(name) for name in names(fields.get("author", ""))] == ([clean(name) for name in authors] or [""])
    assert shown(fields.get("note", "")) == clean(venue)
    assert (fields["eprint"], fields["year"]) == ("2502.12067", "2025")


@pytest.mark.fuzz
@given(st.lists(HOSTILE, max_size=5))
def test_one_record_never_swallows_the_next(titles: list[str]) -> None:
    text = "\n\n".join(bibtex(title, [], None, None) for title in titles)
    assert [shown(fields["title"][1:-1]) for _, fields in read(text)] == [clean(title) for title in titles]


def test_what_tex_reads_as_a_command_is_escaped() -> None:
    assert escape("\\input{x} 50% #1 & a_b $y$ ~ ^") == (
        r"\textbackslash{}input\textbraceleft{}x\textbraceright{} 50\% \#1 \& a\_b \$y\$ \textasciitilde{} \textasciicircum{}"
    )


def test_a_record_keeps_capitals_and_names() -> None:
    text = bibtex("A Title: {Braces}", ["Ann Müller", "Bo O'Neil", "Band, The"], 2025, "2502.12067", "A Place")
    assert text.splitlines() == [
        "@misc{muller2025title,",
        r"  title = {{A Title: \textbraceleft{}Braces\textbraceright{}}},",
        "  author = {Ann Müller and Bo O'Neil and {Band, The}},",
        "  year = {2025},",
        "  eprint = {2502.12067},",
        "  archivePrefix = {arXiv},",
        "  note = {A Place},",
        "}",
    ]


def test_what_is_not_known_is_left_out() -> None:
    assert bibtex("Known by Name", [], None, None).splitlines() == [
        "@misc{anonymousknown,",
        "  title = {{Known by Name}},",
        "}",
    ]
