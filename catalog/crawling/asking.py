"""One crawl of arXiv in progress: what its parts share, and how one that fails leaves the others alone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from catalog import clock
from catalog.records import Counts
from catalog.schema import SourceState
from catalog.sources import followed, polite
from catalog.sources.arxiv_query import QueryApi, Record
from catalog.sources.followed import Followed
from catalog.tagging import Tagger


class Asking:
    """One crawl of arXiv: what it needs, and what came of it so far."""

    def __init__(
        self,
        session: Session,
        http: polite.Session,
        follows: Followed,
        say: Callable[[str], None],
        tagger: Tagger | None = None,
    ) -> None:
        self.session, self.http, self.follows, self.say, self.tagger = session, http, follows.arxiv, say, tagger
        self.state = session.get(SourceState, followed.ARXIV) or SourceState(name=followed.ARXIV)
        self.today = clock.today()
        self.api = QueryApi(http)
        self.server = polite.server(self.api.url)
        self.counts, self.noted, self.lost = Counts(), 0, 0
        self.problems: list[str] = []
        self.broken: list[str] = []  # single records that arXiv gives only in part
        self.succeeded = False  # something was answered as it should be
        self.empty = ""  # an answer that held nothing: the canary tells whether that means anything
        self._alive = False  # the query API has shown the canary

    def commit(self) -> None:
        """Commits what is there, and with the news the day on which they came: a run cut off later has said so."""
        if self.counts.new or self.noted:
            self.state.last_new = self.today
        self.session.add(self.state)
        self.session.commit()

    def records(self, names: list[str]) -> list[Record]:
        """The records of these ids; without any, only a look whether arXiv is alive, one a run. Raises `polite.FetchError`."""
        if not names and self._alive:
            return []
        records = self.api.records(names, self.follows.canary)
        self._alive = True
        return records

    @contextmanager
    def part(self) -> Iterator[None]:
        """What goes wrong in here is reported, and the other parts go on; what was committed stays."""
        try:
            yield
        except SQLAlchemyError:
            raise  # the database is not one of the sources
        except Exception as error:
            self.session.rollback()
            known = isinstance(error, polite.FetchError)
            self.problems.append(str(error) if known else f"unexpected {type(error).__name__}: {error}")
