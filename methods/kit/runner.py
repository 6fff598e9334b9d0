"""Runs one method over problems under the meter, and grades what it wrote."""

import importlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from methods.kit.errors import Refused
from methods.kit.family import Problem
from methods.kit.meter import Meter
from methods.kit.method import Output
from methods.kit.models import Models, Role

GOES = 3
COUNTED = ("prompt", "thinking", "answer", "probe", "latent")


@dataclass
class Measured:
    """One arm on one zoo seed: values a problem by metric, and the outputs behind them."""

    values: dict[str, np.ndarray]
    outputs: list[Output]
    role: Role = field(repr=False)


def method_names(root: Path) -> list[str]:
    """The folder is the list."""
    return sorted(path.stem for path in (root / "methods").glob("[!_]*.py"))


def load_method(slug: str, root: Path) -> ModuleType:
    """Raises `Refused` (exit 2) for a name that has no file."""
    names = method_names(root)
    if slug not in names:
        from difflib import get_close_matches

        close = get_close_matches(slug, names, n=1, cutoff=0.5)
        hint = f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(names)}"
        raise Refused(f"methods/{slug}.py: no such method{hint}", exit_code=2)
    return importlib.import_module(f"methods.{slug}")


def home(method: ModuleType) -> str:
    """The family of tasks a method's own record is measured on."""
    return str(getattr(method, "TASK", "chains"))


def read_answer(role: Role, output: Output, budget_tokens: int) -> str:
    """The text after the closing delimiter, as far as its token budget reaches."""
    ids = output.written("answer")[:budget_tokens]
    return role.decode([i for i in ids if i not in (role.eos_id, role.pad_id)]).strip()


def answer_room(role: Role, problem: Problem) -> int:
    """Tokens of the longest possible answer and its end mark. Raises `Refused` where this problem's own would be cut or garbled."""
    ids, most = role.encode(problem.answer), len(role.encode(problem.longest_answer))
    if len(ids) > most:
        raise Refused(
            f"{role.name}: its tokenizer splits the answer {problem.answer!r} into {len(ids)} tokens, more than the budget "
            f"of {most} that {problem.longest_answer!r} takes"
        )
    if role.decode(ids).split() != problem.answer.split():
        raise Refused(f"{role.name}: its tokenizer turns the answer {problem.answer!r} into {role.decode(ids)!r}")
    return most + 1


def check_context(role: Role, prompts: Sequence[list[int]], thinking: int, answer: int) -> None:
    """Raises `Refused` where a prompt, the thinking allowed and an answer do not fit in the model's context."""
    most = getattr(getattr(role.model, "config", None), "max_position_embeddings", None)
    longest = max(map(len, prompts))
    if most is not None and longest + thinking + answer > most:
        raise Refused(
            f"{role.name}: config key max_position_embeddings = {most}: too short for a prompt of {longest} tokens, {thinking} of "
            f"thinking and {answer} of answer"
        )


def batched(problems: Sequence[Problem], size: int) -> Iterator[list[int]]:
    """Indices of problems of one level at a time, so that a batch has rows of like length."""
    for level in sorted({problem.level for problem in problems}):
        own = [i for i, problem in enumerate(problems) if problem.level == level]
        yield from (own[i : i + size] for i in range(0, len(own), size))


def measure(
    method: ModuleType,
    models: Models,
    config: Any,
    problems: Sequence[Problem],
    seed: int,
    budgets: np.ndarray | None = None,
    batch: int = 200,
) -> Measured:
    """Generates for every problem under the meter and grades. `budgets` (N,) closes each problem's thinking after so many tokens.

    Raises `AssertionError` if the labels of any row do not add up to the positions the meter saw plus the last token of each
    run of writing, which is read by nobody.
    """
    role = next(role for role in models.values() if role.tokenizer is not None)
    columns: dict[str, np.ndarray] = {}
    outputs: list[Output | None] = [None] * len(problems)
    rooms = [answer_room(role, problem) for problem in problems]
    thinking = getattr(config, "most_thinking_tokens", 0)
    check_context(role, [role.prompt(problem.question) for problem in problems], thinking, max(rooms))

    def put(name: str, rows: list[int], values: Any) -> None:
        columns.setdefault(name, np.zeros(len(problems)))[rows] = values

    for rows in batched(problems, batch):
        meter = Meter(len(rows))
        if budgets is not None:
            config = replace(config, budgets=tuple(int(budget) for budget in budgets[rows]))
        with meter.watching(models):
            made = method.generate(models, [problems[i].prompt for i in rows], config, seed)
        for i, output in zip(rows, made, strict=True):
            outputs[i] = output
        put("accuracy", rows, [problems[i].solved_by(read_answer(role, o, rooms[i])) for i, o in zip(rows, made, strict=True)])
        for label in COUNTED:
            name = "latent_positions" if label == "latent" else f"{label}_tokens"
            put(name, rows, [output.count(label) for output in made])
        put("tokens", rows, [len(output.ids) - output.count("prompt") for output in made])
        if role.server is not None:  # what is computed elsewhere is not metered, so it is not in the record
            continue
        for row, output, seen in zip(rows, made, meter.positions.numpy(), strict=True):
            unread = len(output.ids) - int(seen)
            assert unread == output.unread, f"problem {row}: {len(output.ids)} labelled, {int(seen)} metered"
        for name in ("forward_passes", "flops", "peak_context_tokens", "cache_bytes"):
            put(name, rows, getattr(meter, name).numpy())
    return Measured(columns, [output for output in outputs if output is not None], role)


def latency_s(method: ModuleType, models: Models, config: Any, problems: Sequence[Problem], seed: int) -> np.ndarray:
    """Seconds a problem, one at a time, the least of several goes after one to warm up. On a CPU they are processor seconds,
    which other work on the machine disturbs less; by the clock where the work is done elsewhere."""
    role = next(iter(models.values()))
    clock = time.process_time if role.server is None and role.device.type == "cpu" else time.perf_counter
    method.generate(models, [problems[0].prompt], config, seed)
    taken = []
    for problem in problems:
        goes = []
        for _ in range(GOES):
            started = clock()
            method.generate(models, [problem.prompt], config, seed)
            goes.append(clock() - started)
        taken.append(min(goes))
    return np.array(taken)


def spelled(output: Output, role: Role, task: Any) -> list[dict[str, str]]:
    """Positions after the prompt as text, kind and label."""
    after = [(i, label) for i, label in zip(output.ids, output.labels, strict=True) if label != "prompt"]
    texts = ["" if i is None else "".join(role.decode([i]).split()) or "·" for i, _ in after]
    thought = [label == "thinking" and i != role.closes_id for i, label in after]
    grammar = iter(task.kinds([text for text, own in zip(texts, thought, strict=True) if own]))
    rows = []
    for text, own, (_, label) in zip(texts, thought, after, strict=True):
        kind = next(grammar) if own else {"latent": "latent", "probe": "other"}.get(label, "answer")
        rows.append({"text": text, "kind": kind, "label": label})
    return rows
