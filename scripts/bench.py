"""The full protocol, method by method; alone writes methods/results/."""

import argparse
import json
import sys

from catalog.clock import today
from catalog.errors import Refused
from catalog.root import find_root
from scripts._lab import quiet


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("slugs", nargs="*", metavar="SLUG", help="files of methods/")
    parser.add_argument("--all", action="store_true", help="every method")
    parser.add_argument("--calibrate", action="store_true", help="measure the calibration rows: the gates of all claims")
    parser.add_argument("--json", action="store_true", help="print the records instead of tables")


def main(args: argparse.Namespace) -> int:
    from methods.kit import record
    from methods.kit.calibration import calibrate, gates
    from methods.kit.runner import FULL, compare, load_method, method_names
    from methods.kit.zoo import shipped
    from scripts._table import show_record

    quiet()
    root = find_root()
    slugs = method_names(root) if args.all else args.slugs
    if not slugs and not args.calibrate:
        raise Refused("bench: name a SLUG, or --all, or --calibrate", exit_code=2)
    for slug in slugs:
        load_method(slug, root)  # a wrong name is refused before an hour's work

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    results, date, made = root / "methods" / "results", today().isoformat(), []
    if args.calibrate:
        rows = calibrate(root, date=date, command="laconic bench --calibrate", per_level=FULL, progress=say)
        record.write(results / "calibration.json", rows)
        made.append(rows)
        if not args.json:
            for row in rows["rows"]:
                print(f"{'holds' if row['holds'] else 'FAILS':<6} {row['row']}: {row['seen']}\n       asked: {row['bound']}")
    for slug in slugs:
        done = compare(
            slug,
            root,
            shipped(root),
            per_level=FULL,
            date=date,
            command=f"laconic bench {slug}",
            gates=lambda: gates(root),
            progress=say,
        )
        record.write(results / f"{slug}.json", done)
        made.append(done)
        if not args.json:
            show_record(done)
    if args.json:
        print(json.dumps(made, ensure_ascii=False))
    return 0
