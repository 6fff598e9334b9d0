"""The site in headless Chromium: quiet console, no other host, no sideways scroll on a phone, both palettes."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.site.watching import watched

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PAGES = [
    "index",
    "compare",
    "finding",
    "taxonomy",
    "methods/index",
    "methods/token_skip",
    "methods/direct",
    "papers/index",
    "papers/2025",
    "errata",
    "audit",
    "audit-papers",
    "corrections",
    "challenges/index",
    "challenges/safety",
    "methods/dast",
    "protocol",
    "calibration",
    "freshness",
    "contributing",
]

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_quiet_and_fit_a_phone(browser: "Browser", address: str, scheme: str) -> None:
    page, bad = watched(browser, address, viewport={"width": 360, "height": 740}, color_scheme=scheme)
    for name in PAGES:
        page.goto(f"{address}{name}.html")
        wide = page.evaluate("[document.documentElement.scrollWidth, document.body.scrollWidth]")
        assert max(wide) <= 360, (name, wide)
    assert bad == []


def test_the_chart_follows_the_palette_toggle(browser: "Browser", address: str) -> None:
    page, bad = watched(browser, address, viewport={"width": 1280, "height": 800}, color_scheme="light")
    page.goto(f"{address}index.html")
    colour = "getComputedStyle(document.querySelector('svg.wide .mark text')).fill"
    seen = {page.evaluate(colour)}
    for _ in range(2):  # system → light → dark
        page.locator("form[data-md-component=palette] label:not([hidden])").click()
        page.wait_for_timeout(300)
        seen.add(page.evaluate(colour))
    assert len(seen) == 2
    assert bad == []


def test_search_finds_a_method_under_the_policy(browser: "Browser", address: str) -> None:
    page, bad = watched(browser, address, viewport={"width": 1280, "height": 800})
    page.goto(f"{address}index.html")
    page.locator("input.md-search__input").click()
    page.keyboard.type("coconut", delay=30)
    page.locator("a.md-search-result__link[href*='methods/coconut']").first.wait_for()
    assert bad == []


def test_a_script_that_got_in_would_not_run(browser: "Browser", address: str) -> None:
    page, _ = watched(browser, address)
    page.goto(f"{address}index.html")
    page.evaluate("const s = document.createElement('script'); s.textContent = 'window.ran = 1'; document.body.append(s)")
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.ran = 1\">')")
    page.wait_for_timeout(300)
    assert page.evaluate("window.ran") is None


def test_pages_open_from_the_disk(browser: "Browser", site: Path) -> None:
    page, bad = watched(browser, "file://", viewport={"width": 1280, "height": 800})
    page.goto((site / "methods" / "token_skip.html").as_uri())
    assert page.locator("svg.wide").first.is_visible()
    background = page.evaluate("getComputedStyle(document.querySelector('.caveat')).backgroundColor")
    assert background != "rgba(0, 0, 0, 0)"  # the style sheets were let in
    page.get_by_role("link", name="Methods", exact=True).first.click()
    assert page.url.endswith("methods/index.html")
    # Search needs a server: from the disk the theme looks for an index that only its offline plugin would write.
    assert [line for line in bad if "ERR_FILE_NOT_FOUND" not in line and "search_index.js" not in line] == []


def test_it_reads_without_javascript(browser: "Browser", address: str) -> None:
    page, _ = watched(browser, address, java_script_enabled=False)
    page.goto(f"{address}methods/token_skip.html")
    assert page.get_by_text("213.17").is_visible()
    assert page.locator("svg.wide").first.is_visible()
