"""A survey list → its entries, read by structure: Markdown becomes one HTML tree, walked in its own order, so that
tables, bullets and raw HTML all end in the same few shapes. No pattern is matched against a line of the file.
"""

import re
from dataclasses import dataclass, field

from bs4.element import Tag

from catalog import arxiv_id
from catalog.errors import Refused
from catalog.lists import defects, entry_text, list_tree, listing_json
from catalog.lists.defects import Defect, defect
from catalog.lists.entry_text import Run
from catalog.text import clean, fold

PARSER = 2  # raise it when the same list would give other entries: lists are then read anew, though unchanged
MAX_BYTES = 8_000_000  # many times the largest list known

HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
BOLD_LINE = 7  # a paragraph that is one bold phrase stands for a heading below any real one
# A line that continues a bullet although nothing indents it: no blank, and no start of another block.
_LAZY = re.compile(r"(?![-*+] |\d+[.)] |[#|<>`~=]|-{2,}|\*{3})\S")
NEWS = frozenset({"news", "update", "updates", "changelog", "announcement", "announcements", "milestones"})


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
    defects: list[Defect] = field(default_factory=list)


@dataclass
class Parsed:
    """The entries of a list in its order, and what is amiss with the list as a whole (`line, kind, detail`)."""

    entries: list[Entry] = field(default_factory=list)
    defects: list[dict[str, str | int]] = field(default_factory=list)


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
    """The entries of a Markdown or JSON list, in its order. Never raises, whatever the text."""
    return read(text).entries


def read(text: str) -> Parsed:
    """The entries of a Markdown or JSON list, and the defects of the list itself. Never raises, whatever the text."""
    found = listing_json.records(text)
    if found is None:
        parsed = _Reader(text).read()
    else:
        parsed = Parsed()
        for record in found:
            pieces = [Run("text", record.title), *(Run("text", "link", url) for url in record.urls)]
            entry = _entry(record.line, record.section, record.title, pieces, frozenset())
            entry.date = entry_text.date([Run("text", record.date)], "") or entry.date
            parsed.entries.append(entry)
    for entry in parsed.entries:
        entry.defects += defects.of_date(entry.date, entry.arxiv_id) + defects.of_title(entry.title)
    _forgive_the_style(parsed.entries, "unclosed_bracket")
    defects.within(parsed.entries)
    return parsed


class _Reader:
    """Walks the tree once; what was met before decides what an element means."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        self.tree = list_tree.tree(text)
        self.parsed = Parsed()
        self.headings: list[tuple[int, str]] = []
        self.slugs: dict[str, str] = {}  # anchor → the heading it leads to
        self.groups: dict[int, str] = {}  # bullets that only name the bullets below them
        self.columns: dict[int, list[str]] = {}  # the header of each table
        self.cut_off: Entry | None = None  # a title whose authors and links a blank line cut off
        self.doubtful: list[tuple[Entry, Tag]] = []  # no title, or no document: entries where their neighbours are
        # Two paragraphs in a row that each start with a title: a list without bullets.
        self.of_paragraphs = any(_is_entry(tag) and _in_a_row(tag) for tag in self.tree.find_all("p"))
        self.neighbours: set[int] = set()  # tables and lists that hold an entry

    def read(self) -> Parsed:
        for tag in self.tree.find_all([*HEADINGS, "p", "li", "tr", "summary"]):
            if tag.name in HEADINGS:
                self._heading(tag)
            elif tag.name == "tr":
                self._row(tag)
            elif tag.name == "summary":
                self._summary(tag)
            elif tag.name == "li":
                self._item(tag)
            elif not tag.find_parent(["li", "td", "summary"]):
                self._paragraph(tag)
        self.parsed.entries += [entry for entry, tag in self.doubtful if id(tag.parent) in self.neighbours]
        self.parsed.entries.sort(key=lambda entry: entry.line)
        self._numbering()
        self._anchors()
        self._news()
        return self.parsed

    def _heading(self, tag: Tag) -> None:
        heading = clean(tag.get_text(" "))
        if not heading:
            self._amiss(tag, "empty_heading", f"<{tag.name}> without text")
            return
        self.slugs.setdefault(entry_text.anchor(heading), heading)
        self._enter(HEADINGS.index(tag.name) + 1, heading)

    def _enter(self, level: int, heading: str) -> None:
        while self.headings and self.headings[-1][0] >= level:
            self.headings.pop()
        self.headings.append((level, heading))

    def _row(self, tag: Tag) -> None:
        table, cells = id(tag.find_parent("table")), tag.find_all(["td", "th"], recursive=False)
        if tag.find("th"):
            self.columns[table] = [clean(cell.get_text(" ")) for cell in cells]
            return
        header = self.columns.get(table, [])
        column = entry_text.title_column(header)
        titled = entry_text.runs(cells[column]) if 0 <= column < len(cells) else None
        code: set[str] = set()
        for name, cell in zip(header, cells):
            if {"code", "github", "repo", "repository"} & set(fold(name).split()):
                code.update(entry_text.urls(entry_text.runs(cell)))
        self._add(tag, [run for cell in cells for run in [*entry_text.runs(cell), Run("break")]], titled, code)

    def _summary(self, tag: Tag) -> None:
        if not tag.find_parent("details") and not any(each["kind"] == "summary_without_details" for each in self.parsed.defects):
            self._amiss(tag, "summary_without_details", "the first of them")
        self._add(tag, entry_text.runs(tag))

    def _item(self, tag: Tag) -> None:
        own, below = entry_text.runs(tag, without=("ul", "ol", "table")), tag.find_all("li")
        if entry_text.is_news(own, any(NEWS & set(fold(name).split()) for _, name in self.headings)):
            return
        if not below:
            if not tag.find_parent("li") or _names_a_paper(own):
                self._add(tag, own)
        elif not any(_names_a_paper(entry_text.runs(item)) for item in below):
            # The bullets below hold this entry's links, or tell about the paper that it links itself.
            self._add(tag, own if entry_text.names_a_document(own) else entry_text.runs(tag))
        elif any(run.href for run in own):
            self._add(tag, own)
        else:
            self.groups[id(tag)] = clean("".join(run.text for run in own))

    def _paragraph(self, tag: Tag) -> None:
        pieces = entry_text.runs(tag)
        if heading := entry_text.bold_line(pieces):
            self._enter(BOLD_LINE, heading)
            self.cut_off = None
        elif self.cut_off and entry_text.links_by_label(pieces):
            whole = _entry(self.cut_off.line, self.cut_off.section, self.cut_off.title, pieces, frozenset())
            whole.defects.append(defect("blank_line_inside", f"authors and links stand at line {list_tree.line_of(tag)}"))
            self.parsed.entries.append(whole)
            self.cut_off = None
        elif self.of_paragraphs and _is_entry(tag) and (_in_a_row(tag) or any(map(arxiv_id.from_url, entry_text.urls(pieces)))):
            self._add(tag, pieces)
        else:
            self.cut_off = None

    def _add(self, tag: Tag, pieces: list[Run], titled: list[Run] | None = None, code: set[str] | None = None) -> None:
        above = [self.groups[id(parent)] for parent in reversed(list(tag.parents)) if id(parent) in self.groups]
        section = [name for name in [*(name for _, name in self.headings), *above] if name]
        title = entry_text.title(titled or pieces) or entry_text.title(pieces)
        entry = _entry(list_tree.line_of(tag), section, title, pieces, code or set())
        self.cut_off = entry if entry.title and not entry.urls else None
        titled_well = entry_text.is_title(entry.title, 2 if entry.arxiv_id else 6)
        if not titled_well and not (entry.arxiv_id and entry_text.is_label(entry.title)):
            return
        entry.defects += [defect(kind, detail) for kind, detail in list_tree.marks(tag).items() if kind in defects.OF_AN_ENTRY]
        if tag.name == "li":
            self._layout(entry, tag)
        if titled_well and entry_text.names_a_document(pieces):
            self.parsed.entries.append(entry)
            self.neighbours.add(id(tag.parent))
        elif entry.urls and tag.name in ("li", "tr"):
            if not titled_well:
                entry.title = ""
                entry.defects.append(defect("missing_title", "links without a title"))
            self.doubtful.append((entry, tag))

    def _layout(self, entry: Entry, tag: Tag) -> None:
        """Slips in how the lines of a bullet are set."""
        first, *rest = tag.find_all("p", recursive=False) or [tag]
        if rest and not first.find("a", href=True) and any(paragraph.find("a", href=True) for paragraph in rest):
            entry.defects.append(defect("blank_line_inside", f"authors and links stand at line {list_tree.line_of(rest[0])}"))
        following = self.lines[entry.line : entry.line + 1] if tag.has_attr("data-line") else []
        if following and _LAZY.match(following[0]):
            entry.defects.append(defect("line_not_indented", "the next line is not indented"))

    def _amiss(self, tag: Tag, kind: str, detail: str) -> None:
        self.parsed.defects.append({"line": list_tree.line_of(tag), **defect(kind, detail)})

    def _numbering(self) -> None:
        by_line = {entry.line: entry for entry in self.parsed.entries}
        for ordered in self.tree.find_all("ol"):
            items = ordered.find_all("li", recursive=False)
            numbers = [list_tree.number_of(item) for item in items]
            given = [number for number in numbers if number is not None]
            if len(given) != len(items):
                continue
            for place, why in defects.jumps(given).items():
                if entry := by_line.get(list_tree.line_of(items[place])):
                    entry.defects.append(defect("numbering", why))

    def _anchors(self) -> None:
        by_name = {fold(heading): anchor for anchor, heading in self.slugs.items()}
        for link in self.tree.find_all("a", href=True):
            target = str(link["href"]).removeprefix("#").lower()
            named = clean(link.get_text(" "))
            right = by_name.get(fold(named))
            if str(link["href"]).startswith("#") and right and right != target and target in self.slugs:
                self._amiss(link, "wrong_anchor", f"“{named}” leads to “{self.slugs[target]}”")

    def _news(self) -> None:
        sections = [entry.section for entry in self.parsed.entries]
        for place in range(min(map(len, sections), default=0)):
            name = sections[0][place]
            if all(section[place] == name for section in sections) and NEWS & set(fold(name).split()):
                where = {"line": self.parsed.entries[0].line}
                self.parsed.defects.append({**where, **defect("entries_under_news", f"under “{name}”")})


def _forgive_the_style(entries: list[Entry], kind: str) -> None:
    """What most entries of a list do is its way of writing, not a slip."""
    slipped = [entry for entry in entries if any(each["kind"] == kind for each in entry.defects)]
    if len(slipped) > len(entries) / 2:
        for entry in slipped:
            entry.defects = [each for each in entry.defects if each["kind"] != kind]


def _names_a_paper(pieces: list[Run]) -> bool:
    return bool(entry_text.urls(pieces)) and entry_text.is_title(entry_text.title(pieces))


def _is_entry(tag: Tag | None) -> bool:
    """Whether a paragraph starts with a title that is linked or bold, and links to a document."""
    return tag is not None and tag.name == "p" and entry_text.starts_with_title(entry_text.runs(tag))


def _twice(url: str, pieces: list[Run]) -> bool:
    """Whether one address stands on two links: as the paper's and once more as its code."""
    return sum(run.href == url and before.href != url for before, run in zip([Run("break"), *pieces], pieces)) > 1


def _in_a_row(tag: Tag) -> bool:
    return _is_entry(tag.find_previous_sibling()) or _is_entry(tag.find_next_sibling())


def _entry(line: int, section: list[str], title: str, pieces: list[Run], code: set[str] | frozenset[str]) -> Entry:
    entry = Entry(line, section, title, entry_text.urls(pieces))
    entry.date = entry_text.date(pieces, title)
    code = code | entry_text.code_urls(pieces)
    found = [(run.href, read) for run in pieces if run.href and (read := arxiv_id.from_url(run.href))]
    # A paper given as code is another one's link, or this one's once more; only outside code cells it is the id.
    printed = [each for url, each in found if url not in code] or [each for url, each in found[:1] if _twice(url, pieces)]
    as_code = {each.bare or each.text for url, each in found if url in code}
    if printed:
        # The first link that leads to arXiv, well-formed or not: a later one may be another paper's.
        entry.printed_id, entry.arxiv_id = clean(printed[0].text), printed[0].bare
        if entry.arxiv_id is None:
            entry.defects.append(defect("malformed_id", f"{entry.printed_id} is not an arXiv id"))
        others = sorted(({clean(each.text) for each in printed[1:]} | as_code) - {entry.printed_id})
        if others:
            entry.defects.append(defect("several_ids", f"also links to {', '.join(others)}"))
    if as_code:
        entry.defects.append(defect("paper_link_as_code", f"{', '.join(sorted(as_code))} given as code"))
    for url in entry.urls:
        if why := defects.of_link(url):
            entry.defects.append(defect("malformed_link", why))
    entry.defects += [defect(kind, detail) for kind, detail in entry_text.slips(pieces, title)]
    return entry
