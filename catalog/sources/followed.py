"""Reads `catalog/sources.toml`: which lists and queries are followed, and where they are asked for."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from catalog import arxiv_id
from catalog.errors import Refused
from catalog.toml import Strict, read

ARXIV_URL = "https://export.arxiv.org/api/query"
RAW_URL = "https://raw.githubusercontent.com"
ARXIV = "arxiv"  # the name of the one source that is not a list

Text = Annotated[str, Field(min_length=1)]
Days = Annotated[int, Field(ge=1, le=365)]


class SurveyList(Strict):
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]  # names a file of the snapshot too
    repository: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$")]  # OWNER/NAME
    path: Text

    @property
    def url(self) -> str:
        return f"{base_url('LACONIC_RAW_URL', RAW_URL)}/{self.repository}/HEAD/{self.path}"


class Query(Strict):
    name: Text
    query: Text


def _is_id(text: str) -> str:
    if arxiv_id.bare(text) is None:
        raise ValueError("must be an arXiv id without version")
    return text


class Asked(Strict):
    canary: Annotated[str, AfterValidator(_is_id)]
    overlap_days: Days
    first_window_days: Days
    query: list[Query] = []


class Followed(Strict):
    arxiv: Asked
    list: list[SurveyList]

    @property
    def names(self) -> Sequence[str]:
        return [*(followed.name for followed in self.list), ARXIV]


def base_url(variable: str, default: str) -> str:
    """Where to ask, without a closing slash. Raises `Refused` (exit 2) where the variable is no http(s) URL."""
    url = os.environ.get(variable) or default
    if not re.match(r"https?://[^/\s]+", url):
        raise Refused(f"{variable}={url!r} is not an http or https URL", exit_code=2)
    return url.rstrip("/")


def load(root: Path) -> Followed:
    """Raises `Refused` naming file, key and value where the file is not what it should be."""
    path = root / "catalog" / "sources.toml"
    follows = read(path, Followed, root)
    names = [*follows.names, *(query.name for query in follows.arxiv.query)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise Refused(f"{path.relative_to(root)}: name: {twice[0]!r} stands there twice")
    return follows
