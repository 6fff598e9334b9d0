"""The one way out to the network: slow, patient and suspicious. Nothing else in the catalog imports `requests`.

arXiv asks for one connection and one request every three seconds over all its interfaces together
(https://info.arxiv.org/help/api/tou.html), so every process on the machine passes one gate file.
"""

import fcntl
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

import requests

from catalog import clock
from catalog.errors import Refused
from catalog.schema import ARXIV, MIRROR
from catalog.text import clean

CONNECT_S = 10.0
READ_S = 30.0  # of silence
REQUEST_S = 120.0  # for one answer, however steadily it trickles
TRIES = 5
UNREACHABLE_TRIES = 2
RETRY_AFTER_CAP_S = 120.0  # asked to wait longer, this run gives up, and so do the next ones until then
LONGEST_REST_S = 86_400.0  # no honest server asks for more
MAX_BYTES = 40_000_000  # after decompression

_AGAIN = frozenset({406, 408, 425, 429, 500, 502, 503, 504})  # arXiv's edge has answered 406 to clients it knew


class FetchError(Exception):
    """A source did not give what was asked. Its text is one line for people; asking again helps unless `final`."""

    final = False


class Unreachable(FetchError):
    """Nothing answered at all."""


class BadAnswer(FetchError):
    """Something answered, but not with what a healthy source says."""


class BadStatus(BadAnswer):
    """It answered with another status than 200."""

    def __init__(self, url: str, status: int) -> None:
        super().__init__(f"{_place(url)}: HTTP {status}")
        self.status = status


class Redirected(BadAnswer):
    """It is elsewhere, says the server. Redirects are never followed: they lead wherever somebody likes."""

    final = True

    def __init__(self, url: str, to: str) -> None:
        super().__init__(f"{_place(url)}: redirects to {to}")
        self.to = to


class Resting(FetchError):
    """The source asked to be left alone for longer than a run waits."""


@dataclass(frozen=True)
class Answer:
    """`content` is empty for a 304. The names are those `arxiv.Client` expects of a response."""

    status_code: int
    content: bytes
    headers: dict[str, str] = field(default_factory=dict)  # names in lower case


def is_arxiv(url: str) -> bool:
    host = (urlsplit(url).hostname or "").lower()
    return host == "arxiv.org" or host.endswith(".arxiv.org")


def is_own_host(url: str) -> bool:
    """Whether arXiv or GitHub themselves answer there; anything else is a mirror standing in."""
    return is_arxiv(url) or (urlsplit(url).hostname or "").lower() in ("raw.githubusercontent.com", "github.com")


def server(url: str) -> str:
    """What a record served from `url` remembers of it."""
    return ARXIV if is_own_host(url) else MIRROR


def answers(url: str, within_s: float) -> bool:
    """Whether anything at all answers there within so many seconds; one request, its content ignored."""
    reached = threading.Event()

    def ask() -> None:
        try:
            requests.head(url, timeout=within_s, allow_redirects=False, headers={"User-Agent": user_agent()})
            reached.set()
        except requests.exceptions.RequestException:
            pass

    # Looking up a name has no time-out of its own, so the thread is left behind when the time is over.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(within_s)
    return reached.is_set()


def interval_s() -> float:
    """`LACONIC_ARXIV_INTERVAL`: seconds between two requests to arXiv, 3 by default. Raises `Refused` (exit 2)."""
    text = os.environ.get("LACONIC_ARXIV_INTERVAL", "3")
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 3600:
        raise Refused(f"LACONIC_ARXIV_INTERVAL={text!r} is not a number of seconds from 0 to 3600", exit_code=2)
    return seconds


def user_agent() -> str:
    """Names the program and, from `LACONIC_CONTACT`, whom to write to: arXiv throttles anonymous clients first."""
    contact = os.environ.get("LACONIC_CONTACT", "").strip()
    if not contact.isascii() or not all(character.isprintable() for character in contact):
        raise Refused("LACONIC_CONTACT must be one line of ASCII, such as an e-mail address", exit_code=2)
    return f"Laconic/{version('laconic')} (research-paper tracker{'; ' + contact if contact else ''})"


class Session:
    """Fetches one URL at a time. `requests_made` counts what was really asked, retries included."""

    def __init__(self, notice: Callable[[str], None] = lambda line: None) -> None:
        self.requests_made = 0
        self._interval_s = interval_s()
        self._notice = notice
        self._given_up: dict[str, FetchError] = {}  # by host: why it is asked no more in this run
        self._http = requests.Session()
        self._http.headers["User-Agent"] = user_agent()
        self._http.headers["Accept"] = "application/atom+xml, application/xml;q=0.9, text/*;q=0.8, */*;q=0.1"

    def get(
        self,
        url: str,
        *,
        headers: dict[str, str] | None = None,
        gated: bool = True,
        check: Callable[[bytes], None] = lambda body: None,
        tries: int | None = None,
    ) -> Answer:
        """The answer to `url`: 200 with a body that `check` does not refuse, or 304.

        `gated` is for whatever arXiv serves. `check` raises `BadAnswer`. Raises `Unreachable` or `BadAnswer` when
        all tries failed; a status that will not change by itself (404, a redirect) is tried once.
        """
        tries = tries or TRIES
        if given_up := self._given_up.get(_origin(url)):
            raise given_up
        for count in range(1, tries + 1):
            wait_s = 0.0
            try:
                with self._turn(url) if gated else _no_gate() as turn:
                    answer = self._once(url, headers or {})
                    wait_s = _retry_after_s(answer)
                    turn.hold_s = wait_s
                if answer.status_code == 304:
                    return answer
                if answer.status_code == 200:
                    check(answer.content)
                    return answer
                if answer.status_code in (301, 302, 303, 307, 308):
                    raise Redirected(url, clean(answer.headers.get("location", "?"))[:200])
                problem: FetchError = BadStatus(url, answer.status_code)
                final = answer.status_code not in _AGAIN and not wait_s
            except FetchError as error:
                problem, final = error, error.final
            if wait_s > RETRY_AFTER_CAP_S:
                problem = Resting(f"{problem}; asks to be left alone for {wait_s:.0f} s")
            if isinstance(problem, Resting) or isinstance(problem, Unreachable) and count >= UNREACHABLE_TRIES:
                self._given_up[_origin(url)] = problem
                raise problem
            if final or count == tries:
                raise problem
            # Exponential, and jittered so that clients turned away together do not come back together.
            wait_s = max(wait_s, max(self._interval_s, 0.02) * 2 ** (count - 1) * random.uniform(1, 1.5))
            if wait_s > 5:
                self._notice(f"{problem}; trying again in {wait_s:.0f} s")
            time.sleep(wait_s)
        raise AssertionError("unreachable")

    def _once(self, url: str, headers: dict[str, str]) -> Answer:
        self.requests_made += 1
        body, overdue = bytearray(), threading.Event()
        try:
            with self._http.get(
                url, headers=headers, timeout=(CONNECT_S, READ_S), stream=True, allow_redirects=False
            ) as response, _hung_up(response, overdue):
                for chunk in response.iter_content(65536):
                    body += chunk
                    if len(body) > MAX_BYTES:
                        raise BadAnswer(f"{_place(url)}: more than {MAX_BYTES} bytes")
                if overdue.is_set():
                    raise BadAnswer(f"{_place(url)}: not finished after {REQUEST_S:.0f} s")
                found = {name.lower(): value for name, value in response.headers.items()}
                return Answer(response.status_code, bytes(body), found)
        except requests.exceptions.ReadTimeout:
            raise BadAnswer(f"{_place(url)}: silent for {READ_S:.0f} s") from None
        except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError):
            why = f"not finished after {REQUEST_S:.0f} s" if overdue.is_set() else f"the answer broke off after {len(body)} bytes"
            raise BadAnswer(f"{_place(url)}: {why}") from None
        except requests.exceptions.ConnectionError as error:
            if body or "Read timed out" in str(error):
                raise BadAnswer(f"{_place(url)}: silent for {READ_S:.0f} s after {len(body)} bytes") from None
            raise Unreachable(f"{_origin(url)}: cannot be reached") from None
        except (requests.exceptions.RequestException, UnicodeError):
            raise Unreachable(f"{_place(url)}: not a URL that can be asked") from None

    @contextmanager
    def _turn(self, url: str) -> Iterator["_Turn"]:
        """Waits for this machine's turn at the server, and keeps everyone else waiting while the request runs."""
        path = _gate(url)
        with path.open("a+") as gate:
            fcntl.flock(gate, fcntl.LOCK_EX)
            gate.seek(0)
            try:
                wait_s = float(gate.read() or 0) - time.time()
            except ValueError:
                wait_s = self._interval_s
            if wait_s > LONGEST_REST_S + self._interval_s:
                wait_s = self._interval_s  # the stamp was written under another clock
            if wait_s > RETRY_AFTER_CAP_S + self._interval_s:
                raise Resting(f"{_origin(url)}: asked to be left alone for another {wait_s:.0f} s")
            time.sleep(max(wait_s, 0.0))
            turn = _Turn()
            try:
                yield turn
            finally:
                gate.seek(0)
                gate.truncate()
                gate.write(repr(time.time() + max(self._interval_s, min(turn.hold_s, LONGEST_REST_S))))


@contextmanager
def _hung_up(response: requests.Response, overdue: threading.Event) -> Iterator[None]:
    """Ends the reading of `response` after `REQUEST_S`: a trickle never times out by itself, however small its drops."""

    def hang_up() -> None:
        overdue.set()
        with suppress(ValueError, RuntimeError, OSError):  # it was read to the end at this very moment
            response.raw.shutdown()

    timer = threading.Timer(REQUEST_S, hang_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@dataclass
class _Turn:
    hold_s: float = 0.0  # the next request of any process waits at least this long


@contextmanager
def _no_gate() -> Iterator[_Turn]:
    yield _Turn()


def _gate(url: str) -> Path:
    parts = urlsplit(url)
    name = "arxiv.org" if is_arxiv(url) else f"{parts.hostname}-{parts.port or 0}"
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "laconic"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.gate"
        path.touch()
    except OSError as error:
        raise Refused(f"{folder}: cannot be written ({error.strerror}); it holds the pace towards arXiv") from None
    return path


def _retry_after_s(answer: Answer) -> float:
    """The seconds a 403, 429 or 503 asks for, given as a number or a date; 0 where it does not say.

    GitHub says instead when the allowance that is used up begins anew, in seconds since 1970
    (https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api).
    """
    if answer.status_code not in (403, 429, 503):
        return 0.0
    text = answer.headers.get("retry-after", "").strip()
    reset = answer.headers.get("x-ratelimit-reset", "").strip()
    if not text and answer.headers.get("x-ratelimit-remaining") == "0" and reset.isascii() and reset.isdecimal():
        return max(0.0, float(reset) - time.time())
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - clock.now()).total_seconds())
    except (ValueError, TypeError):
        return 0.0


def _place(url: str) -> str:
    """The URL for people: a query of a hundred ids says nothing."""
    return url.partition("?")[0]


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}"
