"""What the explorer on the papers page reads: every paper in columns, details in one file a year.

They are scripts that assign one value, not JSON to be fetched: so the page works from the disk, too.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic_core import to_json

from catalog.pages.papers import Row, Shelf

SCRIPT = "papers/explorer-data.js"


def write(shelf: Shelf, titles: dict[str, str], slugs: dict[str, str], cited: dict[str, str], folder: Path) -> None:
    """`titles`: a tag's or facet's id → its title; `slugs`: arXiv id → the entry about that paper; `cited`: paper → BibTeX."""
    (folder / SCRIPT).parent.mkdir(parents=True, exist_ok=True)
    (folder / SCRIPT).write_text(_assignment("papers", _columns(shelf.rows, titles, slugs)), "utf-8")
    for year, months in shelf.years().items():
        details = {row.key: {**_details(row), "bibtex": cited[row.key]} for rows in months.values() for row in rows}
        (folder / f"papers/details-{year}.js").write_text(_assignment(f"details-{year}", details), "utf-8")


def _columns(rows: list[Row], titles: dict[str, str], slugs: dict[str, str]) -> dict[str, Any]:
    lists = _Numbered()
    tags = _Numbered()
    columns: dict[str, list[Any]] = {name: [] for name in ("key", "title", "by", "month", "state", "lists", "tags", "slug")}
    for row in rows:
        columns["key"].append(row.key)
        columns["title"].append(row.title)
        columns["by"].append(", ".join(row.authors[:3]) + (" and others" if len(row.authors) > 3 else ""))
        columns["month"].append(row.month or "")
        columns["state"].append("withdrawn" if row.withdrawn else "confirmed" if row.confirmed else "listed")
        columns["lists"].append(lists.numbers(listing.list_name for listing in row.listings if not listing.gone))
        columns["tags"].append(tags.numbers([f"{label.facet}:{label.tag}" for label in row.labels] + ["code:yes"] * bool(row.code)))
        columns["slug"].append(slugs.get(row.arxiv_id or "", ""))
    named = {name: titles.get(name.partition(":")[2], name.partition(":")[2]) for name in tags.names}
    facets = {name.partition(":")[0]: titles.get(name.partition(":")[0], "Code") for name in tags.names}
    return {"columns": columns, "lists": lists.names, "tags": tags.names, "titles": named, "facets": facets}


class _Numbered:
    """Names by their position in the order of first use."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._places: dict[str, int] = {}

    def numbers(self, names: Iterable[str]) -> list[int]:
        found = []
        for name in dict.fromkeys(names):
            if name not in self._places:
                self._places[name] = len(self.names)
                self.names.append(name)
            found.append(self._places[name])
        return found


def _details(row: Row) -> dict[str, Any]:
    listings = [
        {
            "list": listing.list_name, "section": listing.section, "printed": listing.printed, "gone": listing.gone,
            "defects": listing.defects, "resolution": listing.resolution,
        }
        for listing in row.listings
    ]  # fmt: skip
    labels = [{"facet": label.facet, "tag": label.tag, "curated": label.curated} for label in row.labels]
    known = {
        "authors": row.authors, "former": row.former_titles, "versions": row.versions, "listings": listings,
        "labels": labels, "similar": row.similar, "url": row.url if row.url.startswith("https://") else "", "code": row.code,
    }  # fmt: skip
    return {name: value for name, value in known.items() if value}


def _assignment(name: str, value: Any) -> str:
    """A script that hands over a value; nothing in it can end the script or be read as markup."""
    text = to_json(value).decode()
    for mark in "<>&":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return f'(window.laconic=window.laconic||{{}})["{name}"]={text};\n'
