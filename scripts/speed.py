"""How fast things are, as ratios taken in one run, never as absolute times."""

import argparse
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from catalog.root import find_root

PAPERS = 20_000


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def seconds(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def upsert_ratios() -> dict[str, float]:
    """Our upsert of 20,000 papers, new and then all changed, against sqlite3 alone and against `session.merge`."""
    from sqlmodel import Session

    from catalog import schema, store

    table = store.table_of(schema.Paper)
    names = [column.name for column in table.columns]

    def rows(version: int) -> list[dict[str, Any]]:
        fixed: dict[str, Any] = dict.fromkeys(names) | {
            "status": schema.CONFIRMED, "abstract": "latent reasoning " * 80, "categories": [], "withdrawn": False,
            "found_by": "speed", "first_seen": schema.date(2026, 1, 1), "version": version,
        }  # fmt: skip
        return [fixed | {"key": f"k{i}", "arxiv_id": f"k{i}", "title": f"Paper {i} v{version}"} for i in range(PAPERS)]

    def plain(row: dict[str, Any]) -> tuple[Any, ...]:
        return tuple("[]" if name == "categories" else str(row[name]) if name == "first_seen" else row[name] for name in names)

    with tempfile.TemporaryDirectory() as folder:
        url = store.make_url(f"sqlite:///{folder}/ours.db")
        engine = store.connect(url)
        store.create_tables(engine)

        def ours(version: int) -> None:
            with engine.begin() as connection:
                store.upsert_papers(connection, rows(version))

        def merged() -> None:
            with Session(engine) as session:
                for row in rows(3):
                    session.merge(schema.Paper(**row))
                session.commit()

        took = {"insert": seconds(lambda: ours(1)), "update": seconds(lambda: ours(2)), "merge": seconds(merged)}
        engine.dispose()
        raw = sqlite3.connect(f"{folder}/raw.db")
        raw.execute("PRAGMA journal_mode=WAL")
        raw.execute("PRAGMA synchronous=NORMAL")
        raw.execute(f"CREATE TABLE papers ({', '.join(names)}, PRIMARY KEY (key), UNIQUE (arxiv_id))")
        raw.execute("CREATE INDEX status ON papers (status)")
        marks = ", ".join("?" * len(names))
        updates = ", ".join(f"{name} = excluded.{name}" for name in names if name != "key")
        statement = f"INSERT INTO papers VALUES ({marks}) ON CONFLICT (key) DO UPDATE SET {updates}"

        def alone(version: int) -> None:
            with raw:
                raw.executemany(statement, [plain(row) for row in rows(version)])

        took |= {"raw insert": seconds(lambda: alone(1)), "raw update": seconds(lambda: alone(2))}
        raw.close()
    return {
        f"upsert of {PAPERS} new papers, time ÷ raw sqlite3 executemany": took["insert"] / took["raw insert"],
        f"upsert of {PAPERS} changed papers, time ÷ raw sqlite3 executemany": took["update"] / took["raw update"],
        f"upsert of {PAPERS} changed papers, speed ÷ session.merge": took["merge"] / took["update"],
    }


def site_ratio(root: Path) -> dict[str, float]:
    """Rendering and building, with torch, transformers and scikit-learn blocked, against mkdocs alone on the same Markdown."""
    blocked = (
        "import sys\n"
        "for name in ('torch', 'transformers', 'sklearn'): sys.modules[name] = None\n"
        "from scripts.__main__ import run\n"
        "sys.exit(run(['site']))\n"
    )
    ours = seconds(lambda: subprocess.run([sys.executable, "-c", blocked], cwd=root, check=True, stdout=subprocess.DEVNULL))
    with tempfile.TemporaryDirectory() as folder:
        bare = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", f"{folder}/site"]
        environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
        theirs = seconds(lambda: subprocess.run(bare, cwd=root, check=True, env=environment))
    return {"site build (torch, transformers, scikit-learn blocked), time ÷ bare mkdocs on the same Markdown": ours / theirs}


def decode_ratio(root: Path) -> dict[str, float]:
    """Tokens a second of our decoding against `model.generate`: same model, batch and number of tokens."""
    import torch

    from methods.kit.decoding import decode, left_padded
    from methods.kit.models import load
    from methods.kit.tasks import chains
    from methods.kit.zoo import shipped

    torch.set_num_threads(1)
    role = load("long", shipped(root, "chains").base("long", 0))
    rows = [role.prompt(problem.question) for problem in chains.draws("dev", 4, 0, 32)]
    ids, mask = left_padded(rows, role.pad_id, role.device)

    def theirs() -> None:
        role.model.generate(  # type: ignore[operator]
            ids, attention_mask=mask, max_new_tokens=96, min_new_tokens=96, do_sample=False, pad_token_id=role.pad_id
        )

    def ours() -> None:
        assert all(len(row) == 96 for row in decode(role, rows, [], 96))

    for warm in (ours, theirs):
        warm()
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(3)]
    return {"decoding, tokens a second ÷ model.generate (batch 32, 96 tokens)": statistics.median(t / o for o, t in pairs)}


def startup_ratio(root: Path) -> dict[str, float]:
    """`laconic --help` against an interpreter that does nothing."""

    def run(*words: str) -> float:
        return seconds(lambda: subprocess.run([sys.executable, *words], cwd=root, check=True, stdout=subprocess.DEVNULL))

    pairs = [(run("-m", "scripts", "--help"), run("-c", "pass")) for _ in range(9)]
    return {"start-up of laconic --help, time ÷ python -c pass": statistics.median(ours / none for ours, none in pairs)}


def main(args: argparse.Namespace) -> int:
    root = find_root()
    ratios = {**startup_ratio(root), **upsert_ratios(), **site_ratio(root), **decode_ratio(root)}
    if args.json:
        print(json.dumps(ratios))
    else:
        for name, ratio in ratios.items():
            print(f"{ratio:8.2f}  {name}")
    return 0
