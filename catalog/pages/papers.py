"""Papers for the year pages: what is known of each, and which lists name it under which heading."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from sqlmodel import Session, col, select

from catalog import arxiv_id, freshness, schema, store
from catalog.finding import searching
from catalog.finding.searching import Index
from catalog.labels import CURATED
from catalog.taxonomy import Taxonomy
from catalog.text import fold

SIMILAR = 5


class Listing(NamedTuple):
    list_name: str
    section: str  # the innermost two headings: lists repeat their own title above
    gone: bool
    printed: str = ""  # the title, where it is not the paper's
    defects: tuple[str, ...] = ()  # kinds
    resolution: str = ""


class Labelled(NamedTuple):
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
    index: Index  # without abstracts: a page must not depend on what the builder's own database happens to hold
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
        index = searching.build(session, tree, abstracts=False)
        return Shelf(_rows(session, index), index, _sources(session), freshness.carried(session))


def _rows(session: Session, index: Index) -> list[Row]:
    authors: dict[str, list[str]] = defaultdict(list)
    for key, name in store.columns(session, schema.Author, "paper_key name", order="paper_key position"):
        authors[key].append(name)
    papers = store.columns(session, schema.Paper, "key arxiv_id title status withdrawn first_seen merged_into")
    titles = {paper.key: paper.title for paper in papers}
    folded = cache(fold)  # lists print many a title alike
    listings: dict[str, dict[Listing, None]] = defaultdict(dict)
    urls: dict[str, str] = {}
    for key, list_name, section, printed, links, defects, resolution, gone_on in store.columns(
        session,
        schema.Mention,
        "paper_key list_name section title urls defects resolution gone_on",
        order="list_name line key",
    ):
        title = titles[key]
        listing = Listing(
            list_name,
            " › ".join(section[-2:]),
            gone_on is not None,
            "" if printed == title or folded(printed) == folded(title) else printed,
            tuple(sorted({defect["kind"] for defect in defects})),
            resolution,
        )
        listings[key][listing] = None
        for url in links:
            urls.setdefault(key, url)
    former, versions, labels = _former(session), _versions(session), _labels(session)
    code = index.code
    near = index.nearest_papers(SIMILAR)
    rows = []
    for key, number, title, status, withdrawn, first_seen, merged_into in papers:
        if merged_into is not None:  # one row a paper
            continue
        rows.append(
            Row(
                key,
                number,
                title,
                authors[key],
                arxiv_id.month(number) if number else None,
                status == schema.CONFIRMED,
                list(listings[key]),
                f"https://arxiv.org/abs/{number}" if number else urls.get(key, ""),
                withdrawn,
                code.get(key, ""),
                labels[key],
                former[key],
                versions[key],
                near.get(key, ()),
                first_seen,
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
    rows = [row for row in store.columns(session, schema.Facet, "paper_key facet tag origin") if row.origin != "list"]
    settled = {(row.paper_key, row.facet) for row in rows if row.origin == CURATED}
    held: dict[str, set[Labelled]] = defaultdict(set)
    made = cache(Labelled)  # many papers carry the same
    for key, facet, tag, origin in rows:
        if origin == CURATED or (key, facet) not in settled:
            held[key].add(made(facet, tag, origin == CURATED))
    return defaultdict(tuple, {key: tuple(sorted(labels)) for key, labels in held.items()})


def _sources(session: Session) -> list[Source]:
    states = session.exec(select(schema.SourceState).order_by(col(schema.SourceState.name)))
    return [Source(state.name, state.entries, state.last_new) for state in states]
