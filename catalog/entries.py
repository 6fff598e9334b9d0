"""Entries: what people wrote about a method, one file a slug. A method without a paper of its own has no `[paper]`."""

import json
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

# Key of a reported row → (unit, which direction is better). What a source gives only as a change stays a change.
METRICS = {
    "accuracy": ("percent", "higher"),
    "tokens": ("tokens", "lower"),
    "peak_tokens": ("tokens", "lower"),  # the longest context that was held
    "dependency": ("million", "lower"),  # area under the context curve, as LightThinker defines it
    "latency_s": ("s", "lower"),
    "perplexity": ("", "lower"),
    "accuracy_change": ("points", "higher"),
    "accuracy_kept": ("percent of the baseline's", "higher"),
    "length_change": ("percent", "lower"),
    "length_error": ("percent", "lower"),
    "cost_change": ("percent", "lower"),
    "memory_change": ("percent", "lower"),
    "speedup": ("times", "higher"),
    "compression": ("times", "higher"),
}

SCHEMA = Path("catalog/entry.schema.json")
SCHEMA_SAYS = "One file a method: catalog/entries/SLUG.toml. Written by `laconic audit --write`; do not edit."

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


class Quote(Strict):
    """The number is another method's: copied from its paper, or measured anew by whoever prints it."""

    slug: str
    setting: str = ""  # the row's name in that method's entry; empty where it has none
    rerun: bool = False


class Row(Strict):
    """One setting, with each metric the source prints for it; `METRICS` has the units."""

    setting: str
    accuracy: float | None = Field(default=None, ge=0, le=100)
    tokens: float | None = Field(default=None, ge=0)
    peak_tokens: float | None = Field(default=None, ge=0)
    dependency: float | None = Field(default=None, ge=0)
    latency_s: float | None = Field(default=None, ge=0)
    perplexity: float | None = Field(default=None, ge=1)
    accuracy_change: float | None = None
    accuracy_kept: float | None = Field(default=None, ge=0)
    length_change: float | None = Field(default=None, ge=-100)
    length_error: float | None = Field(default=None, ge=0)
    cost_change: float | None = Field(default=None, ge=-100)
    memory_change: float | None = Field(default=None, ge=-100)
    speedup: float | None = Field(default=None, ge=0)
    compression: float | None = Field(default=None, ge=0)
    note: str = ""
    baseline: bool = False  # the source's own baseline, with which the other rows of its group are compared
    quotes: Quote | None = None


class Group(Strict):
    """Rows that share benchmark, model and source."""

    benchmark: str
    model: str
    evidence: Evidence
    verified: bool  # the source itself was read
    locator: str  # where in the source
    checked: Annotated[str, Field(pattern=r"^20\d\d-(0[1-9]|1[0-2])(-\d\d)?$")]
    rows: list[Row]


class Stated(Strict):
    """What a source says that is no number: how the method trains (tags of `training`), on which models, all or some of them."""

    what: Literal["training", "models", "some_models"]
    value: list[str]
    evidence: Evidence
    verified: bool
    locator: str
    checked: Annotated[str, Field(pattern=r"^20\d\d-(0[1-9]|1[0-2])(-\d\d)?$")]


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
    stated: list[Stated] = []
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
    found = [load_one(path, tree, root) for path in sorted((root / FOLDER).glob("*.toml"))]
    slugs = [entry.slug for entry in found]
    for entry in found:
        for index, group in enumerate(entry.written.reported):
            for number, row in enumerate(group.rows):
                if row.quotes and row.quotes.slug not in slugs:
                    here = f"{entry.file}: reported[{index}].rows[{number}].quotes.slug"
                    raise Refused(f"{here}: unknown slug {row.quotes.slug!r}{nearest(row.quotes.slug, slugs)}")
    return found


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
    for index, stated in enumerate(written.stated):
        known = tree.tags("training") if stated.what == "training" else stated.value
        for tag in stated.value:
            if tag not in known:
                raise Refused(f"{file}: stated[{index}].value: unknown tag {tag!r}{nearest(tag, known)}")
    seen: dict[str, str] = {}
    for index, group in enumerate(written.reported):
        here = f"{file}: reported[{index}]"
        if group.evidence == "memory" and group.verified:
            raise Refused(f"{here}.verified: true, but evidence is 'memory': nobody has read the source")
        bases = [row.setting for row in group.rows if row.baseline]
        if len(bases) > 1:
            raise Refused(f"{here}: two baselines, {bases[0]!r} and {bases[1]!r}; changes are taken against one")
        for number, row in enumerate(group.rows):
            given = [metric for metric in METRICS if getattr(row, metric) is not None]
            if not given:
                raise Refused(f"{here}.rows[{number}]: no number; give one of {', '.join(METRICS)}")
            for metric in given:
                name = key(group, row, metric)
                if name in seen:
                    raise Refused(f"{here}.rows[{number}].{metric}: {name!r} is given twice, first in {seen[name]}")
                seen[name] = f"reported[{index}].rows[{number}]"
    return Entry(path.stem, file, written)


def check_slug(slug: str, written: list[Entry]) -> None:
    """Raises `Refused` (exit 2) with the nearest slug where no entry has this one."""
    slugs = [entry.slug for entry in written]
    if slug not in slugs:
        raise Refused(f"{slug}: no entry has this slug{nearest(slug, slugs)}", exit_code=2)


def key(group: Group, row: Row, metric: str) -> str:
    """What tells a number from all others of its entry; the ledger goes by it."""
    return " | ".join((group.benchmark, group.model, row.setting, metric, group.evidence))


def schema(tree: taxonomy.Taxonomy) -> str:
    """The JSON Schema of an entry's file, with the taxonomy's labels in it, as the text of `SCHEMA`."""
    made = _File.model_json_schema()
    made |= {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A method's entry", "description": SCHEMA_SAYS}
    tags = {facet.id: {"type": "array", "items": {"enum": tree.tags(facet.id)}} for facet in tree.facets}
    made["properties"]["facets"] = {"type": "object", "properties": tags, "additionalProperties": False}
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"
