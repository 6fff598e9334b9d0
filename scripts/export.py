"""Write the database's facts as text: the snapshot that is committed and that `import` rebuilds from."""

import argparse
from pathlib import Path

from catalog import exporting, store
from catalog.root import find_root
from scripts import _output


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", nargs="?", metavar="DIR", type=Path, help="default: catalog/snapshot")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def main(args: argparse.Namespace) -> int:
    root = find_root()
    with store.reading(root) as session:
        counts = exporting.export(session, args.folder or root / "catalog" / "snapshot")
    if args.json:
        _output.document(counts)
    else:
        _output.table(["what", "records"], counts.items())
    return 0
