"""How fast things are: ratios taken in one run; for tagging, papers a CPU second."""

import argparse
import json
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from catalog import schema, store
from catalog.root import find_root
from scripts import _speed_site as speed_site
from scripts._speed_site import seconds

PAPERS = 100_000
MERGED = 20_000  # session.merge takes minutes for more
ROUNDS = 3


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def _papers(count: int, version: int) -> Iterator[dict[str, Any]]:
    fixed: dict[str, Any] = dict.fromkeys(column.name for column in store.table_of(schema.Paper).columns) | {
        "status": schema.CONFIRMED, "abstract": "latent reasoning " * 80, "categories": [], "withdrawn": False,
        "found_by": "speed", "first_seen": schema.date(2026, 1, 1), "version": version,
    }  # fmt: skip
    for n in range(count):
        yield fixed | {"key": f"k{n}", "arxiv_id": f"k{n}", "title": f"Paper {n} v{version}"}


@contextmanager
def _empty_database() -> Iterator[Engine]:
    with tempfile.TemporaryDirectory() as folder:
        engine = store.connect(store.make_url(f"sqlite:///{folder}/speed.db"))
        store.write_ahead(engine)
        with engine.begin() as connection:
            store.create_tables(connection)
        yield engine
        engine.dispose()


def _ours(engine: Engine, count: int, version: int) -> None:
    with engine.begin() as connection:
        store.upsert_papers(connection, _papers(count, version))


def _raw(engine: Engine, version: int) -> None:
    """What `sqlite3` does alone: the same table, indexes and statement, rows made tuples as briefly as can be written."""
    names = [column.name for column in store.table_of(schema.Paper).columns]
    updates = ", ".join(f"{name} = excluded.{name}" for name in names if name not in ("key", "found_by", "first_seen"))
    welcome = "served_by IS NULL OR served_by != 'arxiv' OR excluded.served_by = 'arxiv'"
    statement = (
        f"INSERT INTO papers ({', '.join(names)}) VALUES ({', '.join('?' * len(names))}) "
        f"ON CONFLICT (key) DO UPDATE SET {updates} WHERE {welcome}"
    )

    def plain(row: dict[str, Any]) -> tuple[Any, ...]:
        row["categories"], row["first_seen"] = json.dumps(row["categories"]), row["first_seen"].isoformat()
        return tuple(row[name] for name in names)

    with closing(sqlite3.connect(str(engine.url.database))) as raw, raw:
        raw.execute("PRAGMA synchronous=NORMAL")
        raw.executemany(statement, map(plain, _papers(PAPERS, version)))


def upsert_ratios() -> dict[str, float]:
    """Our upsert of 100,000 papers, new and then all changed, against sqlite3 alone and against `session.merge`."""

    def merged(engine: Engine) -> None:
        with Session(engine) as session:
            for row in _papers(MERGED, 3):
                session.merge(schema.Paper(**row))
            session.commit()

    new: list[float] = []
    changed: list[float] = []
    against_merge: list[float] = []
    for _ in range(ROUNDS):  # by turns, so that what else the machine does befalls both
        with _empty_database() as engine, _empty_database() as other:
            for version, ratios in ((1, new), (2, changed)):
                ours = seconds(partial(_ours, engine, PAPERS, version))
                ratios.append(seconds(partial(_raw, other, version)) / ours)
            against_merge.append(seconds(partial(merged, engine)) / MERGED * PAPERS / ours)
    return {
        f"upsert of {PAPERS} new papers, rate ÷ raw sqlite3 executemany": statistics.median(new),
        f"upsert of {PAPERS} changed papers, rate ÷ raw sqlite3 executemany": statistics.median(changed),
        f"upsert of {PAPERS} changed papers, rate ÷ session.merge (of {MERGED})": statistics.median(against_merge),
        f"upsert, peak memory of {PAPERS} papers ÷ {MERGED}": _peak_kb(PAPERS) / _peak_kb(MERGED),
    }


def _peak_kb(count: int) -> int:
    """Peak memory of a process of its own that upserts so many papers."""
    work = f"from scripts import speed; print(speed.upsert_peak_kb({count}))"
    return int(subprocess.run([sys.executable, "-c", work], check=True, capture_output=True).stdout)


def upsert_peak_kb(count: int) -> int:
    with _empty_database() as engine:
        _ours(engine, count, 1)
    # Not getrusage: what that tells is inherited from the process that started this one.
    return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])  # type: ignore[index]


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


def tagging_speed(root: Path) -> dict[str, float]:
    """Papers a CPU second: not a ratio, but CPU seconds do not count what else the machine does. The best of ten rounds.

    There are no abstracts in a checkout; fourteen titles stand in for one, as long as most and fuller of phrases than any.
    """
    from catalog import tagging

    tagger = tagging.load(root)
    lines = (root / "catalog" / "snapshot" / "papers.jsonl").read_text("utf-8").splitlines()[:300]
    titles = [json.loads(line)["title"] for line in lines]
    papers = [(title, ". ".join(titles[at + 1 : at + 15])) for at, title in enumerate(titles)]

    def round_() -> float:
        started = time.process_time()
        for title, abstract in papers:
            tagger.tag(title, abstract)
        return len(papers) / (time.process_time() - started)

    return {"tagging, papers a CPU second": max(round_() for _ in range(10))}


def startup_ratio(root: Path) -> dict[str, float]:
    """`laconic --help` against an interpreter that does nothing."""

    def run(*words: str) -> float:
        return seconds(lambda: subprocess.run([sys.executable, *words], cwd=root, check=True, stdout=subprocess.DEVNULL))

    pairs = [(run("-m", "scripts", "--help"), run("-c", "pass")) for _ in range(9)]
    return {"start-up of laconic --help, time ÷ python -c pass": statistics.median(ours / none for ours, none in pairs)}


def main(args: argparse.Namespace) -> int:
    root = find_root()
    ratios = {
        **startup_ratio(root), **upsert_ratios(), **speed_site.figures(root), **decode_ratio(root), **tagging_speed(root),
    }  # fmt: skip
    if args.json:
        print(json.dumps(ratios))
    else:
        for name, ratio in ratios.items():
            print(f"{ratio:8.2f}  {name}")
    return 0
