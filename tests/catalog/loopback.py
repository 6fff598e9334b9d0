"""Serves the made-up arXiv and survey lists on 127.0.0.1, and misbehaves on demand."""

import hashlib
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.catalog.small_arxiv import SmallArxiv


@dataclass
class Fault:
    """`where` is text that the query must hold, unquoted: `submittedDate`, `start=2`."""

    kind: str
    path: str
    count: int
    retry_after: str = ""
    where: str = ""


@dataclass
class Loopback(SmallArxiv):
    """What the server serves and what it was asked. `lists`: path → bytes."""

    lists: dict[str, bytes] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    log: list[tuple[str, int]] = field(default_factory=list)  # path with query, status
    times: list[float] = field(default_factory=list)  # of requests to arXiv
    agents: set[str] = field(default_factory=set)
    url: str = ""

    def fail(self, kind: str, path: str, count: int = 1, retry_after: str = "", where: str = "") -> None:
        self.faults.append(Fault(kind, path, count, retry_after, where))

    def take_fault(self, path: str) -> Fault | None:
        for fault in self.faults:
            if fault.count and path.startswith(fault.path) and fault.where in unquote(path):
                fault.count -= 1
                return fault
        return None

    def asked(self, prefix: str) -> list[tuple[str, int]]:
        return [(path, status) for path, status in self.log if path.startswith(prefix)]

    def answer(self, path: str, query: dict[str, str], kind: str) -> tuple[int, bytes]:
        if path == "/api":
            return 200, self.atom(query, shift=int(kind == "overlap"), sorted_=kind != "unsorted")
        if path.startswith("/rss/"):
            return 200, self.rss()
        if path == "/oai":
            return 200, self.oai(query)
        found = self.lists.get(path.removeprefix("/raw/"))
        return (404, b"not here") if found is None else (200, found)


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        state, parts = self.server.state, urlsplit(self.path)
        state.agents.add(self.headers.get("User-Agent", ""))
        if not parts.path.startswith("/raw/"):
            state.times.append(time.monotonic())
        fault = state.take_fault(self.path)
        kind = fault.kind if fault else ""
        status, body = state.answer(parts.path, dict(parse_qsl(parts.query)), kind)
        headers = {"ETag": '"' + hashlib.sha256(body).hexdigest()[:16] + '"'} if status == 200 else {}
        if headers and self.headers.get("If-None-Match") == headers["ETag"] and not fault:
            status, body = 304, b""
        if fault is not None:
            status, body, extra = _spoil(fault, status, body)
            headers |= extra
        state.log.append((self.path, status))
        if kind == "silent":
            self.server.stop.wait(5)
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self._send(body, kind)

    def _send(self, body: bytes, kind: str) -> None:
        half = len(body) // 2
        if kind not in ("stall", "drip", "reset", "short"):
            self.wfile.write(body)
            return
        self.close_connection = True
        self.wfile.write(body[:half])
        self.wfile.flush()
        if kind == "stall":
            self.server.stop.wait(5)
        elif kind == "drip":
            for byte in body[half:-1]:
                if self.server.stop.wait(0.02):
                    break
                try:
                    self.wfile.write(bytes([byte]))
                except OSError:  # the client has had enough
                    break
        elif kind == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def log_message(self, *_: Any) -> None:
        pass


_FEED = b'<feed xmlns="http://www.w3.org/2005/Atom" xmlns:o="http://a9.com/-/spec/opensearch/1.1/">'
_INSTEAD = {
    "html": b"<!DOCTYPE html><html><body>busy</body></html>",
    "nothing": b"",
    "empty": _FEED + b"<o:totalResults>0</o:totalResults></feed>",
    "no_entries": _FEED + b"<o:totalResults>4</o:totalResults></feed>",
    "error": _FEED + b"<o:totalResults>1</o:totalResults><entry><id>http://arxiv.org/api/errors#x</id>"
    b"<summary>out of order</summary></entry></feed>",
}


def _spoil(fault: Fault, status: int, body: bytes) -> tuple[int, bytes, dict[str, str]]:
    kind = fault.kind
    if kind.isdigit():
        extra = {"Retry-After": fault.retry_after} if fault.retry_after else {}
        if kind.startswith("3"):
            extra["Location"] = "http://127.0.0.1:9/elsewhere"
        return int(kind), b"", extra
    if kind == "error400":
        return 400, _INSTEAD["error"], {}
    body = _INSTEAD.get(kind, body)
    if kind == "cut":  # a whole answer, as far as HTTP can tell
        body = body[: len(body) // 2]
    elif kind == "no_published":
        body = body.replace(b"<published>", b"<p>", 1).replace(b"</published>", b"</p>", 1)
    elif kind == "total_too_high":
        body = body.replace(b"totalResults>", b"totalResults>10", 1)
    elif kind == "nul":
        body = body.replace(b"<title>", b"<title>\0") if b"<title>" in body else body.replace(b" ", b" \0")
    return status, body, {}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, state: Loopback) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.state, self.stop = state, threading.Event()

    def handle_error(self, *_: Any) -> None:
        pass  # clients that hang up are what this server is for


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
