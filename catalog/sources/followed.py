"""Reads `catalog/sources.toml`: which lists and topics are followed, and where they are asked for."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from catalog import arxiv_id
from catalog.errors import Refused
from catalog.text import fold
from catalog.toml import Strict, read

ARXIV_URL = "https://export.arxiv.org/api/query"
RSS_URL = "https://rss.arxiv.org/rss"
OAI_URL = "https://oaipmh.arxiv.org/oai"
RAW_URL = "https://raw.githubusercontent.com"
ARXIV = "arxiv"  # the name of the one needed source that is not a list
GITHUB = "github"  # and of the optional one: what became of code links

Text = Annotated[str, Field(min_length=1)]
Repository = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$")]  # OWNER/NAME
Days = Annotated[int, Field(ge=1, le=365)]


class SurveyList(Strict):
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]  # names a file of the snapshot too
    repository: Repository
    path: Text

    @property
    def url(self) -> str:
        return f"{base_url('LACONIC_RAW_URL', RAW_URL)}/{self.repository}/HEAD/{self.path}"


class Topic(Strict):
    """Papers that no list may name yet: any of these phrases in the title or the abstract, word for word."""

    name: Text
    title: list[Text] = []
    abstract: list[Text] = []

    @property
    def query(self) -> str:
        """In the query API's language (https://info.arxiv.org/help/api/user-manual.html, section 5.1)."""
        fields = [f'ti:"{phrase}"' for phrase in self.title] + [f'abs:"{phrase}"' for phrase in self.abstract]
        return " OR ".join(fields)

    def matches(self, title: str, abstract: str) -> bool:
        return _holds(title, self.title) or _holds(abstract, self.abstract)


def _holds(text: str, phrases: list[str]) -> bool:
    words = f" {fold(text)} "
    return any(f" {fold(phrase)} " in words for phrase in phrases)


def _is_id(text: str) -> str:
    if arxiv_id.bare(text) is None:
        raise ValueError("must be an arXiv id without version")
    return text


class Asked(Strict):
    canary: Annotated[str, AfterValidator(_is_id)]
    categories: Annotated[list[Annotated[str, Field(pattern=r"^[a-z-]+(\.[A-Za-z-]+)?$")]], Field(min_length=1)]
    first_window_days: Days
    topic: Annotated[list[Topic], Field(min_length=1)]

    @property
    def query(self) -> str:
        """All topics in one query: what each paper matched is seen from its text."""
        topics = " OR ".join(topic.query for topic in self.topic if topic.query)
        return f"({topics}) AND ({' OR '.join(f'cat:{category}' for category in self.categories)})"

    def topic_of(self, title: str, abstract: str) -> str | None:
        """The first topic that these words belong to."""
        return next((topic.name for topic in self.topic if topic.matches(title, abstract)), None)


class CodeLinks(Strict):
    canary: Repository  # one that is there: where even it is unknown, an unknown repository tells nothing


class Followed(Strict):
    arxiv: Asked
    github: CodeLinks | None = None
    list: list[SurveyList]

    @property
    def names(self) -> Sequence[str]:
        """The sources that every update asks."""
        return [*(followed.name for followed in self.list), ARXIV]

    @property
    def all_names(self) -> Sequence[str]:
        return [*self.names, GITHUB] if self.github else self.names


def base_url(variable: str, default: str) -> str:
    """Where to ask, without a closing slash. Raises `Refused` (exit 2) where the variable is no http(s) URL."""
    url = os.environ.get(variable) or default
    if not re.match(r"https?://[^/\s]+", url):
        raise Refused(f"{variable}={url!r} is not an http or https URL", exit_code=2)
    return url.rstrip("/")


def is_asked(variable: str) -> bool:
    """Whether an interface of arXiv is asked at all: not where a mirror stands in for others, but not for this one."""
    stands_in = any(os.environ.get(name) for name in ("LACONIC_ARXIV_URL", "LACONIC_RSS_URL", "LACONIC_OAI_URL"))
    return bool(os.environ.get(variable)) or not stands_in


def load(root: Path) -> Followed:
    """Raises `Refused` naming file, key and value where the file is not what it should be."""
    path = root / "catalog" / "sources.toml"
    follows = read(path, Followed, root)
    names = [*follows.names, GITHUB, *(topic.name for topic in follows.arxiv.topic)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise Refused(f"{path.relative_to(root)}: name: {twice[0]!r} stands there twice")
    return follows
