"""One crawl: fetch the lists, confirm at arXiv what they name, look for what none names yet, settle what it all means.

Each source stands alone: one that fails keeps what it had and does not hold up the others. Finished batches are
committed, so an interrupted run is taken up by the next; a source is asked once a day.
"""

from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col, func, select

from catalog import clock, tagging
from catalog.crawling import asking_arxiv, checking_links
from catalog.errors import Refused
from catalog.lists import listing, mentions
from catalog.records import SourceReport
from catalog.schema import CrawlRun, Mention, SourceState
from catalog.sources import followed, github, polite, survey_lists
from catalog.sources.followed import Followed
from catalog.sources.survey_lists import Fetched
from catalog.tagging import tag_rows

SHRUNKEN = 0.2  # a list that lost this share of its entries at once may have been cut: what is missing is kept
SHRUNKEN_ENTRIES = 2  # one entry less is an edit, however short the list

Say = Callable[[str], None]


def update(
    session: Session,
    root: Path,
    http: polite.Session,
    *,
    only: str | None = None,
    since: date | None = None,
    abstracts: bool = False,
    accept_shrunken: bool = False,
    say: Say = lambda line: None,
) -> tuple[list[SourceReport], int]:
    """Crawls into `session`, committing as it goes; (reports, exit code 0, 1 or 3). Adds one row to the run log."""
    follows = followed.load(root)
    started, today = clock.now(), clock.today()
    tagger = _tagger(root, say)
    reports: list[SourceReport] = []
    fetched: dict[str, Fetched] = {}
    code = 130  # what the log says should we be interrupted
    try:
        for each in follows.list:
            if only in (None, each.name):
                say(f"list {each.name}")
                reports.append(_fetch_list(session, http, each, fetched))
        try:
            if only in (None, followed.ARXIV):
                named = mentions.listed_ids(session)
                for served in fetched.values():
                    named |= mentions.printed_ids(served.entries or [])
                reports.append(
                    asking_arxiv.ask(session, http, follows, named, since=since, abstracts=abstracts, say=say, tagger=tagger)
                )
        finally:  # the lists were fetched; an arXiv that fails, or a person who will not wait, does not lose them
            session.rollback()
            _settle(session, follows, fetched, reports, today, accept_shrunken)
            if tagger:
                tag_rows.store_tags(session, tagger)
                session.commit()
        if follows.github and (only == followed.GITHUB or only is None and github.is_asked()):
            lost = {report.name for report in reports if report.outcome == "failed"}
            reports.append(checking_links.check(session, root, http, follows, lost, say=say))
        failed = [report.outcome in ("failed", "partial") for report in reports]
        all_failed = bool(reports) and all(report.outcome == "failed" for report in reports)
        code = 1 if all_failed else 3 if any(failed) else 0
        return reports, code
    finally:
        session.rollback()
        rows = [asdict(report) for report in reports]
        session.add(CrawlRun(started=started, finished=clock.now(), exit_code=code, sources=rows))
        session.commit()


def _tagger(root: Path, say: Say) -> tagging.Tagger | None:
    """None where it cannot be used: papers without tags are better than no papers."""
    try:
        return tagging.load(root)
    except Refused as refused:
        say(f"papers are not tagged: {refused}")
        return None


def _fetch_list(
    session: Session, http: polite.Session, each: followed.SurveyList, fetched: dict[str, Fetched]
) -> SourceReport:
    state = session.get(SourceState, each.name) or SourceState(name=each.name)
    report, before = SourceReport(each.name), http.requests_made
    try:
        known = state.parser == listing.PARSER  # what an older parser made of the list is read anew
        served = survey_lists.fetch(
            http,
            each,
            etag=state.etag if known else None,
            last_modified=state.last_modified if known else None,
            sha256=state.sha256 if known else None,
        )
        report.outcome = "unchanged" if served.entries is None else "stored"
        report.unchanged = state.entries or 0 if served.entries is None else 0
        if served.entries is not None and not served.entries:
            raise polite.BadAnswer(f"no entries where there were {state.entries or 'some'}; kept as it was")
        fetched[each.name] = served
    except survey_lists.Moved as moved:
        report.outcome, report.failed, report.detail = "failed", 1, str(moved)
        state.moved_to = moved.to
        session.add(state)
        session.commit()
    except SQLAlchemyError:
        raise  # the database is not one of the sources
    except Exception as error:
        known_kind = isinstance(error, (polite.FetchError, Refused))
        report.outcome, report.failed = "failed", 1
        report.detail = str(error) if known_kind else f"unexpected {type(error).__name__}: {error}"
    report.requests = http.requests_made - before
    return report


def _settle(
    session: Session,
    follows: Followed,
    fetched: dict[str, Fetched],
    reports: list[SourceReport],
    today: date,
    accept_shrunken: bool,
) -> None:
    held = set() if accept_shrunken else {name for name, served in fetched.items() if _shrank(session, name, served)}
    counts = mentions.settle(session, fetched, today, keep_missing=held)
    by_name = {report.name: report for report in reports}
    urls = {each.name: each.url for each in follows.list}
    for name, served in fetched.items():
        state, report = session.get(SourceState, name) or SourceState(name=name), by_name[name]
        if moved := counts.get(name):
            report.count(moved)
            if not moved.new and not moved.changed:
                report.outcome = "unchanged"
            if name in held:
                has, had = len(served.entries or []), state.entries
                report.outcome, report.failed = "partial", 1
                report.detail = f"{has} entries where there were {had}; what is missing is kept until --accept-shrunken"
                state.held_entries = has
            else:
                present = select(func.count()).where(Mention.list_name == name, col(Mention.gone_on).is_(None))
                state.entries, state.held_entries = session.exec(present).one(), None
        state.sha256, state.etag, state.last_modified = served.sha256, served.etag, served.last_modified
        if name in held:
            state.sha256 = state.etag = state.last_modified = None  # to be looked at again, until it is whole or accepted
        state.parser, state.served_by, state.last_success = listing.PARSER, polite.server(urls[name]), today
        state.moved_to = None
        if report.new:
            state.last_new = today
        session.add(state)
    session.commit()


def _shrank(session: Session, name: str, served: Fetched) -> bool:
    state = session.get(SourceState, name)
    had = state.entries or 0 if state else 0
    lost = had - len(served.entries or [])
    return served.entries is not None and lost >= max(SHRUNKEN * had, SHRUNKEN_ENTRIES)
