"""Retrain the shipped checkpoints, each with its training record."""

import argparse

from catalog.root import find_root


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="NAME", help="start, long, direct or a method's slug (default: all, in order)")
    parser.add_argument("--seed", type=int, default=0, help="0 is shipped; others are written beside it")


def main(args: argparse.Namespace) -> int:
    import torch

    from methods.kit.runner import load_method, method_names
    from methods.kit.zoo import TRAINERS, shipped, train_base, train_method

    torch.set_num_threads(1)  # more threads slow a model this small down
    root = find_root()
    trained = [slug for slug in method_names(root) if hasattr(load_method(slug, root), "prepare")]
    for name in args.names or [*TRAINERS, *trained]:
        if name in TRAINERS:
            train_base(name, shipped(root), args.seed, lambda text: print(text, flush=True))
        else:
            method = load_method(name, root)
            if not hasattr(method, "prepare"):
                print(f"{name}: trains nothing of its own")
                continue
            train_method(name, method, shipped(root), args.seed, lambda text: print(text, flush=True))
    return 0
