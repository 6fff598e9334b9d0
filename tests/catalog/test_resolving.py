"""A printed id counts only when its title is the record's, or was once."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.lists.comparing import across
from catalog.lists.resolving import resolve
from catalog.text import clean, fold, same_title, title_key


@dataclass
class Listing:
    title: str
    printed_id: str | None


RECORDS = {
    "2501.00011": ["Counting Sheep in Fewer Steps", "Sheep: A First Count"],
    "2501.00012": ["Walking Backwards: A Study of Reversal"],
}


def outcome(title: str, printed_id: str | None, *others: Listing) -> tuple[str, str]:
    found = resolve([Listing(title, printed_id), *others], RECORDS)[0]
    return found.resolution, found.key


def test_the_record_agrees() -> None:
    assert outcome("Counting sheep, in fewer steps!", "2501.00011") == ("confirmed", "2501.00011")


def test_a_former_title_agrees_too() -> None:
    assert outcome("Sheep: a first count", "2501.00011") == ("confirmed", "2501.00011")


@pytest.mark.parametrize("printed", ["2501.00011", "2501.000122", None, "2402.00999"])
def test_a_wrong_malformed_missing_or_unknown_id_is_repaired_by_an_exact_title(printed: str | None) -> None:
    assert outcome("Walking Backwards: A Study of Reversal", printed) == ("repaired", "2501.00012")


def test_another_lists_confirmed_wording_is_proof() -> None:
    short = Listing("Walking Backwards (WB)", "2501.00012")
    assert outcome("Walking Backwards (WB)", "2501.00011", short)[0] == "conflict", "not itself confirmed"
    typo = Listing("Walking Backwards: A Studdy of Reversal", "2501.00012")
    assert outcome("Walking Backwards: A Studdy of Reversal", "2501.00011", typo) == ("repaired", "2501.00012")


@pytest.mark.parametrize(
    ("title", "printed", "kinds"),
    [
        ("counting sheep in fewer steps", "2501.00011", []),
        ("Counting Sheep in Fewer Step", "2501.00011", ["title_variant"]),
        ("Sheep: A First Count", "2501.00011", ["retitled"]),
        ("Walking Backwards: A Study of Reversal", "2501.00011", ["id_repaired"]),
        ("Goats Are Not Like That at All", "2501.00011", ["id_of_another_paper"]),
        ("", "2501.00011", []),
    ],
)
def test_how_a_listing_differs_from_the_record_is_told(title: str, printed: str, kinds: list[str]) -> None:
    (found,) = resolve([Listing(title, printed)], RECORDS)
    assert [each["kind"] for each in found.defects] == kinds
    assert found.resolution != "conflict" or title


def test_lists_that_differ_in_id_or_repository_are_told() -> None:
    def row(name: str, printed: str, resolution: str, *urls: str) -> dict[str, object]:
        listed = {"key": name, "list_name": name, "title": "Same Words Here", "printed_id": printed, "urls": urls}
        return listed | {"paper_key": "2501.00011", "resolution": resolution}

    rows = [
        row("one", "2501.00011", "confirmed", "https://github.com/a/b"),
        row("two", "2501.00012", "repaired", "https://github.com/A/B/tree/main"),
        row("three", "2501.00011", "confirmed", "https://github.com/c/d.git"),
    ]
    told = {key: sorted(each["kind"] for each in found) for key, found in across(rows).items()}
    assert told == {"one": ["code_differs"], "two": ["code_differs", "ids_differ"], "three": ["code_differs"]}


def test_many_titles_of_one_id_do_not_stall_the_crawl() -> None:
    resolve([Listing(f"Title number {place} of very many titles", "2402.00999") for place in range(3_000)], RECORDS)


def test_a_title_that_two_records_share_proves_nothing() -> None:
    twins = {"2501.00011": ["Same Words Here Twice"], "2501.00012": ["Same Words Here Twice"]}
    assert resolve([Listing("Same Words Here Twice", None)], twins)[0].resolution == "unverified"


def test_without_proof_it_is_a_conflict_that_says_why() -> None:
    found = resolve([Listing("Goats Are Not Like That at All", "2501.00011")], RECORDS)[0]
    assert found.resolution == "conflict"
    assert found.arxiv_id is None
    assert "Counting Sheep in Fewer Steps" in found.defects[0]["detail"]


def test_an_id_no_record_settles_stays_with_the_title_printed_most_often() -> None:
    right, wrong = Listing("Goats Are Not Like That at All", "2402.00999"), Listing("Cows Came Home", "2402.00999")
    found = resolve([wrong, right, right], RECORDS)
    assert [each.resolution for each in found] == ["conflict", "unverified", "unverified"]
    assert found[1].key == "2402.00999"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Ada-R1: Counting by Two Ways", "AdaR1: From Long Counting to Counting by Two Ways", True),
        ("Counting Sheep (CS)", "Counting Sheep", True),
        ("Chain-of-Thught Counting Compressed", "Chain-of-Thought Counting Compressed", True),
        ("Models Count Better", "Model Counts Better", True),
        ("Efficient Counting: A Survey", "Efficient Counting: Sheep in Latent Space", False),
        ("Counting Sheep Under Constraint", "Herding Goats Without Constraint", False),
        ("", "", False),
    ],
)
def test_same_title(one: str, other: str, same: bool) -> None:
    assert same_title(one, other) is same


@pytest.mark.fuzz
@given(st.text())
def test_clean_is_idempotent_and_fold_ignores_case(text: str) -> None:
    assert clean(clean(text)) == clean(text)
    assert fold(fold(text)) == fold(text)
    assert title_key(text) == title_key(clean(text))
