"""arXiv's OAI-PMH: everything that changed since a day, with version histories. For catching up on missed mailings.

Protocol: https://www.openarchives.org/OAI/openarchivesprotocol.html; arXiv's `arXivRaw` format tells all versions of a
paper. A datestamp is the day a record changed, so there is no lag between submission and announcement to allow for.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlencode

from lxml import etree

from catalog import arxiv_id
from catalog.sources import followed, polite
from catalog.sources.feed import Announced, VersionSeen
from catalog.sources.xml import parse
from catalog.text import clean

_OAI = "{http://www.openarchives.org/OAI/2.0/}"
_RAW = "{http://arxiv.org/OAI/arXivRaw/}"


class TokenExpired(polite.BadAnswer):
    """The place where an earlier run stopped is known no more; arXiv forgets it overnight."""

    final = True


@dataclass(frozen=True)
class Page:
    """`token` leads to the next page and is None on the last; `day` is the server's own."""

    papers: list[Announced]
    token: str | None
    day: date


def url() -> str:
    return followed.base_url("LACONIC_OAI_URL", followed.OAI_URL)


def changed_since(session: polite.Session, category: str, since: date, token: str | None = None) -> Iterator[Page]:
    """Pages of the records of a category (`cs.CL`) that changed on `since` or later; from `token` where there is one.

    Raises `polite.FetchError`; `TokenExpired` where `token` leads nowhere any more.
    """
    archive, _, subject = category.partition(".")
    group = f"{archive}:{archive}:{subject}" if subject else archive
    asked = {"verb": "ListRecords", "metadataPrefix": "arXivRaw", "from": since.isoformat(), "set": group}
    while True:
        page = _fetch(session, {"verb": "ListRecords", "resumptionToken": token} if token else asked)
        yield page
        if page.token is None:
            return
        if page.token == token:
            raise polite.BadAnswer(f"{url()}: the same page again and again")
        token = page.token


def _fetch(session: polite.Session, asked: dict[str, str]) -> Page:
    read: list[Page] = []

    def check(body: bytes) -> None:
        read[:] = [_page(body)]

    session.get(f"{url()}?{urlencode(asked)}", check=check)
    return read[0]


def _page(body: bytes) -> Page:
    place = url()
    root = parse(place, body, b"</OAI-PMH>")
    stamp = clean(root.findtext(f"{_OAI}responseDate") or "")
    try:
        day = datetime.fromisoformat(stamp).date()
    except ValueError:
        raise polite.BadAnswer(f"{place}: no date of response") from None
    error = root.find(f"{_OAI}error")
    if error is not None:
        code = error.get("code", "")
        if code == "noRecordsMatch":
            return Page([], None, day)
        raise (TokenExpired if code == "badResumptionToken" else polite.BadAnswer)(
            f"{place}: answers {clean(code)}: {clean(error.text or '')[:200]}"
        )
    records = root.findall(f"{_OAI}ListRecords/{_OAI}record")
    if not records:
        raise polite.BadAnswer(f"{place}: neither records nor the word that there are none")
    papers = [paper for record in records if (paper := _announced(record))]
    if not papers:
        raise polite.BadAnswer(f"{place}: {len(records)} records, none of them readable")
    token = clean(root.findtext(f"{_OAI}ListRecords/{_OAI}resumptionToken") or "")
    return Page(papers, token or None, day)


def _announced(record: etree._Element) -> Announced | None:
    raw = record.find(f"{_OAI}metadata/{_RAW}arXivRaw")
    if raw is None:
        return None  # a deleted record has a header alone
    number, title = arxiv_id.bare(clean(raw.findtext(f"{_RAW}id") or "")), clean(raw.findtext(f"{_RAW}title") or "")
    if number is None or not title:
        return None
    versions = [seen for each in raw.findall(f"{_RAW}version") if (seen := _version(each))]
    return Announced(
        arxiv_id=number,
        version=max((seen.number for seen in versions), default=None),
        title=title,
        abstract=clean(raw.findtext(f"{_RAW}abstract") or ""),
        categories=sorted(set(clean(raw.findtext(f"{_RAW}categories") or "").split())),
        versions=versions,
    )


def _version(element: etree._Element) -> VersionSeen | None:
    number = re.fullmatch(r"v([1-9]\d*)", element.get("version", ""))
    try:
        submitted = parsedate_to_datetime(clean(element.findtext(f"{_RAW}date") or ""))
    except ValueError:
        return None
    if number is None:
        return None
    # A withdrawn version has no text: source type I ("inactive"), or a size of nothing.
    size = re.match(r"(\d+)", element.findtext(f"{_RAW}size") or "")
    inactive = "I" in (element.findtext(f"{_RAW}source_type") or "")
    return VersionSeen(int(number[1]), submitted.astimezone(UTC), inactive or (size is not None and int(size[1]) == 0))
