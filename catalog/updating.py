"""One crawl: fetch the lists, confirm at arXiv what they name, look for what none names yet, settle what it all means.

Each source stands alone: one that fails keeps what it had and does not hold up the others. Finished batches are
committed, so an interrupted run is taken up by the next; a source is asked once a day.
"""

from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from pathlib import Path

from sqlmodel import Session, col, func, select

from catalog import asking_arxiv, clock, listing, mentions
from catalog.errors import Refused
from catalog.records import SourceReport
from catalog.schema import LISTED, CrawlRun, Mention, Paper, SourceState
from catalog.sources import followed, polite, survey_lists
from catalog.sources.followed import Followed
from catalog.sources.survey_lists import Fetched

SHRUNKEN = 0.5  # a list that lost more than this share of its entries at once is not believed


Say = Callable[[str], None]


def update(
    session: Session,
    root: Path,
    http: polite.Session,
    *,
    only: str | None = None,
    since: date | None = None,
    abstracts: bool = False,
    say: Say = lambda line: None,
) -> tuple[list[SourceReport], int]:
    """Crawls into `session`, committing as it goes; (reports, exit code 0, 1 or 3). Adds one row to the run log."""
    follows = followed.load(root)
    started, today = clock.now(), clock.today()
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
                named = mentions.listed_ids(session) | _unseen(session)
                for served in fetched.values():
                    named |= mentions.printed_ids(served.entries or [])
                reports.append(
                    asking_arxiv.ask(session, http, follows, named, since=since, abstracts=abstracts, say=say)
                )
        finally:  # the lists were fetched; an arXiv that fails, or a person who will not wait, does not lose them
            session.rollback()
            _settle(session, follows, fetched, reports, today)
        failed = [report.outcome in ("failed", "partial") for report in reports]
        all_failed = bool(reports) and all(report.outcome == "failed" for report in reports)
        code = 1 if all_failed else 3 if any(failed) else 0
        return reports, code
    finally:
        session.rollback()
        rows = [asdict(report) for report in reports]
        session.add(CrawlRun(started=started, finished=clock.now(), exit_code=code, sources=rows))
        session.commit()


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
        if served.entries is None:
            report.unchanged = state.entries or 0
        elif len(served.entries) < SHRUNKEN * (state.entries or 1):
            report.outcome, report.failed = "failed", 1
            report.detail = f"{len(served.entries)} entries where there were {state.entries or 'some'}; kept as it was"
        else:
            report.outcome = "stored"
        if report.outcome != "failed":
            fetched[each.name] = served
    except (polite.FetchError, Refused) as error:
        report.outcome, report.failed, report.detail = "failed", 1, str(error)
    report.requests = http.requests_made - before
    return report


def _settle(
    session: Session, follows: Followed, fetched: dict[str, Fetched], reports: list[SourceReport], today: date
) -> None:
    counts = mentions.settle(session, fetched, today)
    by_name = {report.name: report for report in reports}
    urls = {each.name: each.url for each in follows.list}
    for name, served in fetched.items():
        state, report = session.get(SourceState, name) or SourceState(name=name), by_name[name]
        if moved := counts.get(name):
            report.count(moved)
            if not moved.new and not moved.changed:
                report.outcome = "unchanged"
            present = select(func.count()).where(Mention.list_name == name, col(Mention.gone_on).is_(None))
            state.entries = session.exec(present).one()
        state.sha256, state.etag, state.last_modified = served.sha256, served.etag, served.last_modified
        state.parser, state.served_by, state.last_success = listing.PARSER, polite.server(urls[name]), today
        if report.new:
            state.last_new = today
        session.add(state)
    session.commit()


def _unseen(session: Session) -> set[str]:
    """Ids of papers, an entry's for one, that no record was seen of yet."""
    chosen = select(Paper.key).where(Paper.status == LISTED, col(Paper.arxiv_id).is_not(None))
    return set(session.exec(chosen))
