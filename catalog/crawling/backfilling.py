"""Looking back: the query API in windows of submission days, each kept until it is answered.

The API's only date filter is the day of submission, and a paper is announced days later; so windows serve to look back,
and the daily mailings to look on.
"""

import hashlib
from datetime import date, timedelta

from sqlmodel import Session, col, select

from catalog.crawling.asking import Asking
from catalog.records import store_records
from catalog.schema import Window
from catalog.sources import polite
from catalog.sources.arxiv_query import MOST_RESULTS, Record
from catalog.sources.followed import Asked

ONE_WINDOW_DAYS = 31
LAG = timedelta(days=10)  # the longest that a submission is expected to wait for its announcement


def request(session: Session, asked: Asked, first: date, last: date) -> None:
    """Notes that `first` to `last` is to be asked about, but for what was answered for good. Commits.

    A longer span is cut at the ends of months, so that another request for it finds the same windows.
    """
    query = _hash(asked)
    opening = first
    while opening <= last:
        next_month = (opening.replace(day=1) + timedelta(days=32)).replace(day=1)
        closing = last if (last - first).days <= ONE_WINDOW_DAYS else min(last, next_month - timedelta(days=1))
        window = session.get(Window, (opening, closing, query))
        if window is None:
            session.add(Window(first=opening, last=closing, query=query))
        elif window.done and window.asked_on is not None and window.asked_on < min(closing + LAG, last):
            window.done = False  # answered before all of its papers can have been announced
        opening = closing + timedelta(days=1)
    session.commit()


def answer(asking: Asking) -> None:
    """Asks about what is left, committing window by window.

    Raises `polite.FetchError` at the first window that fails; what came of it before is stored, and it stays open.
    """
    session, today = asking.session, asking.today
    left = select(Window).where(Window.query == _hash(asking.follows), col(Window.done).is_(False))
    for window in session.exec(left.order_by(col(Window.first))).all():
        if window.asked_on == today:
            continue
        asking.say(f"arXiv: submitted {window.first} to {window.last}")
        matches: list[Record] = []
        try:
            for record in asking.api.submitted(asking.follows.query, window.first, window.last):
                matches.append(record)  # a later page that fails does not take the earlier ones with it
        finally:
            _store(asking, matches)
            asking.commit()
        if len(matches) >= MOST_RESULTS:
            raise polite.BadAnswer(f"more than {MOST_RESULTS} matches from {window.first} to {window.last}")
        if not matches:
            asking.records([])  # nothing from a source that is out of order means nothing
        # A known fault of the API looks like an empty window: it is believed when two days said so.
        window.done = bool(matches) or window.found == 0
        window.found, window.asked_on = len(matches), today
        session.add(window)
        asking.commit()
        if matches:
            asking.succeeded = True
        else:
            asking.empty = asking.empty or f"nothing submitted from {window.first} to {window.last}"


def _store(asking: Asking, matches: list[Record]) -> None:
    by_topic: dict[str, list[Record]] = {}
    for record in matches:
        # arXiv's search reads words more freely (plurals, for one) than we do; what only it sees goes to the first topic.
        topic = asking.follows.topic_of(record.title, record.abstract) or asking.follows.topic[0].name
        by_topic.setdefault(topic, []).append(record)
    for topic, records in by_topic.items():
        counts = store_records(asking.session, records, found_by=topic, served_by=asking.server, today=asking.today)
        asking.counts.add(counts)


def _hash(asked: Asked) -> str:
    return hashlib.sha256(asked.query.encode()).hexdigest()[:12]
