"""No number changes silently: the entries against the book and the ledger, as shipped and with a number moved."""

import shutil
from pathlib import Path

import pytest

from catalog import entries
from catalog.auditing import ledger
from catalog.errors import Refused

REPOSITORY = Path(__file__).parents[2]
NUMBER = "GSM8K | LLaMA-3.1-8B-Instruct | ratio 0.5 | accuracy | paper"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "catalog" / "entries").mkdir(parents=True)
    for name in ("taxonomy.toml", "entries/token_skip.toml"):
        shutil.copy(REPOSITORY / "catalog" / name, tmp_path / "catalog" / name)
    (tmp_path / "catalog" / "ledger.toml").write_text("", "utf-8")
    ledger.write_book(tmp_path, entries.load(tmp_path))
    return tmp_path


def move(root: Path, old: str, new: str) -> None:
    path = root / "catalog" / "entries" / "token_skip.toml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def enter(root: Path, **line: object) -> None:
    with (root / "catalog" / "ledger.toml").open("a", encoding="utf-8") as file:
        file.write("\n[[change]]\nslug = 'token_skip'\n")
        file.writelines(f"{key} = {value}\n" for key, value in line.items())


def refusal(root: Path) -> str:
    with pytest.raises(Refused) as refused:
        ledger.check(root, entries.load(root))
    assert refused.value.exit_code == 1
    return str(refused.value)


def test_the_shipped_numbers_are_those_of_the_book_and_the_ledger() -> None:
    assert ledger.check(REPOSITORY, entries.load(REPOSITORY)) == []


def test_what_was_left_out_has_a_reason_and_an_entry() -> None:
    slugs = {entry.slug for entry in entries.load(REPOSITORY)}
    for item in ledger.load(REPOSITORY).left_out:
        assert item.slug in slugs
        assert item.reason
        assert item.count > 0


def test_a_number_that_moved_without_a_line_is_named_and_the_book_stands(root: Path) -> None:
    book = (root / ledger.BOOK).read_bytes()
    move(root, "accuracy = 78.2,", "accuracy = 87.2,")
    assert refusal(root) == (
        f"catalog/entries/token_skip.toml: {NUMBER!r} was 78.2 and is now 87.2: add a [[change]] to catalog/ledger.toml"
    )
    with pytest.raises(Refused, match="was 78.2"):
        ledger.write_book(root, entries.load(root))
    assert (root / ledger.BOOK).read_bytes() == book


def test_a_line_with_old_new_reason_and_day_lets_it_move_and_move_again(root: Path) -> None:
    move(root, "accuracy = 78.2,", "accuracy = 87.2,")
    enter(root, number=repr(NUMBER), old=78.2, new=87.2, reason="'misread'", date="2026-12-01")
    assert ledger.check(root, entries.load(root)) == []
    move(root, "accuracy = 87.2,", "accuracy = 78.2,")
    assert "was 87.2 and is now 78.2" in refusal(root)
    enter(root, number=repr(NUMBER), old=87.2, new=78.2, reason="'misread twice'", date="2026-12-02")
    assert ledger.check(root, entries.load(root)) == []


def test_a_number_that_went_needs_a_line_too_and_so_does_its_return(root: Path) -> None:
    move(root, '  { setting = "ratio 0.5", accuracy = 78.2, tokens', '  { setting = "ratio 0.5", tokens')
    assert "was 78.2 and is gone" in refusal(root)
    enter(root, number=repr(NUMBER), old=78.2, reason="'not in the paper'", date="2026-12-01")
    assert ledger.check(root, entries.load(root)) == []
    move(root, '  { setting = "ratio 0.5", tokens', '  { setting = "ratio 0.5", accuracy = 78.2, tokens')
    with pytest.raises(Refused, match="came back"):
        ledger.write_book(root, entries.load(root))


def test_a_new_number_is_entered_in_the_book_and_no_other_is_touched(root: Path) -> None:
    before = set((root / ledger.BOOK).read_text("utf-8").splitlines())
    move(
        root,
        'rows = [\n  { setting = "baseline BeConcise"',
        'rows = [\n  { setting = "new", accuracy = 1.0 },\n  { setting = "baseline BeConcise"',
    )
    assert ledger.check(root, entries.load(root)) == [("token_skip", "GSM8K | LLaMA-3.1-8B-Instruct | new | accuracy | paper")]
    assert ledger.write_book(root, entries.load(root)) == 1
    assert before < set((root / ledger.BOOK).read_text("utf-8").splitlines())
    assert ledger.write_book(root, entries.load(root)) == 0


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            {"number": repr(NUMBER.replace("0.5", "0.55")), "old": 78.2, "new": 1.0},
            f"change[0].number: token_skip: the book has no {NUMBER.replace('0.5', '0.55')!r}; did you mean {NUMBER!r}?",
        ),
        ({"number": repr(NUMBER), "old": 87.2, "new": 1.0}, "change[0].old: 87.2, but until then it was 78.2"),
        ({"number": repr(NUMBER), "old": 78.2, "new": 78.2}, "change[0].new: 78.2 is what it was"),
        ({"number": repr(NUMBER), "odl": 78.2}, "change[0].odl: unknown key 'odl'; did you mean 'old'?"),
    ],
)
def test_a_line_that_does_not_fit_is_named(root: Path, line: dict[str, object], words: str) -> None:
    enter(root, **line, reason="'x'", date="2026-12-01")
    assert refusal(root) == f"catalog/ledger.toml: {words}"


def test_a_broken_line_of_the_book_is_named(root: Path) -> None:
    with (root / ledger.BOOK).open("a", encoding="utf-8") as file:
        file.write('{"slug": "x"}\n')
    lines = len((root / ledger.BOOK).read_text("utf-8").splitlines())
    assert refusal(root) == f"catalog/numbers.jsonl: line {lines}: no number with slug, number and value"
