"""How fresh the catalog is: newest paper and last success per source; exit code 4 when overdue."""

import argparse

from catalog import freshness, store
from catalog.clock import today
from catalog.root import find_root
from scripts import _output


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def main(args: argparse.Namespace) -> int:
    root = find_root()
    with store.reading(root) as session:
        known = freshness.status(session, root, today())
    if args.json:
        _output.document(known)
        return 4 if known["stale"] else 0
    counts = ("papers_total", "papers_listed", "papers_confirmed", "newest_announced")
    _output.table(["what", "value"], [(name, known[name]) for name in counts])
    _output.table(
        ["source", "last success", "last new", "state"],
        [
            (s["name"], s["last_success"] or "never", s["last_new"] or "never", "overdue" if s["overdue"] else "in time")
            for s in known["sources"]
        ],
    )
    for reason in known["reasons"]:
        _output.line(f"stale: {reason}")
    _output.line("run `laconic update`" if known["stale"] else "fresh")
    return 4 if known["stale"] else 0
