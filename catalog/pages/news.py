"""What is new this week, from data: the week ends with the newest paper's first sight, never with the time of a build."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from catalog.auditing.ledger import Change
from catalog.pages.papers import Row
from catalog.pages.records import Record

SHOWN = 5


@dataclass(frozen=True)
class News:
    """Of the seven days up to and with `until`; what is dated later (a record, say, of another machine) is new as well."""

    until: date
    papers: list[Row]  # newest first
    changes: list[Change]  # of reported numbers
    records: list[tuple[str, Record]]  # slug and record, newest first


def week(rows: Sequence[Row], changes: Sequence[Change], records: Mapping[str, Record]) -> News | None:
    """None where no paper is known yet."""
    seen = [row.first_seen for row in rows if row.first_seen]
    if not seen:
        return None
    until = max(seen)
    after = until - timedelta(days=7)
    fresh = [(slug, record) for slug, record in records.items() if record.day and record.day > after]
    return News(
        until,
        [row for row in rows if row.first_seen and row.first_seen > after],
        [change for change in changes if change.date > after],
        sorted(fresh, key=lambda found: (-(found[1].day or after).toordinal(), found[0])),
    )
