"""The full protocol, method by method; alone writes methods/results/."""

import argparse
import json
import os
import sys
from functools import partial

from catalog.clock import today
from catalog.errors import Refused
from catalog.root import find_root
from scripts._lab import quiet


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("slugs", nargs="*", metavar="SLUG", help="files of methods/")
    parser.add_argument("--all", action="store_true", help="every method")
    parser.add_argument("--calibrate", action="store_true", help="measure the calibration rows: the gates of all claims")
    parser.add_argument("--task", help="a family of tasks other than the method's own; its records go to methods/results/TASK/")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="which zoos (default: 0, which is shipped)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes, one thread each (default: all cores)")
    parser.add_argument("--json", action="store_true", help="print the records instead of tables")


def main(args: argparse.Namespace) -> int:
    from methods.kit import family, record
    from methods.kit.calibration import calibrate, gates
    from methods.kit.comparison import FULL, compare
    from methods.kit.runner import home, load_method, method_names
    from methods.kit.zoo import shipped
    from scripts._table import show_record

    quiet()
    root = find_root()
    slugs = method_names(root) if args.all else args.slugs
    if not slugs and not args.calibrate:
        raise Refused("bench: name a SLUG, or --all, or --calibrate", exit_code=2)
    if args.task:
        family.load(args.task)
    homes = {slug: home(load_method(slug, root)) for slug in slugs}  # a wrong name is refused before an hour's work

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    results, date, made = root / "methods" / "results", today().isoformat(), []
    if args.calibrate:
        rows = calibrate(root, date=date, command="laconic bench --calibrate", per_level=FULL, workers=args.workers, progress=say)
        record.write(results / "calibration.json", rows)
        made.append(rows)
        if not args.json:
            for row in rows["rows"]:
                verdict = "holds" if row["holds"] else "FAILS"
                print(f"{verdict:<6} {row['task']}, {row['row']}: {row['seen']}\n       asked: {row['bound']}")
    for slug in slugs:
        task = args.task or homes[slug]
        words = [slug, *([f"--task {task}"] if task != homes[slug] else [])]
        words += [f"--seeds {' '.join(map(str, args.seeds))}"] if args.seeds != [0] else []
        done = compare(
            slug,
            root,
            shipped(root, task),
            per_level=FULL,
            date=date,
            command=f"laconic bench {' '.join(words)}",
            gates=partial(gates, root, task),
            seeds=tuple(args.seeds),
            workers=args.workers,
            folder=root / "build" / "bench",
            progress=say,
        )
        record.write((results if task == homes[slug] else results / task) / f"{slug}.json", done)
        made.append(done)
        if not args.json:
            show_record(done)
    if args.json:
        print(json.dumps(made, ensure_ascii=False))
    return 0
