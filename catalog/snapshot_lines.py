"""The records of a snapshot as they must be; whatever does not fit is refused with file, line number and key."""

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, Field, ValidationError

from catalog import arxiv_id
from catalog.errors import Refused, nearest
from catalog.text import clean
from catalog.toml import Strict


def _cleaned(text: str) -> str:
    if text != clean(text):
        raise ValueError("holds characters or spaces that `clean` would take out")
    return text


def _key(text: str) -> str:
    if arxiv_id.bare(text) is None and not text.startswith("title-"):
        raise ValueError("must be an arXiv id without version, or a title- key")
    return text


Clean = Annotated[str, AfterValidator(_cleaned)]
Key = Annotated[str, AfterValidator(_key)]


class Former(Strict):
    title: Clean
    replaced_on: date


class VersionLine(Strict):
    number: Annotated[int, Field(ge=1)]
    submitted: datetime
    withdrawn: bool = False


class RepositoryLine(Strict):
    name: Annotated[str, Field(pattern=r"^[a-z0-9_.-]+/[a-z0-9_.-]+$")]
    state: Literal["alive", "gone"]
    moved_to: Clean | None = None
    archived: bool = False
    licence: Clean | None = None
    pushed_on: date | None = None


class LabelLine(Strict):
    """What the tagger said of a paper: a fact that outlives the abstract it was read from."""

    facet: Clean
    tag: Clean
    source: Annotated[str, Field(pattern="^tagger:")]
    confidence: Annotated[float, Field(ge=0, le=1)] | None = None
    evidence: str | None = None


class PaperLine(Strict):
    key: Key
    title: Clean
    status: Literal["confirmed", "listed"]
    authors: list[Clean] = []
    categories: list[Clean] = []
    primary_category: Clean | None = None
    withdrawn: bool = False
    former_titles: list[Former] = []
    versions: list[VersionLine] = []
    labels: list[LabelLine] = []
    merged_into: Key | None = None
    served_by: Literal["arxiv", "mirror"] | None = None
    found_by: Clean
    first_seen: date
    published: datetime | None = None
    updated: datetime | None = None
    version: int | None = None
    comment: Clean | None = None
    doi: Clean | None = None
    journal_ref: Clean | None = None


class Defect(Strict):
    kind: Clean
    detail: str


class MentionLine(Strict):
    line: Annotated[int, Field(ge=1)]
    section: list[Clean] = []
    title: Clean = ""  # a listing may lack one
    urls: list[Clean] = []
    printed_id: str | None = None
    printed_date: str | None = None
    paper: Key
    resolution: Literal["confirmed", "repaired", "unverified", "conflict"]
    defects: list[Defect] = []
    file_sha256: str
    first_seen: date
    gone_on: date | None = None


class StateLine(Strict):
    sha256: str | None = None
    parser: int | None = None
    entries: int | None = None
    last_new: date | None = None
    moved_to: Clean | None = None
    held_entries: int | None = None


class StateFile(Strict):
    schema_version: int
    sources: dict[str, StateLine]


Model = TypeVar("Model", bound=BaseModel)


def read_lines(path: Path, model: type[Model]) -> Iterator[tuple[int, Model]]:
    """(line number from 1, record) for every line of a JSONL file."""
    for number, line in enumerate(_text(path).split("\n"), 1):
        if line:
            yield number, _checked(f"{path}: line {number}", line, model)


def read_state(path: Path) -> StateFile:
    return _checked(str(path), _text(path), StateFile)


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise Refused(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise Refused(f"{path}: line {line}: not UTF-8") from None


def _checked(where: str, text: str, model: type[Model]) -> Model:
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        # A misspelt key is also a missing one; the misspelling is what helps.
        first: Any = min(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
        key = ".".join(map(str, first["loc"]))
        if first["type"] == "extra_forbidden":
            raise Refused(f"{where}: unknown key {key!r}{nearest(key, model.model_fields)}") from None
        value = "" if first["type"] in ("missing", "json_invalid") else f" (found {str(first['input'])[:80]!r})"
        raise Refused(f"{where}: {key + ': ' if key else ''}{first['msg'].removeprefix('Value error, ')}{value}") from None
