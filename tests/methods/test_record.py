"""Records know the code and checkpoints behind them, and are written whole."""

import json
from pathlib import Path

import pytest

from methods.kit import record

ROOT = Path(__file__).parents[2]
SLUGS = [path.name for path in (ROOT / "methods").glob("[!_]*.py")]
# A contributed record cannot be made again without its model: the site marks one whose code has changed.
RESULTS = sorted(path for path in (ROOT / "methods" / "results").rglob("*.json") if path.parent.name != "contributed")


def lay_out(root: Path) -> Path:
    (root / "methods" / "kit").mkdir(parents=True)
    (root / "methods" / "kit" / "near.py").write_text('"""Near."""\nfrom methods.kit import far\nfrom methods.kit.far import x\n')
    (root / "methods" / "kit" / "far.py").write_text("x = 1\n")
    (root / "methods" / "new.py").write_text(
        '"""New."""\nfrom methods.kit.near import x\n\n\ndef f():\n    """Doc."""\n    return x\n'
    )
    (root / "zoo").mkdir()
    (root / "zoo" / "model.safetensors").write_bytes(b"weights")
    return root / "methods" / "new.py"


def test_inputs_reach_through_imports_and_notice_change(tmp_path: Path) -> None:
    file = lay_out(tmp_path)
    made = {"inputs": record.inputs(tmp_path, [file], [tmp_path / "zoo"])}
    assert list(made["inputs"]) == ["methods/kit/far.py", "methods/kit/near.py", "methods/new.py", "zoo/model.safetensors"]
    assert record.changed(made, tmp_path) == []
    (tmp_path / "methods" / "kit" / "far.py").write_text("x = 2\n")
    (tmp_path / "zoo" / "model.safetensors").write_bytes(b"others")
    assert record.changed(made, tmp_path) == ["methods/kit/far.py", "zoo/model.safetensors"]


def test_a_checkpoint_that_is_not_shipped_may_be_missing_but_not_another(tmp_path: Path) -> None:
    digests = {f"methods/zoo/chains/{name}/model.safetensors": "0" * 64 for name in ("long", "long-seed1", "x/own-seed12/x")}
    made = {"inputs": digests}
    assert record.changed(made, tmp_path) == ["methods/zoo/chains/long/model.safetensors"]
    for name in digests:
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(b"others")
    assert record.changed(made, tmp_path) == list(digests)


def test_a_module_imported_by_name_from_its_package_is_reached(tmp_path: Path) -> None:
    lay_out(tmp_path)
    (tmp_path / "methods" / "kit" / "near.py").write_text("from methods.kit import far as away\n")
    assert record.reached(tmp_path / "methods" / "kit" / "near.py", tmp_path) == {
        tmp_path / "methods" / "kit" / name for name in ("near.py", "far.py")
    }


def test_every_module_of_the_lab_is_reached_by_a_record(root: Path) -> None:
    """All but what only the scripts use: a change in any of them must be noticed."""
    names = ("kit/comparison.py", "kit/gates.py", "kit/tasks/chains.py", "kit/tasks/search.py", *SLUGS)
    reached = {path for name in names for path in record.reached(root / "methods" / name, root)}
    assert {path.stem for path in (root / "methods" / "kit").glob("*.py")} - {path.stem for path in reached} == {
        "__init__",
        "replay",
    }


def test_wording_is_not_behaviour(tmp_path: Path) -> None:
    file = lay_out(tmp_path)
    before = record.code_hash(file)
    file.write_text('"""Newer words."""\nfrom methods.kit.near import x  # why\n\n\ndef f():\n    return x\n')
    assert record.code_hash(file) == before
    file.write_text(file.read_text().replace("return x", "return x + 0"))
    assert record.code_hash(file) != before


def test_a_failed_write_leaves_the_old_record(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    record.write(path, {"a": 1})
    with pytest.raises(TypeError):
        record.write(path, {"a": object()})
    assert json.loads(path.read_text()) == {"a": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["r.json"]


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_committed_records_are_current(path: Path, root: Path) -> None:
    stale = record.changed(json.loads(path.read_text("utf-8")), root)
    assert not stale, f"{path.name} was measured with other code or checkpoints: run `laconic bench` again; changed: {stale}"
