"""arXiv's daily RSS feed: the mailing of one day, the cheapest and steadiest thing arXiv serves.

Format: https://info.arxiv.org/help/rss_specifications.html. One request a day tells what is new, cross-listed or replaced;
full records come from the query API.
"""

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from email.utils import parsedate_to_datetime

from lxml import etree

from catalog import arxiv_id
from catalog.sources import followed, polite
from catalog.sources.xml import parse
from catalog.text import clean

MOST_ITEMS = 2_000  # arXiv's feeds end here: one as long as this may lack the rest

_ABOUT = re.compile(r"^arXiv:\S+ Announce Type: \S+\s*(?:Abstract: )?", re.DOTALL)


@dataclass(frozen=True)
class VersionSeen:
    """One version in a paper's history. `withdrawn`: it holds no text, only the notice that there is none."""

    number: int
    submitted: datetime
    withdrawn: bool = False


@dataclass(frozen=True)
class Announced:
    """What an announcement tells of a paper: enough to know whether its record is worth asking for."""

    arxiv_id: str
    version: int | None
    title: str
    abstract: str
    categories: list[str]
    versions: list[VersionSeen] = field(default_factory=list)


@dataclass(frozen=True)
class Mailing:
    """`day` is the one printed on the feed, midnight US Eastern time."""

    day: date
    papers: list[Announced]

    @property
    def whole(self) -> bool:
        return len(self.papers) < MOST_ITEMS


def url() -> str:
    return followed.base_url("LACONIC_RSS_URL", followed.RSS_URL)


def fetch(session: polite.Session, categories: list[str]) -> Mailing:
    """Today's mailing for these categories. Raises `polite.FetchError`."""
    place = f"{url()}/{'+'.join(categories)}"
    read: list[Mailing] = []

    def check(body: bytes) -> None:
        read[:] = [_mailing(place, body)]

    session.get(place, check=check)
    return read[0]


def _mailing(place: str, body: bytes) -> Mailing:
    channel = parse(place, body, b"</rss>").find("channel")
    stamp = clean((channel.findtext("pubDate") or channel.findtext("lastBuildDate") or "") if channel is not None else "")
    if channel is None or not stamp:
        raise polite.BadAnswer(f"{place}: no RSS channel with a date")
    try:
        day = parsedate_to_datetime(stamp).date()
    except ValueError:
        raise polite.BadAnswer(f"{place}: {stamp[:60]!r} is not the date of a mailing") from None
    items = channel.findall("item")
    papers = {paper.arxiv_id: paper for item in items if (paper := _announced(item))}
    if items and not papers:
        raise polite.BadAnswer(f"{place}: {len(items)} items, none of them with an arXiv id")
    return Mailing(day, list(papers.values()))


def _announced(item: etree._Element) -> Announced | None:
    link = arxiv_id.from_url(clean(item.findtext("link") or ""))
    if link is None or link.bare is None or not (title := clean(item.findtext("title") or "")):
        return None
    guid = arxiv_id.read(clean(item.findtext("guid") or "").removeprefix("oai:arXiv.org:"))
    return Announced(
        arxiv_id=link.bare,
        version=(guid.version if guid else None) or link.version,
        title=title,
        abstract=clean(_ABOUT.sub("", item.findtext("description") or "")),
        categories=sorted({clean(each.text or "") for each in item.findall("category")} - {""}),
    )
