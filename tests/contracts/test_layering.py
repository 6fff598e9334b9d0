"""Who may import whom, and the few rules that a reader of the folder tree relies on."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = [path for folder in ("catalog", "methods", "scripts") for path in (ROOT / folder).rglob("*.py")]


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add(node.module or "")
    return names


def tops(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in imported(path)}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_packages_keep_apart(path: Path) -> None:
    own = path.relative_to(ROOT).parts[0]
    forbidden = {"catalog": {"methods", "scripts", "torch", "transformers", "sklearn"}, "methods": {"catalog", "scripts"}}
    assert not tops(path) & forbidden.get(own, set())


def test_one_module_of_each_package_reaches_the_network() -> None:
    reaching = [path for path in FILES if tops(path) & {"requests", "urllib3", "httpx", "httpx2", "socket"}]
    assert len([path for path in reaching if "requests" in tops(path)]) == 2
    allowed = (ROOT / "catalog" / "sources", ROOT / "methods" / "kit" / "endpoint.py")
    assert all(path.is_relative_to(allowed[0]) or path == allowed[1] for path in reaching), reaching


def asking(pattern: str) -> set[str]:
    return {path.relative_to(ROOT).as_posix() for path in FILES if re.search(pattern, path.read_text("utf-8"))}


def test_nothing_else_asks_for_the_time_of_day() -> None:
    assert asking(r"\b(?:datetime|date)\.(?:now|today|utcnow)\(|\btime\.(?:gm|local)time\(") == {"catalog/clock.py"}
    # the gate that keeps processes apart counts real seconds between them, whatever day it is said to be
    assert asking(r"\btime\.time\(") <= {"catalog/sources/polite.py"}


@pytest.mark.parametrize("line", ["import pickle", "from pickle import loads", "import torch\nw = torch.load('x')"])
def test_lint_bans_whatever_unpickles(line: str) -> None:
    command = [sys.executable, "-m", "ruff", "check", "--stdin-filename", "methods/x.py", "-"]
    done = subprocess.run(command, cwd=ROOT, input=f"{line}\n", capture_output=True, text=True)
    assert "TID251" in done.stdout


def test_no_module_is_a_drawer() -> None:
    assert not [path for path in FILES if path.stem in ("utils", "common", "helpers", "misc")]


def test_site_is_no_package_and_holds_no_python() -> None:
    assert not list((ROOT / "site").rglob("*.py"))
    where = subprocess.run([sys.executable, "-c", "import site; print(site.__file__)"], cwd=ROOT, capture_output=True, text=True)
    assert "lib/python" in where.stdout


def test_every_verb_says_what_it_does() -> None:
    for path in (ROOT / "scripts").glob("[!_]*.py"):
        words = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
        assert 10 < len(words.splitlines()[0]) < 120, path.name


def test_pins_name_no_build_of_torch() -> None:
    pins = (ROOT / "constraints.txt").read_text().splitlines()
    assert "torch==2.13.0" in pins
    assert not [pin for pin in pins if "nvidia" in pin or "cuda" in pin]
    assert all(re.fullmatch(r"#.*|[\w.\-]+==[\w.]+", pin) for pin in pins)


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv=['laconic','--help']\nfrom scripts.__main__ import run\nrun(['--help'])\nprint(sorted(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = done.stdout.splitlines()[-1]
    assert not [name for name in ("torch", "sqlmodel", "mkdocs", "requests", "numpy") if f"'{name}'" in loaded]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["updtae"], 2, "did you mean 'update'"),
        ([], 2, "usage: laconic VERB"),
        (["--help"], 0, "exit codes"),
        (["run", "cocnut"], 2, "did you mean 'coconut'"),
        (["bench"], 2, "--all"),
        (["run", "cot", "--model", "nowhere"], 1, "nowhere"),
    ],
)
def test_exit_codes_and_one_line(words: list[str], code: int, said: str) -> None:
    done = subprocess.run([sys.executable, "-m", "scripts", *words], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == code
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    if code and words:
        assert len(done.stderr.strip().splitlines()) <= 2


def test_outside_a_checkout_is_wrong_usage(tmp_path: Path) -> None:
    code = "from scripts.__main__ import main; import sys; sys.argv=['laconic', 'status']; main()"
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 2
    assert "not inside a Laconic checkout" in done.stderr
