"""How fresh the catalog is. Fresh means data: the newest announced paper and the last new row, never the last run."""

import calendar
from datetime import date
from pathlib import Path
from typing import Any

from sqlmodel import Session, and_, col, func, select, true

from catalog import arxiv_id
from catalog.announcements import announcement_days, holidays
from catalog.schema import ARXIV, CONFIRMED, Mention, Paper, SourceState
from catalog.sources import followed

SOURCE_OVERDUE_DAYS = 2  # with so many announcement days since its last success, a source is overdue
DATA_OVERDUE_DAYS = 5  # so many without any newer paper: the field brings some nearly every day


def status(session: Session, root: Path, today: date) -> dict[str, Any]:
    """The document that `status --json` prints."""
    states = {state.name: state for state in session.exec(select(SourceState))}
    newest, latest = newest_announced(session)
    reasons = []
    if latest is None:
        reasons.append("no paper has been seen at arXiv yet")
    elif (days := announcement_days(latest, today)) >= DATA_OVERDUE_DAYS:
        reasons.append(f"the newest paper is of {newest}: {_ago(days, DATA_OVERDUE_DAYS)}")
    sources = []
    for name in followed.load(root).all_names:
        state = states.get(name) or SourceState(name=name)
        if name == followed.GITHUB and state.asked_at is None:
            continue  # nobody need ask it; once asked, it is overdue like any other
        # A feed that is served day after day but never a new one has answered well and told nothing.
        dated = [(state.last_success, "last success"), (state.seen_through, "last mailing read")]
        reached, what = min(((day, what) for day, what in dated if day), default=(None, ""))
        overdue = True
        if reached is None:
            reasons.append(f"{name}: no success on record")
        elif overdue := (days := announcement_days(reached, today)) >= SOURCE_OVERDUE_DAYS:
            reasons.append(f"{name}: {what} {reached}, {_ago(days, SOURCE_OVERDUE_DAYS)}")
        facts = {"name": name, "last_success": state.last_success, "last_new": state.last_new, "overdue": overdue}
        sources.append({**facts, "seen_through": state.seen_through, "moved_to": state.moved_to})
    listed = select(func.count(func.distinct(col(Mention.paper_key)))).where(col(Mention.gone_on).is_(None))
    named = select(Mention.paper_key).where(col(Mention.gone_on).is_(None))
    confirmed = select(func.count()).select_from(Paper).where(Paper.status == CONFIRMED)
    return {
        "papers_total": papers_total(session),
        "papers_listed": session.exec(listed).one(),
        "papers_confirmed": session.exec(confirmed).one(),
        "papers_listed_confirmed": session.exec(confirmed.where(col(Paper.key).in_(named))).one(),
        "newest_announced": newest,
        "stale": bool(reasons),
        "reasons": reasons,
        "sources": sources,
    }


def _ago(days: int, limit: int) -> str:
    return f"{days} announcement days ago (overdue from {limit})"


def carried(session: Session) -> dict[str, Any]:
    """What each page of the site carries, so that a reader's browser can tell by its own clock whether the copy is old.

    From data alone, no run and no clock, and of a mirror's dates only the month: what the snapshot holds gives the same bytes.
    """
    newest, latest = newest_announced(session, arxivs_own=True)
    return {
        "newest_announced": newest,
        "newest_announced_by": latest.isoformat() if latest else None,  # the last day that this can mean
        "overdue_days": DATA_OVERDUE_DAYS,
        "holidays": [day.isoformat() for day in sorted(holidays())],
    }


def papers_total(session: Session) -> int:
    """Papers known, each counted once: a title-keyed row whose arXiv id was found later is not another paper."""
    return session.exec(select(func.count()).select_from(Paper).where(col(Paper.merged_into).is_(None))).one()


def newest_announced(session: Session, *, arxivs_own: bool = False) -> tuple[str | None, date | None]:
    """The newest confirmed paper's day, or month where only its id tells; and the last day that can mean.

    `arxivs_own` takes no other server's word for a day, as the snapshot does.
    """
    believed = col(Paper.served_by).is_not_distinct_from(ARXIV) if arxivs_own else true()
    dated = and_(col(Paper.published).is_not(None), believed)
    published = session.exec(select(func.max(Paper.published)).where(Paper.status == CONFIRMED, dated)).one()
    undated = select(Paper.arxiv_id).where(Paper.status == CONFIRMED, ~dated)
    month = max((arxiv_id.month(number) for number in session.exec(undated) if number), default=None)
    day = published.date().isoformat() if published else None
    if month and (day is None or month > day[:7]):
        year, number = map(int, month.split("-"))
        return month, date(year, number, calendar.monthrange(year, number)[1])
    return day, published.date() if published else None
