"""Papers for the year pages: what is known of each, and which lists name it under which heading."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from catalog import freshness, schema, store
from catalog.finding import searching
from catalog.labels import CURATED
from catalog.taxonomy import Taxonomy
from catalog.text import fold

SIMILAR = 5


@dataclass(frozen=True)
class Listing:
    list_name: str
    section: str  # the innermost two headings: lists repeat their own title above
    gone: bool
    printed: str = ""  # the title, where it is not the paper's
    defects: tuple[str, ...] = ()  # kinds
    resolution: str = ""


@dataclass(frozen=True)
class Labelled:
    facet: str
    tag: str
    curated: bool


@dataclass(frozen=True)
class Row:
    key: str
    arxiv_id: str | None
    title: str
    authors: list[str]
    month: str | None  # 2025-02, from the id
    confirmed: bool
    listings: list[Listing]
    url: str  # where to read it; empty where nobody gave a link
    withdrawn: bool = False
    code: str = ""  # where a list says its code is
    labels: tuple[Labelled, ...] = ()
    former_titles: tuple[str, ...] = ()
    versions: tuple[tuple[int, str], ...] = ()  # number, day; only where arXiv itself told
    similar: tuple[tuple[str, str], ...] = ()  # key and title of the nearest papers
    first_seen: date | None = None

    @property
    def anchor(self) -> str:
        return "p-" + "".join(letter if letter.isalnum() else "-" for letter in self.key)


@dataclass(frozen=True)
class Source:
    name: str
    entries: int | None
    last_new: date | None


@dataclass(frozen=True)
class Shelf:
    """All the site says of papers. `newest` is the one seen at arXiv with the highest id: ids are given out in order."""

    rows: list[Row]  # newest first
    sources: list[Source]
    freshness: dict[str, Any]  # of `freshness.carried`

    @property
    def newest(self) -> Row | None:
        return next((row for row in self.rows if row.arxiv_id and row.confirmed), None)

    @property
    def listed(self) -> int:
        return sum(bool(row.listings) for row in self.rows)

    @property
    def confirmed(self) -> int:
        return sum(row.confirmed for row in self.rows)

    def years(self) -> dict[str, dict[str, list[Row]]]:
        """Year → month → rows, newest first; what has no id stands under `undated`."""
        found: dict[str, dict[str, list[Row]]] = {}
        for row in self.rows:
            year = row.month[:4] if row.month else "undated"
            found.setdefault(year, {}).setdefault(row.month or "undated", []).append(row)
        return found


def load(root: Path, tree: Taxonomy) -> Shelf:
    """From the database. Raises `Refused` where there is none."""
    with store.reading(root) as session:
        return Shelf(_rows(session, tree), _sources(session), freshness.carried(session))


def _rows(session: Session, tree: Taxonomy) -> list[Row]:
    authors: dict[str, list[str]] = defaultdict(list)
    for key, name in session.exec(
        select(schema.Author.paper_key, schema.Author.name).order_by(
            col(schema.Author.paper_key), col(schema.Author.position)
        )
    ):
        authors[key].append(name)
    listings: dict[str, dict[Listing, None]] = defaultdict(dict)
    urls: dict[str, str] = {}
    titles = dict(session.exec(select(schema.Paper.key, schema.Paper.title)).all())
    for mention in session.exec(
        select(schema.Mention).order_by(col(schema.Mention.list_name), col(schema.Mention.line), col(schema.Mention.key))
    ):
        printed = "" if fold(mention.title) == fold(titles[mention.paper_key]) else mention.title
        listing = Listing(
            mention.list_name,
            " › ".join(mention.section[-2:]),
            mention.gone_on is not None,
            printed,
            tuple(sorted({defect["kind"] for defect in mention.defects})),
            mention.resolution,
        )
        listings[mention.paper_key][listing] = None
        for url in mention.urls:
            urls.setdefault(mention.paper_key, url)
    former, versions, labels = _former(session), _versions(session), _labels(session)
    index = searching.build(session, tree, abstracts=False)  # what every database of one snapshot can tell
    code = index.code
    near = index.nearest_papers(SIMILAR)
    rows = []
    kept = select(schema.Paper).where(col(schema.Paper.merged_into).is_(None))  # one row a paper
    for paper in session.exec(kept.options(defer(schema.Paper.abstract))):  # type: ignore[arg-type]
        key = paper.key
        url = f"https://arxiv.org/abs/{paper.arxiv_id}" if paper.arxiv_id else urls.get(key, "")
        rows.append(
            Row(
                key,
                paper.arxiv_id,
                paper.title,
                authors[key],
                paper.month,
                paper.status == schema.CONFIRMED,
                list(listings[key]),
                url,
                paper.withdrawn,
                code.get(key, ""),
                labels[key],
                former[key],
                versions[key],
                near.get(key, ()),
                paper.first_seen,
            )
        )
    return sorted(rows, key=lambda row: (row.month or "", row.arxiv_id or "", row.key), reverse=True)


def _former(session: Session) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = defaultdict(tuple)
    for each in session.exec(select(schema.FormerTitle).order_by(col(schema.FormerTitle.replaced_on))):
        found[each.paper_key] += (each.title,)
    return found


def _versions(session: Session) -> dict[str, tuple[tuple[int, str], ...]]:
    found: dict[str, tuple[tuple[int, str], ...]] = defaultdict(tuple)
    chosen = select(schema.PaperVersion).where(schema.PaperVersion.served_by == schema.ARXIV)
    for each in session.exec(chosen.order_by(col(schema.PaperVersion.number))):
        found[each.paper_key] += ((each.number, each.submitted.date().isoformat()),)
    return found


def _labels(session: Session) -> dict[str, tuple[Labelled, ...]]:
    """What people set, else what machines found; what lists say is in their listings."""
    said: dict[str, dict[str, set[Labelled]]] = defaultdict(lambda: defaultdict(set))
    for each in session.exec(select(schema.Facet).where(schema.Facet.origin != "list")):
        said[each.paper_key][each.facet].add(Labelled(each.facet, each.tag, each.origin == CURATED))
    found: dict[str, tuple[Labelled, ...]] = defaultdict(tuple)
    for key, facets in said.items():
        for labels in facets.values():
            best = {label for label in labels if label.curated} or labels
            found[key] += tuple(sorted(best, key=lambda label: (label.facet, label.tag)))
    return found


def _sources(session: Session) -> list[Source]:
    states = session.exec(select(schema.SourceState).order_by(col(schema.SourceState.name)))
    return [Source(state.name, state.entries, state.last_new) for state in states]
