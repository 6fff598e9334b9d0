"""Intervals: bootstrap over problems, within levels and within seeds, paired across arms.

Everything the lab claims is a function of means, so one resampling of the problems serves every arm and metric at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

Table = Mapping[str, Mapping[str, np.ndarray]]  # arm → metric → one value a problem (N,), same problems in every arm
RESAMPLES = 2000


@dataclass(frozen=True)
class Interval:
    """A mean with its 95 % interval over `n` values."""

    mean: float
    low: float
    high: float
    n: int

    def as_dict(self) -> dict[str, float | int]:
        return {key: float(f"{value:.6g}") if key != "n" else value for key, value in asdict(self).items()}


def of(draws: np.ndarray, n: int) -> Interval:
    """The interval of a statistic from its draws (1 + RESAMPLES,): the estimate first, then the resampled ones."""
    low, high = np.percentile(draws[1:], [2.5, 97.5])
    return Interval(float(draws[0]), float(low), float(high), n)


class Means:
    """`means(arm, metric)` → draws (1 + RESAMPLES,) of the mean over problems, averaged over seeds; the first is the estimate.

    One table and one array of levels (N,) a seed. Problems are resampled within their level, so that every draw has the
    levels in the proportion they were asked in. Levels in `without` count only when asked for by name.
    """

    def __init__(self, tables: Sequence[Table], levels: list[np.ndarray], without: tuple[int, ...] = (), seed: int = 0) -> None:
        generator = np.random.default_rng(seed)
        self.tables, self.levels, self.without = tables, levels, without
        self.weights = []
        for own in levels:
            weights = np.ones((1 + RESAMPLES, len(own)), dtype=np.float32)
            for level in np.unique(own):
                chosen = np.flatnonzero(own == level)
                even = np.full(len(chosen), 1 / len(chosen))
                weights[1:, chosen] = generator.multinomial(len(chosen), even, size=RESAMPLES)
            self.weights.append(weights)

    def __call__(self, arm: str, metric: str, level: int | None = None) -> np.ndarray:
        draws = []
        for table, own, weights in zip(self.tables, self.levels, self.weights, strict=True):
            chosen = own == level if level is not None else ~np.isin(own, self.without)
            share = weights[:, chosen]
            draws.append(share @ table[arm][metric][chosen] / share.sum(1))
        return np.mean(draws, axis=0)

    def alone(self) -> "list[Means]":
        """The same of each seed by itself."""
        return [Means([table], [own], self.without) for table, own in zip(self.tables, self.levels, strict=True)]

    def count(self, level: int | None = None) -> int:
        """How many problems, over all seeds, stand behind a mean."""
        return sum(int((own == level).sum() if level is not None else (~np.isin(own, self.without)).sum()) for own in self.levels)
