"""Text rebuilds the database, and a text that does not fit leaves the old database alone."""

import json
import re
import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.catalog.conftest import FIRST, HERE, Laconic
from tests.catalog.loopback import Loopback


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def snapshot(laconic: Laconic, root: Path) -> Path:
    laconic("update")
    assert laconic("export")[0] == 0
    return root / "catalog" / "snapshot"


def test_import_then_export_gives_the_same_bytes(
    laconic: Laconic, root: Path, snapshot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LACONIC_DB", f"sqlite:///{tmp_path}/fresh.db")
    assert laconic("import")[0] == 0
    assert laconic("export", str(tmp_path / "again"))[0] == 0
    assert contents(tmp_path / "again") == contents(snapshot)


def test_the_shipped_snapshot_makes_the_round_trip(
    laconic: Laconic, root: Path, tmp_path: Path
) -> None:
    shipped = HERE / "catalog" / "snapshot"
    assert laconic("import", str(shipped))[0] == 0
    assert laconic("export", str(tmp_path / "again"))[0] == 0
    assert contents(tmp_path / "again") == contents(shipped)
    status = laconic("status", "--json")[1]
    assert status["papers_listed"] >= 950
    assert status["papers_listed_confirmed"] >= 850


TAGGER = ("tagger_rules.toml", "tagger.json")


def labelled(folder: Path) -> dict[str, list[dict[str, object]]]:
    papers = map(json.loads, (folder / "papers.jsonl").read_text().splitlines())
    return {paper["key"]: paper["labels"] for paper in papers if "labels" in paper}


def test_tags_are_facts_that_outlive_the_abstracts(
    laconic: Laconic, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in TAGGER:
        shutil.copy(HERE / "catalog" / name, root / "catalog" / name)
    laconic("update")
    laconic("export")
    snapshot = root / "catalog" / "snapshot"
    labels = labelled(snapshot)
    assert len(labels) == 4, "each paper whose abstract was served"
    assert all({"scope", "form"} <= {label["facet"] for label in tags} for tags in labels.values())
    assert all(str(label["source"]).startswith("tagger:") for tags in labels.values() for label in tags)
    assert all(tags == sorted(tags, key=lambda tag: (tag["facet"], tag["tag"], tag["source"])) for tags in labels.values())

    monkeypatch.setenv("LACONIC_DB", f"sqlite:///{tmp_path}/fresh.db")
    laconic("import")
    laconic("export", str(tmp_path / "again"))
    assert contents(tmp_path / "again") == contents(snapshot)
    with sqlite3.connect(tmp_path / "fresh.db") as connection:
        assert connection.execute("SELECT count(*) FROM papers WHERE abstract IS NOT NULL").fetchone() == (0,)
        assert connection.execute("SELECT DISTINCT origin FROM facets").fetchall() == [("machine",)]


def test_a_paper_is_worth_more_than_its_tags(laconic: Laconic, root: Path) -> None:
    for name in TAGGER:
        shutil.copy(HERE / "catalog" / name, root / "catalog" / name)
    (root / "catalog" / "tagger.json").write_text("{")
    assert laconic("update")[0] == 0
    laconic("export")
    assert not labelled(root / "catalog" / "snapshot")


def test_a_label_that_no_tagger_gave_is_refused(laconic: Laconic, snapshot: Path) -> None:
    lines = (snapshot / "papers.jsonl").read_text().splitlines()
    first = json.loads(lines[0]) | {"labels": [{"facet": "scope", "tag": "in", "source": "somebody"}]}
    (snapshot / "papers.jsonl").write_text("\n".join([json.dumps(first), *lines[1:]]) + "\n")
    code, _, err = laconic("import")
    assert code == 1
    assert "papers.jsonl: line 1: labels.0.source" in err


def test_the_snapshot_has_facts_only(snapshot: Path, server: Loopback) -> None:
    everything = b"".join(contents(snapshot).values()).decode()
    assert "is about." not in everything, "no abstracts"
    assert "127.0.0.1" not in everything
    for word in ("published", "updated", "version\"", "etag", "last_success"):
        assert f'"{word}' not in everything.replace('"schema_version"', ""), f"a mirror's {word} is no fact"
    keys = [json.loads(line)["key"] for line in (snapshot / "papers.jsonl").read_text().splitlines()]
    assert keys == sorted(keys)


def test_export_is_data_driven(laconic: Laconic, snapshot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path: path.stat().st_mtime_ns for path in snapshot.rglob("*")}
    monkeypatch.setenv("LACONIC_NOW", "2026-03-18")
    laconic("update")
    laconic("export")
    assert {path: path.stat().st_mtime_ns for path in snapshot.rglob("*")} == before


def test_import_carries_over_what_only_the_database_knew(laconic: Laconic, root: Path, snapshot: Path) -> None:
    assert laconic("import", "--json")[1]["abstracts_carried"] == 4
    shown = laconic("show", "2501.00011", "--json")[1]
    assert shown["abstract"] == "What Counting Sheep in Fewer Steps is about."
    with sqlite3.connect(root / "build" / "laconic.db") as connection:
        assert connection.execute("SELECT count(*) FROM crawl_runs").fetchone() == (1,)
        assert connection.execute("SELECT count(*) FROM source_states WHERE last_success IS NOT NULL").fetchone() == (3,)


def test_a_fresh_clone_knows_no_success_and_is_overdue(
    laconic: Laconic, root: Path, snapshot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LACONIC_DB", f"sqlite:///{tmp_path}/fresh.db")
    laconic("import")
    code, document, _ = laconic("status", "--json")
    assert code == 4
    assert {source["last_success"] for source in document["sources"]} == {None}


@pytest.mark.parametrize(
    ("file", "change", "says"),
    [
        ("papers.jsonl", lambda t: t.replace('"status"', '"statos"', 1), "line 1: unknown key 'statos'"),
        ("papers.jsonl", lambda t: t.replace('"confirmed"', '"certain"', 1), "line 1: status: "),
        ("papers.jsonl", lambda t: t.replace('"2501.00012"', "2501.00012", 1), "line 2: key: "),
        ("papers.jsonl", lambda t: t.replace("2501.00012", "2501.000122", 1), "line 2: key: "),
        ("papers.jsonl", lambda t: t + t.splitlines()[0] + "\n", "key: 2501.00011 stands at line 1 already"),
        ("papers.jsonl", lambda t: t[: len(t) // 2], "line "),
        ("papers.jsonl", lambda t: t.replace("Counting", "Coun\\u202eting", 1), "line 1: title: "),
        ("listings/first.jsonl", lambda t: t.replace('"paper": "', '"paper": "title-ff', 1), "is not in papers.jsonl"),
        ("listings/first.jsonl", lambda t: t.replace('"line": 4', '"line": "4"', 1), "line 1: line: "),
        ("state.json", lambda t: t[:-5], "state.json: "),
    ],
)
def test_a_malformed_line_is_named_and_the_old_database_untouched(
    laconic: Laconic, root: Path, snapshot: Path, file: str, change: object, says: str
) -> None:
    database = root / "build" / "laconic.db"
    before = database.read_bytes()
    path = snapshot / file
    path.write_text(change(path.read_text()))  # type: ignore[operator]
    code, _, err = laconic("import")
    assert code == 1
    assert file in err
    assert says in err
    assert err.count("\n") == 1
    assert database.read_bytes() == before
    assert not list(database.parent.glob("*.new*"))


def test_a_snapshot_not_utf8_is_refused_by_line(laconic: Laconic, snapshot: Path) -> None:
    path = snapshot / "papers.jsonl"
    path.write_bytes(path.read_bytes().replace(b"Counting", b"Co\xffnting", 1))
    code, _, err = laconic("import")
    assert (code, "line 1: not UTF-8" in err) == (1, True)


def test_a_malformed_entry_stops_the_import_but_no_crawl(laconic: Laconic, root: Path, snapshot: Path) -> None:
    before = (root / "build" / "laconic.db").read_bytes()
    (root / "catalog" / "entries" / "broken.toml").write_text("name = 1\n")
    code, _, err = laconic("import")
    assert (code, "broken.toml" in err) == (1, True)
    assert (root / "build" / "laconic.db").read_bytes() == before
    code, _, err = laconic("update")
    assert (code, "broken.toml" in err) == (3, True)


def test_export_never_drops_what_a_snapshot_holds(
    laconic: Laconic, snapshot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(snapshot)
    monkeypatch.setenv("LACONIC_DB", f"sqlite:///{tmp_path}/other.db")
    laconic("update", "--source", "second")
    code, _, err = laconic("export")
    assert (code, "run `laconic import` first" in err) == (1, True)
    assert contents(snapshot) == before


def test_a_database_of_another_schema_says_what_to_do(laconic: Laconic, root: Path, snapshot: Path) -> None:
    with sqlite3.connect(root / "build" / "laconic.db") as connection:
        connection.execute("UPDATE meta SET value = '0'")
        connection.execute("ALTER TABLE papers DROP COLUMN merged_into")
    for verb in (["status"], ["update"]):
        code, _, err = laconic(*verb)
        assert (code, "run `laconic import`" in err) == (1, True)
    assert laconic("import", "--json")[1]["abstracts_carried"] == 4
    assert laconic("show", "2501.00011")[0] == 0


def test_a_database_that_is_none_is_refused_and_set_aside(laconic: Laconic, root: Path, snapshot: Path) -> None:
    database = root / "build" / "laconic.db"
    database.write_bytes(b"no database at all, " * 50)
    for verb in ("status", "update"):
        code, _, err = laconic(verb)
        assert (code, str(database) in err, err.count("\n")) == (1, True, 1)
    code, _, err = laconic("import")
    assert (code, "kept beside" in err) == (0, True)
    assert database.with_name("laconic.db.unreadable").read_bytes().startswith(b"no database")
    assert laconic("search", "sheep")[0] == 0


def test_a_read_only_database_can_be_read_and_says_so_when_written(
    laconic: Laconic, root: Path, snapshot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LACONIC_DB", f"sqlite:///file:{root}/build/laconic.db?mode=ro&uri=true")
    assert laconic("search", "sheep")[0] == 0
    code, _, err = laconic("update")
    assert (code, "readonly" in err, err.count("\n")) == (1, True, 1)


OPENS = {  # every verb that opens the database, and what it needs to get there
    "export": [], "import": [], "parse-list": ["list.md"], "review": [], "search": ["sheep"], "show": ["2501.00011"],
    "similar": ["2501.00011"], "status": [], "update": [],
}  # fmt: skip


def test_the_verbs_that_open_the_database_are_known() -> None:
    opening = re.compile(r"store\.(reading|writing)\(|importing\.replace\(")
    found = [path.stem for path in (HERE / "scripts").glob("*.py") if opening.search(path.read_text())]
    assert {name.rstrip("_").replace("_", "-") for name in found} == set(OPENS)


@pytest.mark.parametrize("verb", OPENS)
def test_no_password_is_ever_printed(
    laconic: Laconic, root: Path, snapshot: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    (root / "list.md").write_text(FIRST)
    for url in (
        "postgresql://someone:hunter2@127.0.0.1:9/x",
        "postgresql://someone@127.0.0.1:9/x?password=hunter2",
        "hunter2",
        "nope://someone:hunter2@h/x",
    ):
        monkeypatch.setenv("LACONIC_DB", url)
        code, out, err = laconic(verb, *OPENS[verb])
        assert code in (1, 2) or verb == "parse-list"
        assert "hunter2" not in out + err
        assert err.count("\n") == 1
