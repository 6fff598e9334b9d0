"""The last look at the built pages: every number shows where it came from, and every entry has its page.

Pages that are made from data are held to it; prose that people wrote by hand (site/docs, CONTRIBUTING, CHANGELOG) is not, and
neither are the lists of papers, whose digits are titles, ids and dates.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import lxml.html

from catalog.entries import METRICS, Entry
from catalog.errors import Refused

# A digit may stand in code, ids, dates and titles of works, and in what names its source.
_PLAIN = {"code", "pre", "data", "time", "cite", "script", "style", "title", "svg"}
_ROW = re.compile(r"(catalog/entries/([a-z0-9_]+)\.toml) reported\[(\d+)\]\.rows\[(\d+)\]\.([a-z_]+)(?:;|$)")
# Names that hold a digit, written by templates in running text.
_NAMES = re.compile(r"95 % intervals|\barXiv \d{4}\.\d{4,5}\b|\b[DSL]\d+\b")
_DIGIT = re.compile(r"\d")
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
        html = path.read_text("utf-8")
        bare, numbers = read(html[html.find("<article") : html.rfind("</article>")])  # around it stands the theme's own
        for text in bare:
            raise Refused(f"{name}: the number in {text!r} does not say where it came from")
        for source, value in numbers:
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


def read(html: str) -> tuple[list[str], list[tuple[str, str | None]]]:
    """The texts in a page's main content whose digits stand bare, and (source, value) of each number."""
    bare: list[str] = []
    numbers: list[tuple[str, str | None]] = []
    if not html:
        return bare, numbers

    def walk(element: Any, free: bool, file: str) -> None:
        """`free`: whether digits may stand here; `file`: where the sources are that name none."""
        given = element.attrib
        file = given.get("data-file", file)
        if element.tag == "data":
            source = given.get("data-source", "")
            whole = source if "/" in source.partition(" ")[0] else f"{file} {source}"
            numbers.append((whole if source else "", given.get("value")))
            if not source:
                bare.append(str(given.get("value")))
        free = free or element.tag in _PLAIN or "data-source" in given or "id" in given.get("class", "").split()
        texts = [element.text or ""] if isinstance(element.tag, str) else []  # a comment is not read
        for child in element:
            walk(child, free, file)
            texts.append(child.tail or "")
        if not free:
            digits = (text for text in texts if _DIGIT.search(text))  # few texts have any
            bare.extend(" ".join(text.split())[:80] for text in digits if _DIGIT.search(_NAMES.sub("", text)))

    walk(lxml.html.fragment_fromstring(html, create_parent="div"), False, "")
    return bare, numbers
