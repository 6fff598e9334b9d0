"""Every template's page under axe-core, in light and dark: no violation of WCAG 2.1 A and AA."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.site.test_browser import PAGES
from tests.site.watching import watched

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
RUN = """async () => (await axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] })).violations.map(violation => {
  const first = violation.nodes.slice(0, 3).map(node => `${node.html.slice(0, 160)} ${node.any.map(check => check.message)}`);
  return `${violation.id}: ${violation.nodes.length} × ${first.join(' | ')}`;
})"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_violation_on_any_template(browser: "Browser", address: str, scheme: str) -> None:
    page, _ = watched(browser, address, viewport={"width": 1280, "height": 800}, color_scheme=scheme)
    page.set_default_timeout(60_000)
    found = []
    for name in PAGES:
        page.goto(f"{address}{name}.html")
        page.evaluate(AXE.read_text("utf-8"))
        found += [f"{name}: {violation}" for violation in page.evaluate(RUN)]
    assert not found, "\n".join(found)
