"""What waits for a person is shown with its evidence; what a person decided is applied, and a slip in it is named."""

from pathlib import Path

import pytest
from sqlalchemy import delete, update
from sqlmodel import col

from catalog import store
from catalog.errors import Refused
from catalog.lists import decisions
from catalog.lists.nearest_titles import Titles
from catalog.schema import Facet
from tests.catalog.conftest import Laconic
from tests.catalog.loopback import Loopback

REPOSITORY = Path(__file__).parents[2]

DECISION = """
[[decision]]
title = "Thinking Without a Word"
printed = "2501.00011"
list = "first"
arxiv = "2501.00012"
reason = "for the sake of the test"
decided = 2026-03-17
"""


def write(root: Path, text: str) -> None:
    (root / "catalog" / "decisions.toml").write_text(text, "utf-8")


def mended(old: str, new: str) -> str:
    assert old in DECISION
    return DECISION.replace(old, new)


def waiting(laconic: Laconic, kind: str) -> list[dict[str, object]]:
    code, document, _ = laconic("review", "--json")
    assert code == 0
    assert sum(document["counts"].values()) == len(document["items"])
    return [item for item in document["items"] if item["kind"] == kind]


@pytest.fixture
def crawled(laconic: Laconic, server: Loopback) -> Laconic:
    # Goats bear the id of Sheep, and no record has their title.
    server.lists["someone/first-list/HEAD/README.md"] += b"- [Goats of Another Kind](https://arxiv.org/abs/2501.00011)\n"
    assert laconic("update")[0] == 0
    return laconic


def test_a_conflict_comes_with_both_titles_and_what_to_write(crawled: Laconic) -> None:
    (item,) = waiting(crawled, "conflict")
    assert item["subject"] == "Goats of Another Kind"
    assert item["places"][0]["list"] == "first"  # type: ignore[index]
    assert item["evidence"][0] == "2501.00011 is “Counting Sheep in Fewer Steps”"  # type: ignore[index]
    assert item["where"] == "catalog/decisions.toml"
    assert "[[decision]]" in str(item["decide"])


def test_what_is_printed_to_add_is_read_once_its_blanks_are_filled(crawled: Laconic, root: Path) -> None:
    (item,) = waiting(crawled, "conflict")
    filled = (
        str(item["decide"]).replace('arxiv = ""', 'arxiv = "2603.00014"').replace('reason = ""', 'reason = "as the test wants"')
    )
    write(root, filled)
    assert decisions.load(root).of("Goats of Another Kind", "2501.00011", "first")


def test_a_decision_is_applied_by_the_next_update(crawled: Laconic, root: Path) -> None:
    write(root, mended("Thinking Without a Word", "Goats of Another Kind"))
    crawled("update")
    assert waiting(crawled, "conflict") == []
    found = crawled("show", "2501.00012", "--json")[1]
    assert "Goats of Another Kind" in str(found)


def test_what_is_no_paper_no_longer_waits(crawled: Laconic, root: Path) -> None:
    assert [item["subject"] for item in waiting(crawled, "unresolved")] == ["Only in Proceedings"]
    text = mended('arxiv = "2501.00012"', "not_a_paper = true").replace('printed = "2501.00011"\n', "")
    write(root, text.replace("Thinking Without a Word", "Only in Proceedings"))
    crawled("update")
    assert waiting(crawled, "unresolved") == []


def test_a_decision_that_fits_no_listing_is_shown(crawled: Laconic, root: Path) -> None:
    write(root, mended("2501.00011", "2501.00099"))
    (item,) = waiting(crawled, "decision")
    assert "first prints 2501.00011 for this title" in item["evidence"]  # type: ignore[operator]


def test_a_label_the_tagger_is_unsure_of_waits_with_its_words_until_a_person_sets_the_facet(crawled: Laconic, root: Path) -> None:
    def label(facet: str, tag: str, confidence: float | None, origin: str = "machine") -> None:
        source = "tagger:3:00c0ffee" if origin == "machine" else "entry:sheep"
        found = Facet(paper_key="2501.00011", facet=facet, tag=tag, source=source, origin=origin, confidence=confidence)
        found.evidence = "counting sheep" if origin == "machine" else None
        session.add(found)

    crawled("update")
    with store.writing(root) as session:
        session.execute(delete(Facet))
        label("form", "implicit", 0.59)
        label("scope", "borderline", 0.41)
        label("training", "none", None)  # rules alone say it
        session.commit()
    unsure = waiting(crawled, "tag")
    assert [item["evidence"] for item in unsure] == [
        ["2501.00011: scope = borderline, confidence 0.41 (tagger:3:00c0ffee)", "counting sheep"],
        ["2501.00011: form = implicit, confidence 0.59 (tagger:3:00c0ffee)", "counting sheep"],
    ], "the least sure first"
    assert unsure[0]["subject"] == "Counting Sheep in Fewer Steps"
    assert (unsure[1]["where"], unsure[1]["decide"]) == ("catalog/entries/<slug>.toml", '[facets]\nform = ["implicit"]\n')
    assert "tag: Counting Sheep in Fewer Steps" in str(crawled("review", "--kind", "tag")[1])
    with store.writing(root) as session:
        label("form", "explicit", None, "curated")
        session.execute(update(Facet).where(col(Facet.facet) == "scope").values(confidence=0.6))
        session.commit()
    assert waiting(crawled, "tag") == [], "one is set by a person, the other sure enough"


def test_a_wrong_kind_or_list_is_wrong_usage(crawled: Laconic) -> None:
    code, _, said = crawled("review", "--kind", "conflct")
    assert (code, "did you mean 'conflict'?" in said) == (2, True)
    code, _, said = crawled("review", "--list", "frist")
    assert (code, "did you mean 'first'?" in said) == (2, True)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('arxiv = "2501.00012"', 'arxiv = "2501.12"', "decision[0].arxiv: must be an arXiv id without version, such as 2502.12067"),
        ('arxiv = "2501.00012"', "arxiv = 2501.00012", "decision[0].arxiv: must be a string in quotes, not the number 2501.00012"),
        ('arxiv = "2501.00012"', "", "say either arxiv"),
        ('list = "first"', 'list = "frist"', "decision[0].list: unknown list 'frist'; did you mean 'first'?"),
        ("reason = ", "raeson = ", "decision[0].raeson: unknown key 'raeson'; did you mean 'reason'?"),
        ("for the sake of the test", "", "decision[0].reason"),
        (DECISION, DECISION + DECISION, "decision[1].title: 'Thinking Without a Word' is decided twice"),
    ],
)
def test_a_slip_in_a_decision_is_named(root: Path, old: str, new: str, words: str) -> None:
    write(root, mended(old, new))
    with pytest.raises(Refused) as refused:
        decisions.load(root)
    assert str(refused.value).startswith("catalog/decisions.toml: ")
    assert words in str(refused.value)


def test_a_malformed_decision_stops_the_crawl_before_anything_is_lost(crawled: Laconic, root: Path) -> None:
    before = crawled("status", "--json")[1]["papers_total"]
    write(root, mended('list = "first"', 'list = "frist"'))
    assert crawled("update")[0] == 1
    write(root, "")
    assert crawled("status", "--json")[1]["papers_total"] == before


def test_the_shipped_decisions_are_sound() -> None:
    decided = decisions.load(REPOSITORY)
    assert decided.all
    assert all(each.arxiv or each.not_a_paper for each in decided.all)


def test_nearest_titles_come_best_first() -> None:
    titles = Titles({"2501.00011": ["Counting Sheep in Fewer Steps"], "2501.00012": ["Walking Backwards: A Study of Reversal"]})
    assert titles.nearest("Counting Goats in Fewer Steps")[0][1] == "2501.00011"
    assert titles.nearest("Nothing Shared") == []
