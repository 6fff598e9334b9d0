"""One core, two, a Ray cluster, another device: the same record, and an interruption that loses nothing that was finished."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from catalog.errors import Refused
from methods.kit import parts, ray_cluster
from methods.kit.comparison import arms_of, compare
from methods.kit.errors import Refused as LabRefused
from methods.kit.parts import do_all
from methods.kit.zoo import shipped
from scripts import _lab

TIMES = ("latency_ratio",)


def figures(made: dict[str, Any]) -> str:
    """A record but for times."""
    results = {key: {name: cell for name, cell in own.items() if name not in TIMES} for key, own in made["results"].items()}
    return json.dumps({**made, "results": results})


def record_on(root: Path, workers: int, on: str) -> dict[str, Any]:
    zoo = shipped(root, "chains")
    return compare("token_skip", root, zoo, per_level=1, date="", command="", gates=dict, workers=workers, on=on)


@pytest.fixture(scope="module")
def alone(root: Path) -> dict[str, Any]:
    return record_on(root, 1, "local")


@pytest.fixture
def cluster(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One that is there already, as a group's own is: both rounds of parts find the same workers."""
    ray = pytest.importorskip("ray")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    ray.init(num_cpus=2, object_store_memory=100_000_000, include_dashboard=False, log_to_driver=False,
             runtime_env={"env_vars": {"PYTHONPATH": str(root)}})  # fmt: skip
    yield
    ray.shutdown()


def test_a_trained_method_has_its_rivals_beside_it(alone: dict[str, Any]) -> None:
    assert {"cot", "direct", "bare", "fs_bon", "token_skip", "token_skip@truncated"} <= alone["results"].keys()


def test_two_processes_make_the_same_record(root: Path, alone: dict[str, Any]) -> None:
    assert figures(record_on(root, 2, "local")) == figures(alone)


def test_a_ray_cluster_makes_the_same_record(root: Path, alone: dict[str, Any], cluster: None) -> None:
    assert figures(record_on(root, 2, "ray")) == figures(alone)


def test_what_a_part_is_refused_for_comes_through_ray(root: Path, tmp_path: Path) -> None:
    """In its own words, through a cluster of the bench's own; parts done before it are kept."""
    pytest.importorskip("ray")
    zoo = shipped(root, "chains")
    good, bad = arms_of("direct", root, zoo, 0, 1), arms_of("direct", root, zoo, 7, 1)
    with pytest.raises(LabRefused, match=r"direct-seed7: no checkpoint for role 'direct'"):
        do_all([*good, *bad], 1, tmp_path, lambda _: None, on="ray")


def test_without_ray_it_says_what_to_install(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_cluster, "find_spec", lambda name: None)
    with pytest.raises(LabRefused, match="Ray is not installed: pip install"):
        do_all(arms_of("direct", root, shipped(root, "chains"), 0, 1), 1, None, lambda _: None, on="ray")


def test_a_device_that_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    for asked, said in (
        ("cuda", "sees 0 GPUs"),
        ("cuda:3", "sees 0 GPUs"),
        ("tpu", "must be cpu, cuda"),
        ("mps", "must be cpu, cuda"),
    ):
        with pytest.raises(Refused, match=said) as refused:
            _lab.device(asked)
        assert refused.value.exit_code == 2
    assert _lab.device("cpu") == "cpu"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_a_gpu_makes_a_record_that_says_so(root: Path) -> None:
    from dataclasses import replace

    made = compare("deer", root, replace(shipped(root, "search"), device="cuda"), per_level=2, date="", command="", gates=dict)
    assert made["device"].startswith("cuda (")


BENCH = """
import sys
from methods.kit import comparison, replay
comparison.FULL = 60
replay.PROBLEMS = 1
sys.argv = ["laconic", "bench", "cot", "--workers", "2"]
from scripts.__main__ import main
if __name__ == "__main__":
    main()
"""


@pytest.fixture
def checkout(root: Path, tmp_path: Path) -> Path:
    """A copy with an empty results folder, so that nothing is written here."""
    (tmp_path / "catalog").mkdir()
    (tmp_path / "catalog" / "taxonomy.toml").touch()
    ignore = shutil.ignore_patterns("results", "__pycache__", ".*")
    shutil.copytree(root / "methods", tmp_path / "methods", ignore=ignore)
    (tmp_path / "bench.py").write_text(BENCH)
    return tmp_path


def start(checkout: Path, root: Path) -> "subprocess.Popen[str]":
    environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(checkout / "bench.py")]
    return subprocess.Popen(command, cwd=checkout, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True)


def test_ctrl_c_in_the_middle_of_a_bench_keeps_what_was_finished(checkout: Path, root: Path) -> None:
    """The terminal sends the signal to parent and workers alike. The same command then goes on from there."""
    process = start(checkout, root)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("1 of 3"):
            break
    os.killpg(process.pid, signal.SIGINT)
    began = time.monotonic()
    said = process.stderr.read()
    assert process.wait(timeout=60) == 130
    assert time.monotonic() - began < 30
    assert said.strip().splitlines()[-1] == "interrupted; what was finished is kept"
    assert "Traceback" not in said
    assert len(list((checkout / "build" / "bench").glob("*.npz"))) == 1
    assert not list((checkout / "methods").rglob("results/*"))
    (done,) = (checkout / "build" / "bench").glob("*.npz")
    assert isinstance(parts.kept(done).values["tokens"], np.ndarray)
