"""A record is renewed only when changed code measures the same; other checkpoints or other outcomes ask for a full run."""

import argparse
import json
import shutil
import subprocess
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
from scripts import _renewing, bench

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
    return _renewing.renewed(path, "cot", root, shipped(root, "chains"), 1, said.append), " ".join(said)


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


@pytest.fixture
def elsewhere(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replayed: dict[str, Any]) -> Path:
    """A checkout with history, whose record was made on a processor that rounds otherwise."""
    monkeypatch.setattr(replay, "PROBLEMS", PROBLEMS)
    monkeypatch.setattr(replay, "replayed", lambda *_: replayed)  # of the code that runs here, done already
    checkout = tmp_path / "checkout"
    ignored = shutil.ignore_patterns("results", "search", "__pycache__", ".*")
    shutil.copytree(root / "methods", checkout / "methods", ignore=ignored)
    inputs = current_inputs("cot", checkout, shipped(checkout, "chains"), (0,))
    made = {"seeds": [0], "inputs": inputs, "replay": {"problems": "rounded otherwise"}}
    record.write(checkout / "methods/results/cot.json", made)
    git(checkout, "init", "-q")
    commit(checkout)
    return checkout


def git(checkout: Path, *words: str) -> str:
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    return subprocess.run(["git", "-C", str(checkout), *who, *words], check=True, capture_output=True, text=True).stdout


def commit(checkout: Path) -> None:
    git(checkout, "add", "-A", "-f")
    git(checkout, "commit", "-q", "-m", "a record")


def edit(checkout: Path, name: str, old: str, new: str) -> None:
    text = (checkout / name).read_text("utf-8")
    assert old in text
    (checkout / name).write_text(text.replace(old, new), "utf-8")


def renewed_there(checkout: Path) -> tuple[bool, str]:
    """The code that runs here is that of the repository: what changes in the checkout is what is hashed, and what was committed."""
    return renewed(checkout / "methods/results/cot.json", checkout)


def test_on_another_processor_the_code_of_the_record_is_asked(elsewhere: Path) -> None:
    edit(elsewhere, "methods/kit/decoding.py", "\nimport torch\n", "\nimport torch\n\nREWORDED = True\n")
    good, said = renewed_there(elsewhere)
    assert good, said
    assert "asking the code that was recorded" in said
    made = json.loads((elsewhere / "methods/results/cot.json").read_text())
    assert record.changed(made, elsewhere) == []
    assert made["replay"] != {"problems": "rounded otherwise"}
    assert git(elsewhere, "worktree", "list").count("\n") == 1


def test_code_that_did_something_else_is_told_on_any_processor(elsewhere: Path) -> None:
    before = (elsewhere / "methods/cot.py").read_text("utf-8")
    edit(elsewhere, "methods/cot.py", "most_thinking_tokens: int = ", "most_thinking_tokens: int = 20 or ")
    path = elsewhere / "methods/results/cot.json"
    inputs = current_inputs("cot", elsewhere, shipped(elsewhere, "chains"), (0,))
    record.write(path, json.loads(path.read_text()) | {"inputs": inputs})
    commit(elsewhere)
    (elsewhere / "methods/cot.py").write_text(before, "utf-8")
    good, said = renewed_there(elsewhere)
    assert not good
    assert "its code" not in said, "it was to be had, and ran"
    assert "needs a full run" in said


def test_a_record_that_no_commit_has_says_so(elsewhere: Path) -> None:
    edit(elsewhere, "methods/kit/decoding.py", "\nimport torch\n", "\nimport torch\n\nREWORDED = True\n")
    edit(elsewhere, "methods/results/cot.json", '"methods/cot.py": "', '"methods/cot.py": "0')
    good, said = renewed_there(elsewhere)
    assert not good
    assert "methods/cot.py were not what was recorded" in said


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
