"""The arXiv side of a crawl: the mailings, full records, and windows of the past.

The RSS feed is asked first, being cheap and steady; OAI-PMH fills in for mailings that were missed; both only name
papers, whose records the query API then gives in batches. What fails is reported and does not hold up the rest.
"""

from collections.abc import Callable
from datetime import date

from sqlmodel import Session

from catalog.announcements import announcement_days
from catalog.crawling import asking_records, backfilling, mailings
from catalog.crawling.asking import Asking
from catalog.records import SourceReport
from catalog.sources import followed, polite
from catalog.sources.followed import Followed
from catalog.tagging import Tagger


def ask(
    session: Session,
    http: polite.Session,
    follows: Followed,
    named: set[str],
    *,
    since: date | None,
    abstracts: bool,
    say: Callable[[str], None],
    tagger: Tagger | None = None,
) -> SourceReport:
    """Brings the papers of arXiv up to date: those in `named`, those announced since the last time, those since `since`."""
    before = http.requests_made
    asking = Asking(session, http, follows, say, tagger)
    mailings.read(asking)
    if since:
        backfilling.request(session, asking.follows, since, asking.today)
    with asking.part():
        asking_records.ask(asking, named, abstracts=abstracts)
    with asking.part():
        backfilling.answer(asking)
    if asking.empty and not asking.problems:
        with asking.part():
            asking.records([])
    return _report(asking, http.requests_made - before)


def _report(asking: Asking, requests: int) -> SourceReport:
    report, state, counts = SourceReport(followed.ARXIV), asking.state, asking.counts
    report.count(counts)
    behind = state.seen_through is not None and announcement_days(state.seen_through, asking.today) > 0
    report.failed, report.requests = asking.lost + len(asking.broken), requests
    if problems := dict.fromkeys([*asking.problems, *asking.broken]):
        report.outcome = "partial" if asking.succeeded and requests else "failed"
        report.failed = report.failed or 1
        report.detail = "; ".join(problems)
    elif counts.new or counts.changed or asking.noted:
        report.outcome = "stored"
    elif requests and (behind or not counts.unchanged):
        report.outcome = "nothing_announced" if behind or asking.empty else "nothing_matched"
    if not problems and asking.empty:
        report.detail = asking.empty
    if requests and asking.succeeded:
        state.served_by = asking.server
    if requests and not asking.problems:
        state.last_success = asking.today
    asking.commit()
    return report
