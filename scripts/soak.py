"""Kill `laconic update` and `export` a hundred times at random: every rerun must end as an undisturbed run would.

Real processes, real SIGKILLs, against the loopback server of the tests and a made-up week (or, with --stand-in, against the
stand-in that the LACONIC_…_URL variables name; anything but a loopback address is refused). Seeded, so that a failure comes again.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from catalog.errors import Refused
from catalog.root import find_root
from scripts import _output

URLS = ("LACONIC_ARXIV_URL", "LACONIC_RSS_URL", "LACONIC_OAI_URL", "LACONIC_RAW_URL")
DAY = "2026-03-18T09:00"  # one mailing was missed the day before, so every interface is asked
DAY_BEFORE = "2026-03-16T09:00"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kills", type=int, default=100, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--stand-in", action="store_true", help="use the servers that the environment names, all on loopback")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


@dataclass
class Soak:
    """A checkout of its own, and the processes that run in it."""

    folder: Path
    environment: dict[str, str]
    killed: Counter[str] = field(default_factory=Counter)

    @property
    def database(self) -> Path:
        return self.folder / "soak.db"

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "scripts", *words]
        return subprocess.Popen(command, cwd=self.folder / "checkout", env=self.environment, stdout=subprocess.DEVNULL)

    def run(self, *words: str) -> float:
        """Seconds that it took. Raises `Refused` where it failed."""
        started = time.monotonic()
        code = self.start(*words).wait()
        if code:
            raise Refused(f"laconic {' '.join(words)}: exit {code} in a run that nobody disturbed")
        return time.monotonic() - started

    def kill(self, after_s: float, *words: str) -> None:
        process = self.start(*words)
        try:
            process.wait(after_s)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            self.killed[words[0]] += 1

    def exported(self) -> dict[str, bytes]:
        folder = self.folder / "out"
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    def go_back_to(self, database: bytes, snapshot: dict[str, bytes]) -> None:
        for path in [*self.folder.glob("soak.db*"), *(path for path in (self.folder / "out").rglob("*") if path.is_file())]:
            path.unlink()
        self.database.write_bytes(database)
        for name, content in snapshot.items():
            (self.folder / "out" / name).write_bytes(content)


def main(args: argparse.Namespace) -> int:
    if args.kills < 1:
        raise Refused(f"--kills: {args.kills} is not a positive number", exit_code=2)
    root, chance, started = find_root(), random.Random(args.seed), time.monotonic()
    with tempfile.TemporaryDirectory() as name, _served(root, args.stand_in) as (urls, sources, turn_to):
        soak = Soak(Path(name), _environment(root, Path(name), urls))
        catalog = soak.folder / "checkout" / "catalog"
        catalog.mkdir(parents=True)
        (catalog / "sources.toml").write_text(sources, "utf-8")
        (catalog / "taxonomy.toml").write_bytes((root / "catalog" / "taxonomy.toml").read_bytes())
        out = str(soak.folder / "out")
        turn_to(DAY_BEFORE)
        soak.environment["LACONIC_NOW"] = DAY_BEFORE
        soak.run("update")
        soak.run("export", out)
        database, snapshot = soak.database.read_bytes(), soak.exported()
        turn_to(DAY)
        soak.environment["LACONIC_NOW"] = DAY
        lasts = {"update": soak.run("update"), "export": soak.run("export", out)}
        peace, rounds = soak.exported(), 0
        while sum(soak.killed.values()) < args.kills:
            soak.go_back_to(database, snapshot)
            for words in (("update",), ("export", out)):
                for _ in range(chance.randint(1, 3)):  # a rerun is killed, too
                    soak.kill(chance.uniform(0.2, 1) * lasts[words[0]], *words)
                soak.run(*words)
            rounds += 1
            if soak.exported() != peace:
                odd = sorted(name for name, content in soak.exported().items() if peace.get(name) != content)
                raise Refused(f"after {sum(soak.killed.values())} kills with --seed {args.seed} the export differs: {odd}")
    found = {"kills": sum(soak.killed.values()), **soak.killed, "rounds": rounds, "seconds": round(time.monotonic() - started)}
    if args.json:
        _output.document(found)
    else:
        _output.table(["what", "count"], found.items())
        _output.line("every rerun exported what an undisturbed run does, byte for byte")
    return 0


def _environment(root: Path, folder: Path, urls: dict[str, str]) -> dict[str, str]:
    own = {
        "LACONIC_DB": f"sqlite:///{folder}/soak.db",
        "XDG_CACHE_HOME": str(folder / "cache"),
        "LACONIC_ARXIV_INTERVAL": "0.05",
        "PYTHONPATH": str(root),
    }
    return {name: value for name, value in os.environ.items() if not name.startswith("LACONIC_")} | urls | own


@contextmanager
def _served(root: Path, stand_in: bool) -> Iterator[tuple[dict[str, str], str, Callable[[str], None]]]:
    """Who answers, what a checkout follows there, and what moves their calendar to a day."""
    if stand_in:
        urls = {name: os.environ.get(name, "") for name in URLS}
        for name, url in urls.items():
            if not _is_loopback(url):
                raise Refused(f"{name}={url!r} is not on this machine: a soak asks far too often for any other", exit_code=2)
        yield urls, (root / "catalog" / "sources.toml").read_text("utf-8"), lambda day: None
        return
    sys.path.insert(0, str(root / "tests" / "catalog"))
    import conftest  # type: ignore[import-not-found]
    import week  # type: ignore[import-not-found]
    from loopback import serving  # type: ignore[import-not-found]

    with serving() as server:
        server.records |= conftest.RECORDS
        server.lists[week.SECOND_URL] = conftest.SECOND.encode()
        week.fill(server)

        def turn_to(day: str) -> None:
            server.today = day[:10]

        paths = dict(zip(URLS, ("/api", "/rss", "/oai", "/raw")))
        yield {name: server.url + path for name, path in paths.items()}, conftest.SOURCES, turn_to


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
