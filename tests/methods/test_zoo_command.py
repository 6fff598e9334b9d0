"""`laconic zoo` on the command line: what it refuses, and a course of another length."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from catalog.errors import Refused
from methods.kit import zoo as kit_zoo
from methods.kit.tasks import chains
from scripts import __main__ as laconic


@pytest.mark.parametrize(
    "words", [["--steps", "9"], ["start", "long", "--steps", "9"], ["token_skip", "--steps", "9"], ["start", "--steps", "0"]]
)
def test_a_length_is_that_of_one_shared_checkpoint(words: list[str]) -> None:
    with pytest.raises(Refused, match="--steps"):
        laconic.run(["zoo", *words])


def test_a_course_of_another_length_is_told_by_its_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    monkeypatch.setattr(chains, "COURSES", dict(chains.COURSES))
    monkeypatch.setattr(kit_zoo, "shipped", lambda _, task: kit_zoo.Zoo(task, tmp_path, tmp_path))
    monkeypatch.setattr(kit_zoo, "dev_accuracy", lambda *_, **__: {"1": 0.0})
    monkeypatch.setattr(kit_zoo, "Recipe", lambda **given: replace(RECIPE, **given))
    assert laconic.run(["zoo", "start", "--steps", "2", "--seed", "4"]) == 0
    made = json.loads((tmp_path / "start-seed4" / "training.json").read_text())
    assert made["recipe"]["steps"] == 2
    assert made["cost"]["steps"] == 2


RECIPE = kit_zoo.Recipe(steps=1, batch=2)
