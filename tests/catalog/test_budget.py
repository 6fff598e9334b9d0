"""arXiv is asked little, and slowly: over a month, and by two processes at once."""

import os
import subprocess
import sys
from datetime import date, timedelta
from math import ceil
from pathlib import Path

import pytest
from conftest import HERE, Calendar, Laconic
from loopback import Loopback
from week import updates

from catalog.announcements import is_announcement_day
from catalog.crawling.asking_records import BATCH

FIRST_DAY = date(2026, 3, 2)
MONTH = [FIRST_DAY + timedelta(days=n) for n in range(30)]


def test_a_month_of_updates_asks_at_most_a_fifth_more_than_page_sizes_demand(
    laconic: Laconic, on: Calendar, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fewest: a feed a mailing; for the records that a day brings, new ones and new versions, a request per full batch;
    for looking back on the first day, one page. Ids that a list prints and arXiv does not know are no part of it.
    """
    monkeypatch.setenv("LACONIC_ARXIV_INTERVAL", "0")
    mailings = [day for day in MONTH if is_announcement_day(day)]
    server.records = {number: (title, min(day, "2026-02-27")) for number, (title, day) in server.records.items()}
    needed = {day: 0 for day in mailings}
    for count, day in enumerate(mailings):
        server.records[f"2603.{count + 1:02}999"] = (f"Nothing to Do with It, {count}", day.isoformat())
        new = (2, 0, 5, 1, 130)[count % 5]  # quiet days, and one with more than a batch
        for n in range(new):
            server.records[f"2603.{count + 1:02}{n:03}"] = (f"Found by Asking, {day} and {n}", day.isoformat())
        if count % 4 == 2:
            server.revise("2501.00011", f"Counting Sheep in {count} Steps", day.isoformat())
        needed[day] = new + (count % 4 == 2)
    needed[MONTH[0]] += 3  # what the lists print and arXiv knows
    fewest = len(mailings) + sum(ceil(count / BATCH) for count in needed.values()) + 1
    updates(laconic, on, *(f"{day}T{hour}:00" for day in MONTH for hour in ("06", "15")))
    asked = len(server.times)
    assert fewest <= asked <= 1.2 * fewest, f"{asked} requests, {fewest} at the fewest"
    assert len({path for path, _ in server.asked("/api")}) == len(server.asked("/api")), "nothing is asked twice"


def test_two_updates_at_once_keep_one_pace(on: Calendar, root: Path, server: Loopback, tmp_path: Path) -> None:
    on("2026-03-17T09:00")
    running = []
    for name in ("one", "two"):
        own = {"LACONIC_DB": f"sqlite:///{tmp_path}/{name}.db", "LACONIC_ARXIV_INTERVAL": "0.3", "PYTHONPATH": str(HERE)}
        command = [sys.executable, "-m", "scripts", "update"]
        running.append(subprocess.Popen(command, cwd=root, env=os.environ | own, stdout=subprocess.DEVNULL))
    assert [process.wait(60) for process in running] == [0, 0]
    gaps = [later - earlier for earlier, later in zip(server.times, server.times[1:])]
    assert len(server.times) >= 6
    assert min(gaps) >= 0.28
