"""Gates: the calibration rows as a committed record, by which claims are let through or held back."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from methods.kit import family, record
from methods.kit.calibration import judged
from methods.kit.errors import Refused
from methods.kit.parts import quiet_worker
from methods.kit.survey import keep, kept, survey
from methods.kit.zoo import Zoo, shipped


def inputs_of(zoo: Zoo, root: Path, module: str, seeds: Sequence[int]) -> dict[str, str]:
    """Hashes of everything that decides what `module` of the kit makes of a task."""
    files = [root / f"methods/kit/{module}.py", family.FOLDER / f"{zoo.task_name}.py"]
    return record.inputs(root, files, [zoo.base(role, seed) for seed in seeds for role in zoo.task.COURSES])


def present(zoo: Zoo, seeds: Sequence[int]) -> list[int]:
    """Those of `seeds` that every shared checkpoint of the task was trained with. Raises `Refused` when there is none."""
    found = [seed for seed in seeds if all((zoo.base(role, seed) / "training.json").is_file() for role in zoo.task.COURSES)]
    if not found:
        asked = ", ".join(map(str, seeds))
        raise Refused(f"{zoo.shared}: no zoo of seed {asked}: `laconic zoo --task {zoo.task_name} --seed N` trains one")
    return found


def calibrate(
    root: Path,
    tasks: Sequence[str],
    *,
    seeds: Sequence[int],
    date: str,
    command: str,
    per_level: int,
    workers: int,
    folder: Path,
    progress: Callable[[str], None],
) -> dict[str, Any]:
    """Measures every row on every task with those of `seeds` that are there, one process a task and seed: the record. What was
    measured with the same code and checkpoints is found in `folder` and not measured again."""
    zoos = {task: shipped(root, task) for task in tasks}
    found = {task: present(zoo, seeds) for task, zoo in zoos.items()}
    paths = {
        (task, seed): folder / f"{record.hashed(['survey', inputs_of(zoos[task], root, 'survey', [seed]), per_level])}.npz"
        for task, own in found.items()
        for seed in own
    }
    left = [key for key, path in paths.items() if not path.is_file()]
    with ProcessPoolExecutor(max(workers, 1), mp_context=get_context("spawn"), initializer=quiet_worker) as pool:
        running = {pool.submit(survey, zoos[task], seed, per_level): (task, seed) for task, seed in left}
        for future in as_completed(running):
            keep(future.result(), paths[running[future]])
            progress("{}, seed {}: measured".format(*running[future]))
    rows = [
        row
        for task, own in found.items()
        for row in judged(zoos[task].task, per_level, {seed: kept(paths[task, seed]) for seed in own})
    ]
    return {
        "task": ", ".join(tasks),
        "date": date,
        "command": command,
        "seeds": found,
        "problems_a_level": per_level,
        "versions": record.versions(),
        "rows": rows,
        "inputs": {name: own for task in tasks for name, own in inputs_of(zoos[task], root, "gates", found[task]).items()},
    }


def gates(root: Path, task: str, seeds: Sequence[int]) -> dict[str, bool]:
    """Which rows hold on a task in every zoo of `seeds`, from the committed record; in one that was not calibrated none does. No
    rows before there is a record. Raises `Refused` on a record that cannot be read."""
    path = root / "methods" / "results" / "calibration.json"
    if not path.exists():
        return {}
    try:
        calibration = json.loads(path.read_text("utf-8"))
        known = set(seeds) <= set(calibration["seeds"].get(task, ()))
        rows = [row for row in calibration["rows"] if row["task"] == task]
        return {row["row"]: known and all(_holds(row, seed) for seed in seeds) for row in rows}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(f"{path}: not a calibration record: {error}") from None


def _holds(row: dict[str, Any], seed: int) -> bool:
    """A row of one zoo is that zoo's; where several were measured, each has its own beside what they make together."""
    return bool(row["by_seed"][str(seed)]["holds"] if "by_seed" in row else row["holds"])
