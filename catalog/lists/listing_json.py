"""A survey list kept as JSON: objects that name a title and a link, wherever they stand; the keys above are sections."""

import json
from dataclasses import dataclass
from typing import Any

from catalog.text import clean

_TITLES = ("title", "paper", "paper_title", "name")
_DATES = ("date", "published", "month", "year")


@dataclass(frozen=True)
class Record:
    line: int
    section: list[str]
    title: str
    urls: list[str]
    date: str


def records(text: str) -> list[Record] | None:
    """The records of a JSON list in its order; None where the text is not JSON. Lines are those of the titles."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    found: list[Record] = []
    place = 0
    stack: list[tuple[list[str], Any]] = [([], content)]
    while stack:
        section, node = stack.pop()
        if isinstance(node, list):
            stack += [(section, each) for each in reversed(node)]
        elif isinstance(node, dict):
            title = next((clean(node[key]) for key in _TITLES if isinstance(node.get(key), str)), "")
            urls = [value.strip() for value in node.values() if isinstance(value, str) and value.strip().startswith("http")]
            if title and urls:
                printed = json.dumps(next(node[key] for key in _TITLES if isinstance(node.get(key), str)), ensure_ascii=False)
                place = max(text.find(printed, place), place)
                date = next((str(node[key]) for key in _DATES if isinstance(node.get(key), (str, int))), "")
                found.append(Record(text.count("\n", 0, place) + 1, section, title, list(dict.fromkeys(urls)), date))
                place += 1
            else:
                stack += [([*section, clean(key)], value) for key, value in reversed(node.items())]
    return found
