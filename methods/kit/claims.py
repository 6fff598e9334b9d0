"""Claims are code: what a paper says should happen, as a bound on an interval, with the gates that let it be judged."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from methods.kit.statistics import Means, of

Measure = Callable[[Means], np.ndarray]  # draws of the quantity claimed about


@dataclass(frozen=True)
class Claim:
    """`measure` is at least `at_least`. `needs` names the calibration rows without which the claim says nothing.

    `kind`: `emergent` could have failed; `by_construction` was trained in. `zoos`: how many independently trained ones it takes:
    five for reinforcement learning and latents, none where no training of the method's own decides.
    """

    id: str
    text: str
    kind: Literal["emergent", "by_construction"]
    measure: Measure
    at_least: float
    because: str
    needs: tuple[str, ...] = ()
    primary: bool = False
    zoos: int = 3


def judge(claim: Claim, means: Means, holds: Mapping[str, bool], seeds: int) -> dict[str, Any]:
    """The claim with its interval, verdict and, where it is not plainly one way, the reason.

    `not_testable` when a calibration row it needs fails or is missing, or when too few seeds stand behind something trained;
    the interval is given all the same. What rests on training is `reproduced` when it holds pooled and for every seed by itself.
    `p`: the share of resamplings in which the claim is not met, this estimate counted as one of them.
    """
    draws = claim.measure(means)
    interval = of(draws, means.count())
    by_seed = [of(claim.measure(own), own.count()) for own in means.alone()] if seeds > 1 else []
    failing = sum(own.low < claim.at_least for own in by_seed)
    missing = [row for row in claim.needs if not holds.get(row, False)]
    seen = f"{interval.mean:.3g} [{interval.low:.3g}, {interval.high:.3g}] against a bound of {claim.at_least:g}"
    if missing:
        verdict, reason = (
            "not_testable",
            f"calibration row{'s' * (len(missing) > 1)} {', '.join(missing)} not met on this task",
        )
    elif seeds < claim.zoos:
        verdict, reason = (
            "not_testable",
            f"rests on training: {claim.zoos} independently trained zoos are needed, {seeds} measured",
        )
    elif interval.low >= claim.at_least and claim.zoos and failing:
        verdict, reason = "inconclusive", f"it holds pooled, but not by itself in {failing} of {seeds} zoos"
    elif interval.low >= claim.at_least:
        verdict, reason = "reproduced", ""
    elif interval.high < claim.at_least:
        verdict, reason = "not_reproduced", ""
    else:
        verdict, reason = "inconclusive", "the interval straddles the bound"
    return {
        "id": claim.id,
        "text": claim.text,
        "kind": claim.kind,
        "verdict": verdict,
        "reason": "; ".join(part for part in (reason, seen) if part),
        "because": claim.because,
        "interval": interval.as_dict(),
        **({"by_seed": [own.as_dict() for own in by_seed]} if by_seed else {}),
        "at_least": claim.at_least,
        "p": float(f"{(1 + (draws[1:] < claim.at_least).sum()) / len(draws):.3g}"),
        "primary": claim.primary,
        "needs": list(claim.needs),
    }


def gain(arm: str, over: str, metric: str = "accuracy") -> Measure:
    """`metric` of `arm` minus that of `over`."""
    return lambda means: means(arm, metric) - means(over, metric)


def saved(arm: str, over: str = "cot", metric: str = "tokens") -> Measure:
    """The share of `over`'s cost that `arm` does without."""
    return lambda means: 1 - means(arm, metric) / means(over, metric)
