"""What the published JSON files hold, version 1. JSON Schemas are made from these models and lie beside the files.

Within a version keys are added, never renamed or taken away; `catalog/api_schema/` holds the promise, and a test compares.
"""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from catalog import taxonomy
from catalog.auditing import errata
from catalog.entries import Reported

VERSION = "v1"


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class Label(Part):
    """One label of a paper and who says so. Where people set a facet, their labels count and the others are claims."""

    facet: str
    tag: str
    origin: str
    """curated, list or machine"""
    source: str
    """`entry:<slug>`, `list:<name>` or `tagger:<version>:<hash of the text>`"""
    confidence: float | None
    """0 to 1, of machine labels"""


class Listed(Part):
    """A list that names the paper."""

    list_name: str
    section: list[str]
    """headings from the outermost in"""
    resolution: Literal["confirmed", "repaired", "unverified", "conflict"]
    """how sure it is that this entry means this paper"""
    gone_on: date | None
    """the day on which the list no longer named it"""


class Repository(Part):
    """Where code is said to be."""

    url: str
    gone: bool | None
    """whether GitHub no longer has it; null where nobody asked"""
    licence: str | None
    """SPDX id, or as an entry states it"""


class Version(Part):
    number: int
    submitted: datetime
    withdrawn: bool


class Paper(Part):
    key: str
    """the arXiv id, or `title-…` where none is known"""
    arxiv_id: str | None
    url: str | None
    """where to read it"""
    title: str
    former_titles: list[str]
    authors: list[str]
    """as printed; empty where nobody told"""
    month: str | None
    """of the arXiv id, such as 2025-02"""
    status: Literal["confirmed", "listed"]
    """confirmed: an arXiv record was seen; listed: only lists name it"""
    withdrawn: bool
    categories: list[str]
    primary_category: str | None
    published: datetime | None
    """of version 1; as the following, only where arXiv itself told: a mirror's dates and versions may be estimates"""
    updated: datetime | None
    version: int | None
    versions: list[Version]
    """those that were seen"""
    comment: str | None
    doi: str | None
    journal_ref: str | None
    first_seen: date
    """by this catalog"""
    labels: list[Label]
    code: list[Repository]
    """as lists and entries name it"""
    listed: list[Listed]
    methods: list[str]
    """slugs"""
    bibtex: str
    """path from this folder"""


class Year(Part):
    """The papers of one year, newest first."""

    year: str
    """of the arXiv ids, or `undated`"""
    papers: list[Paper]


class Shard(Part):
    year: str
    file: str
    papers: int


class Papers(Part):
    """The papers lie in one file a year."""

    total: int
    confirmed: int
    newest: str | None
    """the highest arXiv id seen at arXiv"""
    years: list[Shard]


class Method(Part):
    slug: str
    name: str
    summary: str
    limits: list[str]
    facets: dict[str, list[str]]
    arxiv_id: str | None
    """of its paper"""
    code: Repository | None
    """of its authors"""
    reference: str | None
    """the file in this repository that implements it"""
    record: str | None
    """path of its measurements from this folder"""
    reported: list[Reported]
    """what was published about it; `verified`: the source itself was read"""
    errata: list[str]
    """ids of corrections that concern it"""


class Methods(Part):
    methods: list[Method]


class Node(taxonomy.Node):
    facet: str
    """the id of the facet above; a facet's own"""
    papers: int
    feed: str
    """path of its Atom feed from this folder"""


class Taxonomy(Part):
    rules: int
    """version of the rules"""
    nodes: list[Node]


class Errata(Part):
    checked: str
    works: list[errata.Work]
    errata: list[errata.Erratum]


class Defect(Part):
    kind: str
    detail: str


class Entry(Part):
    """What one list says in one place."""

    line: int
    """at first sight"""
    section: list[str]
    title: str
    """as printed"""
    urls: list[str]
    printed_id: str | None
    printed_date: str | None
    paper: str
    """key of the paper that it means"""
    resolution: Literal["confirmed", "repaired", "unverified", "conflict"]
    defects: list[Defect]
    first_seen: date
    gone_on: date | None


class SurveyList(Part):
    name: str
    repository: str | None
    """OWNER/NAME; null where the list is no longer followed"""
    path: str | None
    entries: list[Entry]


class Interval(Part):
    """A mean and its 95 % interval."""

    mean: float
    low: float
    high: float
    n: int


class Claim(Part):
    model_config = ConfigDict(extra="allow", frozen=True)
    id: str
    text: str
    kind: Literal["emergent", "by_construction"]
    verdict: Literal["reproduced", "not_reproduced", "inconclusive", "not_testable"]


class Record(Part):
    """One measurement of one method and its rivals, as the runner wrote it; more keys than these may stand in it."""

    model_config = ConfigDict(extra="allow", frozen=True, use_attribute_docstrings=True)
    protocol: Literal["quick", "full"]
    method: str
    task: str
    model: str
    seeds: list[int]
    inputs: dict[str, str]
    """path: sha256"""
    results: dict[str, dict[str, Interval]]
    """slug, or slug@arm: metric"""
    claims: list[Claim]


class File(Part):
    path: str
    """from this folder"""
    described_by: str | None
    about: str


class Index(Part):
    version: str
    newest: str | None
    """the highest arXiv id seen at arXiv"""
    files: list[File]


# The schema's name → what a file with that schema holds.
MODELS: dict[str, type[BaseModel]] = {
    "index": Index,
    "papers": Papers,
    "year": Year,
    "methods": Methods,
    "taxonomy": Taxonomy,
    "errata": Errata,
    "list": SurveyList,
    "record": Record,
}


def schema(name: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of one kind of file."""
    made = MODELS[name].model_json_schema(mode="serialization")
    made.setdefault("properties", {})["$schema"] = {"type": "string", "description": "path of this schema"}
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:laconic:api:{VERSION}:{name}"}
    return head | made
