"""The crawl, against a real server: what it stores, what it does not ask twice, and what no fault can take away."""

import multiprocessing
import time
from pathlib import Path
from typing import Any

import pytest
from conftest import FIRST, Laconic, rows
from loopback import Loopback
from sqlmodel import SQLModel

from catalog.sources import polite

pytestmark = pytest.mark.usefixtures("database")


def tables(root: Path) -> dict[str, list[Any]]:
    """Every table but the run log and what is still to be asked."""
    names = [name for name in SQLModel.metadata.tables if name not in ("crawl_runs", "windows")]
    return {name: sorted(map(repr, rows(root, f"SELECT * FROM {name}"))) for name in names}


def by_name(document: Any) -> dict[str, Any]:
    return {source["name"]: source for source in document["sources"]}


def test_a_first_update_stores_lists_records_and_discoveries(laconic: Laconic, root: Path, server: Loopback) -> None:
    code, document, _ = laconic("update", "--json")
    sources = by_name(document)
    assert code == 0
    assert [sources[name]["outcome"] for name in ("first", "second", "arxiv")] == ["stored"] * 3
    assert (sources["first"]["new"], sources["second"]["new"], sources["arxiv"]["new"]) == (5, 2, 4)
    resolved = dict(rows(root, "SELECT title || '/' || list_name, resolution || ' ' || paper_key FROM mentions"))
    assert resolved["Walking Backwards: A Study of Reversal/first"] == "repaired 2501.00012"
    assert resolved["Thinking Without a Word/first"] == "repaired 2503.00013"
    assert resolved["Known to Nobody Yet but This List/first"] == "unverified 2502.00099"
    assert resolved["Only in Proceedings/first"].startswith("unverified title-")
    assert rows(root, "SELECT found_by FROM papers WHERE key = '2603.00014'") == [("discovery",)]
    assert rows(root, "SELECT DISTINCT served_by FROM papers WHERE status = 'confirmed'") == [("mirror",)]
    assert document["papers_total"] == 6


def test_a_second_update_of_the_day_moves_nothing(laconic: Laconic, root: Path, server: Loopback) -> None:
    laconic("update")
    before = tables(root)
    server.log.clear()
    code, document, _ = laconic("update", "--json")
    assert code == 0
    assert {source["outcome"] for source in document["sources"]} == {"unchanged"}
    assert server.asked("/api") == []
    assert [status for _, status in server.asked("/raw")] == [304, 304]
    assert tables(root) == before
    assert rows(root, "SELECT count(*) FROM crawl_runs") == [(2,)]


def test_what_the_source_does_not_know_is_asked_again_the_next_day(
    laconic: Laconic, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    laconic("update")
    server.log.clear()
    monkeypatch.setenv("LACONIC_NOW", "2026-03-18")
    server.records["2502.00099"] = ("Known to Nobody Yet but This List", "2025-02-28")
    laconic("update")
    assert any("2502.00099" in path for path, _ in server.asked("/api"))
    assert laconic("show", "2502.00099", "--json")[1]["status"] == "confirmed"


@pytest.mark.parametrize(
    ("kind", "count"),
    [("503", 2), ("429", 2), ("406", 2), ("cut", 2), ("short", 2), ("html", 2), ("empty", 1), ("error", 2)]
    + [("no_published", 1), ("total_too_high", 1), ("500", 1)],
)
def test_a_passing_fault_costs_patience_and_nothing_else(
    laconic: Laconic, root: Path, server: Loopback, kind: str, count: int
) -> None:
    server.fail(kind, "/api", count)
    code, document, _ = laconic("update", "--json")
    assert code == 0
    assert by_name(document)["arxiv"]["new"] == 4
    assert rows(root, "SELECT count(*) FROM papers WHERE abstract LIKE 'What % is about.'") == [(4,)]


@pytest.mark.parametrize("kind", ["503", "cut", "html", "error", "302", "404", "no_published"])
def test_a_lasting_fault_of_arxiv_keeps_the_lists_and_what_was_known(
    laconic: Laconic, root: Path, server: Loopback, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    laconic("update")
    before = tables(root)["papers"]
    monkeypatch.setenv("LACONIC_NOW", "2026-03-18")
    server.fail(kind, "/api", -1)
    code, document, _ = laconic("update", "--json")
    sources = by_name(document)
    assert code == 3
    assert sources["arxiv"]["outcome"] == "failed"
    assert sources["arxiv"]["detail"]
    assert sources["first"]["outcome"] == "unchanged"
    assert tables(root)["papers"] == before


def test_retry_after_is_kept_to_and_a_long_one_ends_the_asking(laconic: Laconic, server: Loopback) -> None:
    server.fail("503", "/api", 1, retry_after="1")
    laconic("update", "--source", "arxiv")
    assert server.times[1] - server.times[0] >= 1
    server.log.clear()
    server.fail("429", "/api", -1, retry_after="4000")
    code, document, _ = laconic("update", "--source", "arxiv", "--since", "2026-02-01", "--json")
    assert code == 1
    assert len(server.asked("/api")) == 1
    assert "left alone" in by_name(document)["arxiv"]["detail"]
    server.faults.clear()
    code, _, _ = laconic("update", "--source", "arxiv", "--since", "2026-02-01")
    assert code == 1
    assert len(server.asked("/api")) == 1, "the rest it asked for outlasts the process"


def test_silence_ends(laconic: Laconic, server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polite, "READ_S", 0.2)
    monkeypatch.setattr(polite, "TRIES", 2)
    server.fail("stall", "/api", -1)
    started = time.monotonic()
    code, document, _ = laconic("update", "--source", "arxiv", "--since", "2026-02-01", "--json")
    assert (code, by_name(document)["arxiv"]["outcome"]) == (1, "failed")
    assert time.monotonic() - started < 10


def test_a_trickle_ends_too(laconic: Laconic, server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polite, "REQUEST_S", -1.0)
    monkeypatch.setattr(polite, "TRIES", 1)
    assert "not finished" in by_name(laconic("update", "--source", "first", "--json")[1])["first"]["detail"]


def test_a_body_larger_than_any_honest_one_is_not_read_on(
    laconic: Laconic, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polite, "MAX_BYTES", 100)
    monkeypatch.setattr(polite, "TRIES", 1)
    assert "more than 100 bytes" in by_name(laconic("update", "--source", "first", "--json")[1])["first"]["detail"]


@pytest.mark.parametrize(
    "content",
    [b"# A list\n- [A title in Latin-1, \xe9t\xe9](https://arxiv.org/abs/2501.00011)\n", b"", b"<html>busy</html>", b"# Nothing"],
)
def test_a_list_gone_bad_is_left_as_it_was(
    laconic: Laconic, root: Path, server: Loopback, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    laconic("update")
    before = tables(root)["mentions"]
    monkeypatch.setattr(polite, "TRIES", 2)
    server.lists["someone/first-list/HEAD/README.md"] = content
    code, document, _ = laconic("update", "--json")
    assert code == 3
    assert by_name(document)["first"]["outcome"] == "failed"
    assert "first" in by_name(document)["first"]["detail"] or "entries" in by_name(document)["first"]["detail"]
    assert tables(root)["mentions"] == before


def test_every_source_down_is_a_failure_in_one_line_each(
    laconic: Laconic, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    laconic("update")
    before = tables(root)
    monkeypatch.setenv("LACONIC_NOW", "2026-03-18")
    monkeypatch.setenv("LACONIC_ARXIV_URL", "http://127.0.0.1:9/api")
    monkeypatch.setenv("LACONIC_RAW_URL", "http://127.0.0.1:9/raw")
    code, document, _ = laconic("update", "--json")
    assert code == 1
    assert {source["detail"] for source in document["sources"]} == {"http://127.0.0.1:9: cannot be reached"}
    assert tables(root) == before


def test_a_mention_that_vanishes_is_marked_and_one_that_returns_is_not(
    laconic: Laconic, root: Path, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    laconic("update")
    line = "- [Known to Nobody Yet but This List](https://arxiv.org/pdf/2502.00099v1)\n"
    server.lists["someone/first-list/HEAD/README.md"] = FIRST.replace(line, "").encode()
    monkeypatch.setenv("LACONIC_NOW", "2026-03-18")
    assert by_name(laconic("update", "--source", "first", "--json")[1])["first"]["changed"] == 1
    gone = "SELECT gone_on, line FROM mentions WHERE printed_id = '2502.00099'"
    assert rows(root, gone) == [("2026-03-18", 6)]
    server.lists["someone/first-list/HEAD/README.md"] = ("\n\n" + FIRST).encode()
    laconic("update", "--source", "first")
    assert rows(root, gone) == [(None, 6)], "the line is that of first sight"
    assert rows(root, "SELECT count(*) FROM papers WHERE key = '2502.00099'") == [(1,)]


def test_a_new_title_sends_the_old_one_to_history_and_lists_that_print_it_still_count(
    laconic: Laconic, root: Path, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    laconic("update")
    server.records["2503.00013"] = ("A Wholly Different Heading", "2025-03-04")
    server.comments["2503.00013"] = "This paper has been withdrawn by its author"
    for day in range(18, 25):  # within a week every known paper has its turn
        monkeypatch.setenv("LACONIC_NOW", f"2026-03-{day}")
        laconic("update")
    shown = laconic("show", "2503.00013", "--json")[1]
    assert shown["title"] == "A Wholly Different Heading"
    assert shown["former_titles"] == ["Thinking Without a Word"]
    assert shown["withdrawn"]
    assert {mention["resolution"] for mention in shown["mentions"]} == {"confirmed", "repaired"}


def test_a_wrong_link_is_a_visible_conflict_where_nothing_proves_the_right_one(
    laconic: Laconic, server: Loopback
) -> None:
    server.lists["someone/second-list/HEAD/README.md"] = b"# L\n- [Nothing of the Kind Whatever](https://arxiv.org/abs/2501.00011)\n"
    laconic("update")
    shown = laconic("show", "2501.00011", "--json")[1]
    assert [mention["title"] for mention in shown["misprinted"]] == [
        "Thinking Without a Word",
        "Nothing of the Kind Whatever",
    ]
    conflict = shown["misprinted"][1]
    assert conflict["resolution"] == "conflict"
    assert conflict["paper_key"].startswith("title-")
    assert "Counting Sheep" in conflict["defects"][-1]["detail"]


def test_what_arxiv_itself_said_is_not_replaced_by_a_mirror(laconic: Laconic, root: Path, server: Loopback) -> None:
    laconic("update")
    rows(root, "UPDATE papers SET served_by = 'arxiv', version = 7 WHERE key = '2501.00011'")
    rows(root, "DELETE FROM asked_ids")
    rows(root, "UPDATE papers SET abstract = NULL")
    laconic("update", "--abstracts")
    assert rows(root, "SELECT version, served_by FROM papers WHERE key = '2501.00011'") == [(7, "arxiv")]
    assert rows(root, "SELECT count(*) FROM papers WHERE abstract IS NOT NULL") == [(3,)]


def test_an_interrupted_run_keeps_what_was_finished(
    laconic: Laconic, root: Path, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("catalog.crawling.asking.QueryApi.submitted", interrupt)
    code, _, err = laconic("update")
    assert code == 130
    assert "interrupted" in err
    assert rows(root, "SELECT count(*) FROM papers WHERE status = 'confirmed'") == [(3,)]
    assert rows(root, "SELECT count(*) FROM mentions") == [(7,)]
    assert rows(root, "SELECT exit_code FROM crawl_runs") == [(130,)]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--source", "frist"], "did you mean 'first'?"),
        (["--since", "yesterday"], "'yesterday' is not a date"),
        (["--since", "2026-04-01"], "after today"),
        (["--probe", "0"], "not a number of seconds"),
    ],
)
def test_wrong_usage_is_one_line(laconic: Laconic, words: list[str], says: str) -> None:
    code, out, err = laconic("update", *words)
    assert (code, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [("LACONIC_RAW_URL", "ftp://x"), ("LACONIC_ARXIV_INTERVAL", "soon"), ("LACONIC_CONTACT", "a\nX-Evil: b")],
)
def test_a_wrong_setting_is_named(laconic: Laconic, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    code, _, err = laconic("update")
    assert code == 2
    assert err.startswith(name)


def test_the_probe_says_in_one_line_why_it_does_not_go_on(
    laconic: Laconic, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert laconic("update", "--probe", "3")[0] == 0
    assert server.asked("/api"), "a network that answers is used"
    monkeypatch.setenv("LACONIC_RAW_URL", "http://127.0.0.1:9/raw")
    code, out, _ = laconic("update", "--probe", "3")
    assert (code, out.count("\n")) == (0, 1)
    assert out.startswith("no network")
    monkeypatch.setenv("CI", "true")
    code, out, _ = laconic("update", "--probe", "3")
    assert (code, out.count("\n")) == (0, 1)


def test_the_server_learns_who_asks(laconic: Laconic, server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LACONIC_CONTACT", "reader@example.org")
    laconic("update")
    assert all(agent.startswith("Laconic/") and "reader@example.org" in agent for agent in server.agents)


def _ask(url: str, results: Any) -> None:
    session = polite.Session()
    for _ in range(3):
        session.get(f"{url}/api?id_list=1706.03762&start=0&max_results=1")
    results.put("done")


def test_two_processes_share_one_pace(server: Loopback, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LACONIC_ARXIV_INTERVAL", "0.2")
    spawn = multiprocessing.get_context("spawn")
    results = spawn.Queue()
    asking = [spawn.Process(target=_ask, args=(server.url, results)) for _ in range(2)]
    for process in asking:
        process.start()
    for process in asking:
        process.join(30)
    assert len(server.times) == 6
    gaps = [later - earlier for earlier, later in zip(server.times, server.times[1:])]
    assert min(gaps) >= 0.18


def test_one_writer_at_a_time(laconic: Laconic, root: Path) -> None:
    from catalog import store

    with store.one_writer(root, store.database_url(root)):
        code, _, err = laconic("update")
    assert code == 1
    assert "another update or import" in err


def test_the_seam_in_the_arxiv_package_is_where_we_think() -> None:
    import arxiv

    client = arxiv.Client()
    assert hasattr(client, "_session")
    assert "{}" in client.query_url_format
