"""Verdicts follow the numbers and the gates, and nothing else."""

import numpy as np
import pytest

from methods.kit.claims import Claim, gain, judge
from methods.kit.statistics import Means


def claim(at_least: float, needs: tuple[str, ...] = (), zoos: int = 0) -> Claim:
    return Claim("c", "better", "emergent", gain("new", "cot"), at_least, "as the paper says", needs=needs, zoos=zoos)


def measured(new: float, cot: float, n: int = 1000) -> Means:
    rng = np.random.default_rng(0)
    table = {"new": {"accuracy": (rng.random(n) < new).astype(float)}, "cot": {"accuracy": (rng.random(n) < cot).astype(float)}}
    return Means([table], [np.zeros(n, int)])


@pytest.mark.parametrize(
    ("new", "bound", "verdict"), [(0.9, 0.1, "reproduced"), (0.6, 0.3, "not_reproduced"), (0.72, 0.2, "inconclusive")]
)
def test_the_interval_decides(new: float, bound: float, verdict: str) -> None:
    assert judge(claim(bound), measured(new, 0.5), {}, seeds=3)["verdict"] == verdict


def test_corrupted_measurements_flip_the_verdict() -> None:
    means = measured(0.9, 0.5)
    assert judge(claim(0.1), means, {}, seeds=3)["verdict"] == "reproduced"
    means.tables[0]["new"]["accuracy"][:] = 0
    assert judge(claim(0.1), means, {}, seeds=3)["verdict"] == "not_reproduced"


def test_a_closed_or_missing_gate_makes_it_not_testable() -> None:
    means = measured(0.9, 0.5)
    for holds in ({}, {"need": False}):
        judged = judge(claim(0.1, needs=("need",)), means, holds, seeds=3)
        assert judged["verdict"] == "not_testable"
        assert "need" in judged["reason"]
        assert judged["interval"]["n"] == 1000  # what was seen is given all the same
    assert judge(claim(0.1, needs=("need",)), means, {"need": True}, seeds=3)["verdict"] == "reproduced"


def test_what_training_decides_needs_three_zoos() -> None:
    judged = judge(claim(0.1, zoos=3), measured(0.9, 0.5), {}, seeds=1)
    assert judged["verdict"] == "not_testable"
    assert "3" in judged["reason"]


def test_what_training_decides_must_hold_for_every_seed() -> None:
    zoos = [measured(0.9, 0.5), measured(0.9, 0.5), measured(0.6, 0.5)]
    tables, levels = [own.tables[0] for own in zoos], [own.levels[0] for own in zoos]
    pooled = Means(tables, levels)
    assert judge(claim(0.2), pooled, {}, seeds=3)["verdict"] == "reproduced"
    judged = judge(claim(0.2, zoos=3), pooled, {}, seeds=3)
    assert judged["verdict"] == "inconclusive"
    assert "1 of 3" in judged["reason"]
    assert [own["mean"] > 0.2 for own in judged["by_seed"]] == [True, True, False]
    assert judge(claim(0.2, zoos=3), Means([tables[0]] * 3, [levels[0]] * 3), {}, seeds=3)["verdict"] == "reproduced"
