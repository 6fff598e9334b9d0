"""Entries: what people wrote about a method, one file a slug. A method without a paper of its own has no `[paper]`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from catalog import taxonomy
from catalog.errors import Refused, nearest
from catalog.toml import Strict, read

FOLDER = Path("catalog/entries")
SLUG = re.compile(r"[a-z][a-z0-9_]{1,40}")
ARXIV_ID = re.compile(r"\d{4}\.\d{4,5}|[a-z-]+(\.[A-Z]{2})?/\d{7}")

# Key of a reported row → (unit, which direction is better).
METRICS = {
    "accuracy": ("percent", "higher"),
    "tokens": ("tokens", "lower"),
    "latency_s": ("s", "lower"),
}

Evidence = Literal["paper", "official repository", "survey", "third party", "memory"]


def check_arxiv_id(text: str) -> str:
    if not ARXIV_ID.fullmatch(text):
        raise ValueError("must be an arXiv id without version, such as 2502.12067")
    return text


def _https(text: str) -> str:
    if not re.fullmatch(r"https://[^\s\"'<>`\\]+", text):
        raise ValueError("must be an https:// address")
    return text


def _plain(text: str) -> str:
    # Titles of entries reach places (page title, navigation) that the theme does not escape.
    if not re.fullmatch(r"[\w .,:+()'’–-]+", text):
        raise ValueError("may hold letters, digits, spaces and . , : + ( ) ' - alone")
    return text


class Paper(Strict):
    arxiv: Annotated[str, AfterValidator(check_arxiv_id)]
    title: str
    authors: list[str] = []
    year: int = Field(ge=1950, le=2100)
    venue: str = ""


class Code(Strict):
    url: Annotated[str, AfterValidator(_https)]
    licence: str  # as its repository states it; "none" where it states none: then describe, never copy


class Row(Strict):
    """One setting, with each metric the source prints for it (accuracy in percent, latency in seconds)."""

    setting: str
    accuracy: float | None = None
    tokens: float | None = None
    latency_s: float | None = None
    note: str = ""


class Group(Strict):
    """Rows that share benchmark, model and source."""

    benchmark: str
    model: str
    evidence: Evidence
    verified: bool  # the source itself was read
    locator: str  # where in the source
    checked: Annotated[str, Field(pattern=r"^20\d\d-(0[1-9]|1[0-2])(-\d\d)?$")]
    rows: list[Row]


class Symbol(Strict):
    name: str
    meaning: str


class _File(Strict):
    name: Annotated[str, AfterValidator(_plain)]
    summary: str
    idea: str
    formula: list[str] = []
    symbols: list[Symbol] = []
    limits: list[str] = []
    facets: dict[str, list[str]]
    paper: Paper | None = None
    code: Code | None = None
    reported: list[Group] = []


@dataclass(frozen=True)
class Reported:
    """One number somebody published. `direction`: whether higher or lower is better."""

    benchmark: str
    model: str
    setting: str
    metric: str
    value: float
    unit: str
    direction: str
    evidence: str
    verified: bool
    locator: str
    checked_on: date  # the first of the month where only the month is known
    note: str


@dataclass(frozen=True)
class Entry:
    slug: str
    file: str  # path from the root
    written: _File

    @property
    def reported(self) -> Iterator[Reported]:
        for group in self.written.reported:
            day = date.fromisoformat(group.checked if len(group.checked) > 7 else f"{group.checked}-01")
            for row in group.rows:
                for metric, (unit, direction) in METRICS.items():
                    value = getattr(row, metric)
                    if value is not None:
                        yield Reported(
                            group.benchmark, group.model, row.setting, metric, value, unit, direction,
                            group.evidence, group.verified, group.locator, day, row.note,
                        )  # fmt: skip


def load(root: Path) -> list[Entry]:
    """Every entry, by slug. Raises `Refused` (exit 1) that names file, key, value and the nearest valid name."""
    tree = taxonomy.load(root)
    return [load_one(path, tree, root) for path in sorted((root / FOLDER).glob("*.toml"))]


def load_one(path: Path, tree: taxonomy.Taxonomy, root: Path) -> Entry:
    file = str(path.relative_to(root))
    if not SLUG.fullmatch(path.stem):
        raise Refused(f"{file}: the slug {path.stem!r} must match {SLUG.pattern}")
    written = read(path, _File, root)
    facets = [node.id for node in tree.facets]
    for facet, tags in written.facets.items():
        if facet not in facets:
            raise Refused(f"{file}: facets: unknown facet {facet!r}{nearest(facet, facets)}")
        known = tree.tags(facet)
        for tag in tags:
            if tag not in known:
                raise Refused(f"{file}: facets.{facet}: unknown tag {tag!r}{nearest(tag, known)}")
    for index, group in enumerate(written.reported):
        here = f"{file}: reported[{index}]"
        if group.evidence == "memory" and group.verified:
            raise Refused(f"{here}.verified: true, but evidence is 'memory': nobody has read the source")
        for number, row in enumerate(group.rows):
            if all(getattr(row, metric) is None for metric in METRICS):
                raise Refused(f"{here}.rows[{number}]: no number; give one of {', '.join(METRICS)}")
            if row.accuracy is not None and not 0 <= row.accuracy <= 100:
                raise Refused(f"{here}.rows[{number}].accuracy: {row.accuracy} is not a percentage")
    return Entry(path.stem, file, written)
