"""What the tagger learns from, and how it is trained."""

import json
import sys
from collections import Counter
from pathlib import Path

import pytest

from catalog import tagging, taxonomy
from catalog.errors import Refused
from catalog.tagging import labelled, linear_model
from scripts import _tagger_sample
from scripts._tagger_validation import WEIGHTS
from tests.catalog.papers_to_tag import LATENT, SHORTER, SPECULATIVE

REPOSITORY = Path(__file__).resolve().parents[2]
SHIPPED = tagging.load(REPOSITORY)


def test_every_section_of_the_lists_is_covered_and_used(tagger_root: Path) -> None:
    labels = labelled.load(tagger_root)
    used = {(claim.list_name, claim.heading) for claims in labels.claims.values() for claim in claims}
    table = (tagger_root / "catalog" / "sections.toml").read_text("utf-8")
    assert len(used) == table.count("[[section]]")
    (tagger_root / "catalog" / "sections.toml").write_text(
        table.replace('heading = "Explicit Compact CoT"', 'heading = "Explicit"'), "utf-8"
    )
    with pytest.raises(Refused, match="'Explicit Compact CoT' is not in catalog/sections.toml"):
        labelled.load(tagger_root)


def test_nothing_read_for_validation_is_learned_from() -> None:
    labels = labelled.load(REPOSITORY)
    read = [json.loads(line) for line in (REPOSITORY / "tests" / "fixtures" / "scope_by_reading.jsonl").read_text().splitlines()]
    assert len(read) >= 200
    assert len({row["id"] for row in read}) == len(read)
    assert not {row["id"] for row in read} & (set(labels.unlisted) | set(labels.claims))
    assert all(row["why"] and row["scope"] in ("in", "borderline", "out") for row in read)
    assert Counter(row["stratum"] for row in read) == {name: 2 * number for name, number in _tagger_sample.DRAWN.items()}


def test_examples_say_who_labelled_them_and_why() -> None:
    rows = [json.loads(line) for line in (REPOSITORY / "catalog" / "tagger_examples.jsonl").read_text("utf-8").splitlines()]
    assert len({row["id"] for row in rows}) == len(rows)
    assert {row["by"] for row in rows} < set(WEIGHTS)
    assert all(row["why"] for row in rows if row["by"].startswith("read"))
    assert all(row["scope"] == "out" for row in rows if row["by"] == "assumed")
    assert sum(row.get("sample") == 1 for row in rows) == 250


@pytest.mark.parametrize(
    ("title", "abstract", "stratum"),
    [
        ("Concise Reasoning for Sheep", "", "titled"),
        ("Sheep", "We reason in fewer tokens. Thinking costs less. Wool.", "twice"),
        ("Sheep", "We reason. It takes fewer tokens of thought. Wool.", "once"),
        ("Sheep", "We reason. It takes fewer tokens.", "word"),
        ("Efficient Sheep", "They need fewer fields.", "rest"),
    ],
)
def test_strata_look_for_thought_and_its_price_in_one_sentence(title: str, abstract: str, stratum: str) -> None:
    assert _tagger_sample.stratum(title, abstract) == stratum


def test_a_draw_repeats_itself_and_takes_no_more_than_there_is() -> None:
    texts = {f"2501.{number:05}": ("Sheep", "They graze.") for number in range(100)}
    texts["2502.00001"] = ("Concise Reasoning", "")
    drawn = _tagger_sample.draw(texts, 4)
    assert Counter(drawn.values()) == {"rest": _tagger_sample.DRAWN["rest"], "titled": 1}
    assert drawn == _tagger_sample.draw(dict(reversed(texts.items())), 4)
    assert drawn != _tagger_sample.draw(texts, 5)


def test_the_command_draws_what_no_list_names_and_no_earlier_sample_has(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from scripts.__main__ import main

    samples = [json.loads(line) for line in (REPOSITORY / "tests" / "fixtures" / "scope_readers.jsonl").read_text().splitlines()]
    third, fourth = (next(row["id"] for row in samples if row["sample"] == number) for number in (3, 4))
    rows = [
        {"id": "2501.99991", "title": "Sheep", "abstract": "They graze."},
        {"id": "2501.99992", "title": "Goats", "abstract": "They graze.", "in_survey_lists": True},
        {"id": "2501.99993", "title": "Cows", "abstract": None},
        {"id": third, "title": "Drawn Before", "abstract": "By someone."},
        {"id": fourth, "title": "Drawn Now", "abstract": "By someone."},
    ]
    path = tmp_path / "records.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    monkeypatch.chdir(REPOSITORY)
    monkeypatch.setattr(sys, "argv", ["laconic", "tagger", "--records", str(path), "--draw", "4"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [
        {"id": name, "stratum": "rest"} for name in sorted(["2501.99991", fourth])
    ]


def test_ambiguous_papers_have_the_conflicts_they_are_named_for() -> None:
    labels = labelled.load(REPOSITORY)
    assert len(labels.ambiguous) == 9
    conflicting = [key for key in labels.ambiguous if len({c.form for c in labels.claims.get(key, []) if c.form}) > 1]
    assert len(conflicting) >= 5


def test_a_list_counts_once_and_a_tie_gives_no_label() -> None:
    def claim(name: str, form: str, scope: str = "in") -> labelled.Claim:
        return labelled.Claim(name, "h", form, scope)

    claims = {
        "a": [claim("x", "explicit"), claim("x", "explicit"), claim("y", "implicit")],
        "b": [claim("x", "adjacent", "borderline")],
    }
    labels = labelled.Labels([], claims, {})
    assert labels.form("a") is None
    assert labels.form("a", without="y") == "explicit"
    assert labels.form("b") is None
    assert labels.form("b", in_scope=False) == "adjacent"
    assert labels.scope("b") == "borderline"


# --- training --------------------------------------------------------------------------------------------------------


def test_training_twice_gives_the_same_bytes_and_numpy_agrees() -> None:
    pytest.importorskip("sklearn")
    from scripts import _tagger_training as training
    from scripts.tagger import as_text

    texts = [SHORTER, LATENT, SPECULATIVE] * 3
    labels = ["explicit", "implicit", "adjacent"] * 3
    found = [linear_model.features(SHIPPED.read(*text)) for text in texts]
    once, again = (training.fit(some, labels, ["explicit", "implicit", "adjacent"]) for some in (found, [set(f) for f in found]))
    assert as_text({"version": 1, "form": once, "scope": once}) == as_text({"version": 1, "form": again, "scope": again})
    model = linear_model.from_json(1, json.loads(json.dumps({"form": once})))
    for features, label in zip(found, labels):
        assert model.ask("form", features) == label
        assert sum(model.heads["form"](model.known(features))[0].values()) == pytest.approx(1)


def test_shipped_record_and_model_belong_together() -> None:
    record = json.loads((REPOSITORY / "catalog" / "tagger_record.json").read_text("utf-8"))
    labels = labelled.load(REPOSITORY)
    assert set(record["form"]["ambiguous"]) == set(labels.ambiguous)
    table = record["form"]["cross_validation"]["table"]
    assert sum(map(sum, table)) == sum(record["form"]["used"].values())
    assert [sum(row) for row in table] == list(record["form"]["used"].values())
    assert sum(map(sum, record["scope"]["by_reading"]["table"])) == record["scope"]["by_reading"]["n"]
    assert set(SHIPPED.model.heads) == {"scope", "form"}
    tree = taxonomy.load(REPOSITORY)
    assert set(SHIPPED.model.heads["scope"].classes) == {node.id for node in tree.children("scope")}
