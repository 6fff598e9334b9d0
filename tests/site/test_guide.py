"""The guide's rule and the week's news, on entries and records made for the purpose."""

from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from catalog.auditing.ledger import Change
from catalog.entries import Entry, _File
from catalog.pages.guide import MARGIN, Answer, answers
from catalog.pages.news import week
from catalog.pages.papers import Row
from catalog.pages.records import Record


def cell(mean: float) -> dict[str, float]:
    return {"mean": mean, "low": mean, "high": mean}


def measured(slug: str, accuracy: float, tokens: float, cot: tuple[float, float] = (0.9, 100.0), **more: Any) -> Record:
    pairs = {slug: (accuracy, tokens), "cot": cot}
    results = {key: {"accuracy": cell(a), "tokens": cell(t)} for key, (a, t) in pairs.items()}
    return Record(f"methods/results/{slug}.json", {"task": "chains", "results": results, **more}, [])


def entry(slug: str, *training: str) -> Entry:
    facets = {"form": ["explicit"], "training": list(training), "acts_on": ["sampler"], "saves": ["generated_tokens"]}
    return Entry(slug, f"catalog/entries/{slug}.toml", _File.model_construct(name=slug, facets=facets))


def answer(title: str, rows: list[tuple[Entry, Record]], *others: Entry) -> Answer:
    found = answers([("chains", rows)], [each for each, _ in rows] + list(others))
    return next(each for each in found if each.constraint.title == title)


def test_the_cheapest_of_those_accurate_enough_is_named() -> None:
    places = {"dear": (0.9, 80), "good": (0.885, 40), "poor": (0.5, 5)}
    kept = [(entry(name, "none"), measured(name, *place)) for name, place in places.items()]
    found = answer("No training", kept, entry("unseen", "none"), entry("trained", "sft"))
    assert [pick.entry.slug for pick in found.picks] == ["good"]
    assert [each.slug for each in found.too_inaccurate] == ["poor"]
    assert [each.slug for each in found.unmeasured] == ["unseen"]
    assert answer("Weights at hand", kept).picks == []


def test_what_costs_more_than_chain_of_thought_is_no_answer() -> None:
    found = answer("No training", [(entry("dear", "none"), measured("dear", 0.95, 120))])
    assert found.picks == []
    assert [each.slug for each in found.too_dear] == ["dear"]


def test_a_run_without_the_figure_says_nothing() -> None:
    rows = [(entry("good", "none"), measured("good", 0.9, 40))]
    assert answer("Bound by memory", rows).picks == []  # no cache was measured


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(1, 200)), max_size=8))
def test_no_measured_method_that_fits_beats_the_answer(places: list[tuple[float, float]]) -> None:
    rows = [(entry(f"m{n}", "none"), measured(f"m{n}", *place)) for n, place in enumerate(places)]
    picks = answer("No training", rows).picks
    good = [tokens for accuracy, tokens in places if accuracy >= 0.9 - MARGIN and tokens < 100]
    assert [pick.cost.mean for pick in picks] == ([min(good)] if good else [])


def row(key: str, seen: date) -> Row:
    return Row(key, key, "t", [], "2026-01", True, [], "", first_seen=seen)


def test_the_week_ends_with_the_newest_paper_not_with_the_build() -> None:
    rows = [row("3", date(2026, 3, 8)), row("2", date(2026, 3, 2)), row("1", date(2026, 3, 1))]
    changes = [Change(slug="a", number="n", old=1, new=2, reason="r", date=day) for day in (date(2026, 2, 1), date(2026, 3, 5))]
    old, new, undated = (measured("m", 1, 1, **d) for d in ({"date": "2026-02-01"}, {"date": "2026-03-04"}, {}))
    news = week(rows, changes, {"old": old, "new": new, "undated": undated})
    assert news is not None
    assert news.until == date(2026, 3, 8)
    assert [each.key for each in news.papers] == ["3", "2"]
    assert [each.date for each in news.changes] == [date(2026, 3, 5)]
    assert [slug for slug, _ in news.records] == ["new"]
    assert week([], changes, {}) is None
