"""The papers and methods nearest to one."""

import argparse
from dataclasses import asdict

from catalog import store, taxonomy
from catalog.errors import Refused
from catalog.finding import lookup, searching
from catalog.root import find_root
from catalog.schema import Method
from scripts import _output


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="an arXiv id or URL, a title- key, or a method's slug")
    parser.add_argument("--limit", metavar="N", type=int, default=10, help="how many at most (10)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def main(args: argparse.Namespace) -> int:
    if args.limit < 1:
        raise Refused(f"--limit: {args.limit} is not a number from 1", exit_code=2)
    root = find_root()
    with store.reading(root) as session:
        found = lookup.find(session, args.id)
        kind, key = ("method", found.slug) if isinstance(found, Method) else ("paper", found.key)
        hits = searching.build(session, taxonomy.load(root)).similar(kind, key, args.limit)
    if args.json:
        _output.document({"id": key, "kind": kind, "hits": [asdict(hit) for hit in hits]})
    elif hits:
        _output.table(searching.COLUMNS, [hit.cells for hit in hits])
    else:
        _output.line("nothing shares a word with it")
    return 0
