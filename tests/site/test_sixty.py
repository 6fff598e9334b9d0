"""Ready for the methods to come: with sixty records, charts, tables and menus can still be read."""

import json
import random
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from catalog.pages.build import build
from tests.site.conftest import fill, make_root
from tests.site.watching import watched

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

# Pairs of texts of one drawing of which more than a hair lies on each other.
OVERLAPS = """svg => {
  const boxes = [...svg.querySelectorAll('text')].map(t => [t.textContent, t.getBoundingClientRect()]);
  const found = [];
  boxes.forEach(([a, p], n) => boxes.slice(0, n).forEach(([b, q]) => {
    const wide = Math.min(p.right, q.right) - Math.max(p.left, q.left);
    const high = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
    if (wide > 1 && high > 4) found.push(`${a} / ${b}`);
  }));
  return found;
}"""


@pytest.fixture(scope="module")
def sixty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site on which sixty copies of TokenSkip and Coconut stand at places of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("LACONIC_DB", raising=False)
        root = make_root(tmp_path_factory.mktemp("sixty"))
        fill(root)
        chance = random.Random(0)
        for n in range(60):
            copied, slug = ("token_skip", "coconut")[n % 2], f"copy_{n}"
            text = (root / f"catalog/entries/{copied}.toml").read_text("utf-8")
            name = f"Method number {n} of many" if n % 7 == 0 else f"Copy{n}"
            (root / f"catalog/entries/{slug}.toml").write_text(f'name = "{name}"\n' + text.partition("\n")[2], "utf-8")
            shutil.copy(root / f"methods/{copied}.py", root / f"methods/{slug}.py")
            record = json.loads((root / f"methods/results/{copied}.json").read_text("utf-8"))
            record["results"] = {key.replace(copied, slug): cells for key, cells in record["results"].items()}
            record["method"] = slug
            own = record["results"][slug]
            tokens, right = chance.uniform(3, 140), chance.uniform(0.1, 1)
            own["tokens"] = {"mean": tokens, "low": tokens - 2, "high": tokens + 2, "n": 400}
            own["accuracy"] = {"mean": right, "low": max(0, right - 0.02), "high": min(1, right + 0.02), "n": 400}
            (root / f"methods/results/{slug}.json").write_text(json.dumps(record), "utf-8")
        return build(root, lambda record, where: [])


def test_no_label_lies_on_another(browser: "Browser", sixty: Path) -> None:
    for width in (1280, 360):
        page, _ = watched(browser, "file://", viewport={"width": width, "height": 800})
        for name in ("index", "compare"):
            page.goto((sixty / f"{name}.html").as_uri())
            drawing = page.locator(".plot svg.wide" if width > 500 else ".plot svg.narrow").first
            drawing.wait_for()
            assert drawing.locator(".mark").count() >= 60
            assert drawing.evaluate(OVERLAPS) == [], (name, width)


def test_pages_fit_a_phone_and_the_menu_does_not_grow(browser: "Browser", sixty: Path, site: Path) -> None:
    page, _ = watched(browser, "file://", viewport={"width": 360, "height": 740})
    for name in ("index", "compare", "methods/index", "methods/copy_0"):
        page.goto((sixty / f"{name}.html").as_uri())
        assert page.evaluate("Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)") <= 360, name
    links = "document.querySelectorAll('.md-nav--primary > .md-nav__list .md-nav__link[href$=\".html\"]').length"
    page.goto((sixty / "taxonomy.html").as_uri())
    grown = page.evaluate(links)
    page.goto((site / "taxonomy.html").as_uri())
    assert grown == page.evaluate(links) < 60


def test_every_method_can_be_picked_and_found_without_scrolling_past_the_chart(browser: "Browser", sixty: Path) -> None:
    page, _ = watched(browser, "file://", viewport={"width": 1280, "height": 800})
    page.goto((sixty / "compare.html").as_uri())
    box = page.locator(".compare fieldset").first
    assert box.locator(".tick").count() >= 60
    height = box.bounding_box()
    assert height is not None
    assert height["height"] < 300
    page.get_by_role("button", name="None but the baselines").first.click()
    page.locator(".compare .tick", has_text="Copy5").first.locator("input").check()
    assert page.locator(".compare svg.wide .mark text").all_text_contents().count("Copy5") == 1
