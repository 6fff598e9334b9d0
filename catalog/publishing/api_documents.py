"""From tables and entries to what the published JSON files hold.

What there is by the thousand, papers and entries of lists, is not made into models first: tests hold it to their schemas.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from operator import itemgetter
from pathlib import Path
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session, col, select

from catalog import schema, store
from catalog.lists import code_links
from catalog.pages.contents import Catalog
from catalog.publishing import api
from catalog.sources import followed
from catalog.text import clean

LABEL = ("facet", "tag", "source", "origin", "confidence")  # in this order they are sorted
PAPER = "key status withdrawn categories primary_category published updated version comment doi journal_ref first_seen served_by"
MENTION = "list_name line key section title urls printed_id printed_date paper_key resolution defects first_seen gone_on"

Plain = dict[str, Any]
_heading = lru_cache(maxsize=4096)(clean)  # a list has few


def papers(catalog: Catalog, session: Session, mentions: Sequence[Row[Any]]) -> Iterator[Plain]:
    """One a paper, newest first."""
    said: dict[str, list[list[Any]]] = defaultdict(list)
    for key, *label in store.columns(session, schema.Facet, f"paper_key {' '.join(LABEL)}"):
        said[key].append(label)
    listed: dict[str, list[Plain]] = defaultdict(list)
    code = _code(catalog, session, mentions)
    slugs: dict[str, list[str]] = defaultdict(list)
    curated: dict[str, list[str]] = {}
    for entry in catalog.entries:
        if about := entry.written.paper:
            slugs[about.arxiv].append(entry.slug)
            curated[about.arxiv] = about.authors
    for mention in mentions:
        listed[mention.paper_key].append(
            {
                "list_name": mention.list_name,
                "section": [_heading(heading) for heading in mention.section],
                "resolution": mention.resolution,
                "gone_on": mention.gone_on,
            }
        )
    former: dict[str, list[str]] = defaultdict(list)
    for title in session.exec(select(schema.FormerTitle).order_by(col(schema.FormerTitle.replaced_on), schema.FormerTitle.title)):
        former[title.paper_key].append(clean(title.title))
    versions: dict[str, list[Plain]] = defaultdict(list)
    for seen in session.exec(select(schema.PaperVersion).order_by(col(schema.PaperVersion.number))):
        if seen.served_by == schema.ARXIV:
            versions[seen.paper_key].append({"number": seen.number, "submitted": seen.submitted, "withdrawn": seen.withdrawn})
    stored = {paper.key: paper for paper in store.columns(session, schema.Paper, PAPER)}
    for row in catalog.shelf.rows:
        paper = stored[row.key]
        own = paper.served_by == schema.ARXIV
        yield {
            "key": row.key,
            "arxiv_id": row.arxiv_id,
            "url": row.url if row.url.startswith("https://") else None,
            "title": clean(row.title),
            "former_titles": former[row.key],
            "authors": [clean(name) for name in row.authors or curated.get(row.key, [])],
            "month": row.month,
            "status": paper.status,
            "withdrawn": paper.withdrawn,
            "categories": sorted(paper.categories),
            "primary_category": paper.primary_category,
            "published": paper.published if own else None,
            "updated": paper.updated if own else None,
            "version": paper.version if own else None,
            "versions": versions[row.key],
            "comment": clean(paper.comment) if own and paper.comment else None,
            "doi": paper.doi if own else None,
            "journal_ref": clean(paper.journal_ref) if own and paper.journal_ref else None,
            "first_seen": paper.first_seen,
            "labels": [_label(*label) for label in sorted(said[row.key])],
            "code": code.get(row.key, []),
            "listed": listed[row.key],
            "methods": slugs[row.key],
            "bibtex": catalog.cited[row.key],
        }


def _label(facet: str, tag: str, source: str, origin: str, confidence: float | None) -> Plain:
    return {"facet": facet, "tag": tag, "origin": origin, "source": source, "confidence": confidence}


def _code(catalog: Catalog, session: Session, mentions: Sequence[Row[Any]]) -> dict[str, list[Plain]]:
    """Paper → its repositories, an entry's before those of lists, with what GitHub and the entry say of them."""
    known = {row.name: row for row in session.exec(select(schema.Repository))}
    licences: dict[str, str] = {}
    urls: dict[str, dict[str, None]] = defaultdict(dict)
    for entry in catalog.entries:
        if entry.written.paper and entry.written.code:
            urls[entry.written.paper.arxiv][entry.written.code.url] = None
            licences[entry.written.code.url] = entry.written.code.licence
    standing = ((mention.paper_key, mention.urls, mention.defects) for mention in mentions if mention.gone_on is None)
    for key, listed in code_links.of_listings(standing).items():
        urls[key] |= {clean(url): None for url in listed}

    def described(url: str) -> Plain:
        row = known.get(code_links.on_github(url))
        licence = licences.get(url) or (row.licence if row else None)
        return {"url": url, "gone": row.state == "gone" if row else None, "licence": licence}

    return {key: [described(url) for url in held] for key, held in urls.items()}


def all_mentions(session: Session) -> list[Row[Any]]:
    """In the order of lists and lines, whatever the database makes of letters."""
    return sorted(store.columns(session, schema.Mention, MENTION), key=itemgetter(0, 1, 2))


def methods(catalog: Catalog) -> api.Methods:
    """Every entry, baselines first."""
    made = []
    for entry in catalog.entries:
        written, reference = entry.written, Path("methods") / f"{entry.slug}.py"
        made.append(
            api.Method(
                slug=entry.slug,
                name=written.name,
                summary=written.summary,
                limits=written.limits,
                facets=written.facets,
                arxiv_id=written.paper.arxiv if written.paper else None,
                code=api.Repository(url=written.code.url, gone=None, licence=written.code.licence) if written.code else None,
                reference=reference.as_posix() if (catalog.root / reference).exists() else None,
                record=f"records/{entry.slug}.json" if entry.slug in catalog.records else None,
                reported=list(entry.reported),
                errata=[erratum.id for erratum in catalog.errata.errata if entry.slug in erratum.methods],
            )
        )
    return api.Methods(methods=made)


def taxonomy(catalog: Catalog, carried: dict[str, int]) -> api.Taxonomy:
    """`carried`: how many papers carry each node or one below it."""
    tree = catalog.tree
    nodes = [
        api.Node(**node.model_dump(), facet=tree.facet_of(node.id), papers=carried[node.id], feed=f"atom/{node.id}.xml")
        for node in tree.nodes.values()
    ]
    return api.Taxonomy(rules=tree.version, nodes=nodes)


def lists(catalog: Catalog, mentions: Sequence[Row[Any]]) -> Iterator[Plain]:
    """Every list that was ever read, in the order of its lines."""
    follows = {survey.name: survey for survey in followed.load(catalog.root).list}
    held: dict[str, list[Plain]] = defaultdict(list)
    for mention in mentions:
        held[mention.list_name].append(
            {
                "line": mention.line,
                "section": [_heading(heading) for heading in mention.section],
                "title": clean(mention.title),
                "urls": [clean(url) for url in mention.urls],
                "printed_id": mention.printed_id and clean(mention.printed_id),
                "printed_date": mention.printed_date and clean(mention.printed_date),
                "paper": mention.paper_key,
                "resolution": mention.resolution,
                "defects": [{"kind": each["kind"], "detail": clean(each["detail"])} for each in mention.defects],
                "first_seen": mention.first_seen,
                "gone_on": mention.gone_on,
            }
        )
    for name, entries in held.items():
        survey = follows.get(name)
        repository, path = (survey.repository, survey.path) if survey else (None, None)
        yield {"name": name, "repository": repository, "path": path, "entries": entries}
