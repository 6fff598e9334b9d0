"""Renewing a record whose code was reworded: what it did is done again, by the code as it is and, where need be, as it was."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from catalog.errors import Refused
from methods.kit import record, replay
from methods.kit.comparison import current_inputs
from methods.kit.zoo import Zoo

# What the code of another commit is asked; the last line it prints is the answer.
AS_IT_WAS = """
import json, sys
from pathlib import Path
from methods.kit import replay
from methods.kit.zoo import shipped
slug, task, seed, workers, problems = sys.argv[1:]
replay.PROBLEMS = int(problems)
print(json.dumps(replay.replayed(slug, Path.cwd(), shipped(Path.cwd(), task), int(seed), int(workers))))
"""


def renewed(path: Path, slug: str, root: Path, zoo: Zoo, workers: int, say: Callable[[str], None]) -> bool:
    """Whether the record at `path` is current; one whose code measures the same as before is renewed. Says which and why not.

    Losses are compared to the last bit and hang on the processor that rounds them. So where the code does not do here what it
    did where the record was made, the code of the record's own commit is asked as well, here. Raises `Refused` without a record.
    """
    name = f"{path.parent.name}/{path.name}"
    if not path.exists():
        raise Refused(f"{name}: no record to verify: `laconic bench {slug}` writes one")
    old = json.loads(path.read_text("utf-8"))
    changed = record.changed(old, root)
    if not changed:
        say(f"{name}: current")
        return True
    weights = [file for file in changed if file.endswith(".safetensors")]
    if weights:
        say(f"{name}: other checkpoints ({', '.join(weights)}): needs a full run")
        return False
    again = replay.replayed(slug, root, zoo, old["seeds"][0], workers)
    differ = different(old.get("replay", {}), again)
    if differ:
        say(f"{name}: {', '.join(differ)} came out otherwise than recorded; asking the code that was recorded, on this machine")
        try:
            differ = different(as_it_was(path, slug, root, zoo.task_name, workers), again)
        except Refused as error:
            say(f"{name}: {error}")
    if differ:
        say(f"{name}: {', '.join(differ)} came out otherwise after changes to {', '.join(changed)}: needs a full run")
        return False
    away = {file: digest for file, digest in old["inputs"].items() if record.NOT_SHIPPED.search(file)}
    inputs = away | current_inputs(slug, root, zoo, tuple(old["seeds"]))
    record.write(path, old | {"inputs": inputs, "replay": again})
    say(f"{name}: renewed: the same after changes to {', '.join(changed)}")
    return True


def different(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Which parts of two replays are not the same, or stand in one alone."""
    return [part for part in {**before, **now} if before.get(part) != now.get(part)]


def as_it_was(path: Path, slug: str, root: Path, task: str, workers: int) -> dict[str, str]:
    """The replay of a record by the code of the commit that last wrote it. Raises `Refused` where that code is not to be had."""
    old = json.loads(path.read_text("utf-8"))

    def git(*words: str) -> str:
        done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True)
        if done.returncode:
            raise Refused(f"its code cannot be had: git {words[0]}: {(done.stderr.strip() or 'failed').splitlines()[-1]}")
        return done.stdout.strip()

    commit = git("log", "-1", "--format=%H", "--", str(path))
    if not commit:
        raise Refused("its code cannot be had: no commit has this record")
    with tempfile.TemporaryDirectory() as folder:
        there = Path(folder) / "then"
        git("worktree", "add", "--detach", str(there), commit)
        try:
            changed = record.changed(old, there)
            if changed:
                raise Refused(f"its code cannot be had: in {commit[:10]} {', '.join(changed)} were not what was recorded")
            words = [slug, task, str(old["seeds"][0]), str(workers), str(replay.PROBLEMS)]
            # python -c imports what stands in the working folder before what is installed
            done = subprocess.run([sys.executable, "-c", AS_IT_WAS, *words], cwd=there, capture_output=True, text=True)
            if done.returncode:
                raise Refused(f"its code failed: {(done.stderr.strip() or 'no word').splitlines()[-1]}")
            return dict(json.loads(done.stdout.splitlines()[-1]))
        finally:
            git("worktree", "remove", "--force", str(there))
