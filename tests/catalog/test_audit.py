"""The audit says what the sources say: each rule on a case of its own, and the shipped tables against the shipped errata."""

import json
import re
import shutil
import subprocess
import sys
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import auditing, entries
from catalog.auditing import RULES, Row, errata, survey
from catalog.errors import Refused

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return auditing.audit(REPOSITORY, entries.load(REPOSITORY))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    shutil.copytree(REPOSITORY / "catalog" / "entries", tmp_path / "catalog" / "entries")
    for name in ("taxonomy.toml", "errata.toml", "survey.toml", "ledger.toml", "numbers.jsonl"):
        shutil.copy(REPOSITORY / "catalog" / name, tmp_path / "catalog" / name)
    return tmp_path


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def cell(rows: list[Row], name: str) -> Row:
    return next(row for row in rows if row.cell == name)


# --- the shipped tables -------------------------------------------------------------------------------------------------


def test_all_61_rows_of_the_survey_are_covered(rows: list[Row]) -> None:
    printed = survey.load(REPOSITORY)
    assert (len(printed.method), len(printed.result)) == (33, 28)
    assert {row.cell.rpartition(".")[0] for row in rows if row.cell} == {
        *(f"1.{line.row}" for line in printed.method),
        *(f"2.{line.row}" for line in printed.result),
    }
    assert len({line.slug for line in printed.method}) == 33
    for line in printed.result:
        assert cell(rows, f"2.{line.row}.accuracy").sources[0].value == line.accuracy
        assert any(row.cell == f"2.{line.row}.tokens" for row in rows) is (line.tokens is not None)


def test_every_proved_erratum_differs_with_locator_and_proof_and_nothing_else_does(rows: list[Row]) -> None:
    slips = errata.load(REPOSITORY)
    differing = [row for row in rows if row.verdict == "differs"]
    assert {slip.id for slip in slips.errata if slip.proved} == {row.erratum for row in differing}
    for row in differing:
        proof = row.sources[-1]
        assert proof.kind in ("paper", "official repository")
        assert proof.locator
        assert row.place
        assert len(row.sources) >= 2
    for slip in slips.errata:
        if not slip.proved:
            assert all(row.verdict != "differs" for row in rows if row.erratum == slip.id)


@pytest.mark.parametrize(
    ("name", "verdict", "rule"),
    [
        ("2.8.accuracy", "agrees", "same_cell"),  # C3oT
        ("2.10.accuracy", "differs", "other_number"),  # TokenSkip, the ratios reversed
        ("2.10.tokens", "differs", "torn_pair"),  # right for the ratio, wrong beside that accuracy
        ("2.15.tokens", "differs", "other_number"),
        ("2.18.accuracy", "agrees", "same_cell"),  # LightThinker, the row above the misnamed one
        ("2.19.accuracy", "differs", "other_number"),
        ("2.21.accuracy", "agrees", "same_cell"),  # O1-Pruner: the accuracy is right, the tokens are not
        ("2.21.tokens", "differs", "other_number"),
        ("2.24.accuracy", "agrees", "same_cell"),  # ICoT-SI: 51 in the paper, 50.9 in its log
        ("2.26.accuracy", "differs", "other_number"),  # CCoT: the full chain's number
        ("2.6.accuracy", "unverified", "quoted_alone"),  # TALE: said to be another variant's, not read
        ("2.27.accuracy", "unverified", "quoted_alone"),
        ("2.20.tokens", "unverified", "quoted_alone"),
        ("2.1.accuracy", "unverified", "nothing_read"),
        ("1.4.models", "differs", "own_tables"),
        ("1.19.models", "differs", "other_models"),
        ("1.19.training", "agrees", "same_training"),  # off-line, and RL all the same
        ("1.24.training", "differs", "other_training"),
        ("1.22.training", "unverified", "nothing_read"),  # a closed model
        ("1.1.form", "not_comparable", "own_classes"),
    ],
)
def test_the_rule_that_gave_a_verdict(rows: list[Row], name: str, verdict: str, rule: str) -> None:
    row = cell(rows, name)
    assert (row.verdict, row.rule) == (verdict, rule)


def test_every_rule_is_explained_and_every_verdict_names_one(rows: list[Row]) -> None:
    assert {row.rule for row in rows} <= set(RULES)
    assert all(says.endswith(".") for says in RULES.values())
    assert sum(auditing.counts(rows).values()) == len(rows)


def test_numbers_that_papers_quote_of_one_another_are_set_against_the_original(rows: list[Row]) -> None:
    quotes = [row for row in rows if not row.cell and row.metric != "statement"]
    copied = next(row for row in quotes if row.method == "o1_pruner" and row.metric == "tokens")
    assert (copied.verdict, [source.value for source in copied.sources]) == ("agrees", [534.0, 534.0])
    rerun = [row for row in quotes if row.rule == "another_run"]
    assert rerun
    assert {row.verdict for row in rerun} == {"not_comparable"}


def test_methods_stand_side_by_side_on_one_backbone_and_as_changes_only() -> None:
    side = auditing.side_by_side(entries.load(REPOSITORY))
    there = side["GSM8K", "QwQ-32B-Preview"]
    assert {row.method for row in there} == {"cot_valve", "o1_pruner"}
    pruned = next(row for row in there if row.setting == "O1-Pruner")
    assert (pruned.accuracy, pruned.tokens, pruned.baseline) == (1.4, -31.3, "baseline")
    for (benchmark, model), changes in side.items():
        assert {(change.group.benchmark, change.group.model) for change in changes} == {(benchmark, model)}


# --- rounding -----------------------------------------------------------------------------------------------------------


@given(st.decimals(0, 100, places=2), st.integers(0, 2))
def test_a_number_agrees_with_its_own_rounding(value: Decimal, places: int) -> None:
    rounded = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)
    assert auditing.same(float(value), float(rounded))
    assert auditing.same(float(rounded), float(value))


@given(st.integers(0, 9900), st.integers(2, 500))
def test_two_numbers_apart_by_more_than_rounding_differ(hundredths: int, apart: int) -> None:
    left, right = hundredths / 100, (hundredths + apart) / 100
    if left * 10 % 1 and right * 10 % 1:  # both print their hundredths
        assert not auditing.same(left, right)


# --- what is wrong with the files ---------------------------------------------------------------------------------------


def refusal(root: Path) -> str:
    with pytest.raises(Refused) as refused:
        auditing.audit(root, entries.load(root))
    assert refused.value.exit_code == 1
    return str(refused.value)


def test_a_difference_without_a_proved_erratum_is_refused(root: Path) -> None:
    change(root / "catalog" / "survey.toml", "accuracy = 36.92", "accuracy = 36.29")
    assert refusal(root) == "catalog/errata.toml: the audit finds that 2.8.accuracy (c3ot) differs, but no proved erratum names it"


def test_an_erratum_that_the_numbers_do_not_bear_out_is_refused(root: Path) -> None:
    change(root / "catalog" / "survey.toml", "tokens = 343.0", "tokens = 534.0")
    assert refusal(root) == "catalog/errata.toml: (id 'D3').cells: by the audit '2.21.tokens' is agrees"


def test_hearsay_never_becomes_a_difference(root: Path) -> None:
    for id_ in ("D5", "D16"):
        text = (root / "catalog" / "errata.toml").read_text("utf-8")
        at = text.index(f'id = "{id_}"')
        changed = text[:at] + text[at:].replace('evidence = "third party"', 'evidence = "paper"', 1)
        (root / "catalog" / "errata.toml").write_text(changed, "utf-8")
        assert re.match(rf"catalog/errata.toml: \(id '{id_}'\)\.cells: by the audit '.*' is unverified", refusal(root))
        (root / "catalog" / "errata.toml").write_text(text, "utf-8")


def test_a_source_that_is_read_later_changes_the_verdict(root: Path) -> None:
    path = root / "catalog" / "entries" / "token_assorted.toml"
    text = path.read_text("utf-8")
    at = text.index('evidence = "third party"', text.index('benchmark = "GSM8K"\nmodel = "LLaMA-3.1-8B"'))
    read = 'evidence = "paper"\nverified = true'
    path.write_text(text[:at] + text[at:].replace('evidence = "third party"\nverified = false', read, 1), "utf-8")
    assert refusal(root).endswith("the audit finds that 2.27.accuracy (token_assorted) differs, but no proved erratum names it")


def test_a_row_of_the_survey_without_an_entry_is_named(root: Path) -> None:
    change(root / "catalog" / "survey.toml", 'slug = "c3ot"', 'slug = "c3t"')
    assert refusal(root) == "catalog/survey.toml: row 7: no entry for the slug 'c3t'; did you mean 'c3ot'?"


# --- the command --------------------------------------------------------------------------------------------------------


def laconic(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scripts", "audit", *words]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)


def test_audit_prints_one_json_document_with_the_keys_scripts_rely_on() -> None:
    done = laconic("--json")
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert set(told["counts"]) == set(auditing.VERDICTS)
    for row in told["rows"]:
        assert {"method", "benchmark", "model", "setting", "metric", "verdict", "sources", "rule"} <= row.keys()
        assert all(source.keys() == {"kind", "value", "locator"} for source in row["sources"])
        assert row["rule"] in told["rules"]
    assert told["not_in_the_book"] == []


def test_audit_narrows_and_refuses_an_unknown_method() -> None:
    done = laconic("--method", "c3ot", "--verdict", "agrees")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 4  # two accuracies, training and models
    refused = laconic("--method", "token_skp")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == "token_skp: no entry has this slug; did you mean 'token_skip'?\n"
