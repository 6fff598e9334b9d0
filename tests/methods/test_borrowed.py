"""Problems made by others: read from a file or a generator, split, graded, and refused where no answer can be verified."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from methods.kit import family
from methods.kit.comparison import compare
from methods.kit.errors import Refused
from methods.kit.guests import Guest
from methods.kit.tasks._borrowed import number, stated
from methods.kit.zoo import Zoo

ROWS = [
    {"question": "Ann has 3 pens and buys 4. How many has she?", "answer": "3 + 4 = <<3+4=7>>7\n#### 7"},
    {"question": "A town of 1,200 grows by 50. How many live there?", "answer": "It is 1,200 + 50.\n#### 1,250"},
    {"question": "Half of 5?", "answer": "#### 2.5"},
]


def written(folder: Path, rows: list[object]) -> str:
    path = folder / "few.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return f"gsm8k:{path}"


def test_a_file_of_word_problems(tmp_path: Path) -> None:
    task = family.load(written(tmp_path, list(ROWS)))
    problems = task.draws("test", 1, 0, 10)
    assert [problem.answer for problem in problems] == ["7", "1,250", "2.5"]
    assert task.NAME == "gsm8k:few.jsonl"  # where it lies on this machine is nobody's business
    assert "####" not in "".join(problem.question for problem in problems)
    assert len(task.draws("test", 1, 0, 2)) == 2


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("1250", True),
        (" **1,250** people live there.", True),
        (": $1250.00", True),
        ("\n\nThe answer is \\boxed{1,250}.", True),
        ("Final answer: 1250", True),
        ("1,251", False),
        ("-1250", False),
        ("about 12 50", False),
        ("", False),
        ("many", False),
    ],
)
def test_a_number_is_right_however_it_is_dressed(tmp_path: Path, text: str, right: bool) -> None:
    problem = family.load(written(tmp_path, list(ROWS))).draws("test", 1, 0, 3)[1]
    assert problem.solved_by(text) is right


@given(
    st.decimals(-(10**9), 10**9, allow_nan=False, places=2), st.sampled_from(["{}", "{:,}", " : {}.", "**{}**\nAnd 5 more", "${}"])
)
def test_any_number_is_read_back(value: Decimal, dress: str) -> None:
    assert number(stated(dress.format(value))) == value


@given(st.text())
def test_whatever_is_written_can_be_graded(text: str) -> None:
    number(stated(text))


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([ROWS[0], {"question": "Why?", "answer": "Because."}], "row 2: key answer: has no verifiable answer"),
        ([{"question": "Why?", "answer": "#### none"}], "no verifiable answer"),
        ([{"question": "Why?"}], "line 1: must be an object with the texts question and answer"),
        ([[1]], "line 1: must be an object"),
        ([], "no problems"),
    ],
)
def test_a_file_without_verifiable_answers(tmp_path: Path, rows: list[object], said: str) -> None:
    with pytest.raises(Refused, match=said):
        family.load(written(tmp_path, rows)).draws("test", 1, 0, 5)


def test_a_file_that_is_no_json_and_one_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text("{\n")
    with pytest.raises(Refused, match="line 1: no JSON"):
        family.load(f"gsm8k:{tmp_path}/x.jsonl").draws("test", 1, 0, 1)
    with pytest.raises(Refused, match="no such file"):
        family.load("gsm8k:nowhere.jsonl")
    with pytest.raises(Refused, match="did you mean 'gsm8k'"):
        family.load("gsm8")
    with pytest.raises(Refused, match="'chains' is one family"):
        family.load("chains:long")


def test_the_lab_trains_on_its_own_families_only() -> None:
    assert family.grown() == ["chains", "search"]


def test_a_record_of_others_problems_judges_no_claim(root: Path, bpe_checkpoint: Path, tmp_path: Path) -> None:
    """The whole way on a checkpoint made on the spot: metered, graded, and said which model it was."""
    guest = Guest("tiny", bpe_checkpoint, "0123", batch=2, most_tokens=12)
    zoo = Zoo(written(tmp_path, list(ROWS)), tmp_path, tmp_path, guest)
    made = compare("deer", root, zoo, per_level=3, date="2026-01-02", command="x", gates=dict)
    assert made["claims"] == []
    assert (made["model"], made["revision"], made["dtype"], made["device"]) == ("tiny", "0123", "float32", "cpu")
    assert made["results"]["cot"]["accuracy"]["n"] == 3
    assert made["results"]["deer"]["tokens"]["mean"] > 0
    assert "training_flops" not in made["results"]["cot"]
    assert str(tmp_path) not in json.dumps(made)
    assert json.loads(json.dumps(made, allow_nan=False)) == made


def test_a_generator_of_the_gym() -> None:
    pytest.importorskip("reasoning_gym")
    task = family.load("rg:chain_sum")
    problems = task.draws("test", 1, 0, 5)
    assert [problem.question for problem in problems] == [problem.question for problem in task.draws("test", 1, 0, 5)]
    assert {problem.split for problem in problems} == {"test"}
    assert {problem.question for problem in task.draws("dev", 1, 0, 5)}.isdisjoint(problem.question for problem in problems)
    assert all(problem.solved_by(f": {problem.answer}") for problem in problems)
    assert not any(problem.solved_by("no idea") for problem in problems)


def test_a_generator_without_a_verifiable_answer_or_that_is_not_there() -> None:
    pytest.importorskip("reasoning_gym")
    with pytest.raises(Refused, match="'rg:graph_color': has no verifiable answer"):
        family.load("rg:graph_color").draws("test", 1, 0, 1)
    with pytest.raises(Refused, match="did you mean 'gsm_symbolic'"):
        family.load("rg:gsm_symbolc")
    with pytest.raises(Refused, match="no such generator"):
        family.load("rg")


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from methods.kit.tasks import gsm8k, rg

    for module in (gsm8k, rg):
        monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(Refused, match="needs the package reasoning-gym: pip install"):
        family.load("rg:chain_sum")
    with pytest.raises(Refused, match="needs the package datasets: pip install"):
        family.load("gsm8k").draws("test", 1, 0, 1)
