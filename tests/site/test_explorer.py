"""The explorer: instant, linkable, works from the disk, and shows strangers' titles as the text they are."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from catalog.text import clean
from tests.site.hostile import HOSTILE
from tests.site.watching import watched

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser


def test_hostile_titles_are_text_and_found_as_typed(browser: "Browser", address: str) -> None:
    page, bad = watched(browser, address)
    page.goto(f"{address}papers/index.html")
    page.locator("#explorer .found").wait_for()
    titles = page.locator("#explorer cite").all_text_contents()
    assert set(map(clean, HOSTILE)) <= set(map(clean, titles))
    page.locator("#explorer-q").fill("onerror=alert")
    assert page.locator("#explorer cite").all_text_contents() == [clean(HOSTILE[1])]
    assert page.evaluate("document.querySelectorAll('#explorer img, #explorer script').length") == 0
    assert bad == []


def test_every_view_has_an_address(browser: "Browser", address: str) -> None:
    page, bad = watched(browser, address)
    page.goto(f"{address}papers/index.html")
    page.locator("#explorer-q").fill("tokenskip")
    page.locator("#explorer-sort").select_option("title")
    page.wait_for_url("**#q=tokenskip&sort=title")
    again, _ = watched(browser, address)
    again.goto(page.url)
    again.locator("#explorer cite").first.wait_for()
    assert again.locator("#explorer-q").input_value() == "tokenskip"
    assert again.locator("#explorer cite").all_text_contents() == page.locator("#explorer cite").all_text_contents()
    again.locator("#explorer .id").first.click()
    again.wait_for_url("**#paper=2502.12067")
    again.locator("#explorer .facts").wait_for()  # a paper's own address shows all that is known of it
    assert bad == []


def test_details_say_who_names_a_paper_and_how_it_was_printed(browser: "Browser", address: str) -> None:
    page, bad = watched(browser, address)
    page.goto(f"{address}papers/index.html#paper=2502.00001")
    facts = page.locator("#explorer .facts")
    facts.wait_for()
    said = facts.inner_text()
    assert "a-list" in said
    assert "<i>Top</i> › {: .x } Section" in said
    assert "printed as as printed" in said
    assert "Ann <b>Author</b>, Bo & Co" in said
    assert "eprint = {2502.00001}" in said
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert bad == []


def test_it_can_be_used_with_keys_alone_and_from_the_disk(browser: "Browser", site: Path) -> None:
    page, bad = watched(browser, "file://")
    page.goto((site / "papers" / "index.html").as_uri())
    page.locator("#explorer-q").focus()
    page.keyboard.type("known by name")
    assert page.locator("#explorer cite").all_text_contents() == ["Known by name"]
    page.locator("#explorer summary").first.focus()
    page.keyboard.press("Enter")
    page.locator("#explorer .facts").wait_for()
    # The theme's own search needs a server.
    assert [line for line in bad if "ERR_FILE_NOT_FOUND" not in line and "search_index.js" not in line] == []


def test_the_data_cannot_end_its_script(site: Path) -> None:
    text = (site / "papers" / "explorer-data.js").read_text("utf-8")
    assert not set("<>&") & set(text)
    assert json.loads(text.partition("]=")[2].rstrip(";\n"))["columns"]["title"]
