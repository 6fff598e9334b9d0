"""Every mailing since the last one read: today's from the RSS feed, those that were missed from OAI-PMH."""

from datetime import date, timedelta

from catalog import clock
from catalog.announcements import announcement_days, latest_announcement_day
from catalog.crawling import announcing, backfilling
from catalog.crawling.asking import Asking
from catalog.schema import SourceState
from catalog.sources import feed, followed, oai, polite

PATIENCE = timedelta(hours=4)  # a mailing that is late is asked for again, but not at once
HARVEST_DAYS = 31  # a longer gap is looked back on by topic: harvesting it would fetch the whole field


def read(asking: Asking) -> None:
    """Notes what was announced since the last time; what fails is reported in `asking.problems`."""
    state, today = asking.state, asking.today
    since = state.seen_through or state.last_new
    if not followed.is_asked("LACONIC_RSS_URL"):
        _look_back_without_feed(asking, since)
        return
    if not _is_due(state, today):
        return
    if since is None:  # before the feed is read: a run cut off in between must not forget the past
        _look_back(asking, today - timedelta(days=asking.follows.first_window_days))
    newest = latest_announcement_day(today)  # what there is to read, unless the feed says otherwise
    through = latest_announcement_day(newest - timedelta(days=1))  # the harvest alone may still lack the newest mailing
    with asking.part():
        newest = through = _read_feed(asking, since)
    if since is None or asking.empty or announcement_days(state.seen_through or since, newest) == 0:
        return
    if (today - since).days > HARVEST_DAYS:
        _look_back(asking, since - backfilling.LAG)
        state.seen_through = newest
        asking.commit()
    elif followed.is_asked("LACONIC_OAI_URL"):
        with asking.part():
            _harvest(asking, since, through)


def _is_due(state: SourceState, today: date) -> bool:
    if state.seen_through is not None and announcement_days(state.seen_through, today) == 0:
        return False
    return state.asked_at is None or state.asked_at.date() != today or clock.now() - state.asked_at >= PATIENCE


def _read_feed(asking: Asking, since: date | None) -> date:
    """The day of the mailing that the feed holds."""
    asking.say("arXiv: the day's mailing")
    state, mailing = asking.state, feed.fetch(asking.http, asking.follows.categories)
    asking.succeeded = True
    _note(asking, mailing.papers, feed.url())
    if not mailing.papers:
        asking.empty = f"the mailing of {mailing.day} is empty"
    elif since is None or (mailing.whole and announcement_days(since, mailing.day) <= 1):
        state.seen_through = max(mailing.day, since or mailing.day)
    if asking.empty or announcement_days(state.seen_through or mailing.day, mailing.day) == 0:
        state.asked_at = clock.now()  # not while a harvest is due: should it fail, the next run tries both again
    asking.commit()
    return mailing.day


def _look_back(asking: Asking, first: date) -> None:
    backfilling.request(asking.session, asking.follows, first, asking.today)


def _look_back_without_feed(asking: Asking, since: date | None) -> None:
    """Where a mirror offers the query API alone, windows have to do for the mailings too."""
    if asking.state.last_success != asking.today:
        days = backfilling.LAG if since else timedelta(days=asking.follows.first_window_days)
        _look_back(asking, min(since or asking.today, asking.today) - days)


def _harvest(asking: Asking, since: date, through: date) -> None:
    """Catches up on what changed since a day, going on where an earlier run of today broke off.

    After it every mailing up to `through` was read.
    """
    categories, state = asking.follows.categories, asking.state
    day, broke_off_in, token = (state.cursor or "- - -").split(" ", 2)
    resumed = day == asking.today.isoformat() and broke_off_in in categories
    changed = int(resumed)  # an earlier run saw some
    for category in categories[categories.index(broke_off_in) if resumed else 0 :]:
        asking.say(f"arXiv: what changed in {category} since {since}")
        try:
            changed += _read_harvest(asking, category, since, token if resumed and token != "-" else None)
        except oai.TokenExpired:
            changed += _read_harvest(asking, category, since, None)
        resumed = False
    state.cursor = None
    if changed:
        state.seen_through = max(since, through)
    else:
        asking.empty = f"nothing changed since {since}, says the harvest"
    asking.commit()


def _read_harvest(asking: Asking, category: str, since: date, token: str | None) -> int:
    """How many records there were; commits page by page."""
    changed = 0
    for page in oai.changed_since(asking.http, category, since, token):
        asking.succeeded = True
        changed += len(page.papers)
        _note(asking, page.papers, oai.url())
        asking.state.cursor = f"{asking.today} {category} {page.token or '-'}"
        asking.commit()
    return changed


def _note(asking: Asking, papers: list[feed.Announced], url: str) -> None:
    asking.noted += announcing.note(
        asking.session, papers, asking.follows, asking.tagger, served_by=polite.server(url), today=asking.today
    )
