"""Rebuild the database from the snapshot and the entries.

The new database is built beside the old one and swapped in when whole; abstracts and the run log are carried over.
"""

import argparse
from pathlib import Path

from catalog import importing
from catalog.root import find_root
from scripts import _output


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", nargs="?", metavar="DIR", type=Path, help="default: catalog/snapshot")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def main(args: argparse.Namespace) -> int:
    root = find_root()
    snapshot = importing.read(args.folder or root / "catalog" / "snapshot")
    carried = importing.replace(root, snapshot)
    counts = {
        "papers": len(snapshot.papers),
        "mentions": len(snapshot.mentions),
        "abstracts_carried": len(carried.abstracts),
    }
    if carried.problem:
        _output.note(f"the old database could not be read ({carried.problem}); it is kept beside as *.unreadable")
    if args.json:
        _output.document(counts)
    else:
        _output.table(["what", "rows"], counts.items())
    return 0
