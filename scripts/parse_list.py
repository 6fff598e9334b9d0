"""Read a survey list (Markdown or JSON) into its entries, with the defects found.

Titles are compared with the records of the database where there is one; without it every id is unverified. With --check,
the entries are compared with facts that were read by hand in the list (tests/fixtures/lists), and with a scan for ids.
"""

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from catalog import store
from catalog.errors import Refused
from catalog.lists import checking, decisions, listing, mentions, resolving
from catalog.root import find_root
from scripts import _output

ENOUGH = 0.99  # of the facts must come out right


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", type=Path)
    parser.add_argument("--check", metavar="FACTS", type=Path, help="compare with facts read by hand; exit 1 below 99 %%")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def main(args: argparse.Namespace) -> int:
    try:
        body = args.file.read_bytes()
    except OSError as error:
        raise Refused(f"{args.file}: cannot be read ({error.strerror})") from None
    text = listing.decode(body, str(args.file))
    parsed = listing.read(text)
    if args.check:
        return _check(checking.check(parsed.entries, text, args.check), as_json=args.json)
    records, decided = _known()
    rows = []
    for entry, resolved in zip(parsed.entries, resolving.resolve(parsed.entries, records, decided)):
        row = asdict(entry) | {"arxiv_id": resolved.arxiv_id, "resolution": resolved.resolution}
        rows.append(row | {"defects": [*entry.defects, *resolved.defects]})
    if args.json:
        _output.document({"entries": rows, "defects": parsed.defects})
        return 0
    _output.table(
        ["line", "resolution", "id", "title", "defects"],
        [
            (row["line"], row["resolution"], row["arxiv_id"] or row["printed_id"], row["title"], _told(row["defects"]))
            for row in rows
        ],
    )
    for each in parsed.defects:
        _output.line(f"{each['line']}\tof the list\t{each['kind']}: {each['detail']}")
    return 0


def _known() -> tuple[dict[str, list[str]], decisions.Decided]:
    """Records and decisions, where there is a database to compare with."""
    root = find_root()
    if not store.is_there(store.database_url(root)):
        _output.note("no database yet, so no title can be compared: run `laconic import` first")
        return {}, decisions.Decided()
    with store.reading(root) as session:
        return mentions.confirmed_titles(session), decisions.load(root)


def _check(found: dict[str, Any], *, as_json: bool) -> int:
    share = found["right"] / found["facts"] if found["facts"] else 0.0
    if as_json:
        _output.document(found | {"share": share})
    else:
        _output.line(f"{found['right']} of {found['facts']} facts right ({100 * share:.1f} %)")
        _output.line(
            f"{found['agreeing_ids']} of {found['scanned_ids']} scanned ids agree, "
            f"{len(found['differences'])} differences, {len(found['unexplained'])} of them unexplained"
        )
        for each in found["wrong"]:
            shown = "; ".join(f"{other['title']} ({other['arxiv_id']})" for other in each["found"]) or "no entry"
            _output.line(f"wrong\tline {each['line']}\t{each['expected']}\t{shown}")
        for each in found["differences"]:
            _output.line(f"differs\t{each['id']}\t{each['why'] or 'unexplained'}")
    return 0 if share >= ENOUGH and not found["unexplained"] else 1


def _told(found: list[dict[str, str]]) -> str:
    return "; ".join(f"{defect['kind']}: {defect['detail']}" for defect in found)
