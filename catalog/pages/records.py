"""Measurements, read from the files that the runner wrote: the only source of measured numbers on the site."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from catalog.errors import Refused

FOLDER = Path("methods/results")
CONTRIBUTED = FOLDER / "contributed"  # of models from outside, in no comparison with the lab's own
_NEEDED = ("protocol", "method", "task", "model", "seeds", "inputs", "results", "claims")


# Which of a record's inputs are no longer what they were. How code is hashed is the lab's business, so it is handed in.
Changed = Callable[[dict[str, Any], Path], list[str]]


@dataclass(frozen=True)
class Figure:
    """A mean with its 95 % interval; `source` is the file and the path of keys to it."""

    mean: float
    low: float
    high: float
    source: str


@dataclass(frozen=True)
class Record:
    file: str  # path from the root
    raw: dict[str, Any]
    stale: list[str]  # inputs that changed since

    def figure(self, key: str, metric: str) -> Figure | None:
        """`metric` of `slug` or `slug@arm`; None where the run did not measure it."""
        cell = self.raw["results"].get(key, {}).get(metric)
        if cell is None:
            return None
        return Figure(cell["mean"], cell["low"], cell["high"], f"{self.file} results.{key}.{metric}")

    @property
    def day(self) -> date | None:
        """The day of the run; None where the record does not say it as a date."""
        try:
            return date.fromisoformat(str(self.raw.get("date", "")))
        except ValueError:
            return None

    def arms(self, slug: str) -> list[str]:
        """The method's own keys: the default first, then its sweep and controls as the record has them."""
        keys = [key for key in self.raw["results"] if key == slug or key.startswith(f"{slug}@")]
        return sorted(keys, key=lambda key: key != slug)

    def levels(self, key: str) -> list[str]:
        """The levels at which the accuracy of `key` was measured, easiest first."""
        found = [name.partition("@")[2] for name in self.raw["results"].get(key, {}) if name.startswith("accuracy@")]
        return sorted(found, key=lambda level: (not level.isdigit(), int(level) if level.isdigit() else 0, level))


def load(root: Path, slug: str, changed: Changed) -> Record | None:
    """The record of one method, or None where there is none yet. Raises `Refused` on a file that is no record."""
    path = FOLDER / f"{slug}.json"
    return _record(root, path, changed) if (root / path).exists() else None


def contributed(root: Path, changed: Changed) -> list[Record]:
    """The records of models from outside, by the names of their files. Raises `Refused` on a file that is no record."""
    paths = sorted((root / CONTRIBUTED).glob("*.json"))
    return [_record(root, path.relative_to(root), changed) for path in paths]


def _record(root: Path, path: Path, changed: Changed) -> Record:
    file, slug, raw = path.as_posix(), path.stem, _json(root, path)
    for key in _NEEDED:
        if key not in raw:
            raise Refused(f"{file}: no record: the key {key!r} is missing; `laconic bench {slug}` writes one")
    for key, cells in raw["results"].items():
        for metric, cell in cells.items():
            if not (isinstance(cell, dict) and {"mean", "low", "high"} <= cell.keys()):
                raise Refused(f"{file}: results.{key}.{metric}: must hold mean, low and high")
    return Record(file, raw, changed(raw, root))


def calibration(root: Path) -> dict[str, Any] | None:
    """The calibration record as it stands, or None where there is none yet."""
    path = FOLDER / "calibration.json"
    raw = _json(root, path) if (root / path).exists() else None
    if raw is not None and not isinstance(raw.get("rows"), list):
        raise Refused(f"{FOLDER / 'calibration.json'}: no calibration: the key 'rows' is missing")
    return raw


def _json(root: Path, path: Path) -> dict[str, Any]:
    try:
        raw = json.loads((root / path).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise Refused(f"{path}: cannot be read as JSON ({error})") from None
    if not isinstance(raw, dict):
        raise Refused(f"{path}: must be one JSON object")
    return raw
