"""What GitHub's REST API says of one repository (https://docs.github.com/en/rest/repos/repos#get-a-repository)."""

import os
import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from catalog.errors import Refused
from catalog.sources import polite
from catalog.sources.followed import base_url

API_URL = "https://api.github.com"
TRIES = 2  # a rota has another day

_NAME = re.compile(r"(?P<owner>[a-z0-9][a-z0-9_-]{0,38})/(?!\.+$)[a-z0-9._-]{1,100}", re.IGNORECASE | re.ASCII)
# Pages of GitHub itself that look like OWNER/NAME.
_PAGES = {
    "about", "apps", "collections", "enterprise", "events", "explore", "features", "login", "marketplace", "orgs", "search",
    "settings", "site", "sponsors", "topics", "trending", "users",
}  # fmt: skip


@dataclass(frozen=True)
class Found:
    full_name: str  # as GitHub writes it now
    archived: bool
    licence: str | None  # SPDX id; None where GitHub recognises none
    pushed_on: date | None


def _named(name: str) -> str:
    if not is_name(name):
        raise ValueError("not the name of a repository")
    return name


class _Licence(BaseModel):
    model_config = ConfigDict(strict=True)
    spdx_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9.+-]{1,64}$")] | None


class _Repository(BaseModel):
    """The fields that are read, of some hundred."""

    model_config = ConfigDict(strict=True)
    full_name: Annotated[str, AfterValidator(_named)]
    archived: bool
    license: _Licence | None
    pushed_at: datetime | None


def is_name(name: str) -> bool:
    """Whether `owner/name` can be that of a repository: whatever else a list links to never reaches the API's address."""
    match = _NAME.fullmatch(name)
    return match is not None and match["owner"].lower() not in _PAGES


def is_asked() -> bool:
    """Whether an update asks GitHub unbidden: with a token, or where a stand-in is named. It allows others little."""
    return bool(os.environ.get("GITHUB_TOKEN") or os.environ.get("LACONIC_GITHUB_URL"))


def look_up(http: polite.Session, name: str) -> Found | None:
    """The repository `owner/name`, under whatever name it has now; None where GitHub knows none.

    Raises `polite.FetchError`; `Resting` where the hour's allowance is used up.
    """
    if not is_name(name):
        raise polite.BadAnswer(f"{name[:100]!r} is not the name of a repository")
    base = base_url("LACONIC_GITHUB_URL", API_URL)
    try:
        return _get(http, f"{base}/repos/{name}")
    except polite.Redirected as redirected:
        # A renamed repository answers with the address of its number, and only that is followed, once.
        if not re.fullmatch(re.escape(base) + r"/repositories/[0-9]{1,20}", redirected.to):
            raise
        return _get(http, redirected.to)


def _get(http: polite.Session, url: str) -> Found | None:
    try:
        return _read(http.get(url, headers=_headers(url), check=_check, tries=TRIES).content)
    except polite.BadStatus as bad:
        if bad.status in (404, 410, 451):  # 451: taken down
            return None
        raise


def _headers(url: str) -> dict[str, str]:
    headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
    token = os.environ.get("GITHUB_TOKEN", "").strip()
    parts = urlsplit(url)
    own = parts.scheme == "https" and parts.hostname == "api.github.com"
    if token and (own or parts.hostname in ("127.0.0.1", "localhost")):  # nobody else is shown the token
        if not re.fullmatch(r"[!-~]+", token):
            raise Refused("GITHUB_TOKEN is not one word of printable ASCII", exit_code=2)
        headers["Authorization"] = f"Bearer {token}"
    return headers


def _check(body: bytes) -> None:
    _read(body)


def _read(body: bytes) -> Found:
    try:
        said = _Repository.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the answer"
        raise polite.BadAnswer(f"GitHub: {where}: {first['msg'][:120]}") from None
    licence = said.license.spdx_id if said.license else None
    return Found(
        said.full_name,
        said.archived,
        None if licence == "NOASSERTION" else licence,  # a licence file that is none of those GitHub knows
        said.pushed_at.date() if said.pushed_at else None,
    )
