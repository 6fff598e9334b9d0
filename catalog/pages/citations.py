"""BibTeX of every paper, each under a key that no other has."""

from collections.abc import Iterable

from catalog.entries import Entry
from catalog.pages.bibtex import bibtex, key
from catalog.pages.papers import Row


def all_cited(rows: Iterable[Row], entries: Iterable[Entry]) -> dict[str, str]:
    """Paper → its BibTeX, in the order of ids. Of those that would share a key, all but the first get their id behind it."""
    written = {entry.written.paper.arxiv: entry.written.paper for entry in entries if entry.written.paper}
    found: dict[str, str] = {}
    taken: set[str] = set()
    for row in sorted(rows, key=lambda row: row.key):
        curated = written.get(row.key)
        authors = row.authors or (curated.authors if curated else [])
        year = int(row.month[:4]) if row.month else None
        cited_as = key(row.title, authors, year)
        if cited_as in taken:
            cited_as += f"-{row.key.replace('/', '-')}"
        taken.add(cited_as)
        found[row.key] = bibtex(row.title, authors, year, row.arxiv_id, curated.venue if curated else "", cited_as)
    return found
