"""Runs the jobs of a workflow file on this machine: each in a checkout of its own, its `run:` steps by bash, in order.

Of actions it knows checkout, cache and artifacts, which it plays with folders; of expressions only what our files use.
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

GH = """#!/bin/bash
printf '%s\\n' "$*" >>"$GH_LOG"
case "$1 $2" in
  "pr list") cat "$GH_STATE" 2>/dev/null || true ;;
  "pr create") while [ $# -gt 0 ]; do [ "$1" != --body-file ] || cat "$2" >>"$GH_LOG"; shift; done ;;
esac
"""


@dataclass
class Actions:
    """`remote` is a bare repository with a branch main; `environment` is what the runner has beside our own."""

    workflow: Path
    remote: Path
    work: Path
    environment: dict[str, str]
    output: str = ""  # all that steps printed
    results: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)  # by job
    runs: int = 0

    def __post_init__(self) -> None:
        self.jobs: dict[str, Any] = yaml.safe_load(self.workflow.read_text("utf-8"))["jobs"]
        tools = self.work / "tools"
        tools.mkdir(parents=True)
        (tools / "gh").write_text(GH)
        (tools / "gh").chmod(0o755)
        (tools / "python3").symlink_to(sys.executable)
        self.gh_log, self.gh_state = self.work / "gh.log", self.work / "gh.state"
        self.gh_log.touch()
        own = {"GH_LOG": str(self.gh_log), "GH_STATE": str(self.gh_state), "HOME": str(self.work), "CI": "true"}
        self.base = {"PATH": f"{tools}:{os.environ['PATH']}", "LANG": "C.UTF-8", "OMP_NUM_THREADS": "1", **own, **self.environment}

    def run(self, *names: str) -> None:
        """Runs the jobs so named, if what they need ended well and their condition holds."""
        for name in names:
            job = self.jobs[name]
            needs = [job["needs"]] if isinstance(job.get("needs"), str) else job.get("needs", [])
            asked = str(job.get("if", ""))
            fine = all(self.results.get(each) == "success" for each in needs) or "!cancelled()" in asked
            known = {f"needs.{each}.outputs.{key}": value for each in needs for key, value in self.outputs.get(each, {}).items()}
            known |= {f"needs.{each}.result": self.results.get(each, "") for each in needs}
            self.results[name] = self._job(name, job, known) if fine and _holds(asked, known) else "skipped"

    def _job(self, name: str, job: dict[str, Any], known: dict[str, str]) -> str:
        self.runs += 1
        folder = self.work / f"{self.runs}-{name}"
        folder.mkdir()
        result = "success"
        for step in job["steps"]:
            condition = str(step.get("if", ""))
            if (result != "success" and "!cancelled()" not in condition) or not _holds(condition, known):
                continue
            if "uses" in step:
                self._use(step["uses"].partition("@")[0], step.get("with", {}), folder)
                continue
            printed = {name: self.work / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
            given = {**job.get("env", {}), **step.get("env", {})}
            environment = self.base | {key: _fill(str(value), known) for key, value in given.items()}
            for variable, path in printed.items():
                path.write_text("")
                environment[variable] = str(path)
            assert "${{" not in step["run"]
            done = subprocess.run(
                ["bash", "-e", "-c", step["run"]], cwd=folder, env=environment, capture_output=True, text=True, timeout=120
            )
            self.output += f"--- {name}: {step.get('name')}\n{done.stdout}{done.stderr}{printed['GITHUB_STEP_SUMMARY'].read_text()}"
            for line in printed["GITHUB_OUTPUT"].read_text().splitlines():
                key, _, value = line.partition("=")
                known[f"steps.{step['id']}.outputs.{key}"] = value
            if done.returncode:
                result = "failure"
        self.outputs[name] = {key: _fill(str(value), known) for key, value in job.get("outputs", {}).items()}
        return result

    def _use(self, action: str, given: dict[str, str], folder: Path) -> None:
        store = self.work / "stored"
        if action == "actions/checkout":
            subprocess.run(["git", "clone", "-q", "-b", "main", self.remote, folder], check=True, env=self.base)
            (folder / ".venv").symlink_to(sys.prefix)
        elif action in ("actions/cache/restore", "actions/download-artifact"):
            _copy(store / given["path"], folder / given["path"])
        elif action in ("actions/cache/save", "actions/upload-artifact"):
            _copy(folder / given["path"], store / given["path"])
        else:
            assert action in ("actions/setup-python", "actions/upload-pages-artifact", "actions/deploy-pages"), action


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target)
    elif source.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


_CONSTANT = {
    "github.token": "ghs_test", "github.ref": "refs/heads/main", "github.ref_name": "main", "github.run_id": "1",
    "github.run_attempt": "1", "github.repository": "owner/laconic", "github.event.repository.default_branch": "main",
    "vars.LACONIC_CONTACT": "",
}  # fmt: skip


def _fill(text: str, known: dict[str, str]) -> str:
    return re.sub(r"\$\{\{ *([\w.-]+) *\}\}", lambda match: _value(match[1], known), text)


def _value(name: str, known: dict[str, str]) -> str:
    """An output that no step set is empty, as on GitHub; any other unknown name is a mistake."""
    return _CONSTANT[name] if name.startswith(("github.", "vars.")) else known.get(name, "")


def _holds(condition: str, known: dict[str, str]) -> bool:
    for part in filter(None, condition.split(" && ")):
        if part == "!cancelled()":
            continue
        left, sign, right = re.fullmatch(r"([\w.-]+) (==|!=) (\S+)", part).groups()  # type: ignore[union-attr]
        value = right.strip("'") if right.startswith("'") else _value(right, known)
        if (_value(left, known) == value) != (sign == "=="):
            return False
    return True
