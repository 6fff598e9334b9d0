"""Looking back: the query API in windows of submission days, each kept until it is answered.

The API's only date filter is the day of submission, and a paper is announced days later; so windows serve to look back,
and the daily mailings to look on.
"""

import hashlib
from collections.abc import Callable
from datetime import date, timedelta

from sqlmodel import Session, col, select

from catalog.records import Counts, store_records
from catalog.schema import Window
from catalog.sources import polite
from catalog.sources.arxiv_query import MOST_RESULTS, QueryApi, Record
from catalog.sources.followed import Asked

LAG = timedelta(days=10)  # the longest that a submission is expected to wait for its announcement


def request(session: Session, asked: Asked, first: date, last: date) -> None:
    """Notes that `first` to `last` is to be asked about, month by month, but for what was answered for good. Commits."""
    query = _hash(asked)
    opening = first
    while opening <= last:
        next_month = (opening.replace(day=1) + timedelta(days=32)).replace(day=1)
        closing = min(last, next_month - timedelta(days=1))
        window = session.get(Window, (opening, closing, query))
        if window is None:
            session.add(Window(first=opening, last=closing, query=query))
        elif window.done and window.asked_on is not None and window.asked_on < min(closing + LAG, last):
            window.done = False  # answered before all of its papers can have been announced
        opening = next_month
    session.commit()


def answer(
    session: Session, api: QueryApi, asked: Asked, *, served_by: str, today: date, say: Callable[[str], None]
) -> tuple[Counts, bool]:
    """Asks about what is left, committing window by window; (counts, whether any came back empty).

    Raises `polite.FetchError` at the first window that fails; what came of it before is stored, and it stays open.
    """
    counts, empty, query = Counts(), False, _hash(asked)
    left = select(Window).where(Window.query == query, col(Window.done).is_(False)).order_by(col(Window.first))
    for window in session.exec(left).all():
        if window.asked_on == today:
            continue
        say(f"arXiv: submitted {window.first} to {window.last}")
        matches: list[Record] = []
        try:
            for record in api.submitted(asked.query, window.first, window.last):
                matches.append(record)  # a later page that fails does not take the earlier ones with it
        finally:
            counts.add(_store(session, asked, matches, served_by, today))
            session.commit()
        if len(matches) >= MOST_RESULTS:
            raise polite.BadAnswer(f"more than {MOST_RESULTS} matches from {window.first} to {window.last}")
        window.done = bool(matches) or window.found == 0
        window.found, window.asked_on = len(matches), today
        empty = empty or not matches
        session.add(window)
        session.commit()
    return counts, empty


def _store(session: Session, asked: Asked, matches: list[Record], served_by: str, today: date) -> Counts:
    counts = Counts()
    by_topic: dict[str, list[Record]] = {}
    for record in matches:
        # arXiv's search reads words more freely (plurals, for one) than we do; what only it sees goes to the first topic.
        topic = asked.topic_of(record.title, record.abstract) or asked.topic[0].name
        by_topic.setdefault(topic, []).append(record)
    for topic, records in by_topic.items():
        counts.add(store_records(session, records, found_by=topic, served_by=served_by, today=today))
    return counts


def _hash(asked: Asked) -> str:
    return hashlib.sha256(asked.query.encode()).hexdigest()[:12]
