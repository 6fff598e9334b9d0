"""Labels given by reading: whole, by the rule's three names, and the agreement of readers that the page on tagging prints."""

import json
from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from scripts._tagger_validation import FRESH

ROOT = Path(__file__).parents[2]
SCOPES = {"in", "borderline", "out"}
PAGE = (ROOT / "site" / "docs" / "tagging.md").read_text("utf-8")


def rows(path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (ROOT / path).read_text("utf-8").splitlines()]


READINGS = rows("catalog/tagger_readings.jsonl")
READERS = rows("tests/fixtures/scope_readers.jsonl")


def agreement(one: Sequence[str], other: Sequence[str]) -> float:
    """F1 of `in`, one counted as right."""
    both = sum(a == b == "in" for a, b in zip(one, other, strict=True))
    return 2 * both / (list(one).count("in") + list(other).count("in"))


def test_readings_are_whole() -> None:
    assert [row["id"] for row in READINGS] == sorted({row["id"] for row in READINGS})
    assert all(row["scope"] in SCOPES for row in READINGS)
    assert all(row["sentences"] == sorted(set(row["sentences"])) for row in READINGS)
    assert f"`{len(READINGS)}` records were read anew" in PAGE


def test_the_last_samples_are_not_among_what_can_be_learned_from() -> None:
    last = {row["id"] for row in READERS if row["sample"] in FRESH}
    assert len(last) == 400
    assert not last & {row["id"] for row in READINGS}


def test_the_fresh_samples_were_asked_of_a_model_that_had_none_of_them() -> None:
    scope = json.loads((ROOT / "catalog" / "tagger_record.json").read_text("utf-8"))["scope"]
    examples = {row["id"] for row in rows("catalog/tagger_examples.jsonl")}
    among = {row["id"] for row in READERS if row["sample"] in FRESH} & examples
    assert len(among) > 200
    assert scope["fresh_samples"]["learned_from"] == sum(scope["used"].values()) - len(among)


def test_the_fresh_samples_came_out_as_the_page_says() -> None:
    record = json.loads((ROOT / "catalog" / "tagger_record.json").read_text("utf-8"))["scope"]["fresh_samples"]
    for sample in FRESH:
        one, other = record[f"sample {sample}"]
        assert f"| `{one['in_f1']:.3f}` | `{one['low']:.3f}`–`{one['high']:.3f}` |" in PAGE
        for reader, judged in enumerate((one, other)):
            labels = Counter(row["readers"][reader] for row in READERS if row["sample"] == sample)
            assert [sum(row) for row in judged["table"]] == [labels[name] for name in judged["classes"]]


def test_readers_agree_as_the_page_says() -> None:
    printed = {1: ("`0.948`, `0.949` and `0.980`", 3), 2: ("`0.826`, `0.857` and `0.905`", 3), 3: ("`0.944`", 2), 4: ("`0.980`", 2)}
    for sample, (words, readers) in printed.items():
        labels = [row["readers"][:readers] for row in READERS if row["sample"] == sample]
        assert all(set(own) <= SCOPES and len(own) == readers for own in labels)
        said = [f"`{agreement(one, other):.3f}`" for one, other in combinations(list(zip(*labels, strict=True)), 2)]
        assert all(each in words for each in said), said
        assert words in PAGE.replace("\n", " ")


def test_earlier_labels_agree_as_the_page_says() -> None:
    earlier = {row["id"]: row["scope"] for row in rows("catalog/tagger_examples.jsonl") if row["by"] != "assumed"}
    both = [row for row in READINGS if row["id"] in earlier]
    assert f"`{len(both)}` records" in PAGE
    assert f"`{agreement([earlier[row['id']] for row in both], [row['scope'] for row in both]):.3f}` over" in PAGE
