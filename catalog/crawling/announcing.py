"""Announcements → what is still to be asked. A feed or harvest names papers; their records come from the query API."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlmodel import Session

from catalog.records import papers_of
from catalog.schema import ARXIV, CONFIRMED, LISTED, PaperVersion
from catalog.sources.feed import Announced
from catalog.sources.followed import Asked
from catalog.store import table_of, upsert, upsert_papers
from catalog.tagging import Tagger

TAGGER = "tagger"  # `found_by` of a paper that no topic's phrases name, but that reads like one in scope
SURE = 0.8  # how sure it must be of that: of hard records it is so sure of, five in six are in scope, and one in fifteen is out


def note(
    session: Session, announced: Sequence[Announced], asked: Asked, tagger: Tagger | None, *, served_by: str, today: date
) -> int:
    """Keeps what matters of `announced`; how many papers are new. Does not commit.

    A paper that matches a topic, or that `tagger` is sure of, is stored at once, with the words of its announcement: should
    its record not be had today, it is not lost. A known paper whose new version was announced is marked as out of date.
    """
    known = {paper.key: paper for paper in papers_of(session, [each.arxiv_id for each in announced])}
    new: list[dict[str, Any]] = []
    versions: list[dict[str, Any]] = []
    for each in announced:
        paper = known.get(each.arxiv_id)
        topic = (asked.topic_of(each.title, each.abstract) or _read_as(each, tagger)) if paper is None else None
        if paper is None and topic is None:
            continue
        if paper is None:
            said = {"title": each.title, "abstract": each.abstract or None, "categories": each.categories}
            row: dict[str, Any] = {"key": each.arxiv_id, "arxiv_id": each.arxiv_id, "status": LISTED, "withdrawn": False}
            new.append({**row, **said, "found_by": topic, "first_seen": today})
        elif paper.status == CONFIRMED and (each.version or 0) > (paper.version or 0):
            paper.announced_version = max(each.version or 0, paper.announced_version or 0)
        if paper is not None and paper.served_by == ARXIV and served_by != ARXIV:
            continue  # what a mirror says of versions never stands beside what arXiv itself said
        for seen in each.versions:
            row = {"paper_key": each.arxiv_id, "number": seen.number, "submitted": seen.submitted}
            versions.append({**row, "withdrawn": seen.withdrawn, "served_by": served_by})
    session.flush()
    connection = session.connection()
    upsert_papers(connection, new)
    upsert(connection, table_of(PaperVersion), versions)
    session.expire_all()
    return len(new)


def _read_as(announced: Announced, tagger: Tagger | None) -> str | None:
    """Asked only of papers with an abstract: a title alone says too little to be sure."""
    if tagger is None or not announced.abstract.strip():
        return None
    said = tagger.tag(announced.title, announced.abstract)
    return TAGGER if said.scope == "in" and said.scope_confidence >= SURE else None
