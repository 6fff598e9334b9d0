"""A small arXiv query API and raw-file host on 127.0.0.1, whose misbehaviour is scripted.

Records and lists are made up: their ids exist nowhere and their titles are ours.
"""

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

CANARY = "1706.03762"


@dataclass
class Fault:
    kind: str
    path: str
    count: int
    retry_after: str = ""


@dataclass
class Loopback:
    """What the server serves and what it was asked. `records`: id → (title, published day); `lists`: path → bytes."""

    records: dict[str, tuple[str, str]] = field(default_factory=lambda: {CANARY: ("A record that is always there", "2017-06-12")})
    lists: dict[str, bytes] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    log: list[tuple[str, int]] = field(default_factory=list)  # path with query, status
    times: list[float] = field(default_factory=list)  # of API requests
    agents: set[str] = field(default_factory=set)
    comments: dict[str, str] = field(default_factory=dict)
    url: str = ""

    def fail(self, kind: str, path: str, count: int = 1, retry_after: str = "") -> None:
        self.faults.append(Fault(kind, path, count, retry_after))

    def take_fault(self, path: str) -> Fault | None:
        for fault in self.faults:
            if fault.count and path.startswith(fault.path):
                fault.count -= 1
                return fault
        return None

    def asked(self, prefix: str) -> list[tuple[str, int]]:
        return [(path, status) for path, status in self.log if path.startswith(prefix)]

    def page(self, query: dict[str, list[str]]) -> bytes:
        start, size = int(query["start"][0]), int(query["max_results"][0])
        ids = [number for number in query.get("id_list", [""])[0].split(",") if number]
        if ids:
            found = [number for number in ids if number in self.records]
        else:  # a search: everything submitted in the window
            window = query["search_query"][0].rpartition("submittedDate:[")[2]
            first, last = window[:8], window[16:24]
            found = sorted(
                number for number, (_, day) in self.records.items() if first <= day.replace("-", "") <= last
            )
        entries = "".join(self.entry(number) for number in found[start : start + size])
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" '
            'xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/" xmlns:arxiv="http://arxiv.org/schemas/atom">'
            f"<opensearch:totalResults>{len(found)}</opensearch:totalResults>{entries}</feed>\n"
        ).encode()

    def entry(self, number: str) -> str:
        title, day = self.records[number]
        comment = self.comments.get(number)
        return (
            f"<entry><id>http://arxiv.org/abs/{number}v2</id><title>{escape(title)}</title>"
            f"<updated>{day}T12:00:00Z</updated><published>{day}T10:00:00Z</published>"
            f"<summary>What {escape(title)} is about.</summary><author><name>Ada Example</name></author>"
            f'<category term="cs.CL"/><arxiv:primary_category term="cs.CL"/>'
            f"{f'<arxiv:comment>{escape(comment)}</arxiv:comment>' if comment else ''}</entry>"
        )


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        state, parts = self.server.state, urlsplit(self.path)
        state.agents.add(self.headers.get("User-Agent", ""))
        if parts.path == "/api":
            state.times.append(time.monotonic())
            status, body = 200, state.page(parse_qs(parts.query))
        elif (found := state.lists.get(parts.path.removeprefix("/raw/"))) is not None:
            status, body = 200, found
        else:
            status, body = 404, b"not here"
        headers = {"ETag": '"' + hashlib.sha256(body).hexdigest()[:16] + '"'} if status == 200 else {}
        if headers and self.headers.get("If-None-Match") == headers["ETag"]:
            status, body = 304, b""
        fault = state.take_fault(parts.path)
        length = len(body)
        if fault is not None:
            status, body, length, extra = _spoil(fault, status, body)
            headers |= extra
        state.log.append((self.path, status))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        if self.command == "HEAD":
            return
        if fault is not None and fault.kind == "stall":
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            self.server.stop.wait(5)
        self.wfile.write(body)
        if length > len(body):
            self.close_connection = True

    def log_message(self, *_: Any) -> None:
        pass


def _spoil(fault: Fault, status: int, body: bytes) -> tuple[int, bytes, int, dict[str, str]]:
    if fault.kind.isdigit():
        extra = {"Retry-After": fault.retry_after} if fault.retry_after else {}
        if fault.kind == "302":
            extra["Location"] = "http://127.0.0.1:9/elsewhere"
        return int(fault.kind), b"", 0, extra
    if fault.kind == "cut":  # a whole answer, as far as HTTP can tell
        body = body[: len(body) // 2]
    elif fault.kind == "short":  # the connection ends before the announced length
        return status, body[: len(body) // 2], len(body), {}
    elif fault.kind == "html":
        body = b"<!DOCTYPE html><html><body>busy</body></html>"
    elif fault.kind == "empty":
        body = b'<feed xmlns="http://www.w3.org/2005/Atom" xmlns:o="http://a9.com/-/spec/opensearch/1.1/">'
        body += b"<o:totalResults>0</o:totalResults></feed>"
    elif fault.kind == "error":
        body = b'<feed xmlns="http://www.w3.org/2005/Atom" xmlns:o="http://a9.com/-/spec/opensearch/1.1/">'
        body += b"<o:totalResults>1</o:totalResults><entry><id>http://arxiv.org/api/errors#x</id>"
        body += b"<summary>out of order</summary></entry></feed>"
    elif fault.kind == "no_published":
        body = body.replace(b"<published>", b"<p>", 1).replace(b"</published>", b"</p>", 1)
    elif fault.kind == "total_too_high":
        body = body.replace(b"totalResults>", b"totalResults>10", 1)
    return status, body, len(body), {}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, state: Loopback) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.state, self.stop = state, threading.Event()


@contextmanager
def serving() -> Iterator[Loopback]:
    state = Loopback()
    server = _Server(state)
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.stop.set()
        server.shutdown()
        server.server_close()
