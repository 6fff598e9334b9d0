"""A method beside its baselines and rivals on the same test problems: the record."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from methods.kit import record
from methods.kit.claims import judge
from methods.kit.parts import Done, Part, do_all, example_of, test_problems
from methods.kit.runner import load_method
from methods.kit.statistics import Interval, Means, of
from methods.kit.zoo import Zoo, training_flops

BASELINES = ("cot", "direct")
SHORTEST = "bare"  # T*: what is left when nothing redundant is written; of the lab's own models alone
TRAINED_RIVAL = "fs_bon"  # what a method that trains has to beat: tuning on the shortest right one of several own samples
NOT_INFERIOR = 0.02  # the most accuracy may suffer, by the lower end of the interval, for a share of T - T* to be given
QUICK, FULL = 40, 800  # test problems a level; a small level may have fewer in all


def arms_of(slug: str, root: Path, zoo: Zoo, seed: int, per_level: int) -> list[Part]:
    return [Part(root, zoo, slug, arm, seed, per_level) for arm in load_method(slug, root).ARMS]


def beside(slug: str, root: Path, zoo: Zoo, seed: int, per_level: int) -> list[Part]:
    """Every arm of a method and of what its table shows with it: baselines, the shortest, and the rival of what is trained."""
    shown = BASELINES if zoo.model else (*BASELINES, SHORTEST)
    parts = [part for name in shown for part in arms_of(name, root, zoo, seed, per_level)]
    rival = Part(root, replace(zoo, own=zoo.shared), TRAINED_RIVAL, "", seed, per_level)
    shipped = not zoo.model and replace(rival, seed=0).folders[-1].is_dir()
    if shipped and hasattr(load_method(slug, root), "prepare") and slug != TRAINED_RIVAL:
        parts.append(rival)
    return parts + (arms_of(slug, root, zoo, seed, per_level) if slug not in shown else [])


def rivals(part: Part, own: Done, cot: Done) -> list[tuple[str, Part]]:
    """The full chain closed early, at the method's own cost: what a method that writes less has to beat.

    `truncated` stops where the method stopped, problem by problem. Where the method probes, `fraction` stops each chain at one
    fraction of its own length, such that it costs as much as the method in all, probes counted.
    """
    base = Part(part.root, part.zoo, "cot", "", part.seed, part.per_level)

    def cut(budgets: np.ndarray) -> Part:
        return Part(base.root, base.zoo, "cot", "", base.seed, base.per_level, tuple(np.maximum(budgets, 0).astype(int).tolist()))

    spent = own.values["thinking_tokens"] + own.values["latent_positions"] - 1  # its delimiter is one of them
    found = [(f"{part.slug}@truncated", cut(spent))]
    if own.values["probe_tokens"].any():
        chain = cot.values["thinking_tokens"] - 1
        rest = (cot.values["tokens"] - chain).mean()
        share = min(1.0, (own.values["tokens"].mean() - rest) / chain.mean())
        found.append((f"{part.slug}@fraction", cut(np.round(share * chain))))
    return found


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
    workers: int = 1,
    folder: Path | None = None,
    progress: Callable[[str], None] = lambda text: None,
    on: str = "local",
) -> dict[str, Any]:
    """A method beside `direct` and `cot`. `gates` is asked when claims are judged; `folder` keeps finished parts; `on` as `do_all`.

    Claims are about the families the lab has calibrated: on problems of others none is judged.
    """
    task = zoo.task
    parts = [part for seed in seeds for part in beside(slug, root, zoo, seed, per_level)]
    done = do_all(parts, workers, folder, progress, on)
    mine = {(part.key, part.seed): part for part in parts}
    if slug not in (*BASELINES, SHORTEST):
        cuts: dict[tuple[str, int], Part] = {}
        for seed in seeds:
            part = mine[slug, seed]
            cuts |= {(key, seed): cut for key, cut in rivals(part, done[part], done[mine["cot", seed]])}
        done |= do_all(list(cuts.values()), workers, folder, progress, on)
        mine |= cuts
    tables = [{key: done[part].values for (key, own), part in mine.items() if own == seed} for seed in seeds]
    problems = test_problems(task, per_level)
    means = Means(tables, [np.array([problem.level for problem in problems])] * len(seeds), without=task.EXHAUSTED)
    answers = [problem.answer for problem in problems]
    shown, holds = example_of(problems, task), gates()
    claims = load_method(slug, root).CLAIMS if hasattr(task, "COURSES") else []
    return {
        "protocol": "full" if per_level >= FULL else "quick",
        "method": slug,
        "task": task.NAME,
        **about(zoo),
        "seeds": list(seeds),
        "date": date,
        "command": command,
        "versions": record.versions(),
        "levels": list(task.LEVELS),
        "levels_without_claim": list(task.EXHAUSTED),
        "chance": task.CHANCE,
        "majority": max(answers.count(answer) for answer in set(answers)) / len(answers),
        "results": {
            key: results(key, means, mine[key, seeds[0]], [done[mine[own, seeds[-1]]] for own in (key, "cot")]) for key in tables[0]
        },
        "claims": [judge(claim, means, holds, len(seeds)) for claim in claims],
        "trace": {
            "problem": problems[shown].question,
            "level": problems[shown].level,
            "answer": problems[shown].answer,
            "runs": {key: done[mine[key, seeds[0]]].example for key in dict.fromkeys(("cot", slug))},
        },
        "inputs": current_inputs(slug, root, zoo, seeds),
    }


def about(zoo: Zoo) -> dict[str, str]:
    """The model and what it ran on. A guest's weights are told by `revision`, not among the inputs."""
    name = torch.cuda.get_device_name(zoo.device) if zoo.device.startswith("cuda") else ""
    device = f"{zoo.device} ({name})" if name else zoo.device
    if zoo.model is None:
        return {"model": "zoo", "device": device}
    guest = zoo.model
    if guest.endpoint:
        served = {"served_as": guest.served_as, "revision": "as served", "dtype": "as served"}
        return {"model": guest.name, **served, "device": "endpoint"}
    return {"model": guest.name, "revision": guest.revision, "dtype": guest.dtype, "device": device}


def current_inputs(slug: str, root: Path, zoo: Zoo, seeds: tuple[int, ...]) -> dict[str, str]:
    """Hashes of everything the record of `slug` depends on."""
    parts = [part for seed in seeds for part in beside(slug, root, zoo, seed, 0)]
    files = {root / "methods/kit/comparison.py"} | {path for part in parts for path in part.code()}
    return record.inputs(root, sorted(files), sorted({folder for part in parts for folder in part.folders}))


def results(key: str, means: Means, part: Part, done: list[Done]) -> dict[str, dict[str, float | int]]:
    """One arm's metrics with intervals, and accuracy and tokens at each level. `done`: its own and cot's. `removed` is its share of
    what could go, (T - its tokens) / (T - T*), where accuracy does not suffer."""
    own, cot = done
    found = {metric: of(means(key, metric), means.count()).as_dict() for metric in means.tables[0][key]}
    for level in sorted(set(means.levels[0].tolist())):
        for metric in ("accuracy", "tokens"):
            found[f"{metric}@{level}"] = of(means(key, metric, level), means.count(level)).as_dict()
    if SHORTEST in means.tables[0] and key not in (*BASELINES, SHORTEST):
        lost = of(means(key, "accuracy") - means("cot", "accuracy"), means.count())
        if lost.low > -NOT_INFERIOR:
            room = means("cot", "tokens") - means(SHORTEST, "tokens")
            found["removed"] = of((means("cot", "tokens") - means(key, "tokens")) / room, means.count()).as_dict()
    trained = float("nan") if part.zoo.model else training_flops(part.folders)
    for name, value in (("training_flops", trained), ("weight_bytes", own.weight_bytes)):
        if not math.isnan(value):
            found[name] = Interval(value, value, value, 1).as_dict()
    if len(own.latency):
        found["latency_ratio"] = ratio_interval(own.latency, cot.latency).as_dict()
    return found


def ratio_interval(own: np.ndarray, base: np.ndarray) -> Interval:
    """Total of `own` over total of `base`, problems paired."""
    draws = np.random.default_rng(0).integers(0, len(own), (2001, len(own)))
    draws[0] = np.arange(len(own))
    return of(own[draws].sum(1) / base[draws].sum(1), len(own))
