"""Crawl survey lists and arXiv into the database.

Finished work is committed as it goes: an interrupted run is taken up by the next, and a source is asked once a day.
Exit code 0 when every source was well, 3 when some were not, 1 when none was.
"""

import argparse
import os
import sys
from dataclasses import asdict
from datetime import date
from pathlib import Path

from sqlmodel import Session

from catalog import curated, freshness, store
from catalog.clock import today
from catalog.crawling import updating
from catalog.errors import Refused, nearest
from catalog.root import find_root
from catalog.sources import followed, polite
from scripts import _output


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--source", metavar="NAME", help="follow this one only: a list's name, arxiv, or github")
    parser.add_argument("--since", metavar="DATE", help="look for papers submitted since this day (2026-03-01)")
    parser.add_argument("--abstracts", action="store_true", help="also ask for abstracts that the database lacks")
    parser.add_argument(
        "--accept-shrunken", action="store_true", help="believe a list that lost a fifth of its entries or more"
    )
    parser.add_argument(
        "--probe", metavar="SECONDS", type=float, help="first see whether the network answers; if not, say so and exit 0"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def main(args: argparse.Namespace) -> int:
    root = find_root()
    follows = followed.load(root)
    if args.source is not None and args.source not in follows.all_names:
        raise Refused(f"--source: unknown source {args.source!r}{nearest(args.source, follows.all_names)}", exit_code=2)
    since = _day(args.since) if args.since else None
    if args.probe is not None and not _online(follows, args.probe):
        return 0
    on_terminal = sys.stderr.isatty() and not args.json
    http = polite.Session(notice=_output.note)
    with store.writing(root) as session:
        entries_read = _store_entries(session, root)
        reports, code = updating.update(
            session,
            root,
            http,
            only=args.source,
            since=since,
            abstracts=args.abstracts,
            accept_shrunken=args.accept_shrunken,
            say=_output.note if on_terminal else lambda line: None,
        )
        papers_total = freshness.papers_total(session)
    rows = [asdict(report) for report in reports]
    if args.json:
        _output.document({"sources": rows, "papers_total": papers_total})
        return code or entries_read
    columns = ["name", "outcome", "new", "changed", "unchanged", "failed", "requests", "detail"]
    _output.table(columns, [[row[column] for column in columns] for row in rows])
    _output.line(f"papers_total\t{papers_total}")
    return code or entries_read


def _store_entries(session: Session, root: Path) -> int:
    """0, or 3 where an entry is malformed: that is said, but holds up no crawl."""
    try:
        curated.store(session, root)
    except Refused as refused:
        session.rollback()
        _output.note(str(refused))
        return 3
    session.commit()
    return 0


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Refused(f"--since: {text!r} is not a date such as 2026-03-01", exit_code=2) from None
    if not date(1991, 8, 14) <= day <= today():
        raise Refused(f"--since: {text} lies before arXiv began or after today", exit_code=2)
    return day


def _online(follows: followed.Followed, seconds: float) -> bool:
    """Whether to go on; prints why not. The demo must not depend on the network, nor CI on the weather."""
    if not 0 < seconds <= 60:
        raise Refused(f"--probe: {seconds:g} is not a number of seconds up to 60", exit_code=2)
    if os.environ.get("CI") == "true":
        _output.line("live update skipped under CI; going on with the shipped snapshot")
        return False
    if follows.list and not polite.answers(follows.list[0].url, seconds):
        host = follows.list[0].url.split("/")[2]
        _output.line(f"no network ({host} did not answer in {seconds:g} s); going on with the shipped snapshot")
        return False
    return True
