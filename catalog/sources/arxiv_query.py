"""arXiv's query API through the `arxiv` package: it builds queries and parses pages, our session fetches them.

Left to itself the package takes half a page, an HTML page or an empty first page for an answer, ignores Retry-After and
has no time-out; `check_page` and `polite.Session` are the answer to that.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from importlib.metadata import version
from itertools import islice
from typing import Any

import arxiv

from catalog import arxiv_id
from catalog.sources import followed, polite
from catalog.sources.xml import parse
from catalog.text import clean

BATCH_IDS = 100  # a longer list makes a URL that servers refuse
PAGE_RESULTS = 200
MOST_RESULTS = 2_000  # more than this from one discovery query is a bad query, not a busy week

_ATOM = "{http://www.w3.org/2005/Atom}"
_TOTAL = "{http://a9.com/-/spec/opensearch/1.1/}totalResults"


@dataclass(frozen=True)
class Record:
    """One arXiv record, cleaned. Dates are UTC; `version` is the newest one."""

    arxiv_id: str
    version: int | None
    title: str
    abstract: str
    authors: list[str]
    categories: list[str]
    primary_category: str | None
    published: datetime
    updated: datetime
    comment: str | None
    doi: str | None
    journal_ref: str | None

    @property
    def withdrawn(self) -> bool:
        """The API has no flag: a withdrawal shows in the comment, or as a notice in place of the abstract."""
        said = (self.comment or "").casefold()
        opening = self.abstract[:200].casefold()
        return "withdrawn" in said or "has been withdrawn" in opening


class BrokenRecord(polite.BadAnswer):
    """A page with a record that lacks what every record has."""

    def __init__(self, line: str, arxiv_id: str | None) -> None:
        super().__init__(line)
        self.arxiv_id = arxiv_id


class QueryApi:
    """Asks `LACONIC_ARXIV_URL`, or arXiv. Raises `polite.FetchError` when what comes back is not to be trusted."""

    def __init__(self, session: polite.Session) -> None:
        self.url = followed.base_url("LACONIC_ARXIV_URL", followed.ARXIV_URL)
        self._fetch = _Fetch(session)
        # Waiting and trying again is the session's work; doing both twice would multiply.
        self._client = arxiv.Client(page_size=PAGE_RESULTS, delay_seconds=0, num_retries=0)
        self._client.query_url_format = self.url + "?{}"
        self._client._session = self._fetch  # private, but the only seam; a test guards it

    def records(self, names: Iterable[str], canary: str) -> list[Record]:
        """The records of at most `BATCH_IDS - 1` ids, `2508.03440` or, for an earlier version, `2508.03440v1`.

        What arXiv does not know is left out. `canary` is asked for as well, alone if there are no names: without it in
        the answer, "not known" means nothing.
        """
        wanted = sorted({*names, canary})
        self._fetch.wants = canary
        results = self._results(arxiv.Search(id_list=wanted, max_results=None))
        first = next(results, None)
        # A batch fits on one page; a total announced too high must not make the package look for another.
        rest = islice(results, self._fetch.entries - 1) if first else ()
        return [first, *rest] if first else []

    def submitted(self, query: str, first: date, last: date) -> Iterator[Record]:
        """Records that match `query` and were submitted from `first` to `last`, both included, oldest first."""
        window = f"submittedDate:[{first:%Y%m%d}0000 TO {last:%Y%m%d}2359]"
        self._fetch.expect_pages()
        search = arxiv.Search(
            query=f"({query}) AND {window}",
            max_results=MOST_RESULTS,
            sort_by=arxiv.SortCriterion.SubmittedDate,
            sort_order=arxiv.SortOrder.Ascending,
        )
        seen = set()
        for record in self._results(search):
            seen.add(record.arxiv_id)
            yield record
        # Pages that overlap, or that are sorted anew in between, leave records out without a sign.
        if len(seen) < min(self._fetch.total, MOST_RESULTS):
            raise polite.BadAnswer(f"{_short(self.url)}: {len(seen)} of {self._fetch.total} results announced")

    def _results(self, search: Any) -> Iterator[Record]:
        try:
            for result in self._client.results(search):
                yield _record(result)
        except arxiv.ArxivError as error:  # an empty later page; everything else our session has dealt with
            raise polite.BadAnswer(clean(str(error))) from None
        except (AttributeError, TypeError) as error:  # what a release took away is a source that fails, not our end
            raise polite.BadAnswer(f"the arxiv package {version('arxiv')} does not answer as it did: {error}") from None


class _Fetch:
    """What `arxiv.Client` takes for its requests session."""

    def __init__(self, session: polite.Session) -> None:
        self._session = session
        self.wants: str | None = None
        self.entries, self.total = 0, 0  # on the page last fetched; announced there
        self._first = True  # no page of this search was seen yet

    def expect_pages(self) -> None:
        self.wants, self._first = None, True

    def get(self, url: str, headers: dict[str, str] | None = None) -> polite.Answer:
        # The package's own headers are dropped: they name the package, not us.
        def check(body: bytes) -> None:
            total, self.entries = check_page(url, body)
            self.total = total
            if self.wants and f"abs/{self.wants}".encode() not in body:
                raise polite.BadAnswer(f"{_short(url)}: the answer lacks {self.wants}, which arXiv surely has")
            if total > 0 and not self.entries:
                raise polite.BadAnswer(f"{_short(url)}: an empty page, though {total} results are announced")
            if total == 0 and self._first:
                self._first = False  # a known fault looks like this; only a second empty answer is believed
                raise polite.BadAnswer(f"{_short(url)}: nothing found, which is asked once more to be sure")
            self._first = False

        return self._session.get(url, check=check)


def check_page(url: str, body: bytes) -> tuple[int, int]:
    """(announced total, entries on the page) of a whole and healthy Atom page; `polite.BadAnswer` otherwise."""
    where = _short(url)
    feed = parse(where, body, b"</feed>")
    entries = feed.findall(f"{_ATOM}entry")
    for entry in entries:
        name = entry.findtext(f"{_ATOM}id") or ""
        if "/api/errors" in name:
            said = clean(entry.findtext(f"{_ATOM}summary") or "Error")
            raise polite.BadAnswer(f"{where}: arXiv answers: {said[:200]}")
        # The package skips such an entry without a word and then asks for a page that overlaps.
        for tag in ("published", "updated", "title"):
            if not entry.findtext(f"{_ATOM}{tag}"):
                printed = arxiv_id.from_url(clean(name))
                raise BrokenRecord(f"{where}: the record {clean(name)[:80]} lacks <{tag}>", printed.bare if printed else None)
    total = feed.findtext(_TOTAL) or ""
    if not total.strip().isdecimal():
        raise polite.BadAnswer(f"{where}: no totalResults on the page")
    return int(total), len(entries)


def _record(result: Any) -> Record:
    printed = arxiv_id.read(result.get_short_id())
    if printed is None or printed.bare is None:
        raise polite.BadAnswer(f"arXiv sent a record with the id {clean(result.entry_id)[:80]!r}")
    return Record(
        arxiv_id=printed.bare,
        version=printed.version,
        title=clean(result.title),
        abstract=clean(result.summary),
        authors=[name for author in result.authors if (name := clean(author.name))],
        categories=sorted({clean(category) for category in result.categories}),
        primary_category=clean(result.primary_category) or None,
        published=result.published,
        updated=result.updated,
        comment=clean(result.comment or "") or None,
        doi=clean(result.doi or "") or None,
        journal_ref=clean(result.journal_ref or "") or None,
    )


def _short(url: str) -> str:
    return url.partition("?")[0]
