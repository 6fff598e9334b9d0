"""A quick look at a method from shipped checkpoints: a comparison table beside direct and cot.

Writes only build/runs/. The numbers to quote are those of `laconic bench`.
"""

import argparse
import json
import sys
from dataclasses import replace

from catalog.clock import today
from catalog.root import find_root
from scripts import _lab


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("slug", help="a file of methods/, e.g. token_skip")
    parser.add_argument("--task", help="chains, search, gsm8k, gsm8k:FILE.jsonl or rg:NAME (default: the method's own)")
    parser.add_argument("--seed", type=int, default=0, help="which zoo (0 is shipped)")
    parser.add_argument("--train", action="store_true", help="train the method's own checkpoints first, into build/")
    parser.add_argument("--json", action="store_true", help="print the record instead of a table")
    _lab.model_arguments(parser)


def main(args: argparse.Namespace) -> int:
    _lab.quiet()
    from methods.kit import family, record
    from methods.kit.comparison import QUICK, compare
    from methods.kit.gates import gates
    from methods.kit.runner import home, load_method
    from methods.kit.zoo import train_method
    from scripts._table import show_record

    root = find_root()

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    method = load_method(args.slug, root)
    task = args.task or home(method)
    family.load(task)  # a wrong name is refused here
    args.device = _lab.device(args.device)
    _lab.check_needs(args.slug, method.NEEDS, args)
    own = _lab.guest(args, root)
    zoo = _lab.ground(args, root, task, own)
    if args.train and own is None:
        zoo = replace(zoo, own=root / "build" / "zoo" / task)
    if args.train and hasattr(method, "prepare"):
        train_method(args.slug, method, zoo, args.seed, say)
    words = [
        f"laconic run {args.slug}",
        *([f"--task {zoo.task.NAME}"] if args.task else []),
        *_lab.words_of(args, own),
        *(["--train"] if args.train else []),
    ]
    made = compare(
        args.slug,
        root,
        zoo,
        per_level=args.problems or QUICK,
        date=today().isoformat(),
        command=" ".join(words),
        gates=lambda: {} if own else gates(root, task, [args.seed]),
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
