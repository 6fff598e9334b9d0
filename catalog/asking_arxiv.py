"""The arXiv side of a crawl: records for the ids that lists name, and papers that no list names yet."""

from collections.abc import Callable
from datetime import date, timedelta
from zlib import crc32

from sqlmodel import Session, select

from catalog import clock
from catalog.announcements import announcement_days
from catalog.records import Counts, SourceReport, note_asked, store_records
from catalog.schema import CONFIRMED, PRINTED_ID, AskedId, Paper, SourceState
from catalog.sources import followed, polite
from catalog.sources.arxiv_query import BATCH_IDS, MOST_RESULTS, QueryApi, Record
from catalog.sources.followed import Followed

ROTA_DAYS = 7  # known papers are asked for again within a week: titles change, papers are withdrawn
WINDOW_DAYS = 31  # one discovery request covers no more


def ask(
    session: Session,
    http: polite.Session,
    follows: Followed,
    named: set[str],
    *,
    since: date | None,
    abstracts: bool,
    say: Callable[[str], None],
) -> SourceReport:
    """Records of the ids in `named` that lack one, then discovery, once a day unless `since` asks for more."""
    report, before, counts = SourceReport(followed.ARXIV), http.requests_made, Counts()
    state, today = session.get(SourceState, followed.ARXIV), clock.today()
    last_success, last_new = (state.last_success, state.last_new) if state else (None, None)
    api = QueryApi(http)
    server = polite.server(api.url)
    problems: list[str] = []

    due = last_success != today
    ids = _ids_to_ask(session, named, rota=due, abstracts=abstracts, today=today)
    for start in range(0, len(ids), BATCH_IDS - 1):
        batch = ids[start : start + BATCH_IDS - 1]
        say(f"arXiv: records {start + 1}–{start + len(batch)} of {len(ids)}")
        try:
            records = api.records(batch, follows.arxiv.canary)
        except polite.FetchError as error:
            # One batch may hold a record that arXiv stumbles over; after two it is arXiv itself, and is left in peace.
            lost = batch if isinstance(error, polite.BadAnswer) and not problems else ids[start:]
            problems.append(str(error))
            report.failed += len(lost)
            if lost is not batch:
                break
            continue
        found = [records[number] for number in batch if number in records]
        counts.add(store_records(session, found, found_by=PRINTED_ID, served_by=server, today=today))
        note_asked(session, batch, [record.arxiv_id for record in found], today)
        session.commit()
    if (due or since) and not problems:
        high_water = last_success or last_new
        first = since or (
            high_water - timedelta(days=follows.arxiv.overlap_days)
            if high_water
            else today - timedelta(days=follows.arxiv.first_window_days)
        )
        for query in follows.arxiv.query:
            for opening, closing in _windows(first, today):
                say(f"arXiv: {query.name}, submitted {opening} to {closing}")
                matches: list[Record] = []
                try:
                    for record in api.submitted(query.query, opening, closing):
                        matches.append(record)  # a later page that fails does not take the earlier ones with it
                except polite.FetchError as error:
                    problems.append(str(error))
                    report.failed += 1
                if len(matches) >= MOST_RESULTS:
                    problems.append(f"{query.name}: more than {MOST_RESULTS} matches from {opening} to {closing}")
                counts.add(store_records(session, matches, found_by=query.name, served_by=server, today=today))
                session.commit()
                if report.failed:
                    break
    report.count(counts)
    report.requests = http.requests_made - before
    if problems:
        report.outcome = "partial" if counts.new or counts.changed or counts.unchanged else "failed"
        report.detail = "; ".join(dict.fromkeys(problems))
        return report
    if counts.new or counts.changed:
        report.outcome = "stored"
    elif report.requests and not counts.unchanged:
        quiet = last_success is not None and announcement_days(last_success, today) == 0
        report.outcome = "nothing_announced" if quiet else "nothing_matched"
    if report.requests:
        state = session.get(SourceState, followed.ARXIV) or SourceState(name=followed.ARXIV)
        state.served_by, state.last_success = server, today
        if report.new:
            state.last_new = today
        session.add(state)
        session.commit()
    return report


def _ids_to_ask(session: Session, named: set[str], *, rota: bool, abstracts: bool, today: date) -> list[str]:
    """Ids no record was seen of; those whose turn in the weekly rota it is; with `abstracts`, those that lack one."""
    rows = session.exec(select(Paper.key, Paper.abstract).where(Paper.status == CONFIRMED)).all()
    confirmed = {key for key, _ in rows}
    asked = set(session.exec(select(AskedId.arxiv_id).where(AskedId.asked_on == today)))
    wanted = named - confirmed
    if rota:
        wanted |= {key for key in confirmed if crc32(key.encode()) % ROTA_DAYS == today.toordinal() % ROTA_DAYS}
    if abstracts:
        wanted |= {key for key, abstract in rows if not abstract}
    return sorted(wanted - asked)


def _windows(first: date, last: date) -> list[tuple[date, date]]:
    windows = []
    while first <= last:
        closing = min(last, first + timedelta(days=WINDOW_DAYS - 1))
        windows.append((first, closing))
        first = closing + timedelta(days=1)
    return windows
