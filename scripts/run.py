"""A quick look at a method from shipped checkpoints: a comparison table beside direct and cot.

Writes only build/runs/. The numbers to quote are those of `laconic bench`.
"""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

from catalog.clock import today
from catalog.root import find_root
from scripts._lab import quiet


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("slug", help="a file of methods/, e.g. token_skip")
    parser.add_argument("--task", help="a family of tasks: chains or search (default: the method's own)")
    parser.add_argument("--seed", type=int, default=0, help="which zoo (0 is shipped)")
    parser.add_argument("--model", metavar="PATH", help="a checkpoint folder that takes the place of the lab's own models")
    parser.add_argument("--train", action="store_true", help="train the method's own checkpoints first, into build/")
    parser.add_argument("--json", action="store_true", help="print the record instead of a table")


def main(args: argparse.Namespace) -> int:
    from methods.kit import family, record
    from methods.kit.calibration import gates
    from methods.kit.comparison import QUICK, compare
    from methods.kit.runner import home, load_method
    from methods.kit.zoo import shipped, train_method
    from scripts._table import show_record

    quiet()
    root = find_root()

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    method = load_method(args.slug, root)
    task = args.task or home(method)
    family.load(task)  # a wrong name is refused here
    zoo = shipped(root, task)
    if args.model or args.train:
        zoo = replace(zoo, own=root / "build" / "zoo" / task, model=Path(args.model) if args.model else None)
    if args.train and hasattr(method, "prepare"):
        train_method(args.slug, method, zoo, args.seed, say)
    words = [
        f"laconic run {args.slug}",
        *([f"--task {task}"] if args.task else []),
        *([f"--model {args.model}"] if args.model else []),
        *(["--train"] if args.train else []),
    ]
    made = compare(
        args.slug,
        root,
        zoo,
        per_level=QUICK,
        date=today().isoformat(),
        command=" ".join(words),
        gates=lambda: {} if args.model else gates(root, task),
        seeds=(args.seed,),
        progress=say,
    )
    path = root / "build" / "runs" / f"{args.slug}.json"
    record.write(path, made)
    if args.json:
        print(json.dumps(made, ensure_ascii=False))
    else:
        show_record(made)
        print(f"record: {path.relative_to(root)}")
    return 0
