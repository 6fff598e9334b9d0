"""Show what a person should decide: unresolved ids, doubtful links and labels, lists that moved or shrank.

Each item comes with its evidence, the nearest titles, and what to write where to decide it (catalog/decisions.toml). The
next `laconic update` applies it.
"""

import argparse
from collections import Counter
from dataclasses import asdict

from catalog import store
from catalog.errors import Refused, nearest
from catalog.lists import reviewing
from catalog.root import find_root
from scripts import _output

LONG = "unseen"  # the kind that time settles: counted, and listed on request


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kind", metavar="KIND", help=f"one kind only: {', '.join(reviewing.KINDS)}")
    parser.add_argument("--list", metavar="NAME", dest="list_name", help="what one survey list has")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def main(args: argparse.Namespace) -> int:
    if args.kind is not None and args.kind not in reviewing.KINDS:
        raise Refused(f"--kind: unknown kind {args.kind!r}{nearest(args.kind, reviewing.KINDS)}", exit_code=2)
    root = find_root()
    with store.reading(root) as session:
        found = reviewing.items(session, root)
    names = {place["list"] for item in found for place in item.places} | {i.subject for i in found if i.kind == "list"}
    if args.list_name is not None:
        if args.list_name not in names:
            raise Refused(f"--list: nothing waits for {args.list_name!r}{nearest(args.list_name, names)}", exit_code=2)
        found = [item for item in found if args.list_name in {item.subject, *(place["list"] for place in item.places)}]
    counts = Counter(item.kind for item in found)
    found = [item for item in found if args.kind in (None, item.kind)]
    if args.json:
        _output.document({"items": [asdict(item) for item in found], "counts": {kind: counts[kind] for kind in reviewing.KINDS}})
        return 0
    for item in found:
        if item.kind != LONG or args.kind == LONG:
            _show(item)
    for kind, meaning in reviewing.KINDS.items():
        if counts[kind]:
            _output.line(f"{counts[kind]:5} {kind}: {meaning}{' (--kind unseen lists them)' if kind == LONG else ''}")
    if not found:
        _output.line("nothing waits for a decision")
    return 0


def _show(item: reviewing.Item) -> None:
    _output.line(f"{item.kind}: {item.subject}")
    for place in item.places:
        _output.line(f"    in {place['list']}, line {place['line']}: {place['url'] or 'no link'}")
    for line in item.evidence:
        _output.line(f"    {line}")
    for near in item.candidates:
        _output.line(f"    {near['score']:.2f} near {near['arxiv_id']} “{near['title']}”")
    if item.decide:
        _output.line(f"    to decide, add to {item.where}:")
        for line in item.decide.splitlines():
            _output.line(f"        {line}")
    elif item.where:
        _output.line(f"    to be mended in {item.where}; nothing here depends on it")
    _output.line("")
