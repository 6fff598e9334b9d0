"""How the site scales: built with 1,000 and with 5,000 made-up papers, and read in headless Chromium."""

import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SMALL, LARGE, ROUNDS = 1_000, 5_000, 3
# Debian's. The shell is the same engine without windows: the whole browser draws its own bars even when headless.
BROWSERS = [Path("/usr/bin/chromium-headless-shell"), Path("/usr/bin/chromium")]
CHROMIUM = next((browser for browser in BROWSERS if browser.exists()), BROWSERS[0])
# What a root needs for a build, beside its database.
KEPT = ("site", "catalog", "methods", "mkdocs.yml", "CONTRIBUTING.md", "CHANGELOG.md")
WORDS = [
    "adaptive", "budget", "chain", "cheap", "compact", "compression", "control", "depth", "distillation", "draft",
    "early", "efficient", "exit", "hidden", "implicit", "language", "latent", "length", "loops", "models",
    "overthinking", "pruning", "reasoning", "reward", "search", "short", "skipping", "small", "steps", "thought",
    "tokens",
]  # fmt: skip

LABELS = {
    "scope": ["in"], "form": ["explicit", "implicit", "adjacent"], "training": ["none", "sft", "rl"],
    "acts_on": ["data", "weights", "sampler"], "saves": ["generated_tokens", "memory"],
}  # fmt: skip


def seconds(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def figures(root: Path) -> dict[str, float]:
    """Ratios, sizes in MB and KB, and what a keystroke in the explorer takes in ms. Built with torch and the like blocked."""
    with tempfile.TemporaryDirectory() as folder:
        small, large = (_root(root, Path(folder) / str(papers), papers) for papers in (SMALL, LARGE))
        took: dict[str, list[float]] = {"small": [], "large": [], "bare": []}
        for _ in range(ROUNDS):  # by turns: what else the machine does comes over all three, and only ever adds
            took["small"].append(_build(root, small))
            took["large"].append(_build(root, large))
            took["bare"].append(_bare(large))
        least = {name: min(times) for name, times in took.items()}
        public = large / "public"
        pages = {page.relative_to(public).as_posix(): page.stat().st_size for page in public.rglob("*.html")}
        years = [name for name in pages if name.startswith("papers/") and name != "papers/index.html"]
        largest = max((name for name in pages if name not in years), key=lambda name: pages[name])
        found = {
            f"site build, time at {LARGE} papers ÷ time at {SMALL}": least["large"] / least["small"],
            f"site build at {LARGE} papers, time ÷ bare mkdocs on the same Markdown": least["large"] / least["bare"],
            f"site at {LARGE} papers, MB": sum(p.stat().st_size for p in public.rglob("*") if p.is_file()) / 1e6,
            f"largest page but the year tables ({largest}), KB": pages[largest] / 1e3,
            "search index, MB": (public / "search" / "search_index.json").stat().st_size / 1e6,
        }
        return found | _keystroke(public)


def _root(root: Path, folder: Path, papers: int) -> Path:
    """A copy of `root` whose database holds `papers` made-up papers."""
    (folder / "build").mkdir(parents=True)
    for name in KEPT:
        source = root / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__", "zoo", "snapshot"))
        else:
            shutil.copy(source, folder / name)
    _fill(_database(folder), papers)
    # Our lines about freshness need data that mkdocs alone does not have.
    text = (folder / "mkdocs.yml").read_text("utf-8")
    (folder / "bare.yml").write_text("".join(line for line in text.splitlines(True) if "custom_dir:" not in line), "utf-8")
    return folder


def _database(folder: Path) -> str:
    return f"sqlite:///{folder}/build/laconic.db"  # never the one that LACONIC_DB names


def _build(root: Path, folder: Path) -> float:
    """Processor seconds to render and build a copy for the first time."""
    for made in ("public", "build/docs"):
        shutil.rmtree(folder / made, ignore_errors=True)
    blocked = (
        "import sys\n"
        "for name in ('torch', 'transformers', 'sklearn'): sys.modules[name] = None\n"
        "from scripts.__main__ import run\n"
        "sys.exit(run(['site']))\n"
    )
    environment = os.environ | {"LACONIC_DB": _database(folder), "PYTHONPATH": str(root)}
    command = [sys.executable, "-P", "-c", blocked]  # of the code as it is installed, not of the copy, which has no bytecode
    return _cpu_s(command, folder, environment)


def _bare(folder: Path) -> float:
    """Processor seconds of mkdocs by itself, on the Markdown that was rendered last."""
    shutil.rmtree(folder / "bare", ignore_errors=True)
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--config-file", "bare.yml", "--site-dir", "bare"]
    return _cpu_s(command, folder, os.environ | {"NO_MKDOCS_2_WARNING": "1"})


def _cpu_s(command: list[str], folder: Path, environment: dict[str, str]) -> float:
    """Processor seconds of a command that has one process and one thread: what else the machine does hardly moves them."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _fill(database: str, papers: int) -> None:
    """As many papers, authors, labels and listings as a real crawl brings, the same each time."""
    from sqlmodel import Session

    from catalog import schema, store

    chance = random.Random(0)
    day = schema.date(2026, 1, 5)
    engine = store.connect(store.make_url(database))
    with engine.begin() as connection:
        store.create_tables(connection)
    with Session(engine) as session:
        for n in range(papers):
            key = f"{23 + n % 4}{1 + n // 4 % 12:02}.{n:05}"
            title = " ".join(chance.choices(WORDS, k=9)).capitalize()
            session.add(
                schema.Paper(key=key, arxiv_id=key, title=title, status=schema.CONFIRMED, found_by="speed", first_seen=day)
            )
        session.commit()
        for n in range(papers):
            key = f"{23 + n % 4}{1 + n // 4 % 12:02}.{n:05}"
            for place in range(4):
                name = f"{chance.choice(WORDS).capitalize()} {chance.choice(WORDS).capitalize()}"
                session.add(schema.Author(paper_key=key, position=place, name=name))
            for facet, tags in LABELS.items():
                session.add(
                    schema.Facet(
                        paper_key=key, facet=facet, tag=chance.choice(tags), source="tagger", origin="machine", confidence=0.9
                    )
                )
            for place in range(2):
                session.add(
                    schema.Mention(
                        key=f"{key}-{place}", list_name=f"list-{chance.randrange(6)}", section=["Papers", chance.choice(WORDS)],
                        title="as printed", urls=[f"https://arxiv.org/abs/{key}"], line=n, file_sha256="0" * 64, paper_key=key,
                        resolution="confirmed", first_seen=day,
                    )  # fmt: skip
                )
        session.commit()
    engine.dispose()


def _keystroke(public: Path) -> dict[str, float]:
    """The slowest of eleven keystrokes, from the event to the redrawn list laid out; empty without Chromium or Playwright."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return {}
    if not CHROMIUM.exists():
        return {}
    typed = """text => [...text].map((_, n) => {
      const box = document.getElementById('explorer-q');
      box.value = text.slice(0, n + 1);
      const before = performance.now();
      box.dispatchEvent(new Event('input', { bubbles: true }));
      document.querySelector('#explorer .results').getBoundingClientRect();
      return performance.now() - before;
    })"""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.goto((public / "papers" / "index.html").as_uri())
        page.locator("#explorer .found").wait_for()
        times = page.evaluate(typed, "latent loop")
        browser.close()
    return {f"keystroke in the explorer at {LARGE} papers, slowest, ms": max(times)}
