"""The parts of a full record, done side by side: one process and one torch thread each. A finished part is kept.

What is kept goes by a hash of all it depends on (code, checkpoints, settings), so parts of different code never meet in one
record, and a part that two records share (`cot`) is measured once.
"""

import json
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch

from methods.kit import family, record
from methods.kit.errors import Refused
from methods.kit.runner import latency_s, load_method, measure, spelled
from methods.kit.zoo import Zoo, folders_of, load_models

BATCH = 200  # problems solved at a time by the zoo
SHOWN = 3  # which of a task's standard levels the solved example comes from


@dataclass(frozen=True)
class Part:
    """One arm of one method on one zoo seed; with `budgets`, its thinking closed after so many tokens for each problem."""

    root: Path
    zoo: Zoo
    slug: str
    arm: str
    seed: int
    per_level: int
    budgets: tuple[int, ...] | None = None

    @property
    def key(self) -> str:
        return f"{self.slug}@{self.arm}" if self.arm else self.slug

    @property
    def config(self) -> Any:
        """The arm's; a guest may be told how long it may think."""
        config = load_method(self.slug, self.root).ARMS[self.arm]
        if self.zoo.model and self.zoo.model.most_tokens and hasattr(config, "most_thinking_tokens"):
            return replace(config, most_thinking_tokens=self.zoo.model.most_tokens)
        return config

    @property
    def folders(self) -> list[Path]:
        return folders_of(self.zoo, load_method(self.slug, self.root), self.config, self.seed)

    def code(self) -> list[Path]:
        here = self.root / "methods"
        return [here / "kit/parts.py", here / f"{self.slug}.py", here / f"kit/tasks/{self.zoo.task_name.partition(':')[0]}.py"]

    def digest(self) -> str:
        """Of everything that decides what comes out."""
        settings = [self.key, self.seed, self.per_level, self.budgets, str(self.config), self.zoo.device, str(self.zoo.model)]
        return record.hashed([settings, record.inputs(self.root, self.code(), self.folders)])


@dataclass(frozen=True)
class Done:
    """Values a problem by metric, seconds for one problem a level, one example spelled out, bytes of the weights."""

    values: dict[str, np.ndarray]
    latency: np.ndarray
    example: list[dict[str, str]]
    weight_bytes: float


def test_problems(task: Any, per_level: int) -> list[family.Problem]:
    return [problem for level in task.LEVELS for problem in task.draws("test", level, 0, per_level)]


def example_of(problems: Sequence[family.Problem], task: Any) -> int:
    """Which problem is shown solved: the first of its level, whatever came out."""
    return next(i for i, problem in enumerate(problems) if problem.level == task.LEVELS[min(SHOWN, len(task.LEVELS) - 1)])


def do(part: Part) -> Done:
    """Measures one part. Raises `Refused` where a checkpoint is missing, or memory is."""
    guest = part.zoo.model
    try:
        return measured(part)
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "memory" not in str(error):  # torch has no class for the lack of the CPU's
            raise
        less = f"a --batch smaller than {guest.batch} needs less" if guest else "fewer --workers need less"
        raise Refused(f"{part.key}: out of memory on {part.zoo.device}; finished parts are kept; {less}") from None


def measured(part: Part) -> Done:
    method, task, guest = load_method(part.slug, part.root), part.zoo.task, part.zoo.model
    models = load_models(part.zoo, method, part.config, part.seed)
    problems = test_problems(task, part.per_level)
    budgets = np.array(part.budgets) if part.budgets is not None else None
    batch = guest.batch if guest else BATCH
    seen = measure(method, models, part.config, problems, part.seed, budgets, batch)
    latency = np.zeros(0)
    if budgets is None:  # a rival cut from another's chains takes no time of its own
        timed = [next(problem for problem in problems if problem.level == level) for level in task.LEVELS]
        latency = latency_s(method, models, part.config, timed, part.seed)
    shown = spelled(seen.outputs[example_of(problems, task)], seen.role, task)
    weights = sum(p.numel() * 2 for role in models.values() for p in role.model.parameters()) if not guest else guest.weight_bytes
    return Done(seen.values, latency, shown, float(weights))  # the zoo is shipped as bf16, two bytes each


def keep(done: Done, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    with unfinished.open("wb") as file:
        about = json.dumps([done.example, done.weight_bytes])
        np.savez(file, _latency=done.latency, _about=np.array(about), **done.values)  # type: ignore[arg-type]
    unfinished.replace(path)


def kept(path: Path) -> Done:
    with np.load(path, allow_pickle=False) as file:
        example, weight_bytes = json.loads(str(file["_about"]))
        values = {name: file[name] for name in file.files if not name.startswith("_")}
        return Done(values, file["_latency"], example, weight_bytes)


def quiet_worker() -> None:
    """One thread, and Ctrl-C is the parent's to answer."""
    from transformers.utils import logging

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
    logging.disable_progress_bar()


def do_all(
    parts: Sequence[Part], workers: int, folder: Path | None, progress: Callable[[str], None], on: str = "local"
) -> dict[Part, Done]:
    """Every part's outcome. Those found in `folder` are not done again; with one worker they are done in this process.

    `on` is `local`, or `ray` for a cluster's workers. Interrupted or failed, it leaves the finished ones in `folder`.
    """
    paths = {part: folder / f"{part.digest()}.npz" for part in parts} if folder else {}
    found = {part: kept(path) for part, path in paths.items() if path.is_file()}
    if found:
        progress(f"{len(found)} of {len(parts)} parts were done before: {', '.join(part.key for part in found)}")
    left = [part for part in parts if part not in found]
    if on == "ray" and left:
        from methods.kit.ray_cluster import outcomes
    elif workers > 1 and len(left) > 1:
        outcomes = in_processes
    else:
        outcomes = in_turn
    for part, outcome in outcomes(left, workers):
        found[part] = outcome
        if folder:
            keep(outcome, paths[part])
        progress(f"{len(found)} of {len(parts)}: {part.key}, seed {part.seed}, {len(outcome.values['tokens'])} problems")
    return found


def in_turn(parts: Sequence[Part], workers: int) -> Iterator[tuple[Part, Done]]:
    for part in parts:
        yield part, do(part)


def in_processes(parts: Sequence[Part], workers: int) -> Iterator[tuple[Part, Done]]:
    """Each part as it is finished. Raises `Refused` when a process died."""
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=quiet_worker)
    count = 0
    try:
        running = {pool.submit(do, part): part for part in parts}
        for count, future in enumerate(as_completed(running)):  # noqa: B007
            yield running[future], future.result()
    except BrokenProcessPool:
        raise Refused(
            f"bench: a worker process died (out of memory?) with {len(parts) - count} of {len(parts)} parts to do; finished ones "
            "are kept, the same command goes on from there, fewer --workers need less memory"
        ) from None
    except (KeyboardInterrupt, GeneratorExit):  # the latter where it struck between two parts
        for worker in active_children():  # a part takes a minute; who interrupts does not wait for it
            worker.terminate()
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
