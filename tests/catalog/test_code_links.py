"""The rota over code links: what it stores, when it believes that something is gone, and that it harms nobody else."""

import json
import sqlite3
import string
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import FIRST, SOURCES, Laconic
from github_api import CANARY, GitHub, serving
from hypothesis import given
from hypothesis import strategies as st
from loopback import Loopback

from catalog.lists.code_links import on_github
from catalog.sources import github, polite

LINKED = """
## With code
- [A Paper With Code](https://arxiv.org/abs/2501.00011) [code](https://github.com/Anna/First-Tool)
- [Another](https://arxiv.org/abs/2501.00012) [code](https://github.com/bert/second_tool/tree/main/src)
- [Third](https://arxiv.org/abs/2503.00013) [code](https://github.com/carl/third.git)
"""
NAMES = ["anna/first-tool", "bert/second_tool", "carl/third", "someone/first-list", "someone/second-list"]


@pytest.fixture
def api(root: Path, server: Loopback, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHub]:
    """GitHub knows everything that is linked; `LACONIC_GITHUB_URL` names it."""
    (root / "catalog" / "sources.toml").write_text(f'{SOURCES}\n[github]\ncanary = "{CANARY}"\n')
    server.lists["someone/first-list/HEAD/README.md"] = (FIRST + LINKED).encode()
    with serving() as state:
        for name in NAMES:
            state.serve(name)
        monkeypatch.setenv("LACONIC_GITHUB_URL", state.url)
        monkeypatch.delenv("GITHUB_TOKEN", raising=False)
        yield state


def repositories(root: Path) -> dict[str, Any]:
    laconic_db = sqlite3.connect(root / "build" / "laconic.db")
    laconic_db.row_factory = sqlite3.Row
    with laconic_db:
        return {row["name"]: dict(row) for row in laconic_db.execute("SELECT * FROM repositories")}


def asked(laconic: Laconic, *words: str) -> tuple[int, dict[str, Any]]:
    code, document, _ = laconic("update", *words, "--json")
    return code, {source["name"]: source for source in document["sources"]}["github"]


def test_what_github_says_is_stored_and_exported(laconic: Laconic, root: Path, api: GitHub) -> None:
    api.serve("bert/second_tool", archived=True, license=None, pushed_at=None)
    api.serve("carl/third", license={"spdx_id": "NOASSERTION"})
    code, report = asked(laconic)
    assert (code, report["outcome"], report["new"], report["requests"]) == (0, "stored", 5, 5)
    assert set(repositories(root)) == set(NAMES)
    laconic("export", "out")
    lines = [json.loads(line) for line in (root / "out" / "repositories.jsonl").read_text().splitlines()]
    assert lines[:3] == [
        {"name": "anna/first-tool", "state": "alive", "licence": "MIT", "pushed_on": "2026-01-02"},
        {"name": "bert/second_tool", "state": "alive", "archived": True},
        {"name": "carl/third", "state": "alive", "pushed_on": "2026-01-02"},
    ]
    laconic("import", "out")
    laconic("export", "again")
    assert (root / "again" / "repositories.jsonl").read_bytes() == (root / "out" / "repositories.jsonl").read_bytes()


def test_nothing_is_asked_twice_a_day_and_the_oldest_comes_first(
    laconic: Laconic, root: Path, api: GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catalog.crawling.checking_links.PER_RUN", 2)
    order = [f"/repos/{name}" for name in NAMES]
    asked(laconic)
    assert api.log == order[:2]
    asked(laconic)
    asked(laconic)
    assert api.log == order, "two a run, each once"
    assert asked(laconic)[1]["outcome"] == "unchanged"
    assert api.log == order
    monkeypatch.setenv("LACONIC_NOW", "2026-03-18")
    api.log.clear()
    asked(laconic)
    monkeypatch.setenv("LACONIC_NOW", "2026-03-19")
    code, report = asked(laconic)
    assert api.log == order[:4], "on the next day those not yet seen again"
    assert (code, report["outcome"], report["unchanged"]) == (0, "unchanged", 2)


def test_a_repository_is_gone_only_where_the_canary_is_known(
    laconic: Laconic, root: Path, api: GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(laconic)
    monkeypatch.setenv("LACONIC_NOW", "2026-03-18")
    api.forget("carl/third")
    api.forget(CANARY)
    code, report = asked(laconic)
    assert (code, report["outcome"], report["failed"]) == (3, "partial", 1)
    assert f"does not know {CANARY} either" in report["detail"]
    assert repositories(root)["carl/third"]["state"] == "alive"
    api.serve(CANARY)
    code, report = asked(laconic)
    assert (code, report["outcome"], report["changed"]) == (0, "stored", 1)
    gone = repositories(root)["carl/third"]
    assert (gone["state"], gone["licence"], gone["pushed_on"]) == ("gone", "MIT", "2026-01-02")
    monkeypatch.setenv("LACONIC_NOW", "2026-03-19")
    api.serve("carl/third")
    assert asked(laconic)[1]["changed"] == 1
    assert repositories(root)["carl/third"]["state"] == "alive"


def test_a_renamed_repository_is_followed_once_by_its_number(laconic: Laconic, root: Path, api: GitHub) -> None:
    api.say("/repos/carl/third", 301, Location=f"{api.url}/repositories/77")
    api.serve("Carla/Third-Tool", path="/repositories/77")
    assert asked(laconic)[0] == 0
    row = repositories(root)["carl/third"]
    assert (row["state"], row["moved_to"]) == ("alive", "Carla/Third-Tool")


@pytest.mark.parametrize(
    "place",
    ["http://127.0.0.1:9/repositories/77", "{url}/repositories/77/../../admin", "{url}/repositories/x", "//127.0.0.1:9/", ""],
)
def test_no_other_redirect_is_followed(laconic: Laconic, root: Path, api: GitHub, place: str) -> None:
    api.say("/repos/carl/third", 301, Location=place.format(url=api.url))
    code, report = asked(laconic)
    assert (code, report["outcome"], report["failed"], report["new"]) == (3, "partial", 1, 4)
    assert "carl/third" not in repositories(root)
    assert len(api.log) == 5


def test_a_chain_of_redirects_ends(laconic: Laconic, root: Path, api: GitHub) -> None:
    api.say("/repos/carl/third", 301, Location=f"{api.url}/repositories/77")
    api.say("/repositories/77", 301, Location=f"{api.url}/repositories/77")
    assert asked(laconic)[1]["failed"] == 1
    assert api.log.count("/repositories/77") == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff\x00",
        b'{"full_name": 3}',
        b"<html>",
        b"[" * 100_000,
        b'{"full_name": "x/$(touch pwned)", "archived": false, "license": null, "pushed_at": null}',
        b'{"full_name": "carl/third", "archived": "no", "license": null, "pushed_at": null}',
        b'{"full_name": "carl/third", "archived": false, "license": {"spdx_id": "a b\\n"}, "pushed_at": null}',
        b'{"full_name": "carl/third", "archived": false, "license": null, "pushed_at": "yesterday"}',
    ],
)
def test_hostile_json_is_no_fact(laconic: Laconic, root: Path, api: GitHub, body: bytes) -> None:
    api.say("/repos/carl/third", 200, body)
    code, report = asked(laconic)
    assert (code, report["outcome"], report["failed"], report["new"]) == (3, "partial", 1, 4)
    assert "carl/third" not in repositories(root)
    assert "\n" not in report["detail"]


def test_a_used_up_allowance_ends_the_run_and_the_next_ones_until_it_begins_anew(
    laconic: Laconic, root: Path, api: GitHub
) -> None:
    api.allowance = 2
    api.refusal = (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 1800)})
    code, report = asked(laconic)
    assert (code, report["outcome"], report["new"], report["requests"]) == (3, "partial", 2, 3)
    assert "left alone" in report["detail"]
    api.allowance = 100
    code, report = asked(laconic)
    assert (code, report["outcome"], report["requests"]) == (3, "partial", 0), "the next process rests as well"


def test_a_short_rest_is_waited_for(laconic: Laconic, api: GitHub) -> None:
    api.answers["/repos/carl/third"] = (429, {"Retry-After": "1"}, b"")
    started = time.monotonic()
    assert asked(laconic)[1]["failed"] == 1
    assert time.monotonic() - started >= 1


def test_a_dead_github_touches_no_paper_and_raises_the_alarm(
    laconic: Laconic, root: Path, api: GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(laconic)
    for name in NAMES:
        api.say(f"/repos/{name}", 500)
    monkeypatch.setenv("LACONIC_NOW", "2026-03-19")
    before = repositories(root)
    code, document, _ = laconic("update", "--json")
    sources = {source["name"]: source for source in document["sources"]}
    assert code == 3
    assert (sources["github"]["outcome"], sources["github"]["failed"]) == ("failed", 3), "three in a row are enough"
    assert {sources[name]["outcome"] for name in ("first", "second", "arxiv")} <= {"unchanged", "nothing_matched"}
    assert repositories(root) == before
    code, status, _ = laconic("status", "--json")
    overdue = {source["name"]: source["overdue"] for source in status["sources"]}
    assert (code, overdue) == (4, {"first": False, "second": False, "arxiv": False, "github": True})


def test_nobody_need_ask_github(laconic: Laconic, api: GitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LACONIC_GITHUB_URL")
    _, document, _ = laconic("update", "--json")
    assert "github" not in [source["name"] for source in document["sources"]]
    assert "github" not in [source["name"] for source in laconic("status", "--json")[1]["sources"]]
    monkeypatch.setenv("LACONIC_GITHUB_URL", api.url)
    code, report = asked(laconic, "--source", "github")
    assert (code, report["new"]) == (0, 5)


def test_without_a_canary_there_is_no_such_source(laconic: Laconic, root: Path, api: GitHub) -> None:
    (root / "catalog" / "sources.toml").write_text(SOURCES)
    assert laconic("update", "--source", "github")[0] == 2
    _, document, _ = laconic("update", "--json")
    assert (len(document["sources"]), api.log) == (3, [])


def test_a_list_that_is_not_there_any_more_is_looked_for(
    laconic: Laconic, root: Path, server: Loopback, api: GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catalog.crawling.checking_links.PER_RUN", 1)
    laconic("update")
    del server.lists["someone/second-list/HEAD/README.md"]
    api.say("/repos/someone/second-list", 301, Location=f"{api.url}/repositories/5")
    api.serve("elsewhere/Second-List", path="/repositories/5")
    api.log.clear()
    code, _, _ = laconic("update")
    assert code == 3
    assert api.log == ["/repos/someone/second-list", "/repositories/5"], "before all others"
    sources = {source["name"]: source for source in laconic("status", "--json")[1]["sources"]}
    assert sources["second"]["moved_to"] == "elsewhere/Second-List"


def test_the_token_is_shown_to_github_alone_and_never_printed(
    laconic: Laconic, api: GitHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "ghs_secret")
    asked(laconic)
    assert api.tokens == {"Bearer ghs_secret"}
    api.allowance = 0
    monkeypatch.setenv("LACONIC_NOW", "2026-03-18")
    assert "ghs_secret" not in "".join(map(str, laconic("update")))
    headers = {url: "Authorization" in github._headers(url) for url in TOLD}
    assert headers == TOLD
    monkeypatch.setenv("GITHUB_TOKEN", "two\nlines")
    code, out, err = laconic("update")
    assert code == 3
    assert "two" not in out + err


TOLD = {
    "https://api.github.com/repos/a/b": True,
    "http://127.0.0.1:1/repos/a/b": True,
    "http://api.github.com/repos/a/b": False,
    "https://api.github.com.example.org/repos/a/b": False,
    "https://example.org/api.github.com": False,
}


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://github.com/Anna/Tool", "anna/tool"),
        ("http://www.github.com/anna/tool.git", "anna/tool"),
        ("https://github.com/anna/tool/blob/main/README.md#top", "anna/tool"),
        ("https://github.com/anna/tool?tab=readme", "anna/tool"),
        ("https://github.com/anna", None),
        ("https://github.com/anna/..", None),
        ("https://github.com/topics/reasoning", None),
        ("https://github.com/anna/tool name", None),
        ("https://github.com/anna/%2e%2e", None),
        ("https://github.com/anna/.git", None),
        ("https://github.com.example.org/anna/tool", None),
        ("https://gist.github.com/anna/tool", None),
        ("https://gitlab.com/anna/tool", None),
        ("javascript:https://github.com/anna/tool", None),
        ("https://github.com/-anna/tool", None),
        ("https://github.com/änna/tool", None),
    ],
)
def test_an_address_names_a_repository_or_nothing(url: str, name: str | None) -> None:
    found = on_github(url)
    assert (found if github.is_name(found) else None) == name


@given(st.text() | st.from_regex(r"[^?#]{0,30}/[^?#]{0,30}.*", fullmatch=True))
def test_no_name_leads_out_of_the_api(name: str) -> None:
    if github.is_name(name):
        owner, own = name.split("/")
        assert owner.strip(".")
        assert own.strip(".")
        assert not set(name) - set(string.ascii_letters + string.digits + "._-/")


def test_the_pace_towards_github_is_kept(laconic: Laconic, api: GitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LACONIC_ARXIV_INTERVAL", "0.2")
    http = polite.Session()
    started = time.monotonic()
    for name in NAMES[:3]:
        assert github.look_up(http, name)
    assert time.monotonic() - started >= 0.4
