"""Intervals cover what they should, stay paired, and keep levels apart."""

import numpy as np

from methods.kit.statistics import Means, of


def means_of(*arms: np.ndarray, levels: np.ndarray | None = None, without: tuple[int, ...] = ()) -> Means:
    table = {name: {"accuracy": values} for name, values in zip("abc", arms)}
    return Means([table], [levels if levels is not None else np.zeros(len(arms[0]), int)], without=without)


def test_intervals_cover_the_truth_about_19_times_in_20() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(200):
        interval = of(means_of((rng.random(150) < 0.7).astype(float))("a", "accuracy"), 150)
        covered += interval.low <= 0.7 <= interval.high
    assert 178 <= covered <= 199


def test_differences_are_paired() -> None:
    """Two arms that rise and fall together differ by exactly their shift, however noisy each is."""
    base = np.random.default_rng(1).random(300)
    means = means_of(base, base - 0.1)
    alone, difference = of(means("a", "accuracy"), 300), of(means("a", "accuracy") - means("b", "accuracy"), 300)
    assert alone.high - alone.low > 0.05
    np.testing.assert_allclose([difference.mean, difference.low, difference.high], 0.1, atol=1e-6)


def test_levels_keep_their_share_in_every_draw() -> None:
    """All variance between levels is design, not chance."""
    levels = np.repeat([1, 2], 100)
    draws = means_of((levels == 1).astype(float), levels=levels)("a", "accuracy")
    np.testing.assert_allclose(draws, 0.5, atol=1e-6)


def test_levels_without_claim_count_only_by_name() -> None:
    levels = np.repeat([1, 2], [10, 100])
    means = means_of((levels == 1).astype(float), levels=levels, without=(1,))
    assert means("a", "accuracy")[0] == 0
    assert means("a", "accuracy", 1)[0] == 1
    assert (means.count(), means.count(1)) == (100, 10)


def test_seeds_are_averaged() -> None:
    tables = [{"a": {"accuracy": np.full(50, value)}} for value in (0.2, 0.4)]
    means = Means(tables, [np.zeros(50, int)] * 2)
    assert abs(means("a", "accuracy")[0] - 0.3) < 1e-6
    assert means.count() == 100
