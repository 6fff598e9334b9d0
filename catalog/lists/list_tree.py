"""A survey list as one HTML tree that knows its lines: Markdown and raw HTML end in the same shapes.

What the renderer would swallow (surplus cells of a row, a list's own numbers, stray tags) is kept: as elements where it
may hold links, as `data-defect-KIND` attributes where it is a slip of the list's author.
"""

import re
from collections import Counter
from collections.abc import Iterator

from bs4 import BeautifulSoup
from bs4.element import Comment, NavigableString, Tag
from markdown_it import MarkdownIt
from markdown_it.token import Token

from catalog.text import clean

_MARK = "data-defect-"
_BAR = re.compile(r"(?<!\\)\|")
_COMMENT_CELL = re.compile(r"\s*\[//\]:|\s*<!--")
_FULL_WIDTH_ROW = re.compile(r"\s*[|｜].*｜|.*｜.*[|｜]\s*$")
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)[^>]*?(/?)>")
_VOID = frozenset({"br", "img", "hr", "input", "wbr", "p", "source"})


def tree(text: str) -> BeautifulSoup:
    """The tree; its block elements carry `data-line`, their line in the source, counted from 1."""
    lines = text.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    full_width = {number for number, line in enumerate(lines, 1) if _FULL_WIDTH_ROW.match(line)}
    for number in full_width:
        lines[number - 1] = lines[number - 1].replace("｜", "|")
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    tokens = parser.parse("\n".join(lines))
    columns = 0
    for position, token in enumerate(tokens):
        if token.type == "thead_open":
            columns = sum(each.type == "th_open" for each in _until(tokens, position, "thead_close"))
        if token.map and token.nesting == 1:
            line = token.map[0] + 1
            token.attrSet("data-line", str(line))
            if token.type == "tr_open" and line <= len(lines):
                _mark_row(token, _cells(lines[line - 1]), columns)
                if line in full_width:
                    token.attrSet(_MARK + "full_width_bar", "｜ stands for |")
            elif token.type == "list_item_open" and token.info:
                token.attrSet("data-number", token.info)
        elif token.map and token.type == "html_block":
            # Raw HTML is passed on line by line, so its first line is enough to number the rest.
            token.content = f"<!--line {token.map[0] + 1}-->{token.content}"
        elif token.type == "inline" and position and (stray := _stray(token)):
            tokens[position - 1].attrSet(_MARK + "stray_tag", f"{stray} closes nothing")
    kept = list(_with_surplus_cells(tokens, lines, parser))
    soup = BeautifulSoup(parser.renderer.render(kept, parser.options, {}), "html.parser")
    _number_raw_html(soup)
    return soup


def _number_raw_html(soup: BeautifulSoup) -> None:
    """Gives the tags of raw HTML their lines, counted from the marker in front of their block."""
    line: int | None = None  # None: among Markdown's own elements, which know theirs
    for node in soup.descendants:
        if isinstance(node, Comment) and node.startswith("line ") and node[5:].isdecimal():
            line = _number(node[5:])
        elif isinstance(node, NavigableString):
            line = line and line + node.count("\n")
        elif isinstance(node, Tag) and node.has_attr("data-line"):
            line = None
        elif isinstance(node, Tag) and line:
            node["data-line"] = str(line)


def line_of(tag: Tag) -> int:
    """The line of the source in which `tag` starts, from 1."""
    for holder in (tag, *tag.parents):
        if number := holder.get("data-line"):
            return _number(str(number))
    return 1


def marks(tag: Tag) -> dict[str, str]:
    """Kind → detail of the slips seen at `tag` while it was read, and at the cells of a row."""
    holders = [tag, *(tag.find_all(["td", "p"], recursive=False))]
    return {
        name.removeprefix(_MARK): clean(str(value))
        for holder in holders
        for name, value in holder.attrs.items()
        if name.startswith(_MARK)
    }


def number_of(item: Tag) -> int | None:
    """The number that the list's author gave an item of an ordered list."""
    given = str(item.get("data-number") or "")
    return _number(given) if given else None


def _number(text: str) -> int:
    return int(text) if len(text) < 10 and text.isdecimal() and text.isascii() else 1  # a list may bring its own attributes


def _cells(line: str) -> list[str]:
    """The cells of a row as the source has them; also those that a table of fewer columns would drop."""
    cells = _BAR.split(line.strip())
    return cells[1 if cells[0].strip() == "" else 0 : -1 if cells[-1].strip() == "" and len(cells) > 1 else None]


def _mark_row(token: Token, cells: list[str], columns: int) -> None:
    if cells and _COMMENT_CELL.match(cells[-1]):
        token.attrSet(_MARK + "comment_in_row", "ends in a comment instead of a bar")
    elif columns and 0 < len(cells) < columns:
        token.attrSet(_MARK + "missing_cells", f"{len(cells)} of {columns} cells")


def _with_surplus_cells(tokens: list[Token], lines: list[str], parser: MarkdownIt) -> Iterator[Token]:
    cells, seen = [], 0
    for token in tokens:
        if token.type == "tr_open" and token.map and token.map[0] < len(lines):
            cells, seen = _cells(lines[token.map[0]]), 0
        elif token.type in ("td_open", "th_open"):
            seen += 1
        elif token.type == "tr_close":
            for cell in cells[seen:]:
                if not _COMMENT_CELL.match(cell):
                    yield Token("td_open", "td", 1)
                    yield from parser.parseInline(cell.strip())
                    yield Token("td_close", "td", -1)
        yield token


def _until(tokens: list[Token], start: int, kind: str) -> Iterator[Token]:
    for token in tokens[start:]:
        if token.type == kind:
            return
        yield token


def _stray(inline: Token) -> str:
    """A closing tag that nothing opened in the same cell, item or paragraph."""
    opened: Counter[str] = Counter()
    for child in inline.children or []:
        if child.type != "html_inline" or not (found := _TAG.fullmatch(child.content)):
            continue
        closing, name, empty = found[1], found[2].lower(), found[3]
        if closing and not opened[name] and name not in _VOID:
            return f"</{name}>"
        if not empty:
            opened[name] += -1 if closing else 1
    return ""
