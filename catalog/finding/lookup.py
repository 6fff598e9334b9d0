"""From what a person types to one paper or method, and all that is known of it."""

from typing import Any

from sqlmodel import Session, col, select

from catalog import arxiv_id
from catalog.errors import Refused, nearest
from catalog.schema import Author, Facet, FormerTitle, Mention, Method, Paper, ReportedNumber


def find(session: Session, text: str) -> Paper | Method:
    """By slug, arXiv id in any form or URL, or `title-` key. Raises `Refused` (exit 2) naming the nearest known one."""
    text = text.strip()
    if method := session.get(Method, text):
        return method
    printed = arxiv_id.read(text)
    if printed is not None and printed.bare is None:
        raise Refused(f"{text!r} is not a well-formed arXiv id, such as 2502.12067", exit_code=2)
    key = printed.bare if printed and printed.bare else text
    paper = session.get(Paper, key)
    while paper is not None and paper.merged_into is not None:
        paper = session.get(Paper, paper.merged_into)
    if paper is not None:
        return paper
    if printed is not None:
        raise Refused(f"{key}: no list, query or entry has brought this paper yet", exit_code=2)
    slugs = session.exec(select(Method.slug)).all()
    raise Refused(f"unknown id {text!r}{nearest(text, slugs)}; an arXiv id or title- key will do too", exit_code=2)


def describe_paper(session: Session, paper: Paper) -> dict[str, Any]:
    mentions = select(Mention).where(Mention.paper_key == paper.key).order_by(col(Mention.list_name), col(Mention.line))
    authors = select(Author.name).where(Author.paper_key == paper.key).order_by(col(Author.position))
    printed = select(Mention).where(Mention.printed_id == paper.arxiv_id, Mention.paper_key != paper.key)
    return {
        "kind": "paper",
        **paper.model_dump(),
        "month": paper.month,
        "url": f"https://arxiv.org/abs/{paper.arxiv_id}" if paper.arxiv_id else None,
        "authors": list(session.exec(authors)),
        "former_titles": [row.title for row in session.exec(select(FormerTitle).where(FormerTitle.paper_key == paper.key))],
        "facets": [row.model_dump() for row in session.exec(select(Facet).where(Facet.paper_key == paper.key))],
        "methods": list(session.exec(select(Method.slug).where(Method.paper_key == paper.key))),
        "mentions": [row.model_dump() for row in session.exec(mentions)],
        # Listings that print this paper's id but mean another: what a reader of those lists will stumble over.
        "misprinted": [row.model_dump() for row in session.exec(printed)] if paper.arxiv_id else [],
    }


def describe_method(session: Session, method: Method) -> dict[str, Any]:
    paper = session.get(Paper, method.paper_key) if method.paper_key else None
    numbers = select(ReportedNumber).where(ReportedNumber.method == method.slug).order_by(col(ReportedNumber.id))
    return {
        "kind": "method",
        **method.model_dump(),
        "paper": describe_paper(session, paper) if paper else None,
        "reported_numbers": [row.model_dump(exclude={"id", "method"}) for row in session.exec(numbers)],
    }
