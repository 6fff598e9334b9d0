"""Find papers and methods by words."""

import argparse
from dataclasses import asdict

from catalog import searching, store
from catalog.errors import Refused
from catalog.root import find_root
from scripts import _output


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", nargs="+", metavar="WORDS", help="any text")
    parser.add_argument("--limit", metavar="N", type=int, default=20, help="how many at most (20)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def main(args: argparse.Namespace) -> int:
    if args.limit < 1:
        raise Refused(f"--limit: {args.limit} is not a number from 1", exit_code=2)
    with store.reading(find_root()) as session:
        hits = searching.build(session).search(" ".join(args.words), args.limit)
    if args.json:
        _output.document({"query": " ".join(args.words), "hits": [asdict(hit) for hit in hits]})
    elif hits:
        _output.table(["score", "kind", "id", "title"], [(f"{h.score:.2f}", h.kind, h.key, h.title) for h in hits])
    else:
        _output.line("nothing found")
    return 0
