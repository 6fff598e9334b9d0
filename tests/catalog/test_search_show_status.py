"""What a reader asks of a filled database."""

import pytest

from catalog.announcements import announcement_days, is_announcement_day
from tests.catalog.conftest import FIRST, Laconic

DAYS = __import__("datetime").date

pytestmark = pytest.mark.usefixtures("database")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("2501.000111", "not a well-formed arXiv id"),
        ("2402.00999", "no list, query or entry"),
        ("nonsense", "unknown id"),
        ("", "unknown id"),
    ],
)
def test_an_unknown_id_is_wrong_usage(laconic: Laconic, text: str, says: str) -> None:
    laconic("update")
    for verb in ("show", "similar"):
        code, out, err = laconic(verb, text)
        assert (code, out) == (2, "")
        assert says in err


def test_no_database_yet_says_what_to_do(laconic: Laconic) -> None:
    for words_ in (["search", "x"], ["show", "x"], ["status"], ["export"]):
        code, _, err = laconic(*words_)
        assert (code, "laconic import" in err) == (1, True)


def test_show_tells_where_a_paper_is_listed_and_what_is_wrong_there(laconic: Laconic) -> None:
    laconic("update")
    code, out, _ = laconic("show", "2501.00012")
    assert code == 0
    assert "first: A list › Shorter chains [repaired]" in out
    assert "malformed_id: 2501.000122 is not an arXiv id" in out


def test_status_is_about_data_not_about_runs(laconic: Laconic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LACONIC_NOW", "2026-03-16")
    laconic("update")
    code, document, _ = laconic("status", "--json")
    assert (code, document["stale"], document["reasons"], document["newest_announced"]) == (0, False, [], "2026-03-10")
    assert (document["papers_total"], document["papers_listed"], document["papers_confirmed"]) == (6, 5, 4)
    assert laconic("status")[1].endswith("fresh\n")
    monkeypatch.setenv("LACONIC_NOW", "2026-03-17")
    code, out, _ = laconic("status")
    old = "stale: the newest paper is of 2026-03-10: 5 announcement days ago (overdue from 5)"
    assert code == 4, "by now something newer should have been announced"
    assert out.splitlines()[-2:] == [old, "run `laconic update`"]
    assert not any(source["overdue"] for source in laconic("status", "--json")[1]["sources"])
    monkeypatch.setenv("LACONIC_NOW", "2026-03-18")
    _, out, _ = laconic("status")
    late = "last success 2026-03-16, 2 announcement days ago (overdue from 2)"
    for name in ("first", "second", "arxiv"):
        assert f"stale: {name}: {late}" in out.splitlines()
    assert all(source["overdue"] for source in laconic("status", "--json")[1]["sources"])


def test_nothing_new_on_a_weekend_is_no_alarm() -> None:
    assert [is_announcement_day(DAYS(2026, 3, day)) for day in range(16, 23)] == [True] * 5 + [False] * 2
    assert announcement_days(DAYS(2026, 3, 13), DAYS(2026, 3, 15)) == 0
    assert not is_announcement_day(DAYS(2025, 11, 28)), "the mailing of Thanksgiving evening was left out"


def test_parse_list_compares_with_what_is_known(laconic: Laconic, tmp_path: pytest.TempPathFactory) -> None:
    file = tmp_path / "list.md"  # type: ignore[operator]
    file.write_text(FIRST)
    code, document, err = laconic("parse-list", str(file), "--json")
    assert (code, "laconic import" in err) == (0, True)
    assert {entry["resolution"] for entry in document["entries"]} <= {"unverified", "conflict"}
    laconic("update")
    entries = laconic("parse-list", str(file), "--json")[1]["entries"]
    found = [(entry["line"], entry["resolution"], entry["arxiv_id"]) for entry in entries]
    assert found == [
        (4, "confirmed", "2501.00011"),
        (5, "repaired", "2501.00012"),
        (6, "unverified", "2502.00099"),
        (11, "repaired", "2503.00013"),
        (12, "unverified", None),
    ]
    assert set(entries[0]) == {"line", "section", "title", "printed_id", "arxiv_id", "resolution", "date", "urls", "defects"}


def test_parse_list_refuses_what_it_cannot_read(laconic: Laconic, tmp_path: pytest.TempPathFactory) -> None:
    file = tmp_path / "list.md"  # type: ignore[operator]
    assert laconic("parse-list", str(file))[0] == 1
    file.write_bytes(b"\xff")
    code, _, err = laconic("parse-list", str(file))
    assert (code, "list.md: line 1" in err) == (1, True)
