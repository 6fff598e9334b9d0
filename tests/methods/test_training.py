"""Training: interrupted, it goes on to the same weights; its cost counts passes back and forth; what cannot go on says so."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from methods.kit import training, zoo
from methods.kit.errors import Refused
from methods.kit.models import Role, copy_of
from methods.kit.tasks import chains
from methods.kit.training import Cost, Example, Recipe, resumable, supervised, train

RECIPE = Recipe(7, batch=2, warm_up=2)


@pytest.fixture(autouse=True)
def kept_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "KEPT_EVERY", 2)


def examples(role: Role, breaks_at: int = -1) -> Iterator[Example]:
    for i, item in enumerate(chains.items(0)):
        if i == breaks_at:
            raise KeyboardInterrupt
        yield supervised(role.prompt(item.question), role.encode(" ".join(item.steps)))


def trained(reasoner: Role, folder: Path | None = None, breaks_at: int = -1) -> tuple[Role, Cost]:
    role = copy_of(reasoner, "again")
    if folder is None:
        return role, train(role, examples(role), RECIPE, seed=0)
    with resumable(folder):
        steps = iter(range(RECIPE.steps))

        def watch(step: int, loss: float) -> None:
            if next(steps) == breaks_at:
                raise KeyboardInterrupt

        return role, train(role, examples(role), RECIPE, 0, watch, every=1)


@pytest.mark.parametrize("breaks_at", [0, 3, 4])
def test_interrupted_it_ends_with_the_same_weights(reasoner: Role, tmp_path: Path, breaks_at: int) -> None:
    whole, cost = trained(reasoner)
    with pytest.raises(KeyboardInterrupt):
        trained(reasoner, tmp_path / "kept", breaks_at)
    resumed, again = trained(reasoner, tmp_path / "kept")
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name
    assert (again.steps, again.tokens, again.flops) == (cost.steps, cost.tokens, cost.flops)
    assert not (tmp_path / "kept").exists()


def test_trainings_in_a_row_go_on_at_the_one_that_broke_off(reasoner: Role, tmp_path: Path) -> None:
    first, second = copy_of(reasoner, "first"), copy_of(reasoner, "second")

    def both() -> None:
        with resumable(tmp_path / "kept"):
            train(first, examples(first), RECIPE, 0)
            train(second, examples(second, breaks_at=20), RECIPE, 0)

    with pytest.raises(KeyboardInterrupt):
        both()
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["0.safetensors"]
    again, seen = copy_of(reasoner, "first"), list[int]()
    with resumable(tmp_path / "kept"):
        cost = train(again, examples(again), RECIPE, 0, lambda step, _: seen.append(step), every=1)
    assert seen == []  # it was done
    assert cost.steps == RECIPE.steps
    assert all(torch.equal(value, again.model.state_dict()[name]) for name, value in first.model.state_dict().items())


@pytest.mark.parametrize("damage", ["cut", "other shape"])
def test_a_state_that_does_not_fit_names_the_folder(reasoner: Role, tmp_path: Path, damage: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        trained(reasoner, tmp_path / "kept", breaks_at=3)
    path = tmp_path / "kept" / "0.safetensors"
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-50])
    else:
        reasoner.model.resize_token_embeddings(70)  # type: ignore[operator]
    with pytest.raises(Refused, match="cannot go on from it") as refused:
        trained(reasoner, tmp_path / "kept")
    assert str(tmp_path / "kept") in str(refused.value)
    assert "\n" not in str(refused.value)


def test_going_back_costs_twice_going_forth(reasoner: Role) -> None:
    role = copy_of(reasoner, "again")
    cost = train(role, examples(role), Recipe(1, batch=2), seed=0)
    with torch.no_grad():
        frozen = copy_of(reasoner, "frozen")
        meter = training.Meter(2)
        ids = torch.tensor([[5, 6, 7]])
        with meter.watching({"frozen": frozen}):
            frozen.model(input_ids=ids, use_cache=False)
        assert float(meter.backward_flops.sum()) == 0
    assert cost.flops > 0
    with meter.watching({"frozen": frozen}):
        frozen.model(input_ids=ids, use_cache=False)
    assert float(meter.backward_flops.sum()) == float(meter.flops.sum())  # two passes forth, one back


def test_a_checkpoint_goes_on_with_its_history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `laconic zoo` trains: begun, broken off, begun again; the record has the readings of both halves, and nothing is left."""
    course = replace(chains.COURSES["start"], steps=5)
    monkeypatch.setitem(chains.COURSES, "start", course)
    monkeypatch.setattr(zoo, "dev_accuracy", lambda *_, **__: {"1": 0.0})
    monkeypatch.setattr(zoo, "train", at_every_step)
    place, said = zoo.Zoo("chains", tmp_path, tmp_path), list[str]()

    def breaks_off(text: str) -> None:
        said.append(text)
        if len(said) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        zoo.train_base("start", place, 0, breaks_off)
    assert not (tmp_path / "start").exists()
    again = list[str]()
    zoo.train_base("start", place, 0, again.append)
    made = json.loads((tmp_path / "start" / "training.json").read_text())
    assert [row["step"] for row in made["history"]] == [0, 1, 2, 3, 4]
    assert len(again) == 3 + 1  # from the state kept after step 1; the last line says how it went
    assert [path.name for path in tmp_path.iterdir()] == ["start"]


def at_every_step(role: Role, source: Iterator[Example], recipe: Recipe, seed: int, watch: Any, every: int) -> Cost:
    return train(role, source, replace(recipe, batch=2), seed, watch, every=1)
