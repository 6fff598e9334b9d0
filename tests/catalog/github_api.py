"""A small GitHub REST API on 127.0.0.1: one answer a repository, and a log of what was asked with which token."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CANARY = "somebody/canary"


@dataclass
class GitHub:
    """`answers`: path → (status, headers, body); anything else is 404. `allowance`: answers left before 403."""

    answers: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    allowance: int = 1_000_000
    refusal: tuple[int, dict[str, str]] = (403, {})
    log: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    url: str = ""

    def serve(self, name: str, path: str = "", **said: Any) -> None:
        facts = {"full_name": name, "archived": False, "license": {"spdx_id": "MIT"}, "pushed_at": "2026-01-02T03:04:05Z"}
        self.say(path or f"/repos/{name.lower()}", 200, json.dumps({"id": 1, **facts, **said}).encode())

    def say(self, path: str, status: int, body: bytes = b"{}", **headers: str) -> None:
        self.answers[path] = (status, headers, body)

    def forget(self, name: str) -> None:
        del self.answers[f"/repos/{name}"]


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        state = self.server.state
        state.log.append(self.path)
        state.tokens.add(self.headers.get("Authorization", ""))
        status, headers, body = state.answers.get(self.path, (404, {}, b'{"message": "Not Found"}'))
        if state.allowance <= 0:
            (status, headers), body = state.refusal, b'{"message": "API rate limit exceeded"}'
        state.allowance -= 1
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, state: GitHub) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.state = state


@contextmanager
def serving() -> Iterator[GitHub]:
    state = GitHub()
    server = _Server(state)
    state.url = f"http://127.0.0.1:{server.server_port}"
    state.serve(CANARY)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
