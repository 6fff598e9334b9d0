"""What every method file must be, on the lab's models and on checkpoints as users have them."""

import ast
import importlib
import inspect
import json
from dataclasses import fields, is_dataclass, replace
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from methods.kit.errors import Refused
from methods.kit.guests import Guest
from methods.kit.models import load
from methods.kit.runner import home, load_method, measure, method_names
from methods.kit.tasks import chains
from methods.kit.zoo import Zoo, load_models, shipped, train_method

ROOT = Path(__file__).parents[2]
SLUGS = method_names(ROOT)
SHORT = {
    "steps": 2,
    "encoder_steps": 2,
    "chains": 150,
    "problems": 60,
    "samples": 2,
    "rounds": 2,
    "plain_rounds": 1,
    "steps_a_stage": 1,
    "last_stage_factor": 1,
    "stages": 2,
    "batch": 4,
}


def short(config: Any) -> Any:
    """The same config with a training short enough for a test, and few enough tokens."""
    own = {field.name for field in fields(config)}
    return replace(config, **{key: value for key, value in {**SHORT, "most_thinking_tokens": 16}.items() if key in own})


@pytest.fixture(params=SLUGS)
def method(request: pytest.FixtureRequest) -> ModuleType:
    return importlib.import_module(f"methods.{request.param}")


def test_has_the_names(method: ModuleType) -> None:
    assert isinstance(method.ROLES, tuple)
    assert method.NEEDS in ("text", "logits", "weights")
    assert "" in method.ARMS
    assert all(is_dataclass(config) for config in method.ARMS.values())
    assert list(inspect.signature(method.generate).parameters) == ["models", "prompts", "config", "seed"]
    if hasattr(method, "prepare"):
        assert list(inspect.signature(method.prepare).parameters) == ["models", "data", "config", "seed"]
        assert method.FROM
        assert {method.checkpoint(config) for config in method.ARMS.values()}


def test_configs_are_frozen(method: ModuleType) -> None:
    assert method.Config.__dataclass_params__.frozen


def test_claims_are_whole(method: ModuleType) -> None:
    ids = [claim.id for claim in method.CLAIMS]
    assert len(set(ids)) == len(ids)
    assert [claim.primary for claim in method.CLAIMS].count(True) == 1
    assert all(claim.because and claim.text and claim.needs for claim in method.CLAIMS)


def test_header_names_the_parts_a_page_shows(method: ModuleType) -> None:
    for part in ("Paper:", "Idea:", "Kept:", "Left out:"):
        assert part in (method.__doc__ or ""), part


def test_imports_only_the_kit(method: ModuleType) -> None:
    tree = ast.parse(inspect.getsource(method))
    names = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    names += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    for name in names:
        assert not name.startswith(("catalog", "scripts")), name
        assert not name.startswith("methods") or name.startswith("methods.kit"), name
        assert not any(part.startswith("_") for part in name.split(".") if part != "__future__"), name


def test_runs_on_checkpoints_as_users_have_them(method: ModuleType, bpe_checkpoint: Path, monkeypatch: Any, tmp_path: Path) -> None:
    """Training where it trains, then every arm, metered and graded: labels must add up to what the meter saw."""
    slug = method.__name__.rpartition(".")[2]
    monkeypatch.setattr(method, "ARMS", {arm: short(config) for arm, config in method.ARMS.items()})
    zoo = Zoo("chains", tmp_path, tmp_path, model=Guest("tiny", bpe_checkpoint, "", batch=4))
    if hasattr(method, "prepare"):
        train_method(slug, method, zoo, 0, lambda _: None)
    problems = [problem for level in (1, 3) for problem in chains.draws("test", level, 0, 3)]
    for config in method.ARMS.values():
        models = load_models(zoo, method, config, 0)
        done = measure(method, models, config, problems, 0)
        assert len(done.outputs) == 6
        assert (done.values["flops"] > 0).all()


def test_same_seed_same_output(method: ModuleType) -> None:
    zoo = shipped(ROOT, home(method))
    models = load_models(zoo, method, method.ARMS[""], 0)
    prompts = [problem.prompt for problem in zoo.task.draws("dev", 3, 0, 4)]
    first, second = (method.generate(models, prompts, method.ARMS[""], 7) for _ in range(2))
    assert [output.ids for output in first] == [output.ids for output in second]


def test_unknown_slug_names_the_nearest() -> None:
    with pytest.raises(Refused, match="did you mean 'coconut'") as refused:
        load_method("cocnut", ROOT)
    assert refused.value.exit_code == 2


def test_a_missing_checkpoint_names_its_folder(tmp_path: Path) -> None:
    for slug in SLUGS:
        method = load_method(slug, ROOT)
        with pytest.raises(Refused, match=str(tmp_path)):
            load_models(Zoo(home(method), tmp_path, tmp_path), method, method.ARMS[""], 0)


@pytest.mark.parametrize("damage", ["cut", "not json", "no delimiter", "sliding window"])
def test_a_damaged_checkpoint_is_refused_in_one_line(bpe_checkpoint: Path, tmp_path: Path, damage: str) -> None:
    for file in bpe_checkpoint.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    if damage == "cut":
        weights = tmp_path / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:-100])
    elif damage == "not json":
        (tmp_path / "config.json").write_text("{")
    elif damage == "no delimiter":
        tokenizer = tmp_path / "tokenizer.json"
        tokenizer.write_text(tokenizer.read_text().replace("think>", "thunk>"))
    else:
        config = json.loads((tmp_path / "config.json").read_text())
        config |= {"sliding_window": 8, "use_sliding_window": True, "max_window_layers": 0, "layer_types": None}
        (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(Refused, match=str(tmp_path)) as refused:
        load("long", tmp_path)
    assert "\n" not in str(refused.value)


def test_items_give_methods_surface_text_only() -> None:
    item = next(islice(chains.items(0), 1))
    assert {field.name for field in fields(item)} == {"question", "steps", "answer", "longest_answer"}
