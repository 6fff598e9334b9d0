"""Compare: the tables say everything without a script; with one, picks and filters redraw them under one address."""

import re
from typing import TYPE_CHECKING

import pytest

from tests.site.watching import watched

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser


def visible(page: object) -> list[str]:
    return page.locator(".compare .costs tbody tr:visible th").all_text_contents()  # type: ignore[attr-defined]


def test_without_a_script_the_tables_say_it_all(browser: "Browser", address: str) -> None:
    page, _ = watched(browser, address, java_script_enabled=False)
    page.goto(f"{address}compare.html")
    assert {"Chain of thought", "TokenSkip"} <= set(visible(page))
    assert page.locator(".compare svg.wide").first.is_visible()
    assert page.locator(".compare form").count() == 0


def test_picking_and_filtering_redraws_and_keeps_the_baselines(browser: "Browser", address: str) -> None:
    page, bad = watched(browser, address)
    page.goto(f"{address}compare.html")
    before = visible(page)
    page.get_by_role("button", name="None but the baselines").first.click()
    # direct answering has no record of its own here: it comes from a run that has it as a baseline
    assert visible(page) == ["Direct answering", "Chain of thought"]
    assert page.locator(".compare svg.wide .mark").count() == 2
    page.get_by_role("button", name="All", exact=True).first.click()
    assert visible(page) == before
    page.locator(".compare select").first.select_option("flops")
    labels = page.locator(".compare svg.wide .grid text").all_text_contents()
    assert "FLOPs" in labels
    assert bad == []


def test_a_view_can_be_passed_on(browser: "Browser", address: str) -> None:
    page, bad = watched(browser, address)
    page.goto(f"{address}compare.html")
    page.locator(".compare .tick", has_text="TokenSkip").first.locator("input").uncheck()
    page.wait_for_url(re.compile("methods="))
    again, _ = watched(browser, address)
    again.goto(page.url)
    again.locator(".compare form").first.wait_for()
    assert visible(again) == visible(page)
    assert "TokenSkip" not in visible(again)
    assert bad == []
