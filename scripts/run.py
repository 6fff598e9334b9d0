"""A quick look at a method from shipped checkpoints: a comparison table beside direct and cot.

Writes only build/runs/. The numbers to quote are those of `laconic bench`.
"""

import argparse
import json
import sys

from catalog.clock import today
from catalog.root import find_root


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("slug", help="a file of methods/, e.g. token_skip")
    parser.add_argument("--task", default="chains", choices=["chains"], help="the task (default: chains)")
    parser.add_argument("--seed", type=int, default=0, help="which zoo (0 is shipped)")
    parser.add_argument("--train", action="store_true", help="train the method's own checkpoints first, into build/")
    parser.add_argument("--json", action="store_true", help="print the record instead of a table")


def main(args: argparse.Namespace) -> int:
    import torch

    from methods.kit import record
    from methods.kit.calibration import gates
    from methods.kit.runner import QUICK, compare
    from scripts._table import show_record

    torch.set_num_threads(1)  # more threads slow a model this small down
    root = find_root()
    made = compare(
        args.slug, root, per_level=QUICK, date=today().isoformat(), command=f"laconic run {args.slug}",
        calibration=gates(root), seeds=(args.seed,), progress=lambda text: print(text, file=sys.stderr, flush=True),
    )  # fmt: skip
    path = root / "build" / "runs" / f"{args.slug}.json"
    record.write(path, made)
    if args.json:
        print(json.dumps(made, ensure_ascii=False))
    else:
        show_record(made)
        print(f"record: {path.relative_to(root)}")
    return 0
