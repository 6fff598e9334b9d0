"""Entries: what is shipped fits its published schema, and a mistake of each kind gets one line with file, key and value."""

import json
import shutil
import tomllib
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from catalog import challenges, entries, taxonomy
from catalog.errors import Refused

REPOSITORY = Path(__file__).parents[2]
SCHEMA = json.loads((REPOSITORY / entries.SCHEMA).read_text("utf-8"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    shutil.copytree(REPOSITORY / "catalog" / "entries", tmp_path / "catalog" / "entries")
    for name in ("taxonomy.toml", "challenges.toml"):
        shutil.copy(REPOSITORY / "catalog" / name, tmp_path / "catalog" / name)
    return tmp_path


def test_the_published_schema_is_that_of_the_code() -> None:
    assert (REPOSITORY / entries.SCHEMA).read_text("utf-8") == entries.schema(taxonomy.load(REPOSITORY))
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", sorted((REPOSITORY / entries.FOLDER).glob("*.toml")), ids=lambda path: path.stem)
def test_an_entry_fits_the_schema(path: Path) -> None:
    assert list(Draft202012Validator(SCHEMA).iter_errors(tomllib.loads(path.read_text("utf-8")))) == []


def test_the_survey_the_families_and_the_later_methods_are_there() -> None:
    slugs = {entry.slug for entry in entries.load(REPOSITORY)}
    assert {"distillation", "pruning", "quantization", "architecture", "prompting"} <= slugs
    assert {"model_merging", "new_architecture", "router", "deer", "superposition", "s1_budget_forcing"} <= slugs
    assert len(slugs) >= 60


def test_entries_say_enough_and_say_it_unlike_one_another() -> None:
    written = entries.load(REPOSITORY)
    for entry in written:
        assert 8 <= len(entry.written.summary.split()) <= 80, entry.slug
        assert entry.written.limits, entry.slug
        assert {"form", "acts_on", "scope", "domain"} <= entry.written.facets.keys(), entry.slug
        for group in entry.written.reported:
            assert group.locator
            assert group.verified or group.evidence in ("third party", "survey", "memory"), entry.slug
    assert len({entry.written.summary for entry in written}) == len(written)
    papers = [entry.written.paper.arxiv for entry in written if entry.written.paper]
    assert len(set(papers)) > 70


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            'slug = "icot_si"',
            'slug = "icot_is"',
            "reported[1].rows[7].quotes.slug: unknown slug 'icot_is'; did you mean 'icot_si'?",
        ),
        ("rerun = true", "rerunn = true", "reported[10].rows[0].quotes.rerunn: unknown key 'rerunn'; did you mean 'rerun'?"),
        (
            "accuracy = 34.1, tokens = 8.2",
            "accuracy = 34.1, tokens = 8.2, baseline = true",
            "reported[1]: two baselines, 'CoT' and 'Coconut'; changes are taken against one",
        ),
        ('what = "training"', 'what = "trainig"', "stated[0].what: 'trainig' is not known; did you mean 'training'?"),
        ('value = ["sft"]', 'value = ["stf"]', "stated[0].value: unknown tag 'stf'; did you mean 'sft'?"),
        (
            "latency_s = 0.26",
            "latency_s = -0.26",
            "reported[0].rows[0].latency_s: input should be greater than or equal to 0 (found '-0.26')",
        ),
        ("accuracy = 42.9", 'accuracy = "42.9"', "reported[1].rows[0].accuracy: input should be a valid number (found '42.9')"),
        (", latency_s = 0.26", "", "reported[0].rows[0]: no number; give one of accuracy, tokens,"),
        ('locator = "Table 4"\n', "", "reported[0].locator: missing"),
        ('checked = "2026-11"', 'checked = "last week"', "stated[0].checked: string should match pattern"),
        (
            '{ setting = "Coconut", accuracy = 34.1',
            '{ setting = "CoT", accuracy = 34.1',
            "reported[1].rows[1].accuracy: 'GSM8K | GPT-2 | CoT | accuracy | paper' is given twice, first in reported[1].rows[0]",
        ),
    ],
)
def test_a_mistake_is_named(root: Path, old: str, new: str, words: str) -> None:
    path = root / "catalog" / "entries" / "coconut.toml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(Refused) as refused:
        entries.load(root)
    assert refused.value.exit_code == 1
    assert str(refused.value).startswith(f"catalog/entries/coconut.toml: {words}")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('tag = "safety"', 'tag = "safty"', "unknown tag 'safty'; did you mean 'safety'?"),
        ('methods = ["filler"]', 'methods = ["filer"]', "safety: unknown slug 'filer'; did you mean 'filler'?"),
        ('question = "Can', 'qestion = "Can', "challenge[0].qestion: unknown key 'qestion'; did you mean 'question'?"),
    ],
)
def test_a_mistake_in_the_challenges_is_named(root: Path, old: str, new: str, words: str) -> None:
    path = root / "catalog" / "challenges.toml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    slugs = [entry.slug for entry in entries.load(root)]
    with pytest.raises(Refused) as refused:
        challenges.load(root, taxonomy.load(root), slugs)
    assert str(refused.value) == f"catalog/challenges.toml: {words}"


def test_a_challenge_of_which_nothing_is_written_is_named(root: Path) -> None:
    path = root / "catalog" / "challenges.toml"
    text = path.read_text("utf-8")
    path.write_text(text[: text.index('[[challenge]]\ntag = "broader_application"')], "utf-8")
    with pytest.raises(Refused, match="nothing is written for the tag 'broader_application'"):
        challenges.load(root, taxonomy.load(root), [entry.slug for entry in entries.load(root)])
