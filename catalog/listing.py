"""A survey list → its entries, read by structure: Markdown becomes one HTML tree, walked in its own order, so that
tables, bullets and raw HTML all end in the same few shapes. No pattern is matched against a line of the file.
"""

import re
from dataclasses import dataclass, field

from bs4 import BeautifulSoup
from bs4.element import Comment, NavigableString, Tag
from markdown_it import MarkdownIt

from catalog import arxiv_id, entry_text
from catalog.entry_text import Run
from catalog.errors import Refused
from catalog.text import clean, fold, same_title

PARSER = 1  # raise it when the same list would give other entries: lists are then read anew, though unchanged
MAX_BYTES = 8_000_000  # many times the largest list known

HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
BOLD_LINE = 7  # a paragraph that is one bold phrase stands for a heading below any real one


@dataclass
class Entry:
    """One listing as printed. `line` counts from 1; `arxiv_id` is well-formed but not yet believed (see resolving)."""

    line: int
    section: list[str]
    title: str
    urls: list[str]
    printed_id: str | None = None
    arxiv_id: str | None = None
    date: str | None = None
    defects: list[dict[str, str]] = field(default_factory=list)


def decode(body: bytes, name: str) -> str:
    """Raises `Refused` naming the list and the first bad byte where it is not UTF-8, or is too large."""
    if len(body) > MAX_BYTES:
        raise Refused(f"{name}: {len(body)} bytes, more than the {MAX_BYTES} a survey list may have")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body[: error.start].count(b"\n") + 1
        raise Refused(f"{name}: line {line}: byte 0x{body[error.start]:02x} is not UTF-8") from None


def parse(text: str) -> list[Entry]:
    """The entries of a Markdown list, in its order. Never raises, whatever the text."""
    entries: list[Entry] = []
    headings: list[tuple[int, str]] = []
    groups: dict[int, str] = {}  # bullets that only name the bullets below them
    columns: dict[int, int] = {}  # where a table has its titles
    cut_off: Entry | None = None  # a title whose authors and links a blank line cut off

    def enter(level: int, heading: str) -> None:
        while headings and headings[-1][0] >= level:
            headings.pop()
        headings.append((level, heading))

    def add(tag: Tag, pieces: list[Run], titled: list[Run] | None = None) -> None:
        nonlocal cut_off
        above = [groups[id(parent)] for parent in reversed(list(tag.parents)) if id(parent) in groups]
        entry = _entry(tag, [name for _, name in headings] + above, pieces, titled)
        if entry_text.names_a_document(entry.urls) and entry_text.is_title(entry.title):
            entries.append(entry)
        cut_off = entry if entry.title and not entry.urls else None

    for tag in _tree(text).find_all([*HEADINGS, "p", "li", "tr", "summary"]):
        if tag.name in HEADINGS:
            if heading := clean(tag.get_text(" ")):
                enter(HEADINGS.index(tag.name) + 1, heading)
        elif tag.name == "tr":
            table, cells = id(tag.find_parent("table")), tag.find_all(["td", "th"], recursive=False)
            if tag.find("th"):
                columns[table] = entry_text.title_column([clean(cell.get_text(" ")) for cell in cells])
            else:
                column = columns.get(table, -1)
                titled = entry_text.runs(cells[column]) if 0 <= column < len(cells) else None
                add(tag, [run for cell in cells for run in [*entry_text.runs(cell), Run("break")]], titled)
        elif tag.name == "summary":
            add(tag, entry_text.runs(tag))
        elif tag.name == "li":
            own, below = entry_text.runs(tag, without=("ul", "ol", "table")), tag.find_all("li")
            if entry_text.is_news(own):
                continue
            if not below:
                if not tag.find_parent("li") or _names_a_paper(own):
                    add(tag, own)
            elif not any(_names_a_paper(entry_text.runs(item)) for item in below):
                add(tag, entry_text.runs(tag))  # the bullets below hold this entry's links
            elif any(run.href for run in own):
                add(tag, own)
            else:
                groups[id(tag)] = clean("".join(run.text for run in own))
        elif not tag.find_parent(["li", "td", "summary"]):
            pieces = entry_text.runs(tag)
            if heading := entry_text.bold_line(pieces):
                enter(BOLD_LINE, heading)
            elif cut_off and any(arxiv_id.from_url(url) for url in entry_text.urls(pieces)):
                _fill(cut_off, pieces)
                entries.append(cut_off)
            cut_off = None
    _mark_duplicates(entries)
    return entries


def _names_a_paper(pieces: list[Run]) -> bool:
    return bool(entry_text.urls(pieces)) and entry_text.is_title(entry_text.title(pieces))


def _tree(text: str) -> BeautifulSoup:
    """Markdown as an HTML tree; its block elements carry `data-line`, their line in the source, counted from 1."""
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    tokens = parser.parse(text.replace("\0", ""))
    for token in tokens:
        if token.map and token.nesting == 1:
            token.attrSet("data-line", str(token.map[0] + 1))
        elif token.map and token.type == "html_block":
            # Raw HTML is passed on line by line, so its first line is enough to number the rest.
            token.content = f"<!--line {token.map[0] + 1}-->{token.content}"
    return BeautifulSoup(parser.renderer.render(tokens, parser.options, {}), "html.parser")


def _line(tag: Tag) -> int:
    for holder in (tag, *tag.parents):
        if number := holder.get("data-line"):
            return int(str(number)) if str(number).isdecimal() else 1
    marker = tag.find_previous(string=lambda text: isinstance(text, Comment) and text.startswith("line "))
    if not isinstance(marker, Comment) or not marker[5:].isdecimal():
        return 1
    # The parser numbers tags, not comments: count the line breaks between the marker and the tag.
    between, node = 0, marker.next_element
    while node is not None and node is not tag:
        between += str(node).count("\n") if isinstance(node, NavigableString) else 0
        node = node.next_element
    return int(marker[5:]) + between


def _entry(tag: Tag, section: list[str], pieces: list[Run], titled: list[Run] | None) -> Entry:
    title = entry_text.title(titled or pieces) or entry_text.title(pieces)
    entry = Entry(_line(tag), [name for name in section if name], title, [])
    _fill(entry, pieces)
    return entry


def _fill(entry: Entry, pieces: list[Run]) -> None:
    entry.urls = entry_text.urls(pieces)
    entry.date = entry_text.date(pieces, entry.title)
    printed = [found for url in entry.urls if (found := arxiv_id.from_url(url))]
    if not printed:
        return
    # The first link that leads to arXiv, well-formed or not: a later one may be another paper's.
    entry.printed_id, entry.arxiv_id = clean(printed[0].text), printed[0].bare
    if entry.arxiv_id is None:
        entry.defects.append({"kind": "malformed_id", "detail": f"{entry.printed_id} is not an arXiv id"})
    others = sorted({clean(found.text) for found in printed[1:]} - {entry.printed_id})
    if others:
        entry.defects.append({"kind": "several_ids", "detail": f"also links to {', '.join(others)}"})
    if months := _months_apart(entry):
        entry.defects.append({"kind": "date_mismatch", "detail": f"printed {entry.date}, {months} the id's month"})


def _months_apart(entry: Entry) -> str:
    """How far a printed month stands from the id's, when by two months or more: one is often the end of a month."""
    said = re.match(r"(20\d\d)[./-](\d\d?)", entry.date or "")
    number = re.match(r"(\d\d)(\d\d)\.", entry.arxiv_id or "")
    if not said or not number:
        return ""
    gap = (int(said[1]) - 2000 - int(number[1])) * 12 + int(said[2]) - int(number[2])
    return f"{abs(gap)} months {'after' if gap > 0 else 'before'}" if abs(gap) >= 2 else ""


def _mark_duplicates(entries: list[Entry]) -> None:
    """One paper twice in one section is a slip; in several sections it is meant."""
    first: dict[tuple[str, ...], Entry] = {}
    for entry in entries:
        known = first.setdefault((*entry.section, entry.arxiv_id or fold(entry.title)), entry)
        if known is not entry and same_title(known.title, entry.title):
            entry.defects.append({"kind": "duplicate", "detail": f"stands at line {known.line} of this section too"})
        elif known is not entry:
            detail = f"{entry.arxiv_id} is printed at line {known.line} for another title"
            entry.defects.append({"kind": "id_used_twice", "detail": detail})
