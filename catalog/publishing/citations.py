"""BibTeX of every paper, each under a key that no other has."""

from collections.abc import Mapping

from catalog.pages.bibtex import bibtex, key
from catalog.pages.contents import Catalog
from catalog.publishing.api import Paper


def all_cited(catalog: Catalog, papers: Mapping[str, Paper]) -> dict[str, str]:
    """Paper → its BibTeX, in the order of ids. Of those that would share a key, all but the first get their id behind it."""
    venues = {entry.written.paper.arxiv: entry.written.paper.venue for entry in catalog.entries if entry.written.paper}
    found: dict[str, str] = {}
    taken: set[str] = set()
    for number, paper in sorted(papers.items()):
        year = int(paper.month[:4]) if paper.month else None
        cited_as = key(paper.title, paper.authors, year)
        if cited_as in taken:
            cited_as += f"-{number.replace('/', '-')}"
        taken.add(cited_as)
        found[number] = bibtex(paper.title, paper.authors, year, paper.arxiv_id, venues.get(number, ""), cited_as)
    return found
