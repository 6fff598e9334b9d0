"""Calibration: what must be seen on a task before claims about it mean anything. Each row is a gate that claims name.

A row that fails is published as failed; the claims that need it come out `not_testable`.
"""

from dataclasses import asdict, dataclass, replace
from types import ModuleType
from typing import Any

import numpy as np

from methods.kit.parts import test_problems
from methods.kit.statistics import Interval, Means, of
from methods.kit.survey import RARE, SAMPLES, Seen

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
    """Everything the rows are read from, of one seed or pooled over several."""

    task: ModuleType
    seen: list[Seen]
    means: Means

    @classmethod
    def of(cls, task: ModuleType, per_level: int, seen: list[Seen]) -> "Ground":
        levels = np.array([problem.level for problem in test_problems(task, per_level)])
        return cls(task, seen, Means([own.tables for own in seen], [levels] * len(seen), without=task.EXHAUSTED))

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

    def apart(self, arm: str) -> Means:
        """Means of an arm that has problems of its own."""
        tables = [{arm: own.tables[arm]} for own in self.seen]
        return Means(tables, [np.zeros(len(table[arm]["accuracy"])) for table in tables])

    def row(self, name: str, holds: bool, seen: str, bound: str, figures: dict[str, Any]) -> Row:
        return Row(self.task.NAME, name, holds, seen, bound, figures)


def percent(interval: Interval) -> str:
    return f"{100 * interval.mean:.1f} % [{100 * interval.low:.1f}, {100 * interval.high:.1f}]"


def points(gap: Interval) -> str:
    """A difference of accuracies in points."""
    return f"{100 * gap.mean:.1f} points [{100 * gap.low:.1f}, {100 * gap.high:.1f}]"


def gains_of(training: dict[str, Any]) -> dict[str, float]:
    """What each level gained in accuracy over the last quarter of `direct`'s training, on dev problems."""
    quarter = [row["dev_accuracy"] for row in training["history"] if row["step"] >= 0.75 * training["steps"]]
    # each end is the mean of two readings: single ones swing by more than the gain asked about
    first, final = quarter[:2], quarter[-2:]
    return {key: float(np.mean([row[key] for row in final]) - np.mean([row[key] for row in first])) for key in quarter[0]}


def need(ground: Ground) -> Row:
    figures: dict[str, Any] = {name: interval for name, interval in ground.by_level("direct").items()}
    levels, chance = ground.task.LEVELS, ground.task.CHANCE
    easiest, hardest = ground.at("direct", "accuracy", levels[0]), ground.at("direct", "accuracy", levels[-1])
    least = max(0.3, chance + 0.05)
    between = [level for level in levels if least <= ground.at("direct", "accuracy", level).mean <= 0.9]
    each = [gains_of(own.training["direct"]) for own in ground.seen]
    gains = {key: float(np.mean([own[key] for own in each])) for key in each[0]}
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
    for name, level in RARE.items():
        means = ground.apart(name)
        figures[f"long k={getattr(ground.task, level)} ({name})"] = of(means(name, "accuracy"), means.count())
    stretch, structure = list(figures.values())[-2:]
    seen = (
        f"long: {percent(worst)} at its worst standard level; {percent(stretch)} at the stretch level k={ground.task.STRETCH}, "
        f"rare in training; {percent(structure)} at k={ground.task.STRUCTURE}, of a structure that training never meets"
    )
    bound = "long at least 97 % at each standard level (70 to 90 % is asked of the stretch level; shown, not yet a gate)"
    return ground.row("ability", worst.mean >= 0.97, seen, bound, figures)


def work(ground: Ground) -> Row:
    name, gap = ground.task.WORK, ground.lost(ground.task.WORK)
    flops = {role: float(np.mean([own.training["flops"][role] for own in ground.seen])) for role in (name, "long")}
    share = flops[name] / flops["long"]
    seen = f"{name}, with {share:.2f} of long's training FLOPs, is {points(gap)} below long at k={ground.hardest}"
    bound = (
        "a model trained on redundancy-free traces, with long's training FLOPs, at least 5 points below long at the hardest "
        "standard level"
    )
    figures = {f"long - {name}": gap, f"training FLOPs {name}": flops[name], "training FLOPs long": flops["long"]}
    return ground.row("work", gap.low >= 0.05, seen, bound, figures)


def choice(ground: Ground) -> Row:
    spreads = {}
    for level in ground.task.LEVELS:
        tokens = np.concatenate([own.tables[f"samples k={level}"]["tokens"] for own in ground.seen])
        spreads[level] = np.percentile(tokens, 90, axis=1) / np.percentile(tokens, 10, axis=1)
    figures: dict[str, Any] = {f"median spread k={level}": float(np.median(spread)) for level, spread in spreads.items()}
    median = float(np.median(np.concatenate(list(spreads.values()))))
    seen = f"{SAMPLES} samples at temperature 1: the 90th percentile of length is {median:.1f} times the 10th (median problem)"
    return ground.row("choice", median >= 2, seen, "at least 2", figures | {"median spread": median})


def thirds(samples: dict[str, np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
    """Of each problem's samples the shortest and the longest third: the share that was right (N,)."""
    order, third = np.argsort(samples["tokens"], axis=1, kind="stable"), SAMPLES // 3
    ends = {"short": order[:, :third], "long": order[:, -third:]}
    return {name: {"accuracy": np.take_along_axis(samples["right"], picked, 1).mean(1)} for name, picked in ends.items()}


def price(ground: Ground) -> Row:
    hardest = ground.hardest
    tables = [thirds(own.tables[f"samples k={hardest}"]) for own in ground.seen]
    means = Means(tables, [np.zeros(len(table["short"]["accuracy"])) for table in tables])
    gap = of(means("long", "accuracy") - means("short", "accuracy"), means.count())
    figures = {
        "shortest third": of(means("short", "accuracy"), means.count()),
        "longest third": of(means("long", "accuracy"), means.count()),
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


ROWS = (need, ability, work, choice, price, thought_counts, exit_exists, reflection, room)


def judged(task: ModuleType, per_level: int, seen: dict[int, Seen]) -> list[dict[str, Any]]:
    """Every row, pooled over seeds. What rests on training must hold for each of them, too: a row holds when it does in all."""
    pooled, rows = Ground.of(task, per_level, list(seen.values())), []
    alone = {seed: Ground.of(task, per_level, [own]) for seed, own in seen.items()}
    for ask in ROWS:
        row = as_plain(ask(pooled))
        if len(seen) > 1:
            row["by_seed"] = {str(seed): as_plain(ask(ground)) for seed, ground in alone.items()}
            holding = [seed for seed, own in row["by_seed"].items() if own["holds"]]
            row["holds"] = row["holds"] and len(holding) == len(seen)
            row["seen"] += f" ({len(seen)} seeds pooled; by itself it holds in {len(holding)} of them)"
        rows.append(row)
    return rows


def as_plain(row: Row) -> dict[str, Any]:
    figures = {name: value.as_dict() if isinstance(value, Interval) else value for name, value in row.figures.items()}
    return asdict(replace(row, figures=figures))
