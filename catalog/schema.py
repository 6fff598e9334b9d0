"""The tables. What is fact goes to the snapshot; what belongs to one database (abstracts, run log) stays in it.

A paper's key is its bare arXiv id (`2502.15589`, no version), or `title-` and twelve hex digits for one that lists name
without an arXiv id (`text.title_key`). Rows of papers and mentions are never deleted.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel

from catalog import arxiv_id

# Raise this when a table changes: an older database is then refused with the advice to run `laconic import`.
SCHEMA_VERSION = 2

CONFIRMED = "confirmed"  # an arXiv record was seen
LISTED = "listed"  # only a list names it

ARXIV = "arxiv"  # served by arXiv's own host
MIRROR = "mirror"  # served by a stand-in: its dates and versions may be estimates and are never exported


def _json(default: type = list) -> Any:
    return Field(default_factory=default, sa_column=Column(JSON, nullable=False))


class Meta(SQLModel, table=True):
    """One row per fact about the database itself; `schema_version` is the only one so far."""

    __tablename__ = "meta"
    name: str = Field(primary_key=True)
    value: str


class Paper(SQLModel, table=True):
    __tablename__ = "papers"
    key: str = Field(primary_key=True)
    arxiv_id: str | None = Field(default=None, unique=True)
    status: str = Field(index=True)  # CONFIRMED | LISTED
    title: str
    abstract: str | None = None  # this database alone
    categories: list[str] = _json()
    primary_category: str | None = None
    comment: str | None = None
    doi: str | None = None
    journal_ref: str | None = None
    version: int | None = None  # newest version seen
    announced_version: int | None = None  # newest one announced; beyond `version`, the record is out of date
    published: datetime | None = None  # of version 1, UTC
    updated: datetime | None = None  # of `version`, UTC
    withdrawn: bool = False
    served_by: str | None = None  # ARXIV | MIRROR; None for what only a list names
    found_by: str  # the source that brought it first: a list's or query's name, PRINTED_ID or ENTRY
    first_seen: date
    merged_into: str | None = None  # the key this paper is known by since its arXiv id was found

    @property
    def month(self) -> str | None:
        """`2025-02`, read from the arXiv id: known even where dates are not. None without an id."""
        return arxiv_id.month(self.arxiv_id) if self.arxiv_id else None


# `found_by` of a record that was fetched only because a list's wrong link printed its id.
PRINTED_ID = "printed id"
# `found_by` of a paper that no list or query brought, but an entry of the catalog is about.
ENTRY = "entry"


class Author(SQLModel, table=True):
    """A name as one paper prints it. arXiv does not say which names are one person, so neither does this table."""

    __tablename__ = "authors"
    paper_key: str = Field(primary_key=True, foreign_key="papers.key")
    position: int = Field(primary_key=True)  # from 0
    name: str = Field(index=True)


class FormerTitle(SQLModel, table=True):
    """A title that a newer record superseded."""

    __tablename__ = "former_titles"
    paper_key: str = Field(primary_key=True, foreign_key="papers.key")
    title: str = Field(primary_key=True)
    replaced_on: date


class PaperVersion(SQLModel, table=True):
    """One version in a paper's history, as far as it was seen."""

    __tablename__ = "paper_versions"
    paper_key: str = Field(primary_key=True, foreign_key="papers.key")
    number: int = Field(primary_key=True)
    submitted: datetime
    withdrawn: bool = False
    served_by: str  # ARXIV | MIRROR


class Mention(SQLModel, table=True):
    """One listing of a paper in a survey list. Its key is list, section path, printed title and first URL."""

    __tablename__ = "mentions"
    key: str = Field(primary_key=True)  # hash of the four
    list_name: str = Field(index=True)
    section: list[str] = _json()  # headings from the outermost in
    title: str  # as printed
    urls: list[str] = _json()
    printed_id: str | None = None  # as printed, well-formed or not
    printed_date: str | None = None  # what it means differs from list to list
    line: int  # from 1; at first sight
    file_sha256: str  # at first sight
    paper_key: str = Field(index=True, foreign_key="papers.key")
    resolution: str  # confirmed | repaired | unverified | conflict
    defects: list[dict[str, str]] = _json()  # {kind, detail}
    first_seen: date
    gone_on: date | None = None


class Facet(SQLModel, table=True):
    """One label of a paper, and who says so. Curated labels win over machine ones; both are kept."""

    __tablename__ = "facets"
    paper_key: str = Field(primary_key=True, foreign_key="papers.key")
    facet: str = Field(primary_key=True)
    tag: str = Field(primary_key=True)
    source: str = Field(primary_key=True)  # `entry:<slug>`, `list:<name>`, `tagger:<version>:<hash of the text>`
    origin: str  # curated | list | machine
    confidence: float | None = None  # 0–1, machine labels only
    evidence: str | None = None


class Method(SQLModel, table=True):
    __tablename__ = "methods"
    slug: str = Field(primary_key=True)
    title: str
    paper_key: str | None = Field(default=None, foreign_key="papers.key")
    summary: str = ""


class ReportedNumber(SQLModel, table=True):
    """A figure somebody published, with where it stands."""

    __tablename__ = "reported_numbers"
    id: int | None = Field(default=None, primary_key=True)
    method: str = Field(index=True, foreign_key="methods.slug")
    benchmark: str
    model: str
    setting: str = ""
    metric: str
    value: float
    unit: str = ""
    direction: str = ""  # higher | lower is better
    evidence: str  # paper | official repository | survey | third party | memory
    verified: bool = False  # the source itself was read
    locator: str = ""
    checked_on: date | None = None
    note: str = ""


class CrawlRun(SQLModel, table=True):
    """One row per `laconic update`, whatever came of it. This database alone."""

    __tablename__ = "crawl_runs"
    id: int | None = Field(default=None, primary_key=True)
    started: datetime
    finished: datetime
    exit_code: int
    sources: list[dict[str, Any]] = _json()  # what `update --json` printed per source


class SourceState(SQLModel, table=True):
    """Where each followed source stands. `last_success` is a day, not a moment: a source is asked once a day."""

    __tablename__ = "source_states"
    name: str = Field(primary_key=True)
    sha256: str | None = None  # of the list's bytes
    parser: int | None = None  # the version of `listing` that read it
    entries: int | None = None  # mentions the list had at last sight
    etag: str | None = None  # this database alone
    last_modified: str | None = None  # this database alone
    last_success: date | None = None  # this database alone
    last_new: date | None = None  # the day the source last brought something new
    served_by: str | None = None
    moved_to: str | None = None  # where the source says it lives now
    held_entries: int | None = None  # a list that shrank at once: entries it has now; those missing are kept
    seen_through: date | None = None  # the last mailing up to which every one was read; this database alone
    asked_at: datetime | None = None  # this database alone
    cursor: str | None = None  # where a long answer broke off; this database alone


class Window(SQLModel, table=True):
    """A span of submission days that the query API is, or was, to be asked about. This database alone."""

    __tablename__ = "windows"
    first: date = Field(primary_key=True)
    last: date = Field(primary_key=True)
    query: str = Field(primary_key=True)  # hash of the query's text
    asked_on: date | None = None
    found: int | None = None
    done: bool = False


class Repository(SQLModel, table=True):
    """What GitHub says of a repository that a paper or a list names."""

    __tablename__ = "repositories"
    name: str = Field(primary_key=True)  # owner/name, lower case
    state: str  # alive | gone
    moved_to: str | None = None  # its full name now, where that is another
    archived: bool = False
    licence: str | None = None  # SPDX id; None where GitHub recognises none
    pushed_on: date | None = None
    checked_on: date  # this database alone


class AskedId(SQLModel, table=True):
    """arXiv ids already asked for, so that none is asked for twice on one day. This database alone."""

    __tablename__ = "asked_ids"
    arxiv_id: str = Field(primary_key=True)
    asked_on: date
    known: bool
