"""The full protocol, method by method; alone writes methods/results/.

With --model the record is a contributed one: it goes to methods/results/contributed/ and into a table of its own.
"""

import argparse
import json
import os
import sys
from functools import partial

from catalog.clock import today
from catalog.errors import Refused
from catalog.root import find_root
from scripts import _lab


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("slugs", nargs="*", metavar="SLUG", help="files of methods/")
    parser.add_argument("--all", action="store_true", help="every method")
    parser.add_argument("--calibrate", action="store_true", help="measure the calibration rows: the gates of all claims")
    parser.add_argument("--task", help="a family of tasks other than the method's own; its records go to methods/results/TASK/")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="which zoos (default: 0, which is shipped)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes, one thread each (default: all cores)")
    parser.add_argument(
        "--verify", action="store_true", help="renew records whose code changed but measures the same on 100 problems and 20 steps"
    )
    parser.add_argument("--on", choices=("local", "ray"), default="local", help="this machine's cores, or a Ray cluster")
    parser.add_argument("--json", action="store_true", help="print the records instead of tables")
    _lab.model_arguments(parser)


def main(args: argparse.Namespace) -> int:
    _lab.quiet()
    from methods.kit import family, record
    from methods.kit.comparison import FULL, compare
    from methods.kit.gates import calibrate, gates
    from methods.kit.replay import replayed
    from methods.kit.runner import home, load_method, method_names
    from scripts._renewing import renewed
    from scripts._table import show_record

    root = find_root()
    slugs = method_names(root) if args.all else args.slugs
    if not slugs and not args.calibrate:
        raise Refused("bench: name a SLUG, or --all, or --calibrate", exit_code=2)
    if args.task:
        family.load(args.task)
    args.device = _lab.device(args.device)
    for slug in slugs:
        _lab.check_needs(slug, load_method(slug, root).NEEDS, args)
    own = _lab.guest(args, root)
    if own and (args.calibrate or args.verify):
        raise Refused("bench: --calibrate and --verify are about the lab's own models, without --model", exit_code=2)
    if args.calibrate and args.task:
        raise Refused("bench: --calibrate measures every family in one record, without --task", exit_code=2)
    if args.problems and not own:
        raise Refused("bench: --problems: the full protocol says how many; `laconic run` takes fewer", exit_code=2)
    homes = {slug: home(load_method(slug, root)) for slug in slugs}  # a wrong name is refused before an hour's work

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    results, date, made = root / "methods" / "results", today().isoformat(), []
    which = [f"--seeds {' '.join(map(str, args.seeds))}"] if args.seeds != [0] else []
    if args.calibrate:
        rows = calibrate(
            root,
            family.grown(),
            seeds=args.seeds,
            date=date,
            command=" ".join(["laconic bench --calibrate", *which]),
            per_level=FULL,
            workers=args.workers,
            folder=root / "build" / "bench",
            progress=say,
        )
        record.write(results / "calibration.json", rows)
        made.append(rows)
        if not args.json:
            for row in rows["rows"]:
                verdict = "holds" if row["holds"] else "FAILS"
                print(f"{verdict:<6} {row['task']}, {row['row']}: {row['seen']}\n       asked: {row['bound']}")
    refused = 0
    for slug in slugs:
        task = args.task or homes[slug]
        path = (results if task == homes[slug] else results / task) / f"{slug}.json"
        zoo = _lab.ground(args, root, task, own)
        if own:
            path = results / "contributed" / f"{slug}-{_lab.slug_of(own.name)}-{_lab.slug_of(zoo.task.NAME)}.json"
        if args.verify:
            refused += not renewed(path, slug, root, zoo, args.workers, say)
            continue
        words = [slug, *([f"--task {zoo.task.NAME}"] if task != homes[slug] else []), *which]
        done = compare(
            slug,
            root,
            zoo,
            per_level=args.problems or FULL,
            date=date,
            command=" ".join(["laconic bench", *words, *_lab.words_of(args, own)]),
            gates=dict if own else partial(gates, root, task, args.seeds),
            seeds=tuple(args.seeds),
            workers=args.workers,
            folder=root / "build" / "bench",
            progress=say,
            on=args.on,
        )
        if own is None:
            say(f"{slug}: what --verify will replay")
            done["replay"] = replayed(slug, root, zoo, args.seeds[0], args.workers)
        record.write(path, done)
        made.append(done)
        if not args.json:
            show_record(done)
    if args.json:
        print(json.dumps(made, ensure_ascii=False))
    return 1 if refused else 0
