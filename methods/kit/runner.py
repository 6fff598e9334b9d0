"""Runs methods over the same problems and turns what happened into a record."""

import importlib
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from methods.kit import chains, record
from methods.kit.claims import judge
from methods.kit.errors import Refused
from methods.kit.meter import Meter
from methods.kit.method import Output
from methods.kit.models import Models, Role
from methods.kit.statistics import Interval, Means, of
from methods.kit.zoo import Zoo, load_models, training_flops

COUNTED = ("prompt", "thinking", "answer", "probe", "latent")
BASELINES = ("cot", "direct")  # in this order: rivals are cut from the chains of cot
QUICK, FULL = 40, 800  # test problems a level; level 1 has fewer than a hundred in all


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


def read_answer(role: Role, output: Output, budget_tokens: int) -> str:
    """The text after the closing delimiter, as far as its token budget reaches."""
    ids = output.written("answer")[:budget_tokens]
    return " ".join(role.decode([i for i in ids if i not in (role.eos_id, role.pad_id)]).split())


def batched(problems: list[chains.Problem], size: int) -> Iterator[list[int]]:
    """Indices of problems of one level at a time, so that a batch has rows of like length."""
    for level in sorted({problem.level for problem in problems}):
        own = [i for i, problem in enumerate(problems) if problem.level == level]
        yield from (own[i : i + size] for i in range(0, len(own), size))


def measure(
    method: ModuleType,
    models: Models,
    config: Any,
    problems: list[chains.Problem],
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

    def put(name: str, rows: list[int], values: Any) -> None:
        columns.setdefault(name, np.zeros(len(problems)))[rows] = values

    for rows in batched(problems, batch):
        meter = Meter(len(rows))
        if budgets is not None:
            config = replace(config, budgets=tuple(int(budget) for budget in budgets[rows]))
        with meter.watching(models):
            made = method.generate(models, [problems[i].prompt for i in rows], config, seed)
        positions = meter.positions.numpy()
        for row, output, seen in zip(rows, made, positions, strict=True):
            outputs[row] = output
            unread = len(output.ids) - int(seen)
            assert unread == output.unread, f"problem {row}: {len(output.ids)} labelled, {int(seen)} metered"
        budget = len(role.encode(chains.LONGEST_ANSWER)) + 1
        put("accuracy", rows, [read_answer(role, o, budget) == problems[i].answer for i, o in zip(rows, made)])
        for label in COUNTED:
            name = "latent_positions" if label == "latent" else f"{label}_tokens"
            put(name, rows, [output.count(label) for output in made])
        put("tokens", rows, [len(output.ids) - output.count("prompt") for output in made])
        for name in ("forward_passes", "flops", "peak_context_tokens", "cache_bytes"):
            put(name, rows, getattr(meter, name).numpy())
    return Measured(columns, [output for output in outputs if output is not None], role)


def latency_s(method: ModuleType, models: Models, config: Any, problems: list[chains.Problem], seed: int) -> np.ndarray:
    """Wall seconds a problem, one at a time, after one to warm up."""
    taken = []
    method.generate(models, [problems[0].prompt], config, seed)
    for problem in problems:
        started = time.perf_counter()
        method.generate(models, [problem.prompt], config, seed)
        taken.append(time.perf_counter() - started)
    return np.array(taken)


def ratio_interval(own: np.ndarray, base: np.ndarray) -> Interval:
    """Total of `own` over total of `base`, problems paired."""
    draws = np.random.default_rng(0).integers(0, len(own), (2001, len(own)))
    draws[0] = np.arange(len(own))
    return of(own[draws].sum(1) / base[draws].sum(1), len(own))


def arms_of(slug: str, root: Path) -> dict[str, tuple[ModuleType, Any]]:
    """`slug` or `slug@arm` → its module and config."""
    method = load_method(slug, root)
    return {f"{slug}@{arm}" if arm else slug: (method, config) for arm, config in method.ARMS.items()}


def compare(
    slug: str,
    root: Path,
    zoo: Zoo,
    *,
    per_level: int,
    date: str,
    command: str,
    gates: Callable[[], Mapping[str, bool]],
    seeds: tuple[int, ...] = (0,),
    progress: Any = lambda text: None,
) -> dict[str, Any]:
    """A method beside `direct` and `cot` on the same test problems: the record. `gates` is asked when claims are judged."""
    arms = {key: value for name in dict.fromkeys((*BASELINES, slug)) for key, value in arms_of(name, root).items()}
    problems = [problem for level in chains.LEVELS for problem in chains.draws("test", level, 0, per_level)]
    levels = np.array([problem.level for problem in problems])
    timed = [next(problem for problem in problems if problem.level == level) for level in chains.LEVELS]
    tables: list[dict[str, dict[str, np.ndarray]]] = []
    latency: dict[str, np.ndarray] = {}
    loaded: dict[str, tuple[Models, list[Path]]] = {}
    traced: dict[str, Measured] = {}
    checkpoints: set[Path] = set()
    for seed in seeds:
        table = {}
        for key, (method, config) in arms.items():
            progress(f"{key} on {len(problems)} problems")
            loaded[key] = load_models(zoo, method, config, seed)
            checkpoints.update(loaded[key][1])
            done = measure(method, loaded[key][0], config, problems, seed)
            table[key] = done.values
            traced[key] = done
            latency[key] = latency_s(method, loaded[key][0], config, timed, seed)
            if key == slug != "cot":
                # the rival of every method that writes less: the full chain, cut off where this one stopped
                cot, plain = arms["cot"]
                spent = done.values["thinking_tokens"] + done.values["latent_positions"] - 1  # its delimiter is one of them
                cut = measure(cot, loaded["cot"][0], plain, problems, seed, budgets=np.maximum(spent, 0))
                table[f"{slug}@truncated"] = cut.values
                loaded[f"{slug}@truncated"] = loaded["cot"]
        tables.append(table)
    means = Means(tables, [levels] * len(seeds), without=chains.EXHAUSTED)
    answers = [problem.answer for problem in problems]
    main, holds = load_method(slug, root), gates()
    return {
        "protocol": "full" if per_level >= FULL else "quick",
        "method": slug,
        "task": chains.NAME,
        "model": str(zoo.model or "zoo"),
        "seeds": list(seeds),
        "date": date,
        "command": command,
        "device": "cpu",
        "versions": record.versions(),
        "levels": list(chains.LEVELS),
        "levels_without_claim": list(chains.EXHAUSTED),
        "chance": chains.CHANCE,
        "majority": max(answers.count(answer) for answer in set(answers)) / len(answers),
        "results": {key: results(key, means, latency, loaded[key]) for key in tables[0]},
        "claims": [judge(claim, means, holds, len(seeds)) for claim in main.CLAIMS],
        "trace": trace(slug, problems, traced),
        "inputs": record.inputs(
            root,
            [root / "methods/kit/runner.py", *(root / "methods" / f"{name.partition('@')[0]}.py" for name in arms)],
            sorted(checkpoints),
        ),
    }


def results(
    key: str, means: Means, latency: dict[str, np.ndarray], loaded: tuple[Models, list[Path]]
) -> dict[str, dict[str, float | int]]:
    """One arm's metrics with intervals, and accuracy and tokens at each level."""
    models, folders = loaded
    found = {metric: of(means(key, metric), means.count()).as_dict() for metric in means.tables[0][key]}
    for level in sorted(set(means.levels[0].tolist())):
        for metric in ("accuracy", "tokens"):
            found[f"{metric}@{level}"] = of(means(key, metric, level), means.count(level)).as_dict()
    weight_bytes = sum(p.numel() * 2 for role in models.values() for p in role.model.parameters())  # shipped as bf16
    for name, value in (("training_flops", training_flops(folders)), ("weight_bytes", float(weight_bytes))):
        if not math.isnan(value):
            found[name] = Interval(value, value, value, 1).as_dict()
    if key in latency:  # a rival cut from another's chains takes no time of its own
        found["latency_ratio"] = ratio_interval(latency[key], latency["cot"]).as_dict()
    return found


def trace(slug: str, problems: list[chains.Problem], traced: dict[str, Measured], level: int = 4) -> dict[str, Any]:
    """One problem solved by the baseline and by the method, position by position: the first of its level, whatever came out."""
    index = next(i for i, problem in enumerate(problems) if problem.level == level)
    return {
        "problem": problems[index].question,
        "level": level,
        "answer": problems[index].answer,
        "runs": {key: spelled(traced[key].outputs[index], traced[key].role) for key in dict.fromkeys(("cot", slug))},
    }


def spelled(output: Output, role: Role) -> list[dict[str, str]]:
    """Positions after the prompt as text, kind and label."""
    after = [(i, label) for i, label in zip(output.ids, output.labels, strict=True) if label != "prompt"]
    texts = ["" if i is None else "".join(role.decode([i]).split()) or "·" for i, _ in after]
    words = [text for text, (_, label) in zip(texts, after, strict=True) if label == "thinking" and text != chains.CLOSES]
    grammar = iter(chains.kinds(words))
    rows = []
    for text, (_, label) in zip(texts, after, strict=True):
        thinking = label == "thinking" and text != chains.CLOSES
        kind = next(grammar) if thinking else {"latent": "latent", "probe": "other"}.get(label, "answer")
        rows.append({"text": text, "kind": kind, "label": label})
    return rows
