"""`parse-list --check`: what came out right, what did not, and ids that only one of scan and parser sees."""

import json
from pathlib import Path

import pytest
from composing import FACTS, names
from conftest import Laconic

from catalog.lists.checking import Difference, Fact
from catalog.snapshot_lines import read_lines

LIST = """# L
[badge](https://arxiv.org/abs/2501.00099)
## A
- [Counting Sheep in Fewer Steps](https://arxiv.org/abs/2501.00011)
- [Walking Backwards: A Study of Reversal](https://arxiv.org/abs/2501.00012)
"""
GOOD = [
    {"line": 4, "section": ["L", "A"], "title": "Counting Sheep in Fewer Steps", "arxiv_id": "2501.00011"},
    {"line": 5, "section": ["L", "A"], "title": "Walking Backwards: A Study of Reversal", "arxiv_id": "2501.00012"},
]


def lines(path: Path, rows: list[dict[str, object]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture
def files(root: Path, tmp_path: Path) -> tuple[str, str]:
    (tmp_path / "list.md").write_text(LIST)
    lines(tmp_path / "facts.jsonl", GOOD)
    lines(tmp_path / "facts.differences.jsonl", [{"id": "2501.00099", "why": "a badge"}])
    return str(tmp_path / "list.md"), str(tmp_path / "facts.jsonl")


def test_all_right_and_every_difference_explained(laconic: Laconic, files: tuple[str, str]) -> None:
    code, found, _ = laconic("parse-list", "--json", "--check", files[1], files[0])
    assert (code, found["right"], found["share"]) == (0, 2, 1.0)
    assert found["differences"] == [{"id": "2501.00099", "why": "a badge"}]


def test_an_unexplained_difference_fails(laconic: Laconic, files: tuple[str, str]) -> None:
    Path(files[1]).with_suffix(".differences.jsonl").unlink()
    code, found, _ = laconic("parse-list", "--json", "--check", files[1], files[0])
    assert (code, found["unexplained"]) == (1, ["2501.00099"])


@pytest.mark.parametrize("change", [{"title": "Counting Goats"}, {"arxiv_id": "2501.00013"}, {"section": ["L"]}, {"line": 6}])
def test_a_wrong_title_id_section_or_line_is_wrong(laconic: Laconic, files: tuple[str, str], change: dict[str, object]) -> None:
    lines(Path(files[1]), [GOOD[0] | change, GOOD[1]])
    code, found, _ = laconic("parse-list", "--json", "--check", files[1], files[0])
    assert (code, found["right"], len(found["wrong"])) == (1, 1, 1)


def test_a_malformed_fact_is_refused_by_line(laconic: Laconic, files: tuple[str, str]) -> None:
    lines(Path(files[1]), [GOOD[0], {"line": 5, "tilte": "x"}])
    code, _, said = laconic("parse-list", "--check", files[1], files[0])
    assert code == 1
    assert "line 2: unknown key 'tilte'; did you mean 'title'?" in said


def test_the_committed_facts_are_well_formed_and_many() -> None:
    assert len(names()) == 9
    for name in names():
        known = [fact for _, fact in read_lines(FACTS / f"{name}.jsonl", Fact)]
        assert len({fact.line for fact in known}) == len(known)
        assert len(known) >= {"matinaghaei": 36, "digailab": 85, "yuelinan": 121, "yueliu1999": 173, "DevoAllen": 177}.get(
            name, 199
        )
        differences = FACTS / f"{name}.differences.jsonl"
        assert not differences.exists() or all(row.why for _, row in read_lines(differences, Difference))
