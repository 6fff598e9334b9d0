"""The zoo: the lab's own small reasoners, how each is trained, and how they are found again.

    methods/zoo/<role>/                         start, long, direct: shared by all methods
    methods/zoo/<slug>/<checkpoint>/<role>/     what a method trained, controls included

Seed 0 is shipped; other seeds live beside it as `<name>-seed1`. Each folder holds `training.json`: what it took.
"""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from safetensors.torch import load_file, save_file

from methods.kit import chains, record
from methods.kit.decoding import decode
from methods.kit.errors import Refused
from methods.kit.models import Models, Role, as_role, copy_of, load, save, small_llama, word_tokenizer
from methods.kit.training import Cost, Example, Recipe, supervised, train

BASES = ("start", "long", "direct")
Watch = Callable[[int, float], None]
Trace = Callable[[chains.Problem, random.Random], list[chains.Word]]


def seeded(name: str, seed: int) -> str:
    return name if seed == 0 else f"{name}-seed{seed}"


@dataclass(frozen=True)
class Zoo:
    """Where checkpoints are. `own` holds what methods trained; `model` takes the place of every shared one."""

    shared: Path
    own: Path
    model: Path | None = None

    def base(self, name: str, seed: int) -> Path:
        return self.model or self.shared / seeded(name, seed)

    def trained(self, slug: str, kind: str, seed: int) -> Path:
        return self.own / slug / seeded(kind, seed)


def shipped(root: Path) -> Zoo:
    """The zoo that comes with the checkout."""
    return Zoo(root / "methods" / "zoo", root / "methods" / "zoo")


# ---- the three shared checkpoints ------------------------------------------------------------------------------------------


def examples(role: Role, trace: Trace, pick_level: Callable[[random.Random], int], seed: int) -> Iterator[Example]:
    """Problems with a written trace, loss on everything after the opening delimiter."""
    for problem, rng in chains.stream(seed, pick_level):
        words = [word for word, _ in chains.answered(trace(problem, rng), problem)]
        yield supervised(role.prompt(problem.question), role.encode(" ".join(words)))


class Curriculum:
    """Levels 1 to a top that rises over the first `climb` of training; then `after` weighs levels 1..8 and the stretch."""

    def __init__(self, recipe: Recipe, climb: float, after: list[float]) -> None:
        self.total, self.climb, self.after, self.drawn = recipe.steps * recipe.batch, climb, after, 0

    def __call__(self, rng: random.Random) -> int:
        self.drawn += 1
        done = self.drawn / self.total
        if done < self.climb:
            return rng.randint(1, min(8, 1 + int(9 * done / self.climb)))
        return rng.choices([*range(1, 9), chains.STRETCH], self.after)[0]


def train_start(role: Role, seed: int, watch: Watch) -> tuple[Cost, Recipe]:
    """Bare traces, short ones first: from scratch the longest lag far behind."""
    recipe = Recipe(steps=1000)
    levels = Curriculum(recipe, 0.6, [1, 1, 1, 1, 1, 2, 2, 3, 0.3])
    return train(role, examples(role, chains.bare, levels, seed), recipe, seed, watch), recipe


def train_long(role: Role, seed: int, watch: Watch) -> tuple[Cost, Recipe]:
    """Overthinking traces, hard levels oversampled towards the end."""
    recipe = Recipe(steps=1200)
    levels = Curriculum(recipe, 0.3, [1, 1, 1, 1, 1, 1.5, 1.5, 3, 0.3])
    return train(role, examples(role, chains.long, levels, 1000 + seed), recipe, seed, watch), recipe


def train_direct(role: Role, seed: int, watch: Watch) -> tuple[Cost, Recipe]:
    """No trace at all, at a constant rate until it no longer gains; easy levels oversampled, since only they can be learned.

    Ends with a little more than `long`'s training FLOPs, and while the hardest level is still near chance (see the lab log).
    """
    recipe = Recipe(steps=6500, decay_from=1.0)

    def levels(rng: random.Random) -> int:
        return rng.choices(range(1, 9), [3, 5, 4, 3, 1, 1, 1, 1])[0]

    return train(role, examples(role, lambda *_: [], levels, 2000 + seed), recipe, seed, watch, every=500), recipe


TRAINERS = {"start": train_start, "long": train_long, "direct": train_direct}


def dev_accuracy(role: Role, at_once: bool, per_level: int) -> dict[str, float]:
    """Greedy accuracy on dev problems at each standard level."""
    found = {}
    for level in chains.LEVELS:
        problems = chains.draws("dev", level, 0, per_level)
        rows = [role.prompt(p.question) + ([role.closes_id] if at_once else []) for p in problems]
        good = 0
        for problem, written in zip(problems, decode(role, rows, [role.eos_id], 4 if at_once else 330), strict=True):
            text = role.decode(written).partition(chains.END)[0].rpartition(chains.CLOSES)[2]
            good += text.split() == problem.answer.split()
        found[str(level)] = round(good / len(problems), 4)
    return found


def train_base(name: str, zoo: Zoo, seed: int, say: Callable[[str], None]) -> None:
    """Trains one shared checkpoint and writes it with its record. Raises `Refused` when `start` is needed and missing."""
    parents = [] if name == "start" else [zoo.base("start", seed)]
    if name == "start":
        tokenizer = word_tokenizer(chains.WORDS)
        role = as_role(name, small_llama(len(tokenizer), seed), tokenizer)
    else:
        role = copy_of(load("start", parents[0]), name)
    history: list[dict[str, Any]] = []

    def watch(step: int, loss: float) -> None:
        row: dict[str, Any] = {"step": step, "loss": round(loss, 5)}
        if name == "direct" and step:  # whether it still gains decides the calibration row "need"
            row["dev_accuracy"] = dev_accuracy(role, at_once=True, per_level=1000)
        history.append(row)
        say(f"{name}: {row}")

    cost, recipe = TRAINERS[name](role, seed, watch)
    folder = zoo.base(name, seed)
    save(role.model, role.tokenizer, folder)
    as_saved = dev_accuracy(load(name, folder), at_once=name == "direct", per_level=500)
    write_training(folder, name, seed, cost, parents, recipe=asdict(recipe), history=history, dev_accuracy=as_saved)
    say(f"{name}: {as_saved} after {cost.minutes:.1f} minutes")


# ---- what methods train ----------------------------------------------------------------------------------------------------


def train_method(slug: str, method: ModuleType, zoo: Zoo, seed: int, say: Callable[[str], None], only: str = "") -> None:
    """Trains every checkpoint of a method, or `only` one, for each kind its arms name, and writes them."""
    kinds = {method.checkpoint(config): config for config in reversed(method.ARMS.values())}
    if only and only not in kinds:
        raise Refused(f"{slug}/{only}: no such checkpoint; known: {', '.join(kinds)}", exit_code=2)
    for kind, config in reversed(kinds.items()):
        if only not in ("", kind):
            continue
        say(f"{slug}/{kind}: {config}")
        bases, parents = load_bases(zoo, method.FROM, seed)
        models = method.prepare(bases, chains, config, seed)
        folder = zoo.trained(slug, kind, seed)
        made = {name: role for name, role in models.items() if name not in bases}
        for name, role in made.items():
            if role.tokenizer is not None:
                save(role.model, role.tokenizer, folder / name)
            else:
                (folder / name).mkdir(parents=True, exist_ok=True)
                save_file(role.model.state_dict(), folder / name / "module.safetensors")
                record.write(folder / name / "module.json", role.model.arguments)
        cost = sum((role.cost for role in made.values() if role.cost is not None), Cost())
        write_training(folder, f"{slug}/{kind}", seed, cost, parents, config=asdict(config))


def write_training(folder: Path, name: str, seed: int, cost: Cost, parents: list[Path], **more: Any) -> None:
    """`training.json`: cost, lineage, and FLOPs including all that came before."""
    made = {
        "name": name,
        "seed": seed,
        "from": [parent.name for parent in parents],
        "cost": cost.as_dict(),
        "flops_with_parents": cost.flops + training_flops(parents),
        "versions": record.versions(),
        **more,
    }
    record.write(folder / "training.json", made)


# ---- finding them again ----------------------------------------------------------------------------------------------------


def training_flops(folders: list[Path]) -> float:
    """FLOPs of training all that these checkpoints rest on; not a number where one came without a training record."""
    records = [folder / "training.json" for folder in folders]
    if not all(path.is_file() for path in records):
        return float("nan")
    return float(sum(json.loads(path.read_text("utf-8"))["flops_with_parents"] for path in records))


def load_bases(zoo: Zoo, names: tuple[str, ...], seed: int) -> tuple[Models, list[Path]]:
    folders = {name: zoo.base(name, seed) for name in names}
    return {name: load(name, folder) for name, folder in folders.items()}, list(folders.values())


def load_models(zoo: Zoo, method: ModuleType, config: Any, seed: int) -> tuple[Models, list[Path]]:
    """The models an arm generates with, and the checkpoint folders they came from.

    Raises `Refused` naming the folder of a checkpoint that is missing.
    """
    models, folders = load_bases(zoo, method.ROLES, seed)
    if hasattr(method, "prepare"):
        slug = method.__name__.rpartition(".")[2]
        folder = zoo.trained(slug, method.checkpoint(config), seed)
        if not (folder / "training.json").is_file():
            raise Refused(f"{folder}: no trained checkpoint for {slug!r} there (`laconic run {slug} --train` makes one to try)")
        for own in sorted(path for path in folder.iterdir() if path.is_dir()):
            models[own.name] = load_module(own, method) if (own / "module.json").exists() else load(own.name, own)
        folders.append(folder)
    return models, folders


def load_module(folder: Path, method: ModuleType) -> Role:
    """A network of the method's own class, rebuilt from its arguments and weights."""
    if folder.name not in getattr(method, "MODULES", {}):
        raise Refused(f"{folder}: {method.__name__}.MODULES has no class for role {folder.name!r}")
    module = method.MODULES[folder.name](**json.loads((folder / "module.json").read_text()))
    try:
        module.load_state_dict(load_file(folder / "module.safetensors"))
    except Exception as error:  # safetensors and shape errors share no base class
        raise Refused(f"{folder}/module.safetensors: cannot be read: {str(error).splitlines()[0]}") from None
    return Role(folder.name, module.eval())
