"""Records: what was measured, by which code on which checkpoints. Written whole or not at all."""

import ast
import hashlib
import json
import os
import platform
import re
import tempfile
from pathlib import Path
from typing import Any

NOT_SHIPPED = re.compile(r"-seed[1-9]\d*/")  # in the path of a checkpoint: only seed 0's come with a checkout


def code_hash(path: Path) -> str:
    """sha256 of a Python file's syntax tree without docstrings: comments and wording may change, behaviour may not."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def digest(path: Path) -> str:
    """sha256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def reached(path: Path, root: Path) -> set[Path]:
    """The file and every module of `methods` that it imports, directly or not."""
    found, waiting = set(), [path]
    while waiting:
        current = waiting.pop()
        if current in found:
            continue
        found.add(current)
        for node in ast.walk(ast.parse(current.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:  # the names may be modules themselves
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            for name in names:
                module = root / (name.replace(".", "/") + ".py")
                if name.startswith("methods.") and module.is_file():
                    waiting.append(module)
    return found


def inputs(root: Path, files: list[Path], checkpoints: list[Path]) -> dict[str, str]:
    """Path → sha256 of everything a record depends on: code by syntax tree, checkpoints by their bytes."""
    code = {module for file in files for module in reached(file, root)}
    weights = {file for folder in checkpoints for file in folder.rglob("*.safetensors")}
    hashes = {path: code_hash(path) for path in code} | {path: digest(path) for path in weights}
    return {(path.relative_to(root) if path.is_relative_to(root) else path).as_posix(): hashes[path] for path in sorted(hashes)}


def changed(record: dict[str, Any], root: Path) -> list[str]:
    """The inputs of a record that are no longer what they were; empty while the record is current.

    A checkpoint that is not shipped and not there cannot have changed: its hash says what was measured.
    """
    stale = []
    for name, was in record["inputs"].items():
        path = root / name
        if NOT_SHIPPED.search(name) and not path.is_file():
            continue
        now = (code_hash(path) if path.suffix == ".py" else digest(path)) if path.is_file() else ""
        if now != was:
            stale.append(name)
    return stale


def hashed(content: Any) -> str:
    """sha256 of anything JSON can hold."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def versions() -> dict[str, str]:
    import torch
    import transformers

    return {"python": platform.python_version(), "torch": torch.__version__, "transformers": transformers.__version__}


def write(path: Path, record: dict[str, Any]) -> None:
    """Replaces the file in one step, so that a crash leaves the old record or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
