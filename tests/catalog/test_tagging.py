"""The tagger: phrases with their places, the shipped model, hostile text, and stored tags."""

import dataclasses
import json
import sys
import time
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import Session, col, select

from catalog import store, tagging
from catalog.crawling import announcing
from catalog.errors import Refused
from catalog.schema import CONFIRMED, Facet, Paper
from catalog.sources.feed import Announced
from catalog.sources.followed import Asked, Topic
from catalog.tagging import linear_model, tag_rows
from tests.catalog.papers_to_tag import FOREIGN, LATENT, SHORTER, SPECULATIVE

REPOSITORY = Path(__file__).resolve().parents[2]
SHIPPED = tagging.load(REPOSITORY)
TODAY = date(2026, 3, 17)


@pytest.mark.parametrize(
    ("text", "scope", "form"),
    [(SHORTER, "in", "explicit"), (LATENT, "in", "implicit"), (SPECULATIVE, "in", "adjacent"), (FOREIGN, "out", None)],
)
def test_plain_cases(text: tuple[str, str], scope: str, form: str | None) -> None:
    tagged = SHIPPED.tag(*text)
    assert tagged.scope == scope
    assert form in (None, tagged.form)
    assert 0 < tagged.confidence <= 1


def test_facets_come_with_the_phrases_that_set_them_off() -> None:
    tagged = SHIPPED.tag(*SHORTER)
    assert tagged.facets["form"] == ["cot_preference_rl"]
    assert tagged.facets["training"] == ["rl"]
    assert "generated_tokens" in tagged.facets["saves"]
    assert tagged.facets["domain"] == ["math"]
    assert ("abstract", "reinforcement learning", "rl") in {(e.field, e.phrase, e.rule) for e in tagged.evidence}
    assert SHIPPED.tag(*SPECULATIVE).facets["training"] == ["none"]


@given(st.text(max_size=200), st.text(max_size=600))
@settings(max_examples=500, deadline=None)
def test_any_text_has_an_answer_and_evidence_lies_in_it(title: str, abstract: str) -> None:
    tagged = SHIPPED.tag(title, abstract)
    assert tagged.scope in ("in", "borderline", "out")
    assert tagged.form in ("explicit", "implicit", "both", "adjacent")
    _spans_hold(tagged, title, abstract)


@given(
    st.lists(st.sampled_from([*SHORTER, *LATENT, *SPECULATIVE, "\ud800", "\u202e", "İ", "<b>", "{{7*7}}", "ﬁ", "\x00"]), max_size=6)
)
@settings(max_examples=200, deadline=None)
def test_evidence_keeps_its_place_among_odd_characters(parts: list[str]) -> None:
    abstract = " ".join(parts)
    _spans_hold(SHIPPED.tag(abstract[::-1], abstract), abstract[::-1], abstract)


def _spans_hold(tagged: tagging.Tagged, title: str, abstract: str) -> None:
    text = {"title": title, "abstract": abstract}
    for each in tagged.evidence:
        assert text[each.field][each.start : each.end] == each.phrase != ""
        assert each.rule.startswith("learned: ") or each.rule in SHIPPED.rules.tags


def test_the_same_text_has_the_same_answer_in_every_process() -> None:
    import subprocess

    code = (
        "import json; from pathlib import Path; from catalog import tagging; "
        f"print(json.dumps(tagging.to_json('1', tagging.load(Path('.')).tag(*{SHORTER!r}))))"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", code], cwd=REPOSITORY, env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(seen) == 1


def test_phrases_match_whole_words_without_case_hyphen_and_plural() -> None:
    read = SHIPPED.read("KV-Caches, kvcache and a KV  cache", "")
    hits = [read.words["title"][first:last] for first, last, rule in read.fired["title"] if rule == "attention_cache"]
    assert hits == [["kv", "cache"], ["kv", "cache"]]


def test_concepts_count_by_the_sentence() -> None:
    together = SHIPPED.read("", "We reduce the cost of reasoning. Images are blurred; robots move: fast. Reasoning helps.")
    apart = SHIPPED.read("", "We reduce noise. The cost is high. Reasoning helps.")
    said = "abstract#cost & reasoning"
    assert said in linear_model.features(together)
    assert said not in linear_model.features(apart)
    assert len(together.spoken["abstract"]) == 5


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("tagger_rules.toml", 'tag = "sft"', 'tag = "stf"', "unknown tag 'stf'; did you mean 'sft'?"),
        ("tagger_rules.toml", '"dpo", "simpo"', '"dpo", "DPO"', "'DPO' stands twice"),
        ("tagger_rules.toml", '"training free", ', '"* free", ', "needs words"),
        ("tagger.json", '"classes"', '"klasses"', "not a tagger (KeyError"),
        ("tagger.json", "{", "[", "not a tagger"),
    ],
)
def test_damaged_files_are_refused_by_name(tagger_root: Path, name: str, old: str, new: str, said: str) -> None:
    path = tagger_root / "catalog" / name
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(Refused) as refused:
        tagging.load(tagger_root)
    assert said in str(refused.value)
    assert f"catalog/{name}" in str(refused.value)


# --- the command -----------------------------------------------------------------------------------------------------


def _tag(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[int, str, str]:
    from scripts.__main__ import main

    monkeypatch.chdir(REPOSITORY)
    monkeypatch.setattr(sys, "argv", ["laconic", "tag", *words])
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capsys.readouterr()
    return int(str(ended.value.code or 0)), out, err


def test_command_prints_the_contract(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "records.jsonl"
    rows = [
        {"arxiv_id": "2501.00001", "title": SHORTER[0], "abstract": SHORTER[1], "more": 1},
        {"id": "x", "title": "T", "abstract": None},
    ]
    path.write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    code, out, _ = _tag(capsys, monkeypatch, str(path), "--json")
    papers = json.loads(out)["papers"]
    assert code == 0
    assert [paper["arxiv_id"] for paper in papers] == ["2501.00001", "x"]
    assert {"arxiv_id", "scope", "form", "confidence", "facets", "evidence"} <= set(papers[0])
    assert set(papers[0]["evidence"][0]) == {"field", "start", "end", "phrase", "rule"}
    assert _tag(capsys, monkeypatch, str(path))[1].startswith("2501.00001\tin\texplicit\t")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"id": "1", "title": "t"}', "abstract: missing"),
        (b'{"id": "1", "abstract": "a", "titel": "t"}', "title: missing; did you mean 'titel'?"),
        (b'{"arxiv_id": 2410.10630, "title": "t", "abstract": "a"}', "arxiv_id: must be a text in quotes, not 2410.1063"),
        (b'{"title": "t", "abstract": "a"}', "arxiv_id: missing"),
        (b'{"id": "1", "title": " ", "abstract": "a"}', "title: is empty"),
        (b'["id"]', "must be an object"),
        (b"{", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'"\xff"', "not UTF-8"),
    ],
)
def test_bad_lines_are_refused_with_file_line_and_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, line: bytes, said: str
) -> None:
    path = tmp_path / "records.jsonl"
    path.write_bytes(b'{"id": "1", "title": "t", "abstract": "a"}\n' + line + b"\n")
    code, out, err = _tag(capsys, monkeypatch, str(path), "--json")
    assert (code, out) == (1, "")
    assert f"{path}:2: " in err
    assert said in err
    assert len(err.strip().splitlines()) == 1


def test_fast_enough_on_one_core() -> None:
    """Two thousand papers a second are asked for; a busy machine gets a quarter of that."""
    abstract = " ".join([SHORTER[1], SPECULATIVE[1], FOREIGN[1], LATENT[1]])[:1300]
    started = time.process_time()
    for number in range(300):
        SHIPPED.tag(SHORTER[0], f"{abstract} {number}")
    assert 300 / (time.process_time() - started) > 500


# --- stored tags -----------------------------------------------------------------------------------------------------


def _paper(key: str, title: str, abstract: str | None) -> Paper:
    return Paper(key=key, arxiv_id=key, status=CONFIRMED, title=title, abstract=abstract, found_by="t", first_seen=date(2026, 1, 1))


def test_tags_are_stored_once_and_outlive_the_abstract() -> None:
    engine = store.connect(store.make_url("sqlite://"))
    with engine.connect() as connection:
        store.create_tables(connection)
        connection.commit()
    with Session(engine) as session:
        session.add(_paper("2501.00001", *SHORTER))
        session.add(_paper("2501.00002", LATENT[0], None))
        session.flush()
        session.add(Facet(paper_key="2501.00002", facet="scope", tag="in", source="tagger:0", origin="machine", confidence=0.9))
        session.add(Facet(paper_key="2501.00001", facet="scope", tag="out", source="entry:x", origin="curated"))
        session.commit()
        assert tag_rows.store_tags(session, SHIPPED) == 1
        session.commit()
        first = _facets(session, "2501.00001")
        assert ("scope", "in", SHIPPED.source) in {(row[0], row[1], str(row[2]).rpartition(":")[0]) for row in first}
        assert ("scope", "out", "entry:x") in {(row[0], row[1], row[2]) for row in first}  # what a person said stays
        assert [row[:3] for row in _facets(session, "2501.00002")] == [("scope", "in", "tagger:0")]
        evidence = dict((row[1], row[4]) for row in first)
        assert "length penalty" in str(evidence["cot_preference_rl"]).lower()

        assert tag_rows.store_tags(session, SHIPPED) == 0, "the same text is not read twice"
        paper = session.get_one(Paper, "2501.00001")
        paper.abstract = LATENT[1]
        session.commit()
        assert tag_rows.store_tags(session, SHIPPED) == 1, "another text is"
        session.commit()
        assert {row[:2] for row in _facets(session, "2501.00001") if str(row[2]).startswith("tagger")} != {row[:2] for row in first}
        newer = dataclasses.replace(SHIPPED, model=dataclasses.replace(SHIPPED.model, version=SHIPPED.model.version + 1))
        paper.abstract = SHORTER[1]
        session.commit()
        assert tag_rows.store_tags(session, SHIPPED) == 1
        assert _facets(session, "2501.00001") == first
        assert tag_rows.store_tags(session, newer) == 1, "and so is a text that an older tagger read"
        assert tag_rows.store_tags(session, SHIPPED) == 1
        paper.abstract = None
        session.commit()
        assert tag_rows.store_tags(session, SHIPPED) == 0
        assert _facets(session, "2501.00001") == first
        assert tag_rows.store_tags(session, SHIPPED, keys=["2501.00002"]) == 0


def _facets(session: Session, key: str) -> list[tuple[object, ...]]:
    rows = session.exec(select(Facet).where(Facet.paper_key == key).order_by(col(Facet.facet), col(Facet.tag), col(Facet.source)))
    return [(row.facet, row.tag, row.source, row.confidence, row.evidence) for row in rows]


# --- what an announcement is noted for ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found_by"),
    [(SHORTER, announcing.TAGGER), (FOREIGN, None), ((SHORTER[0], ""), None), (("On Sheep", SHORTER[1]), "sheep")],
)
def test_an_announcement_is_noted_by_topic_or_by_the_tagger(text: tuple[str, str], found_by: str | None) -> None:
    asked = Asked(canary="1706.03762", categories=["cs.CL"], first_window_days=20, topic=[Topic(name="sheep", title=["sheep"])])
    engine = store.connect(store.make_url("sqlite://"))
    with Session(engine) as session:
        store.create_tables(session.connection())
        paper = Announced("2603.00001", 1, *text, ["cs.CL"])
        noted = announcing.note(session, [paper], asked, SHIPPED, served_by="mirror", today=TODAY)
        stored = session.get(Paper, "2603.00001")
        assert (noted, stored.found_by if stored else None) == (int(found_by is not None), found_by)
        other = Announced("2603.00002", 1, *text, ["cs.CL"])
        again = announcing.note(session, [other], asked, None, served_by="mirror", today=TODAY)
        assert again == int(found_by == "sheep"), "without a tagger the topics alone decide"
