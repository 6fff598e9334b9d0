"""What became of the code: a slow rota over the repositories that papers, lists and entries link to.

It comes last and touches no paper. Whatever was looked at longest ago is looked at next, none twice a day.
"""

from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import date
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col, select

from catalog import clock, entries
from catalog.errors import Refused
from catalog.lists.code_links import on_github
from catalog.records import SourceReport
from catalog.schema import Mention, Repository, SourceState
from catalog.sources import followed, github, polite
from catalog.sources.followed import Followed

PER_RUN = 40  # at one request each, some two minutes at the pace that is kept towards every host
GIVE_UP = 3  # so many failures in a row are no accident


def check(
    session: Session,
    root: Path,
    http: polite.Session,
    follows: Followed,
    lost: Collection[str],
    *,
    say: Callable[[str], None] = lambda line: None,
) -> SourceReport:
    """Looks up the repositories that are due, first those of `lost`, the lists that failed today; commits each."""
    today, before = clock.today(), http.requests_made
    report = SourceReport(followed.GITHUB)
    state = session.get(SourceState, followed.GITHUB) or SourceState(name=followed.GITHUB)
    state.asked_at = clock.now()
    session.add(state)
    lists = {each.repository.lower(): each.name for each in follows.list if each.name in lost}
    in_a_row, rests = 0, False
    trusted = False  # a 404 is believed once the canary was seen in this run
    for name in _due(session, root, follows, lists, today):
        say(f"repository {name}")
        try:
            found = github.look_up(http, name)
            if found is None and not trusted:
                _look_for_canary(http, follows)
                trusted = True
        except SQLAlchemyError:
            raise  # the database is not one of the sources
        except Exception as error:
            known_kind = isinstance(error, (polite.FetchError, Refused))
            report.failed += 1
            report.detail = str(error) if known_kind else f"unexpected {type(error).__name__}: {error}"
            in_a_row, rests = in_a_row + 1, isinstance(error, polite.Resting)
            if in_a_row == GIVE_UP or not isinstance(error, polite.BadAnswer):
                break
            continue
        in_a_row = 0
        row = _row(session.get(Repository, name), name, found, today)
        _store(session, row, report)
        if row.moved_to and name in lists and (state_of_list := session.get(SourceState, lists[name])):
            state_of_list.moved_to = row.moved_to
        session.commit()
    report.requests = http.requests_made - before
    if report.failed:
        told = report.new + report.changed + report.unchanged
        report.outcome = "partial" if told or rests else "failed"
    else:
        report.outcome = "stored" if report.new or report.changed else "unchanged"
        state.last_success = today
    if report.new:
        state.last_new = today
    session.commit()
    return report


def _due(session: Session, root: Path, follows: Followed, lists: Collection[str], today: date) -> list[str]:
    """The names to look up now: lost lists, then what was never seen, then what was seen longest ago."""
    urls = [url for listed in session.exec(select(Mention.urls).where(col(Mention.gone_on).is_(None))) for url in listed]
    with suppress(Refused):  # a malformed entry; `update` itself says so
        urls += [entry.written.code.url for entry in entries.load(root) if entry.written.code]
    named = {each.repository.lower() for each in follows.list} | {on_github(url) for url in urls}
    seen = {row.name: row.checked_on for row in session.exec(select(Repository))}
    rota = [name for name in filter(github.is_name, named) if name not in lists and seen.get(name, date.min) < today]
    return [*sorted(lists), *sorted(rota, key=lambda name: (seen.get(name, date.min), name))][:PER_RUN]


def _look_for_canary(http: polite.Session, follows: Followed) -> None:
    canary = follows.github.canary if follows.github else ""
    if github.look_up(http, canary) is None:
        raise polite.BadAnswer(f"GitHub does not know {canary} either, so what it does not know tells nothing")


def _row(old: Repository | None, name: str, found: github.Found | None, today: date) -> Repository:
    if found is None:  # what was known of it while it was there stays
        kept = old.model_dump() if old else {"name": name}
        return Repository(**{**kept, "state": "gone", "checked_on": today})
    return Repository(
        name=name,
        state="alive",
        moved_to=found.full_name if found.full_name.lower() != name else None,
        archived=found.archived,
        licence=found.licence,
        pushed_on=found.pushed_on,
        checked_on=today,
    )


def _store(session: Session, row: Repository, report: SourceReport) -> None:
    old = session.get(Repository, row.name)
    if old is None:
        report.new += 1
    elif old.model_dump(exclude={"checked_on"}) == row.model_dump(exclude={"checked_on"}):
        report.unchanged += 1
    else:
        report.changed += 1
    session.merge(row)
