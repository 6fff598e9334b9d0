"""Fetches a survey list from its repository, and only when it changed."""

import hashlib
from dataclasses import dataclass

from catalog.lists.listing import Entry, decode, parse
from catalog.sources import polite
from catalog.sources.followed import SurveyList


class Moved(polite.BadAnswer):
    """The list is elsewhere now. Nobody is followed there unseen: `sources.toml` says what is followed."""

    final = True

    def __init__(self, followed: SurveyList, to: str) -> None:
        super().__init__(f"{followed.repository} has moved to {to}; check it, then change catalog/sources.toml")
        self.to = to


@dataclass(frozen=True)
class Fetched:
    """A list as served now. `entries` is None where it is the one already known, by its validators or its bytes."""

    entries: list[Entry] | None
    sha256: str | None
    etag: str | None
    last_modified: str | None


def fetch(
    session: polite.Session, followed: SurveyList, *, etag: str | None, last_modified: str | None, sha256: str | None
) -> Fetched:
    """Asks with the validators of the last time. Raises `polite.FetchError`, or `Refused` for a list not UTF-8."""
    headers = {}
    if etag and sha256:
        headers["If-None-Match"] = etag
    elif last_modified and sha256:
        headers["If-Modified-Since"] = last_modified
    try:
        answer = session.get(followed.url, headers=headers, gated=False, check=lambda body: _check(followed, body))
    except polite.Redirected as redirected:
        raise Moved(followed, redirected.to) from None
    if answer.status_code == 304:
        return Fetched(None, sha256, etag, last_modified)
    found = hashlib.sha256(answer.content).hexdigest()
    entries = None if found == sha256 else parse(decode(answer.content, f"{followed.repository}/{followed.path}"))
    return Fetched(entries, found, answer.headers.get("etag"), answer.headers.get("last-modified"))


def _check(followed: SurveyList, body: bytes) -> None:
    head = body[:500].lstrip().lower()
    if head.startswith((b"<!doctype html", b"<html")):
        raise polite.BadAnswer(f"{followed.repository}/{followed.path}: an HTML page instead of a list")
    if not body.strip():
        raise polite.BadAnswer(f"{followed.repository}/{followed.path}: an empty file")
