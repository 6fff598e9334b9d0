"""On which days arXiv announces: nothing new on a Sunday is no alarm, nothing new on a Tuesday is."""

import tomllib
from datetime import date, timedelta
from functools import cache
from pathlib import Path

_CALENDAR = Path(__file__).with_name("announcements.toml")
_FRIDAY, _SATURDAY = 4, 5


@cache
def holidays() -> frozenset[date]:
    """Evenings (US Eastern) without a mailing that are no Friday or Saturday by rule; from announcements.toml."""
    days = tomllib.loads(_CALENDAR.read_text("utf-8"))
    return frozenset([*days["published"], *days["expected"]])


def is_announcement_day(day: date) -> bool:
    """Whether papers first appear on `day` (UTC): the mailing goes out at 20:00 US Eastern time of the day before."""
    evening = day - timedelta(days=1)
    return evening.weekday() not in (_FRIDAY, _SATURDAY) and evening not in holidays()


def announcement_days(after: date, through: date) -> int:
    """How many announcement days lie after `after`, up to and with `through`."""
    return sum(is_announcement_day(after + timedelta(days=n)) for n in range(1, (through - after).days + 1))


def latest_announcement_day(through: date) -> date:
    """The last day up to and with `through` on which a mailing went out."""
    while not is_announcement_day(through):
        through -= timedelta(days=1)
    return through
