"""What goes out for machines: fits its schema, is the same each time, reads back as it was, and says nothing it must not."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import HERE
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from lxml import etree
from sqlmodel import Session, select

from catalog import importing, schema, store
from catalog.errors import Refused
from catalog.pages.contents import Catalog
from catalog.publishing import FOLDER, api, atom, publish
from catalog.publishing.atom import Item
from catalog.text import clean
from tests.site.conftest import HOSTILE, fill, make_root

SECRET = "zyxwv words of an abstract"
ATOM = {"a": atom.NAMESPACE}


def add_secrets(session: Session) -> None:
    """An abstract, and everything else that is known of one visit or of one reader's database alone."""
    moment = datetime(2025, 2, 3, 4, 5, 6, tzinfo=UTC)
    paper = session.get(schema.Paper, "2502.00002")
    assert paper is not None
    paper.abstract, paper.served_by, paper.comment = SECRET, schema.MIRROR, SECRET
    paper.published = paper.updated = moment
    paper.version = 7
    own = session.get(schema.Paper, "2502.00003")
    assert own is not None
    own.served_by, own.published, own.updated, own.version = schema.ARXIV, moment, moment, 2
    session.add(paper)
    session.add(own)
    for tag, origin in (("implicit", "machine"), ("cot_compression", "curated")):
        label = {"paper_key": "2502.00002", "facet": "form", "tag": tag, "source": origin, "origin": origin}
        session.add(schema.Facet(**label, confidence=0.5, evidence=SECRET))
    session.add(schema.CrawlRun(started=moment, finished=moment, exit_code=0, sources=[{"detail": SECRET}]))
    session.add(schema.SourceState(name="another", etag=SECRET, last_modified=SECRET, last_success=moment.date()))
    day = date(2026, 3, 3)
    session.add(schema.Repository(name="hemingkx/tokenskip", state="gone", licence="MIT", checked_on=day))
    for key, by in (("2502.00002", schema.MIRROR), ("2502.00003", schema.ARXIV)):
        session.add(schema.PaperVersion(paper_key=key, number=1, submitted=moment, served_by=by))
    session.add(schema.FormerTitle(paper_key="2502.00004", title="An older & wiser title", replaced_on=date(2026, 4, 1)))
    session.commit()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    before = os.environ.pop("LACONIC_DB", None)
    folder = make_root(tmp_path_factory.mktemp("published"))
    fill(folder)
    with store.writing(folder) as session:
        add_secrets(session)
    yield folder
    if before is not None:
        os.environ["LACONIC_DB"] = before


def published(root: Path, to: Path) -> dict[str, bytes]:
    publish(Catalog.load(root, lambda record, where: []), to)
    return {path.relative_to(to / FOLDER).as_posix(): path.read_bytes() for path in (to / FOLDER).rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def files(root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return published(root, tmp_path_factory.mktemp("site"))


def document(files: dict[str, bytes], path: str) -> Any:
    return json.loads(files[path])


def paper(files: dict[str, bytes], key: str) -> Any:
    return next(each for each in document(files, "papers/2025.json")["papers"] if each["key"] == key)


def test_every_json_file_fits_the_schema_that_it_names(files: dict[str, bytes]) -> None:
    checked = set()
    for path in files:
        if not path.endswith(".json") or path.startswith("schema/"):
            continue
        content = document(files, path)
        where = (Path(path).parent / content["$schema"]).as_posix()
        named = os.path.normpath(where)
        made = document(files, named)
        Draft202012Validator.check_schema(made)
        Draft202012Validator(made).validate(content)
        checked.add(named)
    assert checked == {f"schema/{kind}.json" for kind in api.MODELS}


@pytest.mark.parametrize(
    ("path", "spoil"),
    [
        ("papers/2025.json", lambda d: d["papers"][0].pop("title")),
        ("papers/2025.json", lambda d: d["papers"][0].update(status="certain")),
        ("papers/2025.json", lambda d: d["papers"][0].update(authors="Ann")),
        ("methods.json", lambda d: d["methods"][0].pop("facets")),
        ("taxonomy.json", lambda d: d["nodes"][0].update(papers="many")),
        ("records/cot.json", lambda d: d["results"]["cot"]["accuracy"].pop("low")),
        ("lists/a-list.json", lambda d: d["entries"][0].update(line="1")),
        ("index.json", lambda d: d.pop("files")),
    ],
)
def test_a_schema_can_fail(files: dict[str, bytes], path: str, spoil: Any) -> None:
    content = document(files, path)
    made = document(files, os.path.normpath(Path(path).parent / content["$schema"]))
    spoil(content)
    assert list(Draft202012Validator(made).iter_errors(content))


@pytest.mark.parametrize("kind", api.MODELS)
def test_the_schemas_are_as_promised(kind: str) -> None:
    """What `v1` promised is committed. After adding a key: `laconic site`, then copy public/api/v1/schema over it."""
    promised = json.loads((HERE / "catalog" / "api_schema" / f"{kind}.json").read_text("utf-8"))
    assert api.schema(kind) == promised


def test_the_index_names_every_document(files: dict[str, bytes]) -> None:
    named = {file["path"] for file in document(files, "index.json")["files"]}
    others = {path for path in files if path.startswith(("schema/", "bibtex/"))}
    assert named | others | {"index.json"} == set(files)
    assert {shard["file"] for shard in document(files, "papers.json")["years"]} == {p for p in files if p.startswith("papers/")}


def test_the_same_data_gives_the_same_bytes_in_whatever_order_it_came(
    root: Path, files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert published(root, tmp_path / "again") == files
    other = tmp_path / "other.db"
    source = sqlite3.connect(root / "build" / "laconic.db")
    turned = sqlite3.connect(other)
    for (statement,) in source.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"):
        turned.execute(statement)
    for (name,) in source.execute("SELECT name FROM sqlite_master WHERE type = 'table'"):
        for row in source.execute(f"SELECT * FROM {name} ORDER BY rowid DESC"):
            turned.execute(f"INSERT INTO {name} VALUES ({', '.join('?' * len(row))})", row)
    turned.commit()
    monkeypatch.setenv("LACONIC_DB", f"sqlite:///{other}")
    assert published(root, tmp_path / "turned") == files


def test_another_process_writes_the_same_bytes(root: Path, files: dict[str, bytes], tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "for name in ('torch', 'transformers', 'sklearn'): sys.modules[name] = None\n"
        "from pathlib import Path\n"
        "from catalog.pages.contents import Catalog\n"
        "from catalog.publishing import publish\n"
        f"publish(Catalog.load(Path({str(root)!r}), lambda record, where: []), Path({str(tmp_path)!r}))"
    )
    environment = {"PYTHONPATH": str(HERE), "PATH": "/usr/bin:/bin", "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, cwd=tmp_path)
    folder = tmp_path / FOLDER
    assert {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()} == files


def test_nothing_private_goes_out(files: dict[str, bytes], tmp_path: Path) -> None:
    for path, content in files.items():
        assert SECRET.encode() not in content, path
        assert b"127.0.0.1" not in content, path
    path = tmp_path / "laconic.sqlite"
    path.write_bytes(files["laconic.sqlite"])
    with sqlite3.connect(path) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        columns = {f"{table}.{row[1]}" for table in tables for row in connection.execute(f"PRAGMA table_info({table})")}
        assert not tables & {"crawl_runs", "asked_ids", "windows"}
        assert not columns & {"papers.abstract", "facets.evidence", "source_states.etag", "source_states.last_success"}
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("SELECT count(*) FROM papers").fetchone() == (len(HOSTILE) + 2,)


def test_what_a_mirror_served_goes_out_without_dates_and_versions(files: dict[str, bytes], tmp_path: Path) -> None:
    mirrored, own = paper(files, "2502.00002"), paper(files, "2502.00003")
    for key in ("published", "updated", "version", "comment"):
        assert mirrored[key] is None
    assert (own["version"], own["published"][:10], mirrored["month"]) == (2, "2025-02-03", "2025-02")
    assert (len(own["versions"]), mirrored["versions"]) == (1, [])
    path = tmp_path / "laconic.sqlite"
    path.write_bytes(files["laconic.sqlite"])
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT key, published, version, comment FROM papers WHERE served_by IS NOT NULL ORDER BY key")
        assert [row[0] for row in rows if row[1:] == (None, None, None)] == ["2502.00002"]


def test_papers_read_back_as_they_are_known(files: dict[str, bytes]) -> None:
    for number, title in enumerate(HOSTILE, 1):
        assert paper(files, f"2502.{number:05}")["title"] == clean(title)
    first = paper(files, "2502.00001")
    assert first["authors"] == ["Ann <b>Author</b>", "Bo & Co"]
    assert (first["listed"][0]["list_name"], first["listed"][0]["section"][1]) == ("a-list", "{: .x } Section")
    assert paper(files, "2502.12067")["methods"] == ["token_skip"]
    assert paper(files, "2502.12067")["code"] == [
        {"url": "https://github.com/hemingkx/TokenSkip", "gone": True, "licence": "Apache-2.0"}
    ]
    undated = document(files, "papers/undated.json")["papers"]
    assert [(each["key"], each["url"]) for each in undated] == [("title-0123456789ab", None)], "a javascript: link is no url"


def test_methods_tell_evidence_reference_and_record(files: dict[str, bytes]) -> None:
    methods = {method["slug"]: method for method in document(files, "methods.json")["methods"]}
    skip = methods["token_skip"]
    assert (skip["reference"], skip["record"]) == ("methods/token_skip.py", "records/token_skip.json")
    assert all(number["locator"] and number["evidence"] for number in skip["reported"])
    assert {"value", "unit", "direction", "verified"} <= skip["reported"][0].keys()


def test_bibtex_has_one_record_a_paper_and_no_key_twice(files: dict[str, bytes]) -> None:
    whole = files["papers.bib"].decode()
    keys = re.findall(r"^@misc\{(.*),$", whole, re.MULTILINE)
    assert len(keys) == len(set(keys)) == len(HOSTILE) + 2
    for number in range(1, len(HOSTILE) + 1):
        alone = files[f"bibtex/2502.{number:05}.bib"].decode()
        assert alone.strip() in whole
        assert f"eprint = {{2502.{number:05}}}" in alone


def entries(files: dict[str, bytes], name: str) -> dict[str, Any]:
    found = etree.fromstring(files[f"atom/{name}.xml"]).findall("a:entry", ATOM)
    return {entry.findtext("a:id", namespaces=ATOM).rpartition("/")[2]: entry for entry in found}


def test_feeds_hold_the_papers_of_their_node_and_curated_labels_win(files: dict[str, bytes]) -> None:
    for name in ("all", "cot_compression", "explicit", "form"):
        assert "2502.00002" in entries(files, name), name
    for name in ("implicit", "training", "latent_reasoning"):
        assert "2502.00002" not in entries(files, name), name
    nodes = {node["id"]: node for node in document(files, "taxonomy.json")["nodes"]}
    assert (nodes["explicit"]["papers"], nodes["implicit"]["papers"]) == (1, 0)
    assert {node["feed"] for node in nodes.values()} <= set(files)


def test_items_say_when_the_catalog_learned_last_and_link_into_the_site(files: dict[str, bytes]) -> None:
    items = entries(files, "all")
    assert list(items)[0] == "2502.00004", "renamed a month later, so it stands first"
    days = {key: item.findtext("a:updated", namespaces=ATOM) for key, item in items.items()}
    assert (days["2502.00004"], days["2502.00001"]) == ("2026-04-01T00:00:00Z", "2026-03-01T00:00:00Z")
    links = {link.get("rel"): link.get("href") for link in items["2502.00001"].findall("a:link", ATOM)}
    assert links == {"alternate": "https://arxiv.org/abs/2502.00001", "related": "../../../papers/2025.html#p-2502-00001"}
    links = {link.get("rel"): link.get("href") for link in items["title-0123456789ab"].findall("a:link", ATOM)}
    assert links["alternate"].endswith("papers/undated.html#p-title-0123456789ab")


def test_a_known_address_makes_links_whole_and_ids_stay(root: Path, files: dict[str, bytes], tmp_path: Path) -> None:
    config = root / "mkdocs.yml"
    text = config.read_text("utf-8")
    config.write_text(f"site_url: https://example.org/laconic\n{text}")
    try:
        there = published(root, tmp_path)
    finally:
        config.write_text(text)
    feed = etree.fromstring(there["atom/form.xml"])
    (own,) = feed.findall("a:link", ATOM)
    assert (own.get("rel"), own.get("href")) == ("self", "https://example.org/laconic/api/v1/atom/form.xml")
    related = entries(there, "all")["2502.00001"].findall("a:link", ATOM)[1].get("href")
    assert related == "https://example.org/laconic/papers/2025.html#p-2502-00001"
    before = etree.fromstring(files["atom/form.xml"])
    assert [each.text for each in feed.iter("{*}id")] == [each.text for each in before.iter("{*}id")]


FORBIDDEN = ["<", "&", "]]>", "\0", "\ud800", "\ufffe", "\uffff", "\x0b", "\u202e", "&#0;", "<!--", '"', "\r\n"]
HOSTILE_TEXT = st.lists(st.one_of(st.sampled_from(FORBIDDEN), st.text(max_size=8))).map("".join)


@pytest.mark.fuzz
@given(HOSTILE_TEXT, st.lists(HOSTILE_TEXT, max_size=3), HOSTILE_TEXT, st.dates(date(1991, 8, 14), date(2100, 1, 1)))
def test_a_feed_reads_back_as_it_was_given(title: str, authors: list[str], summary: str, day: date) -> None:
    item = Item("2502.00001", title, day, "https://arxiv.org/abs/2502.00001", "papers/2025.html#x", authors, summary, ["form"])
    written = atom.feed("all", title, [item], updated=date(1991, 8, 14))
    feed = etree.fromstring(written)
    entry = feed.find("a:entry", ATOM)
    assert feed.findtext("a:title", namespaces=ATOM) == clean(title)
    assert entry.findtext("a:title", namespaces=ATOM) == clean(title)
    assert entry.findtext("a:summary", namespaces=ATOM) == clean(summary)
    assert [name.text or "" for name in entry.findall("a:author/a:name", ATOM)] == [clean(name) for name in authors]
    assert feed.findtext("a:updated", namespaces=ATOM) == f"{day.isoformat()}T00:00:00Z"
    assert atom.feed("all", title, [item], updated=date(1991, 8, 14)) == written


def test_an_empty_feed_is_a_feed() -> None:
    feed = etree.fromstring(atom.feed("out", "Out", [], updated=date(2026, 3, 1)))
    for name in ("id", "title", "updated", "author"):
        assert feed.find(f"a:{name}", ATOM) is not None
    assert feed.findtext("a:updated", namespaces=ATOM) == "2026-03-01T00:00:00Z"


def test_an_empty_catalogue_is_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LACONIC_DB", raising=False)
    folder = make_root(tmp_path / "root", records=False)
    with store.writing(folder):
        pass
    made = published(folder, tmp_path / "site")
    assert document(made, "papers.json")["total"] == 0
    assert made["papers.bib"] == b""


def test_a_file_that_cannot_be_written_is_named(root: Path, tmp_path: Path) -> None:
    (tmp_path / FOLDER / "laconic.sqlite").mkdir(parents=True)
    with pytest.raises((Refused, OSError), match=r"laconic\.sqlite"):
        published(root, tmp_path)


def test_the_shipped_catalogue_is_published_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LACONIC_DB", raising=False)
    folder = make_root(tmp_path / "root")
    shutil.copytree(HERE / "catalog" / "snapshot", folder / "catalog" / "snapshot")
    importing.replace(folder, importing.read(folder / "catalog" / "snapshot"))
    made = published(folder, tmp_path / "site")
    keys = {each["key"] for path in made if path.startswith("papers/") for each in document(made, path)["papers"]}
    assert len(keys) == document(made, "papers.json")["total"]
    for path in made:
        if path.startswith("lists/"):
            assert {entry["paper"] for entry in document(made, path)["entries"]} <= keys, path
    cited = re.findall(r"^@misc\{(.*),$", made["papers.bib"].decode(), re.MULTILINE)
    assert len(cited) == len(set(cited)) == len(keys)
    with store.reading(folder) as session:
        assert len(session.exec(select(schema.Mention)).all()) == sum(
            len(document(made, path)["entries"]) for path in made if path.startswith("lists/")
        )
