"""Gates are read from every seed: a row holds when it does pooled and in each, and what was measured comes back from disk."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from methods.kit import family, gates
from methods.kit.calibration import judged
from methods.kit.errors import Refused
from methods.kit.parts import test_problems as problems_of
from methods.kit.survey import Seen, keep, kept
from methods.kit.zoo import shipped

PER_LEVEL = 40
TASK = family.load("chains")


def seen(*, halved: float = 0.1, gain: float = 0.0, exits_at: int = 60) -> Seen:
    """As if measured: chances of being right, the same at every level but for `direct`, and lengths without spread."""
    levels = np.array([problem.level for problem in problems_of(TASK, PER_LEVEL)])
    rng = np.random.default_rng(0)

    def arm(right: float | np.ndarray, tokens: int) -> dict[str, np.ndarray]:
        return {"accuracy": (rng.random(len(levels)) < right).astype(float), "tokens": np.full(len(levels), float(tokens))}

    at_once = np.array([{1: 1.0, 2: 0.9, 3: 0.6, 4: 0.4, 6: 0.1, 8: 0.02}[level] for level in levels])
    tables = {
        "direct": arm(at_once, 3), "start": arm(1, 40), "long": arm(1, 100), "halved": arm(halved, 53), "exit": arm(1, exits_at),
        "unchecked": arm(0.5, 90), "stretch": arm(0.8, 120), "structure": arm(0.7, 110),
    }  # fmt: skip
    lengths = np.tile(np.arange(10.0, 90, 5), (20, 1))
    tables |= {f"samples k={level}": {"tokens": lengths, "right": (lengths > 40).astype(float)} for level in TASK.LEVELS}
    accuracy = {str(level): 0.5 for level in TASK.LEVELS}
    history = [{"step": step, "dev_accuracy": accuracy} for step in (500, 750, 800)]
    history += [{"step": step, "dev_accuracy": {key: value + gain for key, value in accuracy.items()}} for step in (900, 999)]
    return Seen(tables, {"flops": {"start": 1e12, "long": 3e12}, "direct": {"steps": 1000, "history": history}})


def rows(**seeds: Seen) -> dict[str, dict[str, Any]]:
    return {row["row"]: row for row in judged(TASK, PER_LEVEL, {int(name[1:]): own for name, own in seeds.items()})}


def test_every_row_follows_what_was_seen() -> None:
    held = {name: row["holds"] for name, row in rows(s0=seen()).items()}
    assert held == {
        "need": True, "ability": True, "work": False, "choice": True, "price": True, "thought counts": True, "exit exists": True,
        "reflection counts": True, "room": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("row", "worse"),
    [("thought counts", seen(halved=0.95)), ("need", seen(gain=0.05)), ("exit exists", seen(exits_at=75))],
    ids=["thought counts", "need", "exit exists"],
)
def test_one_seed_closes_a_gate(row: str, worse: Seen) -> None:
    assert not rows(s0=worse)[row]["holds"]
    several = rows(s0=seen(), s1=seen(), s2=worse)
    assert not several[row]["holds"]
    assert {seed: own["holds"] for seed, own in several[row]["by_seed"].items()} == {"0": True, "1": True, "2": False}
    assert [name for name, own in several.items() if own["holds"] != rows(s0=seen())[name]["holds"]] == [row]


def test_what_was_measured_comes_back(tmp_path: Path) -> None:
    made = seen()
    keep(made, tmp_path / "new" / "seen.npz")
    back = kept(tmp_path / "new" / "seen.npz")
    assert back.training == made.training
    assert judged(TASK, PER_LEVEL, {0: back}) == judged(TASK, PER_LEVEL, {0: made})


def test_only_zoos_that_are_complete_are_measured(tmp_path: Path) -> None:
    zoo = shipped(tmp_path, "chains")
    for role in TASK.COURSES:
        for seed in (0, 2):
            if (role, seed) != ("direct", 2):
                zoo.base(role, seed).mkdir(parents=True)
                (zoo.base(role, seed) / "training.json").write_text("{}")
    assert gates.present(zoo, [0, 1, 2]) == [0]
    with pytest.raises(Refused, match="no zoo of seed 1, 2"):
        gates.present(zoo, [1, 2])


def test_a_gate_is_that_of_the_zoos_a_record_rests_on(tmp_path: Path) -> None:
    several = {"task": "chains", "row": "ability", "holds": False}
    several["by_seed"] = {str(seed): {"holds": seed != 2} for seed in (0, 1, 2)}
    one = {"task": "search", "row": "ability", "holds": True}
    path = tmp_path / "methods" / "results" / "calibration.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"seeds": {"chains": [0, 1, 2], "search": [0]}, "rows": [several, one]}), "utf-8")
    assert gates.gates(tmp_path, "chains", [0, 1]) == {"ability": True}
    assert gates.gates(tmp_path, "chains", [0, 1, 2]) == {"ability": False}
    assert gates.gates(tmp_path, "chains", [0, 3]) == {"ability": False}, "a zoo that nobody calibrated lets nothing through"
    assert gates.gates(tmp_path, "search", [0]) == {"ability": True}
    assert gates.gates(tmp_path, "search", [0, 1]) == {"ability": False}
    assert gates.gates(tmp_path, "sums", [0]) == {}
    path.write_text('{"rows": []}', "utf-8")
    with pytest.raises(Refused, match="not a calibration record"):
        gates.gates(tmp_path, "chains", [0])
