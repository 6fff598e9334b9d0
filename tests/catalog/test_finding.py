"""What a stranger types gets an answer: words, conditions, sentences, and text that query languages choke on."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from catalog import importing, store, taxonomy
from catalog.finding import searching
from catalog.finding.query import normal, words
from catalog.finding.searching import Document, Index
from catalog.lists.code_links import is_code
from catalog.pages import finding
from catalog.text import clean, fold
from tests.catalog.conftest import HERE, Laconic

TREE = taxonomy.load(HERE)


def document(kind: str, key: str, title: str, text: str = "", **more: object) -> Document:
    return Document(kind, key, title, words(f"{title} {title} {text}"), normal(f"{title} {text}"), **more)  # type: ignore[arg-type]


INDEX = Index(
    [
        document("paper", "2501.00001", "Counting Sheep: Slowly", "in fewer steps", month="2025-01", code="https://github.com/a/b"),
        document("paper", "2503.00002", "Herding Goats", "not sheep", month="2025-03", labels=frozenset({("training", "rl")})),
        document("paper", "2603.00003", "Sheep Again", "needs no training-free lunch", month="2026-03"),
        document("paper", "2607.00004", "Chain-of-Thought for Wool", month="2026-07", labels=frozenset({("training", "none")})),
        document("paper", "title-00", "Nothing in Common", "cows"),
        document("method", "sheep_count", "SheepCount", "counts", paper="2501.00001", month="2025-01"),
    ]
)


def keys(text: str) -> list[str]:
    return [hit.key for hit in INDEX.ask(text, TREE).hits]


PIECES = st.sampled_from(
    [
        *['"', '"sheep', "-", "--", "-sheep", "title:", "training:", "training:none", "-training:rl", "training:nope", "after:"],
        *["after:2025", "before:2025-13", "code:yes", "code:", "like:", 'like:"', "like", "like sheepcount", "newer than"],
        *["newer than March", "since 2025-", "in may 2026", "without training", "no code", "C++", "a AND", "OR", "(", "*", "\\"],
        *["\0", "\ud800", "🐑", "\u202e", "chain-of-thought", "%", "'; DROP TABLE papers", "é", "ﬁ", "x:y:z"],
        "https://arxiv.org/abs/2501.00001",
    ]
)
TEXT = st.lists(st.one_of(PIECES, st.text(max_size=10)), max_size=10).flatmap(
    lambda pieces: st.sampled_from([" ", "", ", "]).map(lambda between: between.join(pieces))
)


@pytest.mark.fuzz
@given(TEXT)
@example("🐑" * 10_000)
@example('like "' * 2_000)
@example("newer than " * 1_000)
@example("training-free " * 800)
@example("\0")
@example("")
def test_no_text_breaks_the_search(text: str) -> None:
    answer = INDEX.ask(text, TREE, 3)
    assert len(answer.hits) <= 3
    assert all(hit.score is None or 0 < hit.score <= 1 for hit in answer.hits)
    scores = [hit.score or 0 for hit in answer.hits]
    assert scores == sorted(scores, reverse=True)
    assert INDEX.ask(text, TREE, 3) == answer


@pytest.mark.fuzz
@given(st.text())
def test_a_title_is_found_by_its_own_words_whatever_stands_in_it(title: str) -> None:
    index = Index([document("paper", "a", title), document("paper", "b", "something else")])
    quoted = clean(title).replace('"', " ")
    if any(len(word) > 1 for word in normal(title).split()):
        assert index.named(title) == ("paper", "a")
        assert [hit.key for hit in index.ask(f'"{quoted}"', TREE).hits][:1] == ["a"]


@pytest.mark.fuzz
@given(st.text())
def test_text_is_cleaned_and_folded_alike_the_short_way_and_the_long(text: str) -> None:
    assert clean(clean(text)) == clean(text)
    assert fold(clean(text)) == fold(text)
    assert fold(f"{text} \u00e9").split()[:-1] == fold(text).split(), "one accent sends the whole text the long way"


def test_words_rank() -> None:
    assert keys("counting sheep")[0] == "2501.00001"
    assert keys("zebra") == []
    assert keys("goat") == ["2503.00002"], "singular and plural are one"
    assert set(keys("cot")) == {"2607.00004"}, "an abbreviation finds what it stands for"
    assert keys("which papers are about goats?") == ["2503.00002"]
    assert keys("chain-of-thought") == ["2607.00004"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('"counting sheep"', ["2501.00001"]),
        ('"sheep counting"', []),
        ("sheep -herding", ["2603.00003", "2501.00001"]),
        ('sheep -"counting sheep" -goats', ["2603.00003"]),
        ("training:rl", ["2503.00002"]),
        ("sheep -training:rl", ["2603.00003", "2501.00001"]),
        ("after:2025-03", ["2607.00004", "2603.00003"]),
        ("before:2025-03", ["2501.00001", "sheep_count"]),
        ("after:2024 before:2025-02", ["2501.00001", "sheep_count"]),
        ("code:yes", ["2501.00001"]),
        ("sheep without code", ["2603.00003", "2503.00002"]),
        ("newer than March", ["2607.00004"]),  # of 2026: the newest paper is of July 2026
        ("newer than August", ["2607.00004", "2603.00003"]),  # of 2025: no paper has reached August 2026
        ("since March 2026", ["2607.00004", "2603.00003"]),
        ("older than Feb. 2025", ["2501.00001", "sheep_count"]),
        ("sheep in 2025", ["2501.00001", "2503.00002"]),
        ("newer than 2024, code available", ["2501.00001"]),
        ("without training", ["2607.00004", "2603.00003"]),
    ],
)
def test_conditions_narrow(text: str, found: list[str]) -> None:
    answer = INDEX.ask(text, TREE)
    assert {hit.key for hit in answer.hits} == set(found)
    assert answer.understood
    assert not answer.notes


@pytest.mark.parametrize("who", ["SheepCount", "sheep_count", "sheepcount,", "counting sheep", "2501.00001"])
def test_like_leaves_out_the_one_asked_about_with_its_paper_or_method(who: str) -> None:
    for text in (f"like {who}", f"papers similar to {who}", f'like:"{who.strip(",")}"'):
        found = keys(text)
        assert found
        assert not {"2501.00001", "sheep_count"} & set(found), text
    assert keys("like SheepCount, newer than 2025")[0] == "2603.00003"


def test_models_like_humans_are_words() -> None:
    answer = INDEX.ask("sheep that think like humans", TREE)
    assert (len(answer.hits), answer.understood) == (3, [])


def test_conditions_alone_give_the_newest_first() -> None:
    hits = INDEX.ask("after:2025-02", TREE).hits
    assert [(hit.key, hit.score) for hit in hits] == [("2607.00004", None), ("2603.00003", None), ("2503.00002", None)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("training:rll", "training: no tag 'rll'; did you mean 'rl'?; searched as words"),
        ("after:yesterday", "after: 'yesterday' is neither a month such as 2026-03 nor a year; searched as words"),
        ("code:maybe", "code: 'maybe' is neither yes nor no; searched as words"),
        ("like:nobody", "like: no paper or method 'nobody' is known; searched as words"),
    ],
)
def test_what_looks_like_a_condition_and_is_none_is_noted(text: str, says: str) -> None:
    answer = INDEX.ask(f"sheep {text}", TREE)
    assert answer.notes == [says]
    assert answer.hits


@pytest.mark.parametrize("text", ["title:", "training:", "x:y", '"', "-", "after:", "http://a/b"])
def test_half_a_condition_is_words_without_a_note(text: str) -> None:
    answer = INDEX.ask(f"sheep {text}", TREE)
    assert (answer.notes, answer.understood) == ([], [])
    assert len(answer.hits) >= 3


def test_an_empty_index_answers() -> None:
    for text in ("sheep", "code:yes", "like sheep", "newer than March", ""):
        assert Index([]).ask(text, TREE).hits == []


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://github.com/a/b", True),
        ("https://www.github.com/a/b/tree/main", True),
        ("https://github.com/a", False),
        ("https://github.com/a/Awesome-Papers", False),
        ("http://github.com/a/b", False),
        ("https://a.github.io/b", False),
        ("https://arxiv.org/abs/2501.00001", False),
        ("https://[github.com/a/b", False),
    ],
)
def test_what_counts_as_code(url: str, code: bool) -> None:
    assert is_code(url) is code


def test_a_label_stands_for_those_above_it_and_a_curated_one_for_its_facet(laconic: Laconic, root: Path) -> None:
    from catalog.labels import of_papers
    from catalog.schema import Facet

    laconic("update")
    with store.writing(root) as session:
        for tag, origin in (("cot_preference_rl", "curated"), ("implicit", "machine"), ("no_such_tag", "machine")):
            session.add(Facet(paper_key="2501.00011", facet="form", tag=tag, source=origin, origin=origin))
        session.add(Facet(paper_key="2501.00011", facet="training", tag="rl", source="tagger", origin="machine"))
        session.commit()
        found = of_papers(session, TREE)["2501.00011"]
    assert found == {("form", "cot_preference_rl"), ("form", "cot_preference"), ("form", "explicit"), ("training", "rl")}
    for text in ("form:explicit", "training:rl", "form:cot_preference -training:sft"):
        assert [hit["key"] for hit in laconic("search", text, "--json")[1]["hits"]] == ["2501.00011"]
    assert laconic("search", "form:implicit", "--json")[1]["hits"] == []


def test_a_label_that_is_spelled_out_ranks_those_that_hold_it_and_narrows_nothing() -> None:
    held = frozenset({("form", "latent_reasoning")})
    index = Index(
        [
            document("paper", "2501.00001", "Latent Space Tours", "reasoning about sheep, goats, wool and many other things"),
            document("paper", "2501.00002", "Latent Loops for Wool", "latent", labels=held),
        ]
    )
    assert [hit.key for hit in index.ask("latent reasoning", TREE).hits] == ["2501.00002", "2501.00001"]
    assert [hit.key for hit in index.ask("reasoning, latent", TREE).hits][0] == "2501.00001", "the words alone"
    assert index.ask("latent reasoning", TREE).understood == []


def test_search_and_similar_on_the_command_line(laconic: Laconic) -> None:
    laconic("update")
    assert laconic("search", "sheep", "--json")[1]["hits"][0]["key"] == "2501.00011"
    assert laconic("search", "2501.00012", "--json")[1]["hits"][0]["key"] == "2501.00012"
    assert laconic("search", "zebra")[:2] == (0, "nothing found\n")
    assert laconic("similar", "https://arxiv.org/pdf/2501.00011v3", "--json")[1]["id"] == "2501.00011"
    code, out, err = laconic("search", "sheep after:soon", "--limit", "1")
    assert (code, out.count("\n"), "neither a month" in err) == (0, 1, True)
    code, out, err = laconic("search", "newer than February 2025")
    assert (code, "read as: after 2025-02" in err, "2603.00014" in out) == (0, True, True)


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A checkout with a database made from the committed snapshot and entries alone."""
    root = tmp_path_factory.mktemp("shipped")
    shutil.copytree(HERE / "catalog" / "entries", root / "catalog" / "entries")
    for name in ("taxonomy.toml", "sources.toml"):
        shutil.copy(HERE / "catalog" / name, root / "catalog" / name)
    before = os.environ.pop("LACONIC_DB", None)
    importing.replace(root, importing.read(HERE / "catalog" / "snapshot"))
    yield root
    if before is not None:
        os.environ["LACONIC_DB"] = before


def answers(root: Path) -> dict[str, searching.Answer]:
    with store.reading(root) as session:
        return dict(finding.answers(searching.build(session, TREE, abstracts=False), TREE))


@pytest.fixture
def asked(shipped: Path) -> dict[str, searching.Answer]:
    return answers(shipped)


def test_a_strangers_questions_get_answers(asked: dict[str, searching.Answer]) -> None:
    untrained = [hit.key for hit in asked["latent reasoning without training"].hits]
    assert untrained[0] == "2505.15778", "Soft Thinking, which samples mixtures of tokens and trains nothing"
    assert "2602.14759" in untrained[:5], "inner loops of a pretrained transformer, whose title says latent but not reasoning"
    reward = asked["which papers change the reward"]
    assert len(reward.hits) == finding.SHOWN
    assert sum("reward" in hit.title.lower() for hit in reward.hits) >= 3
    recent = asked["newer than March, code available"].hits
    assert recent
    assert all(hit.code and hit.month and hit.month > "2026-03" for hit in recent)
    near = asked["like LightThinker"]
    assert len(near.hits) == finding.SHOWN
    assert "2502.15589" not in [hit.key for hit in near.hits], "not LightThinker itself"


def test_the_page_shows_what_the_command_answers(
    shipped: Path, asked: dict[str, searching.Answer], laconic: Laconic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shipped)
    for question, answer in asked.items():
        code, out, _ = laconic("search", "--limit", str(finding.SHOWN), question)
        assert code == 0
        assert out.splitlines() == ["\t".join(hit.cells) for hit in answer.hits] or not answer.hits


@pytest.mark.postgres
def test_postgresql_answers_alike(shipped: Path, asked: dict[str, searching.Answer], monkeypatch: pytest.MonkeyPatch) -> None:
    url = os.environ.get("LACONIC_TEST_POSTGRES")
    if not url:
        assert os.environ.get("CI") != "true", "under CI PostgreSQL must be there"
        pytest.skip("LACONIC_TEST_POSTGRES (an URL of an empty database) is not set")
    monkeypatch.setenv("LACONIC_DB", url)
    importing.replace(shipped, importing.read(HERE / "catalog" / "snapshot"))
    assert answers(shipped) == asked
