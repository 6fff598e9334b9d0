"""Claims in company: Holm's adjustment is the one of the book, and only what was judged takes part."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.pages.primaries import holm, primaries
from catalog.pages.records import Record

values = st.lists(st.floats(0, 1), max_size=12)


def test_an_example_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@given(values)
def test_no_claim_gains_by_company_and_their_order_stays(found: list[float]) -> None:
    adjusted = holm(found)
    assert all(own <= new <= 1 for own, new in zip(found, adjusted, strict=True))
    pairs = sorted(zip(found, adjusted, strict=True))
    assert [new for _, new in pairs] == sorted(adjusted)
    if found:
        assert pairs[0][1] == min(1.0, len(found) * pairs[0][0])  # the smallest pays for all


def test_only_what_was_judged_is_adjusted() -> None:
    def own(slug: str, verdict: str, p: float) -> tuple[Any, Record]:
        claims = [{"id": "x", "verdict": "reproduced", "p": 0.9}, {"id": slug, "verdict": verdict, "p": p, "primary": True}]
        return SimpleNamespace(slug=slug), Record(f"{slug}.json", {"claims": claims}, [])

    rows = [own("a", "reproduced", 0.02), own("b", "not_testable", 0.001), own("c", "not_reproduced", 1.0)]
    silent = SimpleNamespace(slug="d")  # an entry without a record
    catalog: Any = SimpleNamespace(entries=[*(e for e, _ in rows), silent], records={e.slug: r for e, r in rows})
    assert [(one.claim["id"], one.adjusted) for one in primaries(catalog)] == [("a", 0.04), ("b", None), ("c", 1.0)]
