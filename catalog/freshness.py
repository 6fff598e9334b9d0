"""How fresh the catalog is. Fresh means data: the newest announced paper and the last new row, never the last run."""

import calendar
from datetime import date
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, func, select

from catalog.announcements import announcement_days
from catalog.schema import CONFIRMED, Mention, Paper, SourceState
from catalog.sources import followed

SOURCE_OVERDUE_DAYS = 2  # with so many announcement days since its last success, a source is overdue
DATA_OVERDUE_DAYS = 5  # so many without any newer paper: the field brings some nearly every day


def status(session: Session, root: Path, today: date) -> dict[str, Any]:
    """The document that `status --json` prints."""
    states = {state.name: state for state in session.exec(select(SourceState))}
    sources = []
    for name in followed.load(root).all_names:
        state = states.get(name) or SourceState(name=name)
        if name == followed.GITHUB and state.asked_at is None:
            continue  # nobody need ask it; once asked, it is overdue like any other
        # A feed that is served day after day but never a new one has answered well and told nothing.
        reached = min(filter(None, [state.last_success, state.seen_through]), default=None)
        overdue = reached is None or announcement_days(reached, today) >= SOURCE_OVERDUE_DAYS
        facts = {"name": name, "last_success": state.last_success, "last_new": state.last_new, "overdue": overdue}
        sources.append({**facts, "seen_through": state.seen_through, "moved_to": state.moved_to})
    newest, latest = newest_announced(session)
    old = latest is None or announcement_days(latest, today) >= DATA_OVERDUE_DAYS
    listed = select(func.count(func.distinct(col(Mention.paper_key)))).where(col(Mention.gone_on).is_(None))
    named = select(Mention.paper_key).where(col(Mention.gone_on).is_(None))
    confirmed = select(func.count()).select_from(Paper).where(Paper.status == CONFIRMED)
    return {
        "papers_total": papers_total(session),
        "papers_listed": session.exec(listed).one(),
        "papers_confirmed": session.exec(confirmed).one(),
        "papers_listed_confirmed": session.exec(confirmed.where(col(Paper.key).in_(named))).one(),
        "newest_announced": newest,
        "stale": old or any(source["overdue"] for source in sources),
        "sources": sources,
    }


def papers_total(session: Session) -> int:
    """Papers known, each counted once: a title-keyed row whose arXiv id was found later is not another paper."""
    return session.exec(select(func.count()).select_from(Paper).where(col(Paper.merged_into).is_(None))).one()


def newest_announced(session: Session) -> tuple[str | None, date | None]:
    """The newest confirmed paper's day, or month where only its id tells; and the last day that can mean."""
    published = session.exec(select(func.max(Paper.published)).where(Paper.status == CONFIRMED)).one()
    undated = select(Paper).where(Paper.status == CONFIRMED, col(Paper.published).is_(None))
    month = max((paper.month for paper in session.exec(undated) if paper.month), default=None)
    day = published.date().isoformat() if published else None
    if month and (day is None or month > day[:7]):
        year, number = map(int, month.split("-"))
        return month, date(year, number, calendar.monthrange(year, number)[1])
    return day, published.date() if published else None
