"""Calibration: what must be seen on a task before claims about it mean anything. Each row is a gate that claims name.

A row that fails is published as failed; the claims that need it come out `not_testable`.
"""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch

from methods import cot, direct
from methods.kit import family, record
from methods.kit.decoding import decode
from methods.kit.errors import Refused
from methods.kit.method import Output, split_answer
from methods.kit.models import Models, Role
from methods.kit.parts import quiet_worker
from methods.kit.runner import Measured, measure, read_answer
from methods.kit.statistics import Interval, Means, Table, of
from methods.kit.zoo import Zoo, load_bases, shipped, training_flops

SAMPLES, SAMPLED_PROBLEMS = 16, 60  # of one problem; problems a level
CHECKS = ("verify", "error")  # a check confirms, or finds a dead end
FLAT_GAIN = 0.03  # the most a level may gain, in accuracy, over the last quarter of `direct`'s training


@dataclass(frozen=True)
class Row:
    """One gate on one task. `figures` are intervals or plain numbers, `bound` what was asked of them, `seen` in one sentence."""

    task: str
    row: str
    holds: bool | None  # None: these checkpoints cannot tell
    seen: str
    bound: str
    figures: dict[str, Any]


@dataclass(frozen=True)
class Ground:
    """Everything the rows are read from: test problems and what each model made of them."""

    task: ModuleType
    problems: list[family.Problem]
    levels: np.ndarray
    bases: Models
    tables: dict[str, dict[str, np.ndarray]]
    long: Measured
    means: Means
    zoo: Zoo

    def at(self, arm: str, metric: str, level: int | None = None) -> Interval:
        return of(self.means(arm, metric, level), self.means.count(level))

    def by_level(self, arm: str) -> dict[str, Interval]:
        return {f"{arm} k={level}": self.at(arm, "accuracy", level) for level in self.task.LEVELS}

    @property
    def hardest(self) -> int:
        return int(self.task.LEVELS[-1])

    def lost(self, arm: str) -> Interval:
        """By how much `arm` is below `long` at the hardest level."""
        draws = self.means("long", "accuracy", self.hardest) - self.means(arm, "accuracy", self.hardest)
        return of(draws, self.means.count(self.hardest))

    def row(self, name: str, holds: bool, seen: str, bound: str, figures: dict[str, Any]) -> Row:
        return Row(self.task.NAME, name, holds, seen, bound, figures)


def percent(interval: Interval) -> str:
    return f"{100 * interval.mean:.1f} % [{100 * interval.low:.1f}, {100 * interval.high:.1f}]"


def points(gap: Interval) -> str:
    """A difference of accuracies in points."""
    return f"{100 * gap.mean:.1f} points [{100 * gap.low:.1f}, {100 * gap.high:.1f}]"


def survey_ground(zoo: Zoo, seed: int, per_level: int) -> Ground:
    """Runs the shared checkpoints over the test problems."""
    task = zoo.task
    bases, _ = load_bases(zoo, tuple(task.COURSES), seed)
    problems = [problem for level in task.LEVELS for problem in task.draws("test", level, 0, per_level)]
    levels = np.array([problem.level for problem in problems])

    def over(method: ModuleType, role: str, seat: str, budgets: np.ndarray | None = None) -> Measured:
        return measure(method, {seat: bases[role]}, method.ARMS[""], problems, seed, budgets=budgets)

    whole = over(cot, "long", "long")
    thinking = whole.values["thinking_tokens"] - 1  # without the delimiter
    kinds = [kinds_of(output, whole.role, task) for output in whole.outputs]
    exits = np.array([max((i + 1 for i, kind in enumerate(own) if kind == "step"), default=len(own)) for own in kinds])
    checks = np.array([next((i for i, kind in enumerate(own) if kind in CHECKS), len(own)) for own in kinds])
    tables = {
        "direct": over(direct, "direct", "direct").values,
        "start": over(cot, "start", "long").values,
        "long": whole.values,
        "halved": over(cot, "long", "long", budgets=thinking // 2).values,
        "exit": over(cot, "long", "long", budgets=exits).values,
        "unchecked": over(cot, "long", "long", budgets=checks).values,
    }
    if task.WORK not in tables:
        tables[task.WORK] = over(cot, task.WORK, "long").values
    table: Table = tables
    return Ground(task, problems, levels, bases, tables, whole, Means([table], [levels], without=task.EXHAUSTED), zoo)


def kinds_of(output: Output, role: Role, task: ModuleType) -> list[str]:
    """The kind of each thinking token, the delimiter left out."""
    words = [role.decode([token]) for token in output.written("thinking")]
    return list(task.kinds([word for word in words if word != family.CLOSES]))


def need(ground: Ground) -> Row:
    figures: dict[str, Any] = {name: interval for name, interval in ground.by_level("direct").items()}
    levels, chance = ground.task.LEVELS, ground.task.CHANCE
    easiest, hardest = ground.at("direct", "accuracy", levels[0]), ground.at("direct", "accuracy", levels[-1])
    least = max(0.3, chance + 0.05)
    between = [level for level in levels if least <= ground.at("direct", "accuracy", level).mean <= 0.9]
    training = json.loads((ground.zoo.base("direct", 0) / "training.json").read_text("utf-8"))
    history = [row for row in training["history"] if "dev_accuracy" in row]
    last = training["recipe"]["steps"]
    quarter = [row for row in history if row["step"] >= 0.75 * last]
    # each end is the mean of two readings: single ones swing by more than the gain asked about
    first, final = quarter[:2], quarter[-2:]
    gains = {
        key: float(np.mean([row["dev_accuracy"][key] for row in final]) - np.mean([row["dev_accuracy"][key] for row in first]))
        for key in history[-1]["dev_accuracy"]
    }
    figures |= {f"gain over the last quarter k={key}": gain for key, gain in gains.items()}
    flat = max(gains.values()) <= FLAT_GAIN
    near_chance = hardest.mean <= chance + 0.05
    seen = (
        f"direct: {percent(easiest)} at k={levels[0]}, {percent(hardest)} at k={levels[-1]} (chance "
        f"{100 * chance:.0f} %), between {100 * least:.0f} and 90 % at k={', '.join(map(str, between)) or 'none'}; "
        f"largest gain of a level over the last quarter of training {100 * max(gains.values()):.1f} points"
    )
    holds = easiest.mean >= 0.95 and near_chance and len(between) >= 2 and flat
    bound = (
        f"direct at least 95 % at the easiest level, within 5 points of chance at the hardest, two levels at "
        f"{100 * least:.0f} to 90 %, and no level gaining more than {100 * FLAT_GAIN:.0f} points over the last quarter of training"
    )
    return ground.row("need", holds, seen, bound, figures)


def ability(ground: Ground) -> Row:
    figures: dict[str, Any] = ground.by_level("long")
    worst = min(figures.values(), key=lambda interval: interval.mean)
    for name in ("STRETCH", "STRUCTURE"):
        level = getattr(ground.task, name)
        rare = ground.task.draws("test", level, 0, 500)
        own = measure(cot, {"long": ground.bases["long"]}, cot.ARMS[""], rare, 0).values
        figures[f"long k={level} ({name.lower()})"] = of(
            Means([{"long": own}], [np.full(len(rare), level)])("long", "accuracy"), len(rare)
        )
    stretch, structure = list(figures.values())[-2:]
    seen = (
        f"long: {percent(worst)} at its worst standard level; {percent(stretch)} at the stretch level k={ground.task.STRETCH}, "
        f"rare in training; {percent(structure)} at k={ground.task.STRUCTURE}, of a structure that training never meets"
    )
    bound = "long at least 97 % at each standard level (70 to 90 % is asked of the stretch level; shown, not yet a gate)"
    return ground.row("ability", worst.mean >= 0.97, seen, bound, figures)


def work(ground: Ground) -> Row:
    name, gap = ground.task.WORK, ground.lost(ground.task.WORK)
    flops = {role: training_flops([ground.zoo.base(role, 0)]) for role in (name, "long")}
    share = flops[name] / flops["long"]
    seen = f"{name}, with {share:.2f} of long's training FLOPs, is {points(gap)} below long at k={ground.hardest}"
    bound = (
        "a model trained on redundancy-free traces, with long's training FLOPs, at least 5 points below long at the hardest "
        "standard level"
    )
    figures = {f"long - {name}": gap, f"training FLOPs {name}": flops[name], "training FLOPs long": flops["long"]}
    return ground.row("work", gap.low >= 0.05, seen, bound, figures)


@dataclass(frozen=True)
class Samples:
    """16 sampled chains a problem: thinking and answer tokens (N, 16), and whether each was right (N, 16)."""

    tokens: np.ndarray
    right: np.ndarray


def sample(ground: Ground, level: int, seed: int) -> Samples:
    role = ground.bases["long"]
    problems = [problem for problem in ground.problems if problem.level == level][:SAMPLED_PROBLEMS]
    rows = [role.prompt(problem.question) for problem in problems for _ in range(SAMPLES)]
    generator = torch.Generator().manual_seed(seed)
    most = cot.Config().most_thinking_tokens
    written = decode(role, rows, [role.eos_id], most, temperature=1.0, generator=generator)
    tokens = np.array([len(ids) for ids in written], float).reshape(-1, SAMPLES)
    right = np.array(
        [
            read_answer(role, Output(list(parts[1][0]), ["answer"] * len(parts[1][0])), 3) == problem.answer
            for problem, parts in zip((p for p in problems for _ in range(SAMPLES)), (split_answer(role, ids) for ids in written))
        ]
    ).reshape(-1, SAMPLES)
    return Samples(tokens, right)


def choice(ground: Ground, samples: dict[int, Samples]) -> Row:
    spreads = {
        level: np.percentile(own.tokens, 90, axis=1) / np.percentile(own.tokens, 10, axis=1) for level, own in samples.items()
    }
    figures: dict[str, Any] = {f"median spread k={level}": float(np.median(spread)) for level, spread in spreads.items()}
    median = float(np.median(np.concatenate(list(spreads.values()))))
    seen = f"{SAMPLES} samples at temperature 1: the 90th percentile of length is {median:.1f} times the 10th (median problem)"
    return ground.row("choice", median >= 2, seen, "at least 2", figures | {"median spread": median})


def price(ground: Ground, samples: dict[int, Samples]) -> Row:
    hardest = ground.hardest
    own = samples[hardest]
    order = np.argsort(own.tokens, axis=1, kind="stable")
    third = SAMPLES // 3
    short = np.take_along_axis(own.right, order[:, :third], 1).mean(1)
    long = np.take_along_axis(own.right, order[:, -third:], 1).mean(1)
    table: Table = {"short": {"accuracy": short}, "long": {"accuracy": long}}
    means = Means([table], [np.full(len(short), hardest)])
    gap = of(means("long", "accuracy") - means("short", "accuracy"), len(short))
    figures = {
        "shortest third": of(means("short", "accuracy"), len(short)),
        "longest third": of(means("long", "accuracy"), len(long)),
    }
    seen = f"at k={hardest} the shortest third of a problem's samples is {points(gap)} less accurate than the longest"
    return ground.row("price", gap.low >= 0.05, seen, "at least 5 points", figures | {"difference": gap})


def thought_counts(ground: Ground) -> Row:
    gap = ground.lost("halved")
    figures: dict[str, Any] = ground.by_level("halved")
    seen = f"long, cut at half of its thinking and made to answer, loses {points(gap)} at k={ground.hardest}"
    return ground.row("thought counts", gap.low >= 0.20, seen, "at least 20 points at the hardest level", figures | {"loss": gap})


def exit_exists(ground: Ground) -> Row:
    share = of(ground.means("exit", "tokens") / ground.means("long", "tokens"), ground.means.count())
    pooled = ground.at("exit", "accuracy")
    figures: dict[str, Any] = ground.by_level("exit") | {"accuracy": pooled, "share of long's tokens": share}
    seen = f"long, made to answer right after its last step: {percent(pooled)} at {percent(share)} of its tokens"
    bound = "at least 95 % at no more than 70 % of its tokens"
    return ground.row("exit exists", pooled.low >= 0.95 and share.high <= 0.70, seen, bound, figures)


def room(ground: Ground) -> Row:
    share = of(ground.means("start", "tokens") / ground.means("long", "tokens"), ground.means.count())
    gap = of(ground.means("start", "accuracy") - ground.means("long", "accuracy"), ground.means.count())
    seen = (
        f"start (bare traces) writes {percent(share)} of long's tokens and differs by {points(gap)} in accuracy; T* is at most "
        "that, since shorter traces are not trained yet"
    )
    bound = "T* at most half of long's tokens, by a model not inferior to long (lower bound of the difference above -2 points)"
    figures: dict[str, Any] = {
        "T* share, upper bound": share,
        "start - long": gap,
        "T* tokens, upper bound": ground.at("start", "tokens"),
    }
    return ground.row("room", share.high <= 0.5 and gap.low > -0.02, seen, bound, figures)


def reflection(ground: Ground) -> Row:
    gap = ground.lost("unchecked")
    seen = (
        f"long, its own trace cut before its first check (`wait …`) and the answer written from there, loses {points(gap)} "
        f"at k={ground.hardest}"
    )
    bound = "checks and what follows them taken out of its own trace and the rest regenerated: at least 5 points below"
    return ground.row("reflection counts", gap.low >= 0.05, seen, bound, ground.by_level("unchecked") | {"loss": gap})


def rows_of(zoo: Zoo, per_level: int) -> list[Row]:
    """Every row of one task, measured with seed 0's checkpoints."""
    ground = survey_ground(zoo, 0, per_level)
    samples = {level: sample(ground, level, seed=level) for level in zoo.task.LEVELS}
    return [
        need(ground), ability(ground), work(ground), choice(ground, samples), price(ground, samples),
        thought_counts(ground), exit_exists(ground), reflection(ground), room(ground),
    ]  # fmt: skip


def inputs_of(root: Path, task: str) -> dict[str, str]:
    zoo = shipped(root, task)
    files = [root / "methods/kit/calibration.py", family.FOLDER / f"{task}.py"]
    return record.inputs(root, files, [zoo.base(role, 0) for role in zoo.task.COURSES])


def calibrate(
    root: Path,
    tasks: Sequence[str],
    *,
    date: str,
    command: str,
    per_level: int,
    workers: int,
    folder: Path,
    progress: Callable[[str], None],
) -> dict[str, Any]:
    """Measures every row on every task, one process a task: the record. What was measured with the same code and checkpoints is
    found in `folder` and not measured again."""
    kept = {task: folder / f"{record.hashed([inputs_of(root, task), per_level])}.json" for task in tasks}
    with ProcessPoolExecutor(max(workers, 1), mp_context=get_context("spawn"), initializer=quiet_worker) as pool:
        running = {pool.submit(rows_of, shipped(root, task), per_level): task for task, path in kept.items() if not path.is_file()}
        for future in as_completed(running):
            rows = [asdict(replace(row, figures={k: plain(v) for k, v in row.figures.items()})) for row in future.result()]
            record.write(kept[running[future]], {"rows": rows})
            progress(f"{running[future]}: every row measured")
    return {
        "task": ", ".join(tasks),
        "date": date,
        "command": command,
        "seeds": [0],
        "problems_a_level": per_level,
        "versions": record.versions(),
        "rows": [row for path in kept.values() for row in json.loads(path.read_text("utf-8"))["rows"]],
        "inputs": {name: digest for task in tasks for name, digest in inputs_of(root, task).items()},
    }


def plain(value: Any) -> Any:
    return value.as_dict() if isinstance(value, Interval) else value


def gates(root: Path, task: str) -> dict[str, bool]:
    """Which rows hold on a task, from the committed record; none before there is one. Raises `Refused` on a record that cannot
    be read."""
    path = root / "methods" / "results" / "calibration.json"
    if not path.exists():
        return {}
    try:
        rows = json.loads(path.read_text("utf-8"))["rows"]
        return {row["row"]: bool(row["holds"]) for row in rows if row["task"] == task}
    except (ValueError, KeyError, TypeError) as error:
        raise Refused(f"{path}: not a calibration record: {error}") from None
