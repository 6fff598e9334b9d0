"""Every mailing since the last one read: today's from the RSS feed, those that were missed from OAI-PMH."""

from collections.abc import Iterator
from datetime import date, timedelta

from catalog import announcing, backfilling, clock
from catalog.announcements import announcement_days, latest_announcement_day
from catalog.asking import Asking
from catalog.schema import SourceState
from catalog.sources import feed, followed, oai, polite

PATIENCE = timedelta(hours=4)  # a mailing that is late is asked for again, but not at once
HARVEST_DAYS = 31  # a longer gap is looked back on by topic: harvesting it would fetch the whole field


def read(asking: Asking) -> None:
    """Reads the mailings since the last one read: today's from the feed, those missed from the harvest."""
    state, today = asking.state, asking.today
    seen = state.seen_through or state.last_new
    if not followed.is_asked("LACONIC_RSS_URL"):
        if state.last_success != today:
            days = asking.follows.first_window_days if seen is None else backfilling.LAG.days
            backfilling.request(asking.session, asking.follows, today - timedelta(days=days), today)
        return
    if not _is_due(state, today):
        return
    state.asked_at = clock.now()
    asking.session.add(state)
    asking.session.commit()
    mailing = None
    with asking.part():
        asking.say("arXiv: the day's mailing")
        mailing = feed.fetch(asking.http, asking.follows.categories)
        asking.succeeded = True
        asking.noted += _note(asking, mailing.papers, feed.url())
        if not mailing.papers:
            asking.empty = f"the mailing of {mailing.day} is empty"
        elif seen is None or (mailing.whole and announcement_days(seen, mailing.day) <= 1):
            state.seen_through = max(mailing.day, seen or mailing.day)
        if seen is None:
            days = asking.follows.first_window_days
            backfilling.request(asking.session, asking.follows, today - timedelta(days=days), today)
        asking.session.add(state)
        asking.session.commit()
    newest = mailing.day if mailing and mailing.papers else latest_announcement_day(today)
    if seen is None or asking.empty or announcement_days(state.seen_through or seen, newest) == 0:
        return
    if (today - seen).days > HARVEST_DAYS:
        backfilling.request(asking.session, asking.follows, seen - backfilling.LAG, today)
        state.seen_through = newest
        asking.session.add(state)
        asking.session.commit()
    elif followed.is_asked("LACONIC_OAI_URL"):
        with asking.part():
            _harvest(asking, seen, newest)


def _is_due(state: SourceState, today: date) -> bool:
    if state.seen_through is not None and announcement_days(state.seen_through, today) == 0:
        return False
    return state.asked_at is None or state.asked_at.date() != today or clock.now() - state.asked_at >= PATIENCE


def _harvest(asking: Asking, since: date, newest: date) -> None:
    """Catches up on what changed since a day, taking up an answer that broke off earlier today."""
    state, session = asking.state, asking.session
    day, category_left, token = (state.cursor or "- - -").split(" ", 2)
    categories = asking.follows.categories
    start = categories.index(category_left) if day == f"{asking.today}" and category_left in categories else 0
    seen = start
    for number, category in enumerate(categories[start:], start):
        resume = token if number == start and day == f"{asking.today}" and token != "-" else None
        asking.say(f"arXiv: what changed in {category} since {since}")
        try:
            pages = list(_pages(asking, category, since, resume))
        except oai.TokenExpired:
            pages = list(_pages(asking, category, since, None))
        seen += sum(pages)
    state.cursor = None
    if seen:
        state.seen_through = newest
    else:
        asking.empty = f"nothing changed since {since}, says the harvest"
    session.add(state)
    session.commit()


def _pages(asking: Asking, category: str, since: date, token: str | None) -> Iterator[int]:
    for page in oai.changed_since(asking.http, category, since, token):
        asking.succeeded = True
        asking.noted += _note(asking, page.papers, oai.url())
        asking.state.cursor = f"{asking.today} {category} {page.token or '-'}"
        asking.session.add(asking.state)
        asking.session.commit()
        yield len(page.papers)


def _note(asking: Asking, papers: list[feed.Announced], url: str) -> int:
    return announcing.note(
        asking.session, papers, asking.follows, served_by=polite.server(url), today=asking.today
    )
