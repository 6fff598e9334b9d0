"""Calibration: what must be seen on a task before claims about it mean anything. Each row is a gate that claims name.

A row that fails is published as failed; the claims that need it come out `not_testable`.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch

from methods import cot, direct
from methods.kit import chains, record
from methods.kit.decoding import decode
from methods.kit.errors import Refused
from methods.kit.method import Output, split_answer
from methods.kit.models import Models, Role
from methods.kit.runner import Measured, measure, read_answer
from methods.kit.statistics import Interval, Means, Table, of
from methods.kit.zoo import load_bases, shipped, training_flops

SAMPLES, SAMPLED_PROBLEMS = 16, 60  # of one problem; problems a level
FLAT_GAIN = 0.03  # the most a level may gain, in accuracy, over the last quarter of `direct`'s training


@dataclass(frozen=True)
class Row:
    """One gate. `figures` are intervals or plain numbers, `bound` what was asked of them, `seen` in one sentence."""

    row: str
    holds: bool | None  # None: these checkpoints cannot tell
    seen: str
    bound: str
    figures: dict[str, Any]


@dataclass(frozen=True)
class Ground:
    """Everything the rows are read from: test problems and what each model made of them."""

    problems: list[chains.Problem]
    levels: np.ndarray
    bases: Models
    tables: dict[str, dict[str, np.ndarray]]
    long: Measured
    means: Means
    training: dict[str, Any]  # of `direct`

    def at(self, arm: str, metric: str, level: int | None = None) -> Interval:
        return of(self.means(arm, metric, level), self.means.count(level))

    def by_level(self, arm: str) -> dict[str, Interval]:
        return {f"{arm} k={level}": self.at(arm, "accuracy", level) for level in chains.LEVELS}


def percent(interval: Interval) -> str:
    return f"{100 * interval.mean:.1f} % [{100 * interval.low:.1f}, {100 * interval.high:.1f}]"


def points(gap: Interval) -> str:
    """A difference of accuracies in points."""
    return f"{100 * gap.mean:.1f} points [{100 * gap.low:.1f}, {100 * gap.high:.1f}]"


def survey_ground(root: Path, seed: int, per_level: int, progress: Callable[[str], None]) -> Ground:
    """Runs the shared checkpoints over the test problems."""
    bases, _ = load_bases(shipped(root), ("start", "long", "direct"), seed)
    problems = [problem for level in chains.LEVELS for problem in chains.draws("test", level, 0, per_level)]
    levels = np.array([problem.level for problem in problems])

    def over(method: ModuleType, role: str, seat: str, budgets: np.ndarray | None = None) -> Measured:
        progress(f"{role} on {len(problems)} problems{' (thinking cut)' if budgets is not None else ''}")
        return measure(method, {seat: bases[role]}, method.ARMS[""], problems, seed, budgets=budgets)

    whole = over(cot, "long", "long")
    thinking = whole.values["thinking_tokens"] - 1  # without the delimiter
    kinds = [kinds_of(output, whole.role) for output in whole.outputs]
    exits = np.array([max((i + 1 for i, kind in enumerate(own) if kind == "step"), default=len(own)) for own in kinds])
    checks = np.array([own.index("verify") if "verify" in own else len(own) for own in kinds])
    tables = {
        "direct": over(direct, "direct", "direct").values,
        "start": over(cot, "start", "long").values,
        "long": whole.values,
        "halved": over(cot, "long", "long", budgets=thinking // 2).values,
        "exit": over(cot, "long", "long", budgets=exits).values,
        "unchecked": over(cot, "long", "long", budgets=checks).values,
    }
    training = json.loads((root / "methods" / "zoo" / "direct" / "training.json").read_text())
    table: Table = tables
    return Ground(problems, levels, bases, tables, whole, Means([table], [levels], without=chains.EXHAUSTED), training)


def kinds_of(output: Output, role: Role) -> list[str]:
    """The kind of each thinking token, the delimiter left out."""
    words = [role.decode([token]) for token in output.written("thinking")]
    return chains.kinds([word for word in words if word != chains.CLOSES])


def need(ground: Ground) -> Row:
    figures: dict[str, Any] = {name: interval for name, interval in ground.by_level("direct").items()}
    easiest, hardest = ground.at("direct", "accuracy", chains.LEVELS[0]), ground.at("direct", "accuracy", chains.LEVELS[-1])
    between = [level for level in chains.LEVELS if 0.3 <= ground.at("direct", "accuracy", level).mean <= 0.9]
    history = [row for row in ground.training["history"] if "dev_accuracy" in row]
    last = ground.training["recipe"]["steps"]
    quarter = [row for row in history if row["step"] >= 0.75 * last]
    # each end is the mean of two readings: single ones swing by more than the gain asked about
    first, final = quarter[:2], quarter[-2:]
    gains = {
        key: float(np.mean([row["dev_accuracy"][key] for row in final]) - np.mean([row["dev_accuracy"][key] for row in first]))
        for key in history[-1]["dev_accuracy"]
    }
    figures |= {f"gain over the last quarter k={key}": gain for key, gain in gains.items()}
    flat = max(gains.values()) <= FLAT_GAIN
    near_chance = hardest.mean <= chains.CHANCE + 0.05
    seen = (
        f"direct: {percent(easiest)} at k={chains.LEVELS[0]}, {percent(hardest)} at k={chains.LEVELS[-1]} (chance "
        f"{100 * chains.CHANCE:.0f} %), between 30 and 90 % at k={', '.join(map(str, between)) or 'none'}; "
        f"largest gain of a level over the last quarter of training {100 * max(gains.values()):.1f} points"
    )
    holds = easiest.mean >= 0.95 and near_chance and len(between) >= 2 and flat
    bound = (
        "direct at least 95 % at the easiest level, within 5 points of chance at the hardest, two levels at 30 to 90 %, "
        f"and no level gaining more than {100 * FLAT_GAIN:.0f} points over the last quarter of training"
    )
    return Row("need", holds, seen, bound, figures)


def ability(ground: Ground) -> Row:
    figures: dict[str, Any] = ground.by_level("long")
    worst = min(figures.values(), key=lambda interval: interval.mean)
    stretched = chains.draws("test", chains.STRETCH, 0, 500)
    own = measure(cot, {"long": ground.bases["long"]}, cot.ARMS[""], stretched, 0).values
    stretch = of(Means([{"long": own}], [np.full(len(stretched), chains.STRETCH)])("long", "accuracy"), len(stretched))
    figures[f"long k={chains.STRETCH} (stretch)"] = stretch
    seen = f"long: {percent(worst)} at its worst standard level; {percent(stretch)} at the stretch level k={chains.STRETCH}"
    bound = "long at least 97 % at each standard level (70 to 90 % is asked of the stretch level; shown, not yet a gate)"
    return Row("ability", worst.mean >= 0.97, seen, bound, figures)


def work(ground: Ground, root: Path) -> Row:
    hardest = chains.LEVELS[-1]
    draws = ground.means("long", "accuracy", hardest) - ground.means("start", "accuracy", hardest)
    gap = of(draws, ground.means.count(hardest))
    zoo = root / "methods" / "zoo"
    flops = {name: training_flops([zoo / name]) for name in ("start", "long")}
    share = flops["start"] / flops["long"]
    seen = f"start, with {share:.2f} of long's training FLOPs, is {points(gap)} below long at k={hardest}"
    bound = (
        "start on redundancy-free traces, with long's training FLOPs, at least 5 points below long at the hardest standard level"
    )
    return Row(
        "work", gap.low >= 0.05, seen, bound, {"long - start": gap, "training FLOPs start": flops["start"], "long": flops["long"]}
    )


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


def choice(samples: dict[int, Samples]) -> Row:
    spreads = {
        level: np.percentile(own.tokens, 90, axis=1) / np.percentile(own.tokens, 10, axis=1) for level, own in samples.items()
    }
    figures: dict[str, Any] = {f"median spread k={level}": float(np.median(spread)) for level, spread in spreads.items()}
    median = float(np.median(np.concatenate(list(spreads.values()))))
    seen = f"{SAMPLES} samples at temperature 1: the 90th percentile of length is {median:.1f} times the 10th (median problem)"
    return Row("choice", median >= 2, seen, "at least 2", figures | {"median spread": median})


def price(samples: dict[int, Samples]) -> Row:
    hardest = max(samples)
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
    return Row("price", gap.low >= 0.05, seen, "at least 5 points", figures | {"difference": gap})


def thought_counts(ground: Ground) -> Row:
    hardest = chains.LEVELS[-1]
    gap = of(ground.means("long", "accuracy", hardest) - ground.means("halved", "accuracy", hardest), ground.means.count(hardest))
    figures: dict[str, Any] = ground.by_level("halved")
    seen = f"long, cut at half of its thinking and made to answer, loses {points(gap)} at k={hardest}"
    return Row("thought counts", gap.low >= 0.20, seen, "at least 20 points at the hardest level", figures | {"loss": gap})


def exit_exists(ground: Ground) -> Row:
    share = of(ground.means("exit", "tokens") / ground.means("long", "tokens"), ground.means.count())
    pooled = ground.at("exit", "accuracy")
    figures: dict[str, Any] = ground.by_level("exit") | {"accuracy": pooled, "share of long's tokens": share}
    seen = f"long, made to answer right after its last step: {percent(pooled)} at {percent(share)} of its tokens"
    bound = "at least 95 % at no more than 70 % of its tokens"
    return Row("exit exists", pooled.low >= 0.95 and share.high <= 0.70, seen, bound, figures)


def room(ground: Ground) -> Row:
    share = of(ground.means("start", "tokens") / ground.means("long", "tokens"), ground.means.count())
    gap = of(ground.means("start", "accuracy") - ground.means("long", "accuracy"), ground.means.count())
    seen = (
        f"start (bare steps) writes {percent(share)} of long's tokens and differs by {points(gap)} in accuracy; "
        "T* is at most that, since two and three steps at a stride are not trained yet"
    )
    bound = "T* at most half of long's tokens, by a model not inferior to long (lower bound of the difference above -2 points)"
    figures: dict[str, Any] = {
        "T* share, upper bound": share,
        "start - long": gap,
        "T* tokens, upper bound": ground.at("start", "tokens"),
    }
    return Row("room", share.high <= 0.5 and gap.low > -0.02, seen, bound, figures)


def reflection(ground: Ground) -> Row:
    hardest = chains.LEVELS[-1]
    gap = of(
        ground.means("long", "accuracy", hardest) - ground.means("unchecked", "accuracy", hardest), ground.means.count(hardest)
    )
    seen = (
        f"long, its checks and what follows them taken out and the answer written anew, loses {points(gap)} at k={hardest}; "
        "these checks never find an error, since the traces of this task have none"
    )
    bound = "checks taken out of its own trace and the rest regenerated: at least 5 points below"
    return Row("reflection counts", gap.low >= 0.05, seen, bound, ground.by_level("unchecked") | {"loss": gap})


def calibrate(root: Path, *, date: str, command: str, per_level: int, progress: Callable[[str], None]) -> dict[str, Any]:
    """Measures every row on chains with seed 0's checkpoints: the record."""
    ground = survey_ground(root, 0, per_level, progress)
    samples = {}
    for level in chains.LEVELS:
        progress(f"{SAMPLES} samples of each of {SAMPLED_PROBLEMS} problems at k={level}")
        samples[level] = sample(ground, level, seed=level)
    rows = [
        need(ground), ability(ground), work(ground, root), choice(samples), price(samples),
        thought_counts(ground), exit_exists(ground), reflection(ground), room(ground),
    ]  # fmt: skip
    return {
        "task": chains.NAME,
        "date": date,
        "command": command,
        "seeds": [0],
        "problems": len(ground.problems),
        "versions": record.versions(),
        "rows": [asdict(replace(row, figures={k: plain(v) for k, v in row.figures.items()})) for row in rows],
        "inputs": record.inputs(
            root, [root / "methods/kit/calibration.py"], [root / "methods/zoo" / name for name in ("start", "long", "direct")]
        ),
    }


def plain(value: Any) -> Any:
    return value.as_dict() if isinstance(value, Interval) else value


def gates(root: Path) -> dict[str, bool]:
    """Which rows hold, from the committed record; none before there is one. Raises `Refused` on a record that cannot be read."""
    path = root / "methods" / "results" / "calibration.json"
    if not path.exists():
        return {}
    try:
        return {row["row"]: bool(row["holds"]) for row in json.loads(path.read_text("utf-8"))["rows"]}
    except (ValueError, KeyError, TypeError) as error:
        raise Refused(f"{path}: not a calibration record: {error}") from None
