"""The zoo: the lab's own small reasoners, how each is trained, and how they are found again.

    methods/zoo/<task>/<role>/                         start, long, direct …: shared by all methods
    methods/zoo/<task>/<slug>/<checkpoint>/<role>/     what a method trained, controls included

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

from methods.kit import family, record
from methods.kit.decoding import decode
from methods.kit.errors import Refused
from methods.kit.guests import Guest
from methods.kit.models import Models, Role, as_role, copy_of, load, save, small_llama, word_tokenizer
from methods.kit.training import Cost, Example, Recipe, resumable, supervised, train


def seeded(name: str, seed: int) -> str:
    return name if seed == 0 else f"{name}-seed{seed}"


@dataclass(frozen=True)
class Zoo:
    """Where checkpoints of one task are. `own` holds what methods trained; `model` takes the place of every shared one."""

    task_name: str
    shared: Path
    own: Path
    model: Guest | None = None
    device: str = "cpu"

    @property
    def task(self) -> Any:
        return family.load(self.task_name)

    def base(self, name: str, seed: int) -> Path:
        return self.model.files if self.model else self.shared / seeded(name, seed)

    def load(self, name: str, seed: int) -> Role:
        """A shared checkpoint, or the guest in its place."""
        if self.model:
            return self.model.role(name, self.device)
        as_recorded(self.base(name, seed))
        return load(name, self.base(name, seed), self.device)

    def trained(self, slug: str, kind: str, seed: int) -> Path:
        return self.own / slug / seeded(kind, seed)


def shipped(root: Path, task_name: str) -> Zoo:
    """The zoo that comes with the checkout."""
    folder = root / "methods" / "zoo" / task_name
    return Zoo(task_name, folder, folder)


def unfinished(folder: Path, code: Path, *settings: Any) -> Path:
    """Where a training into `folder` keeps its state until it is done: a hidden folder beside it, for just this code and these
    settings, so that what was begun otherwise is not gone on with."""
    files = record.inputs(Path(__file__).parents[2], [code], [])
    return folder.with_name(f".{folder.name}-{record.hashed([files, [str(own) for own in settings]])[:12]}")


# ---- the shared checkpoints ------------------------------------------------------------------------------------------------


def examples(role: Role, task: ModuleType, course: family.Course[Any], batch: int, seed: int) -> Iterator[Example]:
    """Problems with a written trace, loss on everything after the opening delimiter."""
    rng = random.Random(f"{task.NAME} train {course.offset + seed}")
    for problem in family.stream(course.draw, rng, course.steps * batch):
        words = [word for word, _ in family.answered(course.trace(problem, rng), problem)]
        yield supervised(role.prompt(problem.question), role.encode(" ".join(words)))


def dev_accuracy(role: Role, task: ModuleType, at_once: bool, per_level: int) -> dict[str, float]:
    """Greedy accuracy on dev problems at each standard level."""
    found = {}
    for level in task.LEVELS:
        problems = task.draws("dev", level, 0, per_level)
        rows = [role.prompt(p.question) + ([role.closes_id] if at_once else []) for p in problems]
        good = 0
        for problem, written in zip(problems, decode(role, rows, [role.eos_id], 4 if at_once else 330), strict=True):
            text = role.decode(written).partition(family.END)[0].rpartition(family.CLOSES)[2]
            good += text.split() == problem.answer.split()
        found[str(level)] = round(good / len(problems), 4)
    return found


def train_base(name: str, zoo: Zoo, seed: int, say: Callable[[str], None]) -> None:
    """Trains one shared checkpoint and writes it with its record. Raises `Refused` when its parent is needed and missing."""
    course = zoo.task.COURSES[name]
    parents = [zoo.base(course.parent, seed)] if course.parent else []
    if parents:
        role = copy_of(zoo.load(course.parent, seed), name)
    else:
        tokenizer = word_tokenizer(zoo.task.WORDS)
        role = as_role(name, small_llama(len(tokenizer), seed).to(zoo.device), tokenizer)
    folder, recipe = zoo.base(name, seed), Recipe(steps=course.steps, decay_from=course.decay_from)
    begun = unfinished(folder, family.FOLDER / f"{zoo.task_name}.py", recipe, seed)
    kept = begun / "history.json"
    history: list[dict[str, Any]] = json.loads(kept.read_text())["history"] if kept.is_file() else []

    def watch(step: int, loss: float) -> None:
        row: dict[str, Any] = {"step": step, "loss": round(loss, 5)}
        if step:  # of `direct`, whether it still gains decides the calibration row "need"
            row["dev_accuracy"] = dev_accuracy(role, zoo.task, course.at_once, per_level=1000 if course.at_once else 100)
        history[:] = [*(old for old in history if old["step"] < step), row]
        record.write(kept, {"history": history})
        say(f"{name}: {row}")

    with resumable(begun):
        cost = train(role, examples(role, zoo.task, course, recipe.batch, seed), recipe, seed, watch, every=500)
    save(role.model, role.tokenizer, folder)
    as_saved = dev_accuracy(load(name, folder, zoo.device), zoo.task, course.at_once, per_level=500)
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
        folder = zoo.trained(slug, kind, seed)
        with resumable(unfinished(folder, Path(str(method.__file__)), config, seed)):
            models = method.prepare(bases, zoo.task, config, seed)
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
        "sha256": fingerprints(folder),
        **more,
    }
    record.write(folder / "training.json", made)


def fingerprints(folder: Path) -> dict[str, str]:
    """Path in the folder → sha256 of every file of weights."""
    return {path.relative_to(folder).as_posix(): record.digest(path) for path in sorted(folder.rglob("*.safetensors"))}


# ---- finding them again ----------------------------------------------------------------------------------------------------


def training_flops(folders: list[Path]) -> float:
    """FLOPs of training all that these checkpoints rest on; not a number where one came without a training record."""
    records = [folder / "training.json" for folder in folders]
    if not all(path.is_file() for path in records):
        return float("nan")
    return float(sum(json.loads(path.read_text("utf-8"))["flops_with_parents"] for path in records))


def as_recorded(folder: Path) -> None:
    """Raises `Refused` where weights are not those that the training record beside them is of."""
    path = folder / "training.json"
    if not path.is_file():
        return
    try:
        said = json.loads(path.read_text("utf-8")).get("sha256", {})
    except (ValueError, AttributeError):
        raise Refused(f"{path}: no training record: not a JSON object") from None
    for name, digest in said.items():
        if not (folder / name).is_file() or record.digest(folder / name) != digest:
            raise Refused(f"{folder / name}: not the weights that training.json is of (by sha256): `git checkout` brings them back")


def load_bases(zoo: Zoo, names: tuple[str, ...], seed: int) -> tuple[Models, list[Path]]:
    return {name: zoo.load(name, seed) for name in names}, [zoo.base(name, seed) for name in names]


def folders_of(zoo: Zoo, method: ModuleType, config: Any, seed: int) -> list[Path]:
    """The folders of the zoo an arm generates with: the shared ones, unless a guest has their place, then the method's own."""
    folders = [] if zoo.model else [zoo.base(name, seed) for name in method.ROLES]
    if hasattr(method, "prepare"):
        folders.append(zoo.trained(method.__name__.rpartition(".")[2], method.checkpoint(config), seed))
    return folders


def load_models(zoo: Zoo, method: ModuleType, config: Any, seed: int) -> Models:
    """The models an arm generates with. Raises `Refused` naming the folder of a checkpoint that is missing."""
    models, _ = load_bases(zoo, method.ROLES, seed)
    if hasattr(method, "prepare"):
        slug, folder = method.__name__.rpartition(".")[2], folders_of(zoo, method, config, seed)[-1]
        if not (folder / "training.json").is_file():
            raise Refused(f"{folder}: no trained checkpoint for {slug!r} there (`laconic run {slug} --train` makes one to try)")
        as_recorded(folder)
        for own in sorted(path for path in folder.iterdir() if path.is_dir()):
            network = (own / "module.json").exists()
            models[own.name] = load_module(own, method, zoo.device) if network else load(own.name, own, zoo.device)
    return models


def load_module(folder: Path, method: ModuleType, device: str) -> Role:
    """A network of the method's own class, rebuilt from its arguments and weights."""
    if folder.name not in getattr(method, "MODULES", {}):
        raise Refused(f"{folder}: {method.__name__}.MODULES has no class for role {folder.name!r}")
    module = method.MODULES[folder.name](**json.loads((folder / "module.json").read_text()))
    try:
        module.load_state_dict(load_file(folder / "module.safetensors"))
    except Exception as error:  # safetensors and shape errors share no base class
        raise Refused(f"{folder}/module.safetensors: cannot be read: {str(error).splitlines()[0]}") from None
    return Role(folder.name, module.to(device).eval())
