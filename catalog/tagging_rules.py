"""Words of a text, and the phrases of tagger_rules.toml that stand in it, each with its place."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from catalog.errors import Refused, nearest
from catalog.taxonomy import Taxonomy
from catalog.toml import Strict, read

FILE = Path("catalog/tagger_rules.toml")
_WORD = re.compile(r"[^\W_]+")
_ANY = "*"


@lru_cache(maxsize=1 << 16)
def _base(word: str) -> str:
    word = word.lower()
    return word[:-1] if len(word) > 3 and word[-1] == "s" and word[-2] != "s" else word


def words(text: str) -> list[str]:
    """Lower-case words without punctuation and plural s; `chain-of-thought` is three words."""
    return [_base(word) for word in _WORD.findall(text)]


def places(text: str) -> list[tuple[int, int]]:
    """Start and end of each of the `words` of a text."""
    return [match.span() for match in _WORD.finditer(text)]


class _Rule(Strict):
    tag: str
    about: str | None = None
    phrases: list[str]


class _File(Strict):
    version: int
    rule: list[_Rule]


@dataclass(frozen=True)
class Rules:
    """Phrases by their first word: what follows it, and the rules it belongs to. `tags` holds each rule's tag."""

    version: int
    by_first: dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]]
    tags: dict[str, str]

    def fire(self, text: Sequence[str]) -> Iterator[tuple[int, int, str]]:
        """(first word, word after the last, rule) for each phrase that stands in these words."""
        for at, word in enumerate(text):
            for rest, rules in self.by_first.get(word, ()):
                end = at + 1 + len(rest)
                if end <= len(text) and all(want in (_ANY, found) for want, found in zip(rest, text[at + 1 : end])):
                    for rule in rules:
                        yield at, end, rule


def load(root: Path, taxonomy: Taxonomy) -> Rules:
    """Raises `Refused` (exit 1) naming file, key and value: unknown tag, empty phrase, phrase that stands twice."""
    raw = read(root / FILE, _File, root)
    phrases: dict[tuple[str, ...], list[str]] = {}
    tags: dict[str, str] = {}
    for index, rule in enumerate(raw.rule):
        here = f"{FILE}: rule[{index}]"
        name = f"{rule.tag}: {rule.about}" if rule.about else rule.tag
        if name in tags:
            raise Refused(f"{here}: {name!r} stands twice; `about` must tell the rules of one tag apart")
        tags[name] = rule.tag
        if rule.tag not in taxonomy.nodes:
            raise Refused(f"{here}.tag: unknown tag {rule.tag!r}{nearest(rule.tag, taxonomy.nodes)}")
        for phrase in rule.phrases:
            key = tuple(_ANY if part == _ANY else base for part in phrase.split() for base in words(part) or [part])
            if not key or key[0] == _ANY or any(part != _ANY and not words(part) for part in key):
                raise Refused(f"{here}.phrases: {phrase!r} needs words, and * only after the first")
            if name in phrases.setdefault(key, []):
                raise Refused(f"{here}.phrases: {phrase!r} stands twice")
            phrases[key].append(name)
    by_first: dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]] = {}
    for key, names in phrases.items():
        by_first.setdefault(key[0], []).append((key[1:], tuple(names)))
    return Rules(raw.version, by_first, tags)
