"""A server of completions in the place of a model: our own on the loopback, honest and otherwise."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from methods import cot, direct
from methods.kit import endpoint
from methods.kit.decoding import decode
from methods.kit.endpoint import Endpoint
from methods.kit.errors import Refused
from methods.kit.guests import Guest
from methods.kit.models import Role, load
from methods.kit.runner import measure
from methods.kit.tasks import chains
from methods.kit.zoo import Zoo, load_models

Answer = Callable[[str, dict[str, Any]], tuple[int, bytes]]


class Server(ThreadingHTTPServer):
    """Answers with whatever `answer(path, body)` says."""

    answer: Answer
    seen: list[dict[str, Any]]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.reply({})

    def do_POST(self) -> None:
        self.reply(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def reply(self, body: dict[str, Any]) -> None:
        self.server.seen.append(body)
        status, content = self.server.answer(self.path, body)
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        with suppress(OSError):  # who asked may have had enough
            self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(("127.0.0.1", 0), Handler)
    made.seen = []
    Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def serving(role: Role) -> Answer:
    """What an honest server does: writes greedily after the prompt's text."""

    def answer(path: str, body: dict[str, Any]) -> tuple[int, bytes]:
        if path.endswith("/models"):
            return 200, json.dumps({"data": [{"id": "tiny"}]}).encode()
        (ids,) = decode(role, [role.encode(body["prompt"])], [role.eos_id], body["max_tokens"])
        ended = ids[-1] == role.eos_id
        text = role.decode(ids[:-1] if ended else ids)
        choice = {"text": text, "finish_reason": "stop" if ended else "length"}
        return 200, json.dumps({"choices": [choice]}).encode()

    return answer


def away(folder: Path, server: Server) -> Zoo:
    guest = Guest("tiny", folder, "", endpoint=server.url, served_as="tiny", most_tokens=16)
    return Zoo("chains", folder, folder, guest)


@pytest.mark.parametrize("method", [cot, direct])
@pytest.mark.parametrize("closed", [False, True])
def test_a_served_model_writes_what_it_writes_here(method: Any, closed: bool, bpe_checkpoint: Path, server: Server) -> None:
    """The same tokens under the same labels, and costs that nobody metered are not in the record."""
    server.answer = serving(load("long", bpe_checkpoint))
    problems = [problem for level in (1, 3) for problem in chains.draws("test", level, 0, 3)]
    config = cot.Config(most_thinking_tokens=16, budgets=(2,) * 3 if closed else None) if method is cot else direct.Config()
    here = Zoo("chains", bpe_checkpoint, bpe_checkpoint, Guest("tiny", bpe_checkpoint, ""))
    ours, theirs = (
        measure(method, load_models(zoo, method, config, 0), config, problems, 0) for zoo in (here, away(bpe_checkpoint, server))
    )
    assert [output.ids for output in theirs.outputs] == [output.ids for output in ours.outputs]
    assert [output.labels for output in theirs.outputs] == [output.labels for output in ours.outputs]
    assert {"accuracy", "tokens"} <= theirs.values.keys()
    assert not {"flops", "forward_passes", "cache_bytes"} & theirs.values.keys()


def test_sampling_is_asked_for_with_its_seed(bpe_checkpoint: Path, server: Server) -> None:
    server.answer = lambda path, body: (200, b'{"choices": [{"text": "</think> 1 2", "finish_reason": "stop"}]}')
    Endpoint(server.url, "tiny").complete("x", 5, 0.7, 11)
    assert {"model": "tiny", "max_tokens": 5, "temperature": 0.7, "seed": 11}.items() <= server.seen[0].items()


@pytest.mark.parametrize(
    ("status", "content", "said"),
    [
        (200, b"<html>", "no JSON: '<html>'"),
        (200, b'{"choices": []}', "no choices"),
        (200, b"[]", "no choices"),
        (200, b'{"choices": [{"text": "a"}]}', "no choices"),
        (404, b"no such\nmodel", "HTTP 404: no such model"),
        (503, b"busy", "HTTP 503: busy"),
        (302, b"", "HTTP 302"),
        (200, b" " * 5000, "more than 4,096 bytes"),
    ],
)
def test_a_bad_answer_is_one_line(server: Server, monkeypatch: pytest.MonkeyPatch, status: int, content: bytes, said: str) -> None:
    monkeypatch.setattr(endpoint, "MOST_BYTES", 4096)
    server.answer = lambda path, body: (status, content)
    with pytest.raises(Refused, match=said) as refused:
        Endpoint(server.url, "tiny").complete("x", 5, 0.0, 0)
    assert server.url in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_silent_server_is_left(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "TIMEOUT_S", (1, 0.2))

    def answer(path: str, body: dict[str, Any]) -> tuple[int, bytes]:
        time.sleep(0.6)
        return 200, b"{}"

    server.answer = answer
    with pytest.raises(Refused, match="no answer in time"):
        Endpoint(server.url, "tiny").complete("x", 5, 0.0, 0)


def test_nobody_there_is_one_line() -> None:
    with pytest.raises(Refused, match="no answer: ConnectionError"):
        Endpoint("http://127.0.0.1:9/v1", "tiny").names()
    with pytest.raises(Refused, match="must start with http"):
        Endpoint("127.0.0.1:9", "tiny")
