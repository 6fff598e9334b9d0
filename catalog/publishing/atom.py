"""Atom feeds (RFC 4287). The same data gives the same bytes: every date comes from the data."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from lxml import etree

from catalog.text import clean

NAMESPACE = "http://www.w3.org/2005/Atom"
# Ids are tag URIs (RFC 4151), so that they outlive any address. Nobody can own a name in .invalid, so none can clash.
AUTHORITY = "tag:laconic.invalid,2026"


@dataclass(frozen=True)
class Item:
    """`updated` is the last day on which the catalog learned something of it; `page` its place on this site."""

    key: str
    title: str
    updated: date
    url: str  # where to read it; empty where nobody gave a link
    page: str
    authors: Sequence[str]
    summary: str
    terms: Sequence[str]  # tags of the taxonomy

    @cached_property  # many feeds have the same items
    def entry(self) -> etree._Element:
        entry = etree.Element(_tag("entry"), nsmap={None: NAMESPACE})
        _add(entry, "id", f"{AUTHORITY}:paper/{self.key}")
        _add(entry, "title", self.title)
        _add(entry, "updated", _day(self.updated))
        for author in self.authors:
            _add(_add(entry, "author"), "name", author)
        _add(entry, "link", rel="alternate", href=self.url or self.page)
        _add(entry, "link", rel="related", type="text/html", href=self.page)
        for term in self.terms:
            _add(entry, "category", term=term)
        _add(entry, "summary", self.summary)
        return entry


def feed(name: str, title: str, items: Sequence[Item], *, updated: date, address: str = "") -> bytes:
    """A feed of `items` in their order; `updated` stands where there are none. `address` is the feed's own, if it is known."""
    root = etree.Element(_tag("feed"), nsmap={None: NAMESPACE})
    _add(root, "id", f"{AUTHORITY}:feed/{name}")
    _add(root, "title", title)
    _add(root, "updated", _day(max((item.updated for item in items), default=updated)))
    _add(_add(root, "author"), "name", "Laconic")
    if address:
        _add(root, "link", rel="self", type="application/atom+xml", href=address)
    root.extend(deepcopy(item.entry) for item in items)
    etree.indent(root)
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="utf-8")
    return written + b"\n"


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _add(parent: etree._Element, name: str, text: str | None = None, **attributes: str) -> etree._Element:
    # `clean` drops every character that XML forbids: controls, surrogates, U+FFFE and U+FFFF.
    child = etree.SubElement(parent, _tag(name), {key: clean(value) for key, value in attributes.items()})
    child.text = None if text is None else clean(text)
    return child


def _day(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"
