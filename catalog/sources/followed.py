"""Reads `catalog/sources.toml`: which lists and queries are followed, and where they are asked for."""

import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog import arxiv_id
from catalog.errors import Refused, nearest

ARXIV_URL = "https://export.arxiv.org/api/query"
RAW_URL = "https://raw.githubusercontent.com"
ARXIV = "arxiv"  # the name of the one source that is not a list

_LIST_KEYS = {"name", "repository", "path"}
_ARXIV_KEYS = {"canary", "overlap_days", "first_window_days", "query"}


@dataclass(frozen=True)
class SurveyList:
    name: str
    repository: str  # OWNER/NAME
    path: str

    @property
    def url(self) -> str:
        return f"{base_url('LACONIC_RAW_URL', RAW_URL)}/{self.repository}/HEAD/{self.path}"


@dataclass(frozen=True)
class Query:
    name: str
    query: str


@dataclass(frozen=True)
class Followed:
    lists: list[SurveyList]
    queries: list[Query]
    canary: str
    overlap_days: int
    first_window_days: int

    @property
    def names(self) -> list[str]:
        return [*(followed.name for followed in self.lists), ARXIV]


def base_url(variable: str, default: str) -> str:
    """Where to ask, without a closing slash. Raises `Refused` (exit 2) where the variable is no http(s) URL."""
    url = os.environ.get(variable) or default
    if not re.match(r"https?://[^/\s]+", url):
        raise Refused(f"{variable}={url!r} is not an http or https URL", exit_code=2)
    return url.rstrip("/")


def load(root: Path) -> Followed:
    """Raises `Refused` naming file, key and value where the file is not what it should be."""
    path = root / "catalog" / "sources.toml"
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Refused(f"{path}: {error}") from None
    asked = data.get("arxiv", {})
    _keys(path, "arxiv", asked, _ARXIV_KEYS)
    canary = asked.get("canary")
    if not isinstance(canary, str) or arxiv_id.bare(canary) is None:
        raise Refused(f"{path}: arxiv.canary: {canary!r} is not an arXiv id in quotes")
    lists, queries = [], []
    for number, entry in enumerate(data.get("list", []), 1):
        _keys(path, f"list {number}", entry, _LIST_KEYS)
        _texts(path, f"list {number}", entry, _LIST_KEYS)
        if not re.fullmatch(r"[\w.-]+/[\w.-]+", entry["repository"]):
            raise Refused(f"{path}: list {number}: repository: {entry['repository']!r} is not OWNER/NAME")
        lists.append(SurveyList(**entry))
    for number, entry in enumerate(asked.get("query", []), 1):
        _keys(path, f"arxiv.query {number}", entry, {"name", "query"})
        _texts(path, f"arxiv.query {number}", entry, {"name", "query"})
        queries.append(Query(**entry))
    names = [*(entry.name for entry in lists), *(entry.name for entry in queries), ARXIV]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise Refused(f"{path}: name: {twice[0]!r} stands there twice")
    days = {}
    for key in ("overlap_days", "first_window_days"):
        days[key] = asked.get(key)
        if not isinstance(days[key], int) or not 1 <= days[key] <= 365:
            raise Refused(f"{path}: arxiv.{key}: {days[key]!r} is not a number of days from 1 to 365")
    return Followed(lists, queries, canary, days["overlap_days"], days["first_window_days"])


def _keys(path: Path, where: str, entry: Any, known: set[str]) -> None:
    if not isinstance(entry, dict):
        raise Refused(f"{path}: {where}: must be a table")
    for key in entry:
        if key not in known:
            raise Refused(f"{path}: {where}: unknown key {key!r}{nearest(key, known)}")


def _texts(path: Path, where: str, entry: dict[str, Any], keys: set[str]) -> None:
    for key in sorted(keys):
        if not isinstance(entry.get(key), str) or not entry[key].strip():
            raise Refused(f"{path}: {where}: {key}: {entry.get(key)!r} is not a text")
