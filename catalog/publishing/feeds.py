"""Which papers stand in which feed: one feed for all, and one for each facet and tag."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session, select

from catalog import schema
from catalog.labels import Label
from catalog.pages import papers
from catalog.pages.contents import Catalog
from catalog.publishing import atom
from catalog.publishing.api_documents import Plain
from catalog.taxonomy import Taxonomy

LENGTH = 100  # a reader that stayed away longer finds the rest in the JSON files
ARXIV_BEGAN = date(1991, 8, 14)


def feeds(
    tree: Taxonomy, items: Mapping[str, atom.Item], labelled: Mapping[str, frozenset[Label]]
) -> Iterator[tuple[str, str, list[atom.Item]]]:
    """(name, title, items) of each feed."""
    yield "all", "Laconic: all papers", list(items.values())[:LENGTH]
    carrying: dict[str, list[atom.Item]] = defaultdict(list)  # facet or tag → items
    for number, item in items.items():
        for name in {name for label in labelled.get(number, ()) for name in label}:
            if len(carrying[name]) < LENGTH:
                carrying[name].append(item)
    for node in tree.nodes.values():
        yield node.id, f"Laconic: {node.title}", carrying[node.id]


def all_items(
    catalog: Catalog,
    session: Session,
    published: Mapping[str, Plain],
    mentions: Iterable[Row[Any]],
    labelled: Mapping[str, frozenset[Label]],
    address: str,
) -> dict[str, atom.Item]:
    """Paper → its item. What changed last stands first; of one day's changes, the newest paper.

    `address` is that of the site, with a slash at its end; empty: links are relative.
    """
    changed = {number: paper["first_seen"] for number, paper in published.items()}
    for mention in mentions:
        if (number := mention.paper_key) in changed:
            changed[number] = max(changed[number], mention.first_seen, mention.gone_on or date.min)
    for title in session.exec(select(schema.FormerTitle)):
        if title.paper_key in changed:
            changed[title.paper_key] = max(changed[title.paper_key], title.replaced_on)
    found: dict[str, atom.Item] = {}
    for row in catalog.shelf.rows:
        paper = published[row.key]
        year = row.month[:4] if row.month else "undated"
        terms = sorted(tag for _, tag in labelled.get(row.key, ()))
        found[row.key] = atom.Item(
            key=row.key,
            title=paper["title"],
            updated=changed[row.key],
            url=paper["url"] or "",
            page=f"{address or '../../../'}papers/{year}.html#{row.anchor}",
            authors=paper["authors"],
            summary=_summary(row, [catalog.tree.nodes[term].title for term in terms]),
            terms=terms,
        )
    return dict(sorted(found.items(), key=lambda pair: pair[1].updated, reverse=True))


def _summary(row: papers.Row, titles: list[str]) -> str:
    parts = [f"arXiv {row.arxiv_id}" if row.arxiv_id else "Known by its title alone"]
    parts += [f"Labels: {', '.join(titles)}"] if titles else []
    parts += [f"{listing.list_name}: {listing.section}" for listing in row.listings if not listing.gone]
    return ". ".join(parts) + "."
