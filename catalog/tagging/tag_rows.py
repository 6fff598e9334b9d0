"""Tags as rows of the table of facets: machine labels, beside those that people and lists give."""

import hashlib
from collections.abc import Collection

from sqlalchemy import delete
from sqlmodel import Session, col, select

from catalog import store
from catalog.labels import MACHINE
from catalog.schema import Facet, Paper
from catalog.tagging import Tagged, Tagger

SHOWN = 3  # phrases of evidence that are stored with a tag


def store_tags(session: Session, tagger: Tagger, keys: Collection[str] | None = None) -> int:
    """Tags the papers (all, or those of `keys`) that have an abstract; the caller commits. Number of papers tagged.

    A paper whose tags this tagger gave to the same text is left alone. So is one whose abstract this database lacks: its
    tags were computed from one that somebody had.
    """
    has = dict(session.exec(select(Facet.paper_key, Facet.source).where(Facet.origin == MACHINE, Facet.facet == "scope")).all())
    chosen = select(Paper.key, Paper.title, Paper.abstract).where(
        col(Paper.abstract).is_not(None), col(Paper.merged_into).is_(None)
    )
    papers = [
        (key, title, abstract)
        for key, title, abstract in session.exec(chosen.order_by(col(Paper.key)))
        if abstract and abstract.strip() and (keys is None or key in keys) and has.get(key) != _source(tagger, title, abstract)
    ]
    rows = [
        row
        for key, title, abstract in papers
        for row in facet_rows(key, tagger.tag(title, abstract), _source(tagger, title, abstract))
    ]
    connection = session.connection()
    for at in range(0, len(papers), store.CHUNK):
        some = [key for key, _, _ in papers[at : at + store.CHUNK]]
        connection.execute(delete(Facet).where(col(Facet.paper_key).in_(some), col(Facet.origin) == MACHINE))
    store.upsert(connection, store.table_of(Facet), rows)
    return len(papers)


def _source(tagger: Tagger, title: str, abstract: str) -> str:
    """The tagger and, in eight hex digits, the text it read: either may change."""
    read = f"{title}\n{abstract}".encode("utf-8", "replace")
    return f"{tagger.source}:{hashlib.sha256(read).hexdigest()[:8]}"


def facet_rows(key: str, tagged: Tagged, source: str) -> list[dict[str, object]]:
    """One row a tag, in the columns of the table: scope and form with the model's confidence, what rules alone say without."""
    said = [("scope", tagged.scope, tagged.scope_confidence), ("form", tagged.form, tagged.form_confidence)]
    pairs = [*said, *((facet, tag, None) for facet, tags in tagged.facets.items() for tag in tags)]
    return [
        {
            "paper_key": key,
            "facet": facet,
            "tag": tag,
            "source": source,
            "origin": MACHINE,
            "confidence": confidence,
            "evidence": _phrases(tagged, tag),
        }
        for facet, tag, confidence in pairs
    ]


def _phrases(tagged: Tagged, tag: str) -> str | None:
    names = (tag, f"learned: {tag}")
    phrases = dict.fromkeys(
        " ".join(each.phrase.split()) for each in tagged.evidence if each.rule in names or each.rule.startswith(f"{tag}:")
    )
    return ", ".join(list(phrases)[:SHOWN]) or None
