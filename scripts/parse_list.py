"""Read a survey list (Markdown) into its entries, with the defects found.

Titles are compared with the records of the database where there is one; without it every id is unverified.
"""

import argparse
from dataclasses import asdict
from pathlib import Path

from catalog import listing, mentions, resolving, store
from catalog.errors import Refused
from catalog.root import find_root
from scripts import _output


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", type=Path)
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def main(args: argparse.Namespace) -> int:
    try:
        body = args.file.read_bytes()
    except OSError as error:
        raise Refused(f"{args.file}: cannot be read ({error.strerror})") from None
    entries = listing.parse(listing.decode(body, str(args.file)))
    rows = []
    for entry, resolved in zip(entries, resolving.resolve(entries, _records())):
        row = asdict(entry) | {"arxiv_id": resolved.arxiv_id, "resolution": resolved.resolution}
        rows.append(row | {"defects": mentions.with_resolution(entry.defects, resolved)})
    if args.json:
        _output.document({"entries": rows})
        return 0
    _output.table(
        ["line", "resolution", "id", "title", "defects"],
        [
            (row["line"], row["resolution"], row["arxiv_id"] or row["printed_id"], row["title"], _told(row["defects"]))
            for row in rows
        ],
    )
    return 0


def _records() -> dict[str, list[str]]:
    root = find_root()
    url = store.database_url(root)
    if store.is_sqlite_file(url) and not Path(str(url.database)).exists():
        _output.note("no database yet, so no title can be compared: run `laconic import` first")
        return {}
    with store.reading(root) as session:
        return mentions.confirmed_titles(session)


def _told(defects: list[dict[str, str]]) -> str:
    return "; ".join(f"{defect['kind']}: {defect['detail']}" for defect in defects)
