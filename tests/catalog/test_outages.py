"""The three outages that other trackers slept through, replayed: the alarm within two announcement days, no paper lost."""

import json
import sqlite3
from pathlib import Path

import arxiv
import pytest

from tests.catalog import week
from tests.catalog.conftest import SOURCES, Calendar, Laconic
from tests.catalog.loopback import Loopback
from tests.catalog.week import FRIDAY, MONDAY, THURSDAY, TUESDAY, WEDNESDAY, updates

SECOND_MONDAY, SECOND_TUESDAY = "2026-03-23", "2026-03-24"
FOUND = {"2603.00014", "2603.00015", "2603.00016", "2603.00021", "2603.00031", "2603.00041", "2603.00051"}


@pytest.fixture(autouse=True)
def _week(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    week.fill(server)
    server.records["2603.00071"] = ("Found by Asking in the Second Week", SECOND_MONDAY)
    server.records["2603.00081"] = ("Found by Asking When All Is Well", SECOND_TUESDAY)
    monkeypatch.setenv("LACONIC_ARXIV_INTERVAL", "0.001")
    monkeypatch.setattr("catalog.sources.polite.TRIES", 2)


def papers(root: Path, status: str = "confirmed") -> set[str]:
    with sqlite3.connect(root / "build" / "laconic.db") as connection:
        return {key for (key,) in connection.execute("SELECT key FROM papers WHERE status = ?", [status])}


def alarms(laconic: Laconic, on: Calendar, *days: str) -> list[tuple[int, int]]:
    """Exit codes of `update` and `status`, day by day."""
    codes = []
    for day in days:
        on(f"{day}T09:00")
        codes.append((laconic("update")[0], laconic("status")[0]))
    return codes


def test_an_enrichment_api_dies_and_no_paper_is_lost(
    laconic: Laconic, on: Calendar, root: Path, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "catalog" / "sources.toml").write_text(SOURCES + '\n[github]\ncanary = "somebody/canary"\n')
    monkeypatch.setenv("LACONIC_GITHUB_URL", f"{server.url}/github")
    facts = {"id": 1, "full_name": "somebody/canary", "archived": False, "license": None, "pushed_at": "2026-01-02T03:04:05Z"}
    for name in ("somebody/canary", "someone/first-list", "someone/second-list"):
        server.lists[f"/github/repos/{name}"] = json.dumps(facts | {"full_name": name}).encode()
    assert alarms(laconic, on, MONDAY) == [(0, 0)]
    server.fail("500", "/github", -1)
    assert alarms(laconic, on, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY) == [(3, 0), (3, 4), (3, 4), (3, 4)]
    assert papers(root) >= FOUND, "each on its day, whatever became of the other source"
    server.faults.clear()
    assert alarms(laconic, on, SECOND_MONDAY) == [(0, 0)]


def test_a_release_of_the_client_library_takes_its_method_away(
    laconic: Laconic, on: Calendar, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert alarms(laconic, on, MONDAY) == [(0, 0)]
    with monkeypatch.context() as patch:
        patch.delattr(arxiv.Client, "results")
        assert alarms(laconic, on, TUESDAY, WEDNESDAY, THURSDAY) == [(3, 0), (3, 4), (3, 4)]
        assert papers(root, "listed") >= {"2603.00021", "2603.00031", "2603.00041"}, "known from the mailings all the same"
    assert alarms(laconic, on, FRIDAY) == [(0, 0)]
    assert papers(root) >= FOUND


def test_arxiv_answers_406_to_everything_for_five_announcement_days(
    laconic: Laconic, on: Calendar, root: Path, server: Loopback
) -> None:
    updates(laconic, on, f"{MONDAY}T09:00")
    for path in ("/api", "/rss", "/oai"):
        server.fail("406", path, -1)
    codes = alarms(laconic, on, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SECOND_MONDAY)
    assert codes == [(3, 0), (3, 4), (3, 4), (3, 4), (3, 4)]
    server.faults.clear()
    assert alarms(laconic, on, SECOND_TUESDAY) == [(0, 0)]
    assert papers(root) >= FOUND | {"2603.00071", "2603.00081"}, "those too that were announced only during the outage"
    shown = laconic("show", "2501.00011", "--json")[1]
    assert shown["title"] == "Counting Sheep in Half the Steps"
    assert laconic("show", "2503.00013", "--json")[1]["withdrawn"]
