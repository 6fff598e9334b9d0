"""Text from a server: any that speaks OpenAI's completions over HTTP (vLLM, llama.cpp, Ollama) and takes a raw prefix.

The tokenizer is here, the network there: what comes back is text, and its tokens are counted with the model's own tokenizer.
"""

import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests

from methods.kit.errors import Refused

TIMEOUT_S = (10, 600)  # to connect; between two bytes of an answer
MOST_BYTES = 4_000_000
AT_ONCE = 8  # requests in flight


class Endpoint:
    """`url` is up to and with its version, e.g. http://127.0.0.1:8000/v1. LACONIC_ENDPOINT_KEY holds the key where one is asked."""

    def __init__(self, url: str, model: str = "") -> None:
        if not url.startswith(("http://", "https://")):
            raise Refused(f"--endpoint: {url!r}: must start with http:// or https://", exit_code=2)
        self.url, self.model = url.rstrip("/"), model

    def names(self) -> list[str]:
        """What the server calls its models."""
        answer = self.ask("models", None)
        try:
            return [str(row["id"]) for row in answer["data"]]
        except (KeyError, TypeError):
            raise Refused(f"{self.url}/models: the answer has no list of models") from None

    def ask(self, path: str, body: dict[str, Any] | None) -> Any:
        """One request and its JSON. Raises `Refused`, in one line, for whatever goes wrong."""
        where, key = f"{self.url}/{path}", os.environ.get("LACONIC_ENDPOINT_KEY")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        try:
            with requests.request(
                "POST" if body else "GET", where, json=body, headers=headers, timeout=TIMEOUT_S, stream=True, allow_redirects=False
            ) as answer:
                content = b""
                for chunk in answer.iter_content(65536):
                    content += chunk
                    if len(content) > MOST_BYTES:
                        raise Refused(f"{where}: an answer of more than {MOST_BYTES:,} bytes")
                status = answer.status_code
        except requests.Timeout:
            raise Refused(f"{where}: no answer in time ({TIMEOUT_S[0]} s to connect, {TIMEOUT_S[1]} s for more text)") from None
        except requests.RequestException as error:
            raise Refused(f"{where}: no answer: {type(error).__name__}") from None
        if status != 200:
            raise Refused(f"{where}: HTTP {status}: {content[:200].decode('utf-8', 'replace')}")
        try:
            return json.loads(content)
        except ValueError:
            raise Refused(f"{where}: the answer is no JSON: {content[:80].decode('utf-8', 'replace')!r}") from None

    def complete(self, prompt: str, most_tokens: int, temperature: float, seed: int) -> tuple[str, bool]:
        """What is written after `prompt`, and whether it ended by itself."""
        body = {
            "model": self.model,
            "prompt": prompt,
            "max_tokens": most_tokens,
            "temperature": temperature,
            "seed": seed,
            "skip_special_tokens": False,  # for servers that would hide the delimiter
        }
        answer = self.ask("completions", body)
        try:
            choice = answer["choices"][0]
            return str(choice["text"]), choice["finish_reason"] == "stop"
        except (KeyError, IndexError, TypeError):
            raise Refused(f"{self.url}/completions: the answer has no choices[0].text and finish_reason") from None

    def write(
        self,
        role: Any,
        rows: Sequence[Sequence[int]],
        most_tokens: int,
        temperature: float = 0.0,
        seed: int = 0,
        budgets: Sequence[int] | None = None,
        answer_tokens: int | None = None,
    ) -> list[list[int]]:
        """What `decoding.decode` returns for a model that is here: new ids of each row, the end mark included."""

        force = budgets is not None or not role.opens

        def one(row: Sequence[int], budget: int) -> list[int]:
            prompt = role.decode([i for i in row if i != role.tokenizer.bos_token_id])  # the server puts its own in front
            if answer_tokens is None:
                return self.ids(role, *self.complete(prompt, most_tokens, temperature, seed))[:most_tokens]
            closes = role.decode([role.closes_id])
            text, ended = self.complete(prompt, budget + answer_tokens, temperature, seed) if budget else ("", False)
            before, closed, after = text.partition(closes)
            thinking = role.encode(before)
            if closed and (len(thinking) <= budget or not force):
                answer = self.ids(role, after, ended)
            elif force:
                thinking = thinking[:budget]
                answer = self.ids(role, *self.complete(prompt + role.decode(thinking) + closes, answer_tokens, temperature, seed))
            else:
                return self.ids(role, text, ended)[:most_tokens]
            return [*thinking, role.closes_id, *answer[:answer_tokens]]

        limits = budgets if budgets is not None else [most_tokens - (answer_tokens or 0) - 1] * len(rows)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(one, rows, limits))

    @staticmethod
    def ids(role: Any, text: str, ended: bool) -> list[int]:
        return [*role.encode(text), *([role.eos_id] if ended else [])]
