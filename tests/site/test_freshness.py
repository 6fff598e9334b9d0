"""The warning that a copy of the site is old: by the reader's clock, on the day that the calendar says, from data alone."""

from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from bs4 import BeautifulSoup
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from catalog import schema, store
from catalog.announcements import announcement_days, holidays
from catalog.freshness import DATA_OVERDUE_DAYS, newest_announced
from catalog.pages.build import build
from tests.site.conftest import fill, paper
from tests.site.watching import watched

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

LAST = date(2025, 2, 28)  # the newest paper of the hostile catalogue is known by its month only
ZONES = ["Pacific/Kiritimati", "America/Los_Angeles"]  # 14 hours ahead of UTC, 8 behind


def first_overdue(after: date) -> date:
    return next(day for n in range(60) if announcement_days(after, day := after + timedelta(days=n)) == DATA_OVERDUE_DAYS)


def at(page: "Page", moment: datetime) -> None:
    page.clock.set_fixed_time(moment)


@pytest.fixture(scope="module", params=ZONES)
def counting(request: pytest.FixtureRequest, browser: "Browser", address: str) -> "Page":
    page, _ = watched(browser, address, timezone_id=request.param)
    page.goto(f"{address}freshness.html")
    return page


@pytest.mark.browser
@settings(max_examples=10, deadline=None, phases=[Phase.generate])  # a failing list names its spans; shrinking takes minutes
@given(
    pairs=st.lists(
        st.tuples(st.dates(date(2022, 12, 1), date(2028, 12, 31)), st.integers(-3, 500)), min_size=100, max_size=100
    )
)
def test_the_browser_counts_as_the_catalog_does(counting: "Page", pairs: list[tuple[date, int]]) -> None:
    spans = [(after, after + timedelta(days=days)) for after, days in pairs]
    counted = counting.evaluate(
        """([spans, holidays]) => {
          const without = new Set(holidays.map(Date.parse));
          return spans.map(([after, through]) => announcementDays(Date.parse(after), Date.parse(through), without));
        }""",
        [[[str(after), str(through)] for after, through in spans], sorted(map(str, holidays()))],
    )
    assert dict(zip(spans, counted)) == {span: announcement_days(*span) for span in spans}


@pytest.mark.browser
@pytest.mark.parametrize("zone", ZONES)
def test_every_page_warns_from_the_day_the_calendar_says(browser: "Browser", address: str, zone: str) -> None:
    page, bad = watched(browser, address, timezone_id=zone)
    day = first_overdue(LAST)
    begun = datetime(day.year, day.month, day.day, tzinfo=UTC)
    for name in ("index", "methods/token_skip", "papers/2025", "freshness", "404"):
        at(page, begun - timedelta(seconds=1))
        page.goto(f"{address}{name}.html")
        assert page.get_by_role("status").text_content() == "", name
        at(page, begun)
        page.reload()
        said = page.get_by_role("status").text_content() or ""
        assert "from February 2025" in said
        assert f"on {DATA_OVERDUE_DAYS} days since" in said
        page.get_by_role("status").get_by_role("link").click()
        assert page.url == f"{address}freshness.html"
    assert bad == []


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_warning_can_be_read_on_a_phone(browser: "Browser", address: str, scheme: str) -> None:
    page, bad = watched(browser, address, viewport={"width": 360, "height": 740}, color_scheme=scheme)
    page.goto(f"{address}methods/token_skip.html")  # today's clock: that paper is long past
    warning = page.get_by_role("status").locator("p")
    box = warning.bounding_box()
    assert box is not None
    assert (box["x"], box["width"]) == (0, 360)
    assert box["height"] < 140
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    for selector in ("#stale p", "#stale a", ".md-copyright"):
        assert page.evaluate(CONTRAST, selector) >= 4.5, selector
    assert bad == []


CONTRAST = """selector => {  // WCAG 2.2, 1.4.3: of the text against the nearest painted background
  const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
  let behind = document.querySelector(selector);
  const [r, g, b, alpha = 1] = numbers(getComputedStyle(behind).color);
  while ((numbers(getComputedStyle(behind).backgroundColor)[3] ?? 1) === 0) behind = behind.parentElement;
  const back = numbers(getComputedStyle(behind).backgroundColor).slice(0, 3);
  const text = [r, g, b].map((value, i) => alpha * value + (1 - alpha) * back[i]);
  const light = rgb => {
    const [x, y, z] = rgb.map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z + 0.05;
  };
  const both = [light(text), light(back)];
  return Math.max(...both) / Math.min(...both);
}"""


@pytest.mark.browser
def test_it_warns_from_the_disk_too(browser: "Browser", site: Path) -> None:
    page, _ = watched(browser, "file://")
    page.goto((site / "papers" / "2025.html").as_uri())
    page.get_by_role("status").get_by_role("link").click()
    assert page.url == (site / "freshness.html").as_uri()


@pytest.mark.browser
def test_the_table_tells_how_long_each_source_was_quiet(browser: "Browser", root: Path) -> None:
    fill(root)
    with store.writing(root) as session:
        session.add(schema.SourceState(name="arxiv", last_new=date(2026, 3, 1)))
        session.add(paper(1234, "A day of its own", published=datetime(2026, 3, 12, 9, tzinfo=UTC), served_by="arxiv"))
        session.commit()
    folder = build(root, lambda record, where: [])
    page, _ = watched(browser, "file://")

    def row(name: str) -> str:
        return page.locator("tr", has=page.get_by_text(name, exact=True)).inner_text()

    # Sunday to Friday: five announcement days after 1 March, one after 12 March.
    at(page, datetime(2026, 3, 6, tzinfo=UTC))
    page.goto((folder / "freshness.html").as_uri())
    assert "overdue: 5 announcement days since" in row("arxiv")
    assert "overdue" not in row("a-list")
    assert "5 announcement days since" in row("a-list")
    at(page, datetime(2026, 3, 15, tzinfo=UTC))
    page.reload()
    assert page.get_by_role("status").text_content() == ""
    at(page, datetime(2026, 3, 19, tzinfo=UTC))
    page.reload()
    assert "newest paper is from 2026-03-12" in (page.get_by_role("status").text_content() or "")


def test_each_page_states_the_date_without_scripts(site: Path) -> None:
    for path in site.rglob("*.html"):
        page = BeautifulSoup(path.read_text("utf-8"), "html.parser")
        stated = page.select_one("footer time")
        assert stated is not None, path
        assert (stated["datetime"], stated.get_text()) == ("2025-02", "February 2025")
        box = page.select_one("#stale[role=status]")
        assert box is not None
        assert box.get_text() == ""
        assert box["data-by"] == str(LAST)


def test_what_pages_carry_is_data_and_not_a_run(root: Path) -> None:
    def hashes() -> dict[str, str]:
        folder = build(root, lambda record, where: [])
        return {str(p.relative_to(folder)): sha256(p.read_bytes()).hexdigest() for p in folder.rglob("*") if p.is_file()}

    fill(root)
    with store.writing(root) as session:
        estimated = session.get_one(schema.Paper, "2502.12067")
        estimated.served_by = "mirror"
        session.add(estimated)
        session.commit()
    first = hashes()
    with store.writing(root) as session:
        state = session.get_one(schema.SourceState, "a-list")
        state.last_success = state.seen_through = date(2026, 3, 2)
        state.asked_at = datetime(2026, 3, 2, 4, 5, tzinfo=UTC)
        session.add(state)
        estimated = session.get_one(schema.Paper, "2502.12067")
        estimated.published = datetime(2025, 2, 14, tzinfo=UTC)  # a mirror's word, so no such day is exported
        session.add(estimated)
        session.commit()
        assert newest_announced(session, arxivs_own=True) == ("2025-02", LAST)
    assert hashes() == first


@pytest.mark.browser
def test_a_catalogue_without_papers_says_so(browser: "Browser", root: Path) -> None:
    folder = build(root, lambda record, where: [])
    page, bad = watched(browser, "file://")
    page.goto((folder / "errata.html").as_uri())
    assert "No paper" in (page.get_by_role("status").text_content() or "")
    assert "No paper has been seen at arXiv yet" in page.locator("footer").inner_text()
    assert [line for line in bad if "ERR_FILE_NOT_FOUND" not in line and "search_index.js" not in line] == []
