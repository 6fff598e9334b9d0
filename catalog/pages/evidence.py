"""The last look at the built pages: every number shows where it came from, and every entry has its page.

Pages that are made from data are held to it; prose that people wrote by hand (site/docs, CONTRIBUTING, CHANGELOG) is not, and
neither are the lists of papers, whose digits are titles, ids and dates.
"""

import re
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path

from catalog.entries import METRICS, Entry
from catalog.errors import Refused

# A digit may stand in code, ids, dates and titles of works, and in what names its source.
_PLAIN = {"code", "pre", "data", "time", "cite", "script", "style", "title", "svg"}
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
_ROW = re.compile(r"(catalog/entries/([a-z0-9_]+)\.toml) reported\[(\d+)\]\.rows\[(\d+)\]\.([a-z_]+)(?:;|$)")
# Names that hold a digit, written by templates in running text.
_NAMES = re.compile(r"95 % intervals|\barXiv \d{4}\.\d{4,5}\b|\b[DSL]\d+\b")
_FREE = ("papers/", "404.html", "finding.html")


def check(folder: Path, written: Iterable[Entry], docs: Path) -> None:
    """Raises `Refused` (exit 1) that names the page, for a number without evidence and for a slug without a page."""
    entries = {entry.slug: entry for entry in written}
    for slug in entries:
        if not (folder / "methods" / f"{slug}.html").is_file():
            raise Refused(f"methods/{slug}.html: the entry {slug!r} has no page")
    by_hand = {path.relative_to(docs).with_suffix(".html").as_posix() for path in docs.rglob("*.md")}
    by_hand |= {"contributing.html", "changes.html"}
    for path in sorted(folder.rglob("*.html")):
        name = path.relative_to(folder).as_posix()
        if name in by_hand or name.startswith(_FREE):
            continue
        page = _Page()
        html = path.read_text("utf-8")
        page.feed(html[html.find("<article") : html.rfind("</article>")])  # around it stands the theme's own
        for text in page.bare:
            raise Refused(f"{name}: the number in {text!r} does not say where it came from")
        for source, value in page.numbers:
            _found(name, source, value, entries)


def _found(name: str, source: str, value: str | None, entries: dict[str, Entry]) -> None:
    """A number of an entry must be the one that stands at the address it gives."""
    if not source.startswith("catalog/entries/") or " reported[" not in source:
        return
    at = _ROW.match(source)
    entry = entries.get(at[2]) if at else None
    if at is None or entry is None or at[5] not in METRICS:
        raise Refused(f"{name}: {source!r} is no row of an entry")
    try:
        stands = getattr(entry.written.reported[int(at[3])].rows[int(at[4])], at[5])
    except IndexError:
        raise Refused(f"{name}: {source!r} is no row of an entry") from None
    if value is None or stands is None or float(value) != stands:
        raise Refused(f"{name}: {value} is shown with {source!r}, where {stands} stands")


class _Page(HTMLParser):
    """The digits in a page's main content that stand bare, and the numbers with their sources."""

    def __init__(self) -> None:
        super().__init__()
        self.bare: list[str] = []
        self.numbers: list[tuple[str, str | None]] = []
        self._open: list[tuple[str, bool]] = []  # tag, and whether digits may stand in it

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "data":
            self.numbers.append((given.get("data-source") or "", given.get("value")))
            if not given.get("data-source"):
                self.bare.append(str(given.get("value")))
        if tag in _VOID:
            return
        free = tag in _PLAIN or "data-source" in given or "id" in (given.get("class") or "").split()
        self._open.append((tag, free))

    def handle_endtag(self, tag: str) -> None:
        if any(name == tag for name, _ in self._open):
            while self._open.pop()[0] != tag:
                pass

    def handle_data(self, data: str) -> None:
        inside = any(tag == "article" for tag, _ in self._open)
        if inside and not any(free for _, free in self._open) and re.search(r"\d", _NAMES.sub("", data)):
            self.bare.append(" ".join(data.split())[:80])
