"""Retrain the shipped checkpoints, each with its training record."""

import argparse
import logging
from dataclasses import replace

from catalog.errors import Refused, nearest
from catalog.root import find_root
from scripts import _lab


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="a shared checkpoint (start, long …), a method, or one of its checkpoints as method/kind (default: all, in order)",
    )
    parser.add_argument("--task", default="chains", help="the family of tasks (default: chains)")
    parser.add_argument("--seed", type=int, default=0, help="0 is shipped; others are written beside it")
    parser.add_argument(
        "--steps", type=int, help="of one shared checkpoint whose course was too short for this seed; its training record says so"
    )
    _lab.device_argument(parser)


def main(args: argparse.Namespace) -> int:
    _lab.quiet()
    from methods.kit import family
    from methods.kit.runner import load_method, method_names
    from methods.kit.zoo import shipped, train_base, train_method

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    root, task = find_root(), family.load(args.task)
    if args.task not in family.grown():
        raise Refused(f"zoo: --task {args.task}: the lab trains on {' and '.join(family.grown())} only", exit_code=2)
    zoo = replace(shipped(root, args.task), device=_lab.device(args.device))
    trained = [slug for slug in method_names(root) if hasattr(load_method(slug, root), "prepare")]

    if args.steps is not None:
        if len(args.names) != 1 or args.names[0] not in task.COURSES or args.steps < 1:
            raise Refused(f"zoo: --steps {args.steps}: a positive number, for one of {', '.join(task.COURSES)}", exit_code=2)
        task.COURSES[args.names[0]] = replace(task.COURSES[args.names[0]], steps=args.steps)

    def say(text: str) -> None:
        print(text, flush=True)

    for name in args.names or [*task.COURSES, *(slug for slug in trained if task.NAME == "chains")]:
        slug, _, kind = name.partition("/")
        if name in task.COURSES:
            train_base(name, zoo, args.seed, say)
        elif slug in trained:
            train_method(slug, load_method(slug, root), zoo, args.seed, say, only=kind)
        else:
            raise Refused(f"zoo: nothing to train for {name!r}{nearest(name, [*task.COURSES, *trained])}", exit_code=2)
    return 0
