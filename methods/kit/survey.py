"""What calibration looks at: the shared checkpoints of one seed over the test problems, whole, cut short and sampled."""

import json
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch

from methods import cot, direct
from methods.kit import family
from methods.kit.decoding import decode
from methods.kit.method import Output, split_answer
from methods.kit.models import Role
from methods.kit.parts import test_problems
from methods.kit.runner import Measured, measure, read_answer
from methods.kit.zoo import Zoo, load_bases, training_flops

SAMPLES, SAMPLED_PROBLEMS = 16, 60  # of one problem; problems a level
RARE, RARE_PROBLEMS = {"stretch": "STRETCH", "structure": "STRUCTURE"}, 500
CHECKS = ("verify", "error")  # a check confirms, or finds a dead end


@dataclass(frozen=True)
class Seen:
    """What one seed's checkpoints made of the test problems: arm → metric → values. `training`: what it took to make them."""

    tables: dict[str, dict[str, np.ndarray]]
    training: dict[str, Any]


def survey(zoo: Zoo, seed: int, per_level: int) -> Seen:
    """Runs one seed's shared checkpoints over the test problems."""
    task = zoo.task
    bases, _ = load_bases(zoo, tuple(task.COURSES), seed)
    problems = test_problems(task, per_level)

    def over(method: ModuleType, role: str, seat: str, budgets: np.ndarray | None = None) -> Measured:
        return measure(method, {seat: bases[role]}, method.ARMS[""], problems, seed, budgets=budgets)

    whole = over(cot, "long", "long")
    thinking = whole.values["thinking_tokens"] - 1  # without the delimiter
    kinds = [kinds_of(output, whole.role, task) for output in whole.outputs]
    exits = np.array([max((i + 1 for i, kind in enumerate(own) if kind == "step"), default=len(own)) for own in kinds])
    checks = np.array([next((i for i, kind in enumerate(own) if kind in CHECKS), len(own)) for own in kinds])
    tables = {
        "direct": over(direct, "direct", "direct").values,
        "start": over(cot, "start", "long").values,
        "long": whole.values,
        "halved": over(cot, "long", "long", budgets=thinking // 2).values,
        "exit": over(cot, "long", "long", budgets=exits).values,
        "unchecked": over(cot, "long", "long", budgets=checks).values,
    }
    if task.WORK not in tables:
        tables[task.WORK] = over(cot, task.WORK, "long").values
    for name, level in RARE.items():
        rare = task.draws("test", getattr(task, level), 0, RARE_PROBLEMS)
        tables[name] = measure(cot, {"long": bases["long"]}, cot.ARMS[""], rare, seed).values
    for level in task.LEVELS:
        tables[f"samples k={level}"] = sample(bases["long"], [problem for problem in problems if problem.level == level])
    training = json.loads((zoo.base("direct", seed) / "training.json").read_text("utf-8"))
    history = [row for row in training["history"] if "dev_accuracy" in row]
    flops = {role: training_flops([zoo.base(role, seed)]) for role in (task.WORK, "long")}
    training = {"flops": flops, "direct": {"steps": training["recipe"]["steps"], "history": history}}
    return Seen(tables, training)


def kinds_of(output: Output, role: Role, task: ModuleType) -> list[str]:
    """The kind of each thinking token, the delimiter left out."""
    words = [role.decode([token]) for token in output.written("thinking")]
    return list(task.kinds([word for word in words if word != family.CLOSES]))


def sample(role: Role, problems: list[family.Problem]) -> dict[str, np.ndarray]:
    """16 sampled chains for each of the first problems: thinking and answer tokens (N, 16), and whether each was right (N, 16)."""
    problems = problems[:SAMPLED_PROBLEMS]
    rows = [role.prompt(problem.question) for problem in problems for _ in range(SAMPLES)]
    generator = torch.Generator().manual_seed(problems[0].level)
    most = cot.Config().most_thinking_tokens
    written = decode(role, rows, [role.eos_id], most, temperature=1.0, generator=generator)
    tokens = np.array([len(ids) for ids in written], float).reshape(-1, SAMPLES)
    right = np.array(
        [
            read_answer(role, Output(list(parts[1][0]), ["answer"] * len(parts[1][0])), 3) == problem.answer
            for problem, parts in zip((p for p in problems for _ in range(SAMPLES)), (split_answer(role, ids) for ids in written))
        ]
    ).reshape(-1, SAMPLES)
    return {"tokens": tokens, "right": right.astype(float)}


def keep(seen: Seen, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    flat = {f"{arm}|{metric}": values for arm, table in seen.tables.items() for metric, values in table.items()}
    with unfinished.open("wb") as file:
        np.savez(file, _training=np.array(json.dumps(seen.training)), **flat)  # type: ignore[arg-type]
    unfinished.replace(path)


def kept(path: Path) -> Seen:
    tables: dict[str, dict[str, np.ndarray]] = {}
    with np.load(path, allow_pickle=False) as file:
        for name in file.files:
            arm, _, metric = name.partition("|")
            if metric:
                tables.setdefault(arm, {})[metric] = file[name]
        return Seen(tables, json.loads(str(file["_training"])))
