"""Traces play: both sides together, counted as they go, by keys alone, and never against the reader's wish for stillness."""

import re
from typing import TYPE_CHECKING

import pytest

from tests.site.watching import watched

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

SHOWN = """sides => sides.map(side =>
  [...side.querySelectorAll('.piece')].filter(piece => getComputedStyle(piece).visibility === 'visible').length)"""


def opened(browser: "Browser", address: str, **context: object) -> tuple["Page", list[str]]:
    page, bad = watched(browser, address, **context)
    page.goto(f"{address}methods/coconut.html")
    return page, bad


def shown(page: "Page") -> list[int]:
    return page.locator(".trace .tokens").evaluate_all(SHOWN)  # type: ignore[no-any-return]


def counted(page: "Page") -> list[int]:
    return [int(text) for text in page.locator(".trace tr[data-kind=''] data").all_text_contents()]


def test_without_a_script_the_whole_trace_stands(browser: "Browser", address: str) -> None:
    page, _ = opened(browser, address, java_script_enabled=False)
    assert page.locator(".trace .player").count() == 0
    pieces = [side.locator(".piece").count() for side in page.locator(".trace .tokens").all()]
    assert min(pieces) > 0
    assert shown(page) == pieces == counted(page)


def test_both_sides_advance_together_and_the_table_counts_along(browser: "Browser", address: str) -> None:
    page, bad = opened(browser, address)
    whole = shown(page)
    slider = page.locator(".trace input[type=range]")
    slider.focus()
    page.keyboard.press("Home")
    assert shown(page) == counted(page) == [0, 0]
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    assert shown(page) == counted(page) == [min(10, length) for length in whole]
    kinds = page.locator(".trace tr[data-kind]:not([data-kind=''])").all()
    rows = [[int(text) for text in row.locator("data").all_text_contents()] for row in kinds]
    assert [sum(column) for column in zip(*rows, strict=True)] == counted(page)
    page.keyboard.press("End")
    assert shown(page) == whole
    assert slider.get_attribute("aria-valuetext") == f"position {max(whole)} of {max(whole)}"
    assert bad == []


def test_play_starts_over_at_the_end_and_pauses(browser: "Browser", address: str) -> None:
    page, bad = opened(browser, address)
    play = page.get_by_role("button", name="Play")
    play.focus()
    page.keyboard.press("Enter")
    page.locator(".trace .at", has_text=re.compile(r"^([3-9]|\d\d+) of")).wait_for()
    page.keyboard.press("Enter")
    stood = shown(page)
    assert max(stood) < page.locator(".trace .tokens").first.locator(".piece").count()
    page.wait_for_timeout(400)
    assert shown(page) == stood
    page.get_by_role("button", name="Forward").click()
    assert max(shown(page)) == max(stood) + 1
    assert bad == []


def test_who_wants_stillness_moves_it_by_hand(browser: "Browser", address: str) -> None:
    page, _ = opened(browser, address, reduced_motion="reduce")
    assert not page.get_by_role("button", name="Play").is_visible()
    whole = max(shown(page))
    page.get_by_role("button", name="Back", exact=True).click()
    assert max(shown(page)) == max(counted(page)) == whole - 1
