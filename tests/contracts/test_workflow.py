"""The schedule: its files are sound, and its steps do what they say, end to end, against a loopback arXiv and a remote on disk."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from catalog.schema import SCHEMA_VERSION
from scripts.schedule import told
from tests.catalog.conftest import ONE_LIST
from tests.catalog.loopback import Loopback, serving
from tests.contracts.actions import Actions

HERE = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((HERE / ".github" / "workflows").glob("*.yml"))
UPDATE = HERE / ".github" / "workflows" / "update.yml"
HOSTILE = "Thinking $(touch pwned) `touch pwned` '; touch pwned; \" ::set-output name=update::9 ##[add-mask]e @somebody fixes #1"


# What the files say


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_fits_its_schema(path: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_do_little_and_runs_nothing_unpinned(path: Path) -> None:
    text, said = path.read_text("utf-8"), yaml.safe_load(path.read_text("utf-8"))
    assert said["permissions"] == {}
    assert said["concurrency"]["group"]
    for name, job in said["jobs"].items():
        assert "permissions" in job, name
        assert job["timeout-minutes"] <= 90
        for step in job["steps"]:
            assert "${{" not in step.get("run", ""), "what others wrote reaches a shell through the environment alone"
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False
    for used in re.findall(r"uses: (.*)", text):
        assert re.fullmatch(r"actions/[a-z-]+(/[a-z-]+)?@[0-9a-f]{40} # v\d+\.\d+\.\d+", used), used
    assert set(re.findall(r"\$\{\{ *([\w.-]+)", text)) <= TRUSTED
    assert "pull_request_target" not in text


# What an expression may name: nothing of it is text that a list, a paper or a stranger wrote.
TRUSTED = {
    "github.token", "github.ref", "github.ref_name", "github.run_id", "github.run_attempt", "github.repository",
    "vars.LACONIC_CONTACT", "steps.crawl.outputs.update", "steps.crawl.outputs.status", "steps.push.outputs.overtaken",
    "steps.pages.outputs.page_url", "needs.crawl.outputs.update", "needs.crawl.outputs.status",
}  # fmt: skip


def test_who_crawls_cannot_write_and_who_writes_installs_nothing() -> None:
    said = yaml.safe_load(UPDATE.read_text("utf-8"))
    jobs = said["jobs"]
    assert jobs["crawl"]["permissions"] == {"contents": "read"}
    assert jobs["push"]["permissions"] == {"contents": "write", "pull-requests": "write"}
    assert jobs["deploy"]["permissions"] == {"pages": "write", "id-token": "write"}
    writes = [name for name, job in jobs.items() if "write" in job["permissions"].values()]
    assert writes == ["push", "again", "deploy"]
    for name in writes:
        runs = " ".join(step.get("run", "") for step in jobs[name]["steps"])
        assert not re.search(r"pip|setup\.sh|\.venv|laconic ", runs), name
    assert said["concurrency"] == {"group": "update", "cancel-in-progress": False}


def test_two_slots_a_day_at_an_odd_minute() -> None:
    (slot,) = yaml.safe_load(UPDATE.read_text("utf-8"))[True]["schedule"]  # `on` is a truth value to YAML 1.1
    minute, hours, *rest = slot["cron"].split()
    assert int(minute) % 2 == 1
    assert int(minute) % 15
    assert len(hours.split(",")) == 2
    assert rest == ["*", "*", "*"]
    crontab = (HERE / "scripts" / "schedule" / "crontab").read_text("utf-8")
    assert f"\n{minute} {hours} * * *  " in crontab
    timer = (HERE / "scripts" / "schedule" / "laconic.timer").read_text("utf-8")
    assert [f"{int(hour):02}:{minute}:00" for hour in hours.split(",")] == re.findall(r"OnCalendar=\*-\*-\* (\S+) UTC", timer)
    assert "Persistent=yes" in timer
    assert "RandomizedDelaySec=" in timer


def test_systemd_takes_the_units() -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed here")
    units = [str(HERE / "scripts" / "schedule" / name) for name in ("laconic.service", "laconic.timer")]
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


# What the steps do


@pytest.fixture(scope="module")
def server() -> Iterator[Loopback]:
    with serving() as loopback:
        loopback.records["2501.00011"] = ("Counting Sheep in Fewer Steps", "2025-01-02")
        loopback.records["2501.00012"] = (HOSTILE, "2025-01-03")
        loopback.records["2603.00014"] = ("Found by Asking, Named by No List", "2026-03-12")
        yield loopback


@pytest.fixture(autouse=True)
def whole_list(server: Loopback) -> None:
    serve_list(server, 10)


def serve_list(server: Loopback, count: int) -> None:
    rows = [f"- [Paper Number {n} on Brevity](https://example.org/{n})\n" for n in range(count)]
    known = f"- [Counting Sheep in Fewer Steps](https://arxiv.org/abs/2501.00011)\n- {HOSTILE} [x](https://arxiv.org/abs/2501.00012)\n"
    server.lists["someone/first-list/HEAD/README.md"] = f"# A list\n\n## All\n{known}{''.join(rows)}".encode()


@pytest.fixture(scope="module")
def crawled(server: Loopback, tmp_path_factory: pytest.TempPathFactory) -> Actions:
    """A repository after its crawl job, before anything was pushed."""
    serve_list(server, 10)
    work = tmp_path_factory.mktemp("actions")
    source, remote = work / "source", work / "remote.git"
    skip = shutil.ignore_patterns("__pycache__", "entries", "snapshot", "zoo", "results", "sources.toml", "decisions.toml")
    for folder in ("catalog", "methods", "scripts", ".github"):
        shutil.copytree(HERE / folder, source / folder, ignore=skip)
    (source / "catalog" / "sources.toml").write_text(ONE_LIST)
    (source / "catalog" / "snapshot").mkdir()
    (source / "catalog" / "snapshot" / "papers.jsonl").write_text("")
    (source / "catalog" / "snapshot" / "state.json").write_text(json.dumps({"schema_version": SCHEMA_VERSION, "sources": {}}))
    (source / ".gitignore").write_text("build/\n__pycache__/\n")
    git(work, "init", "-q", "--bare", "-b", "main", str(remote))
    git(source, "init", "-q", "-b", "main")
    commit(source, "start")
    git(source, "push", "-q", str(remote), "main")
    actions = Actions(UPDATE, remote, work, environment(server, work))
    actions.run("crawl")
    assert actions.results["crawl"] == "success", actions.output
    return actions


def environment(server: Loopback, work: Path) -> dict[str, str]:
    asked = {"LACONIC_ARXIV_URL": f"{server.url}/api", "LACONIC_RAW_URL": f"{server.url}/raw", "LACONIC_ARXIV_INTERVAL": "0.01"}
    return {**asked, "LACONIC_NOW": "2026-03-17", "XDG_CACHE_HOME": str(work / "cache")}


@pytest.fixture
def actions(crawled: Actions, server: Loopback, tmp_path: Path) -> Actions:
    """The same, for each test its own."""
    shutil.copytree(crawled.remote, tmp_path / "remote.git")
    shutil.copytree(crawled.work / "stored", tmp_path / "work" / "stored")
    own = Actions(UPDATE, tmp_path / "remote.git", tmp_path / "work", environment(server, tmp_path))
    own.results, own.outputs, own.output = dict(crawled.results), dict(crawled.outputs), crawled.output
    return own


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=A Person", "-c", "user.email=person@example.org"]
    return subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True).stdout


def commit(folder: Path, words: str) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "-qm", words)


def commits(actions: Actions, branch: str = "main") -> list[str]:
    return git(actions.remote, "log", "--format=%s", branch).splitlines()


def someone_pushes(actions: Actions, path: str, tmp_path: Path) -> None:
    other = tmp_path / "other"
    git(tmp_path, "clone", "-q", str(actions.remote), str(other))
    with (other / path).open("a") as file:
        file.write("# a line more\n")
    commit(other, f"someone wrote {path}")
    git(other, "push", "-q", "origin", "main")


def test_data_is_committed_once_and_the_run_ends_green(actions: Actions, tmp_path: Path) -> None:
    actions.run("push", "again", "alarm")
    assert [actions.results[name] for name in ("push", "again", "alarm")] == ["success", "skipped", "success"], actions.output
    assert commits(actions) == ["Catalog: 13 new papers, 12 new mentions", "start"]
    told_of = git(actions.remote, "log", "-1", "--format=%an %b", "main").strip()
    assert told_of == "github-actions[bot] arXiv 2501.00011, 2501.00012, 2603.00014"
    assert git(actions.remote, "diff", "--stat", "--name-only", "main~", "main").split() == [
        "catalog/snapshot/listings/first.jsonl",
        "catalog/snapshot/papers.jsonl",
        "catalog/snapshot/repositories.jsonl",
        "catalog/snapshot/state.json",
    ]
    assert HOSTILE in git(actions.remote, "show", "main:catalog/snapshot/papers.jsonl").replace('\\"', '"')
    # A day later nothing is new: no commit, and nobody is bothered.
    actions.environment["LACONIC_NOW"] = "2026-03-18"
    actions.base |= actions.environment
    actions.run("crawl", "push", "again", "alarm")
    assert actions.results == {"crawl": "success", "push": "success", "again": "skipped", "alarm": "success"}, actions.output
    assert len(commits(actions)) == 2
    assert actions.gh_log.read_text() == ""
    assert not list(tmp_path.rglob("pwned"))
    commands = [line for line in actions.output.splitlines() if line.strip().startswith("::") or "##[" in line]
    assert commands == []


def test_a_rejected_push_is_made_anew_on_what_others_pushed(actions: Actions, tmp_path: Path) -> None:
    # At the last moment before the first push, a hook of its own sees to it that somebody else was quicker.
    quicker, hooks = tmp_path / "quicker", tmp_path / "hooks"
    git(tmp_path, "clone", "-q", str(actions.remote), str(quicker))
    (quicker / "README.md").write_text("more")
    commit(quicker, "quicker")
    hooks.mkdir()
    (hooks / "pre-push").write_text(
        f"#!/bin/bash\nunset ${{!GIT_@}}\nrm -f {hooks}/pre-push\ngit -C {quicker} push -q origin main\n"
    )
    (hooks / "pre-push").chmod(0o755)
    (tmp_path / "work" / ".gitconfig").write_text(f"[core]\n\thooksPath = {hooks}\n")
    actions.run("push", "again", "alarm")
    assert [actions.results[name] for name in ("push", "again", "alarm")] == ["success", "skipped", "success"], actions.output
    assert "rejected" in actions.output
    assert commits(actions) == ["Catalog: 13 new papers, 12 new mentions", "quicker", "start"]


def test_a_catalog_that_others_changed_is_crawled_from_anew(actions: Actions, tmp_path: Path) -> None:
    someone_pushes(actions, "catalog/sources.toml", tmp_path)
    actions.run("push", "again", "site", "alarm")
    assert [actions.results[name] for name in ("push", "again", "site")] == ["success", "success", "skipped"], actions.output
    assert commits(actions) == ["someone wrote catalog/sources.toml", "start"]
    assert actions.gh_log.read_text() == "workflow run update.yml --ref main\n"
    actions.run("crawl", "push", "again")
    assert actions.results["again"] == "skipped"
    assert commits(actions)[0] == "Catalog: 13 new papers, 12 new mentions"
    assert "a line more" in git(actions.remote, "show", "main:catalog/sources.toml")


def test_a_list_that_shrank_is_proposed_once_and_the_run_ends_red(actions: Actions, server: Loopback) -> None:
    actions.run("push")
    serve_list(server, 4)
    actions.base["LACONIC_NOW"] = "2026-03-18"
    actions.run("crawl", "push", "alarm")
    assert (actions.results["push"], actions.results["alarm"]) == ("success", "failure"), actions.output
    assert commits(actions)[0] == "Catalog: what is known of the sources", "that it has fewer, but nothing is gone"
    head = "laconic/first-has-6-entries"
    listing = "catalog/snapshot/listings/first.jsonl"
    assert git(actions.remote, "show", f"main:{listing}").count("gone_on") == 0
    assert git(actions.remote, "show", f"{head}:{listing}").count('"gone_on": "2026-03-18"') == 6
    assert commits(actions, head)[:2] == ["Believe that first has 6 entries instead of 12", "Catalog: what is known of the sources"]
    said = actions.gh_log.read_text()
    assert f"pr create --base main --head {head} --title Believe that first has 6 entries instead of 12" in said
    assert "Merge this to mark it as gone" in said
    # Open: brought up to date where that changes anything, never doubled. Closed: not asked again.
    before = git(actions.remote, "rev-parse", head)
    for state in ("OPEN", "CLOSED"):
        actions.gh_state.write_text(f"{state}\n")
        actions.gh_log.write_text("")
        actions.run("push")
        assert "pr create" not in actions.gh_log.read_text()
        assert git(actions.remote, "rev-parse", head) == before


def test_a_list_that_moved_is_proposed(actions: Actions, tmp_path: Path) -> None:
    state_file = actions.work / "stored" / "build" / "crawl" / "snapshot" / "state.json"
    state = json.loads(state_file.read_text())
    state["sources"]["first"]["moved_to"] = "https://raw.githubusercontent.com/elsewhere/New.List/HEAD/README.md"
    state_file.write_text(json.dumps(state))
    actions.run("push")
    head = "laconic/first-moved-to-elsewhere-New-List"
    assert "Follow first to elsewhere/New.List" in commits(actions, head), actions.output
    changed = git(actions.remote, "diff", "main", head)
    assert [line for line in changed.splitlines() if re.match(r"[+-] *\w", line)] == [
        '-repository = "someone/first-list"',
        '+repository = "elsewhere/New.List"',
    ]


@pytest.mark.parametrize(
    "said", ["$(touch pwned)", "a/b\nc", "https://evil.example/a/b", "a/..", "../b", 'a/b"', "a/b/c", "", "-a/b"]
)
def test_a_place_that_is_no_repository_is_not_followed(said: str) -> None:
    assert told._target(said) == ""


def test_the_summary_defuses_what_others_wrote(tmp_path: Path) -> None:
    source: dict[str, Any] = dict.fromkeys(("new", "changed", "failed", "requests"), 0)
    source |= {"name": "first", "outcome": "failed", "detail": f"{HOSTILE} | ` ![](x)\n::error::x\u2028<img src=x>"}
    (tmp_path / "update.json").write_text(json.dumps({"sources": [source], "papers_total": 3}))
    (tmp_path / "status.json").write_text(json.dumps({"newest_announced": "2026-03-17", "stale": True}))
    lines = told.summary(tmp_path).split("\n")
    assert len(lines) == 5
    row = lines[2]
    assert "##[" not in row
    detail = row.split(" | ")[6]
    assert re.fullmatch(r"`[^`|]+` \|", detail), "one span of code, whose end nothing in it can reach"
    assert lines[4] == "3 papers; newest paper 2026-03-17; STALE"


def test_a_commit_message_names_ids_and_counts_alone(tmp_path: Path) -> None:
    for name, lines in {
        "before": [{"key": "2501.00001", "title": "Old"}],
        "after": [
            {"key": "2501.00001", "title": HOSTILE},
            {"key": "title-0123456789ab", "title": HOSTILE},
            {"key": HOSTILE, "title": "x"},
        ]
        + [{"key": f"2502.{n:05}", "title": HOSTILE} for n in range(30)],
    }.items():
        (tmp_path / name / "listings").mkdir(parents=True)
        (tmp_path / name / "papers.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    said = told.message(tmp_path / "before", tmp_path / "after")
    assert said.startswith("Catalog: 32 new papers, 1 records changed\n\narXiv 2502.00000, ")
    assert said.endswith("2502.00019 and 10 more")
    assert not set(said) & set("$`'\"@#;[]")


def test_the_slot_of_ones_own_machine_works_alike(actions: Actions, tmp_path: Path) -> None:
    """`run.sh`, as systemd and cron start it, with LACONIC_PUSH: one clone, pulled, crawled and pushed."""
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(actions.remote), str(clone))
    (clone / ".venv").symlink_to(sys.prefix)
    (clone / "scripts" / "site.py").write_text(
        '"""Stands in for the site."""\ndef arguments(parser): pass\ndef main(args):\n    print("built")\n    return 0\n'
    )
    who = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}
    done = subprocess.run(
        ["scripts/schedule/run.sh"], cwd=clone, env=actions.base | who | {"LACONIC_PUSH": "main"}, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "built"), done.stdout + done.stderr
    assert commits(actions)[0] == "Catalog: 13 new papers, 12 new mentions"
    assert git(clone, "status", "--porcelain").split("\n")[0] == " M scripts/site.py"
