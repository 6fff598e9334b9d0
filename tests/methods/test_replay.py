"""A record is renewed only when changed code measures the same; other checkpoints or other outcomes ask for a full run."""

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from methods import cot
from methods.kit import record, replay
from methods.kit.comparison import current_inputs
from methods.kit.models import Role
from methods.kit.tasks import chains
from methods.kit.training import Enough, Recipe, first_steps, supervised, train
from methods.kit.zoo import shipped
from scripts import bench

PROBLEMS = 6


@pytest.fixture(scope="module")
def replayed(root: Path) -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replay, "PROBLEMS", PROBLEMS)
        return replay.replayed("cot", root, shipped(root, "chains"), 0, 1)


@pytest.fixture
def written(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replayed: dict[str, Any]) -> Path:
    """A record of `cot` as `bench` leaves it, though of few problems, whose decoding code then changed."""
    monkeypatch.setattr(replay, "PROBLEMS", PROBLEMS)
    made = {"seeds": [0], "inputs": current_inputs("cot", root, shipped(root, "chains"), (0,)), "replay": replayed}
    made["inputs"]["methods/kit/decoding.py"] = "another"
    record.write(tmp_path / "cot.json", made)
    return tmp_path / "cot.json"


def renewed(path: Path, root: Path) -> tuple[bool, str]:
    said: list[str] = []
    return bench.renewed(path, "cot", root, shipped(root, "chains"), 1, said.append), " ".join(said)


def test_the_same_outcome_renews(written: Path, root: Path) -> None:
    assert record.changed(json.loads(written.read_text()), root) == ["methods/kit/decoding.py"]
    good, said = renewed(written, root)
    assert good
    assert "renewed" in said
    assert record.changed(json.loads(written.read_text()), root) == []
    assert renewed(written, root) == (True, f"{written.parent.name}/cot.json: current")


def test_another_outcome_does_not(written: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = written.read_text()
    monkeypatch.setattr(cot, "ARMS", {"": cot.Config(most_thinking_tokens=20)})
    good, said = renewed(written, root)
    assert not good
    assert "needs a full run" in said
    assert written.read_text() == before


def test_a_threshold_changed_after_the_run_does_not(written: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    monkeypatch.setattr(cot, "CLAIMS", [replace(cot.CLAIMS[0], at_least=0.0)])
    assert not renewed(written, root)[0]


def test_other_checkpoints_do_not(written: Path, root: Path) -> None:
    made = json.loads(written.read_text())
    made["inputs"]["methods/zoo/chains/long/model.safetensors"] = "another"
    record.write(written, made)
    good, said = renewed(written, root)
    assert not good
    assert "other checkpoints" in said


def test_first_steps_stops_training_and_keeps_its_losses(reasoner: Role) -> None:
    def examples() -> Any:
        for item in chains.items(0):
            yield supervised(reasoner.prompt(item.question), reasoner.encode(" ".join(item.steps)))

    def losses() -> list[float]:
        with first_steps(3) as seen, pytest.raises(Enough):
            train(reasoner, examples(), Recipe(10, batch=2), seed=0)
        return seen

    assert len(losses()) == 3
    assert train(reasoner, examples(), Recipe(1, batch=2), seed=0).steps == 1  # out there it goes on


def test_the_verb_takes_its_options() -> None:
    parser = argparse.ArgumentParser()
    bench.arguments(parser)
    assert parser.parse_args(["cot", "--verify", "--workers", "1"]).verify
