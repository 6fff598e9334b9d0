"""The primary claims of all methods, judged together: of many some would hold by chance, which Holm's procedure allows for.

Source: S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6 (1979).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from catalog.entries import Entry
from catalog.pages.contents import Catalog
from catalog.pages.records import Record


@dataclass(frozen=True)
class Primary:
    """`adjusted` is None where the claim was not judged."""

    entry: Entry
    record: Record
    claim: dict[str, Any]
    adjusted: float | None


def primaries(catalog: Catalog) -> list[Primary]:
    """One claim a record, in the order of the entries. Those that could not be judged take no part in the adjustment."""
    found = [
        (entry, record, claim)
        for entry in catalog.entries
        if (record := catalog.records.get(entry.slug))
        for claim in record.raw["claims"]
        if claim.get("primary")
    ]
    judged = [i for i, (_, _, claim) in enumerate(found) if claim["verdict"] != "not_testable" and "p" in claim]
    adjusted = dict(zip(judged, holm([found[i][2]["p"] for i in judged]), strict=True))
    return [Primary(*own, adjusted.get(i)) for i, own in enumerate(found)]


def holm(values: Sequence[float]) -> list[float]:
    """p values adjusted for their number: each times the number of those not smaller, and never below a smaller one's."""
    adjusted, least = [0.0] * len(values), 0.0
    for rank, i in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        adjusted[i] = least = max(least, min(1.0, (len(values) - rank) * values[i]))
    return adjusted
