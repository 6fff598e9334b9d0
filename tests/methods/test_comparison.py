"""What stands in a table beside a method, and what share of the removable it took."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from methods.kit.comparison import beside, results
from methods.kit.guests import Guest
from methods.kit.parts import Done, Part
from methods.kit.statistics import Means
from methods.kit.zoo import shipped


def keys(root: Path, slug: str, task: str = "chains") -> list[str]:
    return [part.key for part in beside(slug, root, shipped(root, task), 0, 1)]


def test_who_stands_beside_a_method(root: Path) -> None:
    assert keys(root, "cot") == ["cot", "direct", "bare"]
    assert keys(root, "bare") == ["cot", "direct", "bare"]
    assert keys(root, "kimi_length") == ["cot", "direct", "bare", "fs_bon", "kimi_length", "kimi_length@no_length"]
    assert keys(root, "fs_bon") == ["cot", "direct", "bare", "fs_bon", "fs_bon@any"]
    assert keys(root, "deer", "search")[:4] == ["cot", "direct", "bare", "deer"]  # it trains nothing


def test_a_guest_has_no_shortest_and_no_trained_rival(root: Path) -> None:
    zoo = shipped(root, "chains")
    guest = Guest("guest", zoo.base("long", 0), "none")
    assert [part.key for part in beside("cot", root, replace(zoo, model=guest), 0, 1)] == ["cot", "direct"]


def test_each_seed_has_a_rival_of_its_own(root: Path) -> None:
    folders = {part.folders[-1].name for part in beside("kimi_length", root, shipped(root, "chains"), 2, 1) if part.key == "fs_bon"}
    assert folders == {"shortest-seed2"}


def cells(root: Path, tokens: float, right: float) -> dict[str, dict[str, float | int]]:
    rng = np.random.default_rng(0)

    def arm(tokens: float, right: float) -> dict[str, np.ndarray]:
        return {"tokens": np.full(2000, tokens), "accuracy": (rng.random(2000) < right).astype(float)}

    table = {"cot": arm(100, 1), "bare": arm(40, 1), "new": arm(tokens, right)}
    part = Part(root, shipped(root, "chains"), "cot", "", 0, 1)
    done = Done({}, np.zeros(0), [], 1.0)
    return results("new", Means([table], [np.repeat([1, 2], 1000)]), part, [done, done])


@pytest.mark.parametrize(("tokens", "share"), [(100, 0), (70, 0.5), (40, 1), (25, 1.25)])
def test_the_share_removed_is_of_what_could_go(root: Path, tokens: float, share: float) -> None:
    assert cells(root, tokens, 1)["removed"]["mean"] == pytest.approx(share)


def test_what_costs_accuracy_removed_more_than_what_could_go(root: Path) -> None:
    assert "removed" in cells(root, 30, 0.995)
    assert "removed" not in cells(root, 30, 0.975)  # the lower end of the interval is below 2 points
