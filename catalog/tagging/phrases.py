"""Words of a text, and the phrases of tagger_rules.toml that stand in it, each with its place."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from catalog.errors import Refused, nearest
from catalog.taxonomy import Taxonomy
from catalog.toml import Strict, read

FILE = Path("catalog/tagger_rules.toml")
_WORD = re.compile(r"[^\W_]+")
_TOKEN = re.compile(r"[^\W_]+|[.!?;:](?=\s)")
MARKS = frozenset(".!?;:")  # they end a sentence, or a part of one that stands for itself
_ANY = "*"
_Phrases = list[tuple[list[str], tuple[str, ...]]]  # what follows, and the rules


class _Bases(dict[str, str]):
    """Each word seen and its base: looking up costs a fifth of computing. Emptied when hostile text has filled it."""

    def __missing__(self, word: str) -> str:
        if len(self) > 100_000:
            self.clear()
        base = word.lower()
        base = base[:-1] if len(base) > 3 and base[-1] == "s" and base[-2] != "s" else base
        self[word] = base
        return base


_bases = _Bases()


def words(text: str) -> list[str]:
    """Lower-case words without punctuation and plural s; `chain-of-thought` is three words."""
    return list(map(_bases.__getitem__, _WORD.findall(text)))


def tokens(text: str) -> tuple[list[str], list[re.Match[str]]]:
    """The `words` of a text and the marks that end its sentences, and where each of them stands."""
    found = list(_TOKEN.finditer(text))
    return list(map(_bases.__getitem__, map(re.Match.group, found))), found


class _Rule(Strict):
    tag: str
    about: str | None = None
    phrases: list[str]


class _File(Strict):
    version: int
    concepts: dict[str, list[str]]
    rule: list[_Rule]


@dataclass(frozen=True)
class Rules:
    """Phrases by their first word, or first two: what follows, and the rules they belong to. `tags` has each rule's tag.

    `concepts` has the concept that a word stands for, and the marks.
    """

    version: int
    by_word: dict[str, _Phrases]
    by_pair: dict[str, _Phrases]
    tags: dict[str, str]
    concepts: dict[str, str]

    def fire(self, text: list[str], pairs: list[tuple[int, str]]) -> list[tuple[int, int, str]]:
        """(first word, word after the last, rule) for each phrase that stands in these words; `pairs` of them by place."""
        return [*_hits(text, enumerate(text), self.by_word, 1), *_hits(text, pairs, self.by_pair, 2)]

    def spoken_of(self, tokens: list[str]) -> list[frozenset[str]]:
        """The concepts that each sentence names."""
        spoken: list[set[str]] = [set()]
        for found in filter(None, map(self.concepts.get, tokens)):
            if found in MARKS:
                spoken.append(set())
            else:
                spoken[-1].add(found)
        return list(map(frozenset, spoken))


def _hits(
    text: list[str], grams: Iterable[tuple[int, str]], known: dict[str, _Phrases], length: int
) -> Iterator[tuple[int, int, str]]:
    for at, gram in grams:
        if gram in known:
            for rest, rules in known[gram]:
                end = at + length + len(rest)
                if not rest or (found := text[at + length : end]) == rest or (_ANY in rest and _fits(rest, found)):
                    for rule in rules:
                        yield at, end, rule


def _fits(rest: list[str], found: list[str]) -> bool:
    return len(found) == len(rest) and all(want in (_ANY, word) for want, word in zip(rest, found))


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
    by_word: dict[str, _Phrases] = {}
    by_pair: dict[str, _Phrases] = {}
    for key, names in phrases.items():
        if len(key) > 1 and key[1] != _ANY:
            by_pair.setdefault(f"{key[0]} {key[1]}", []).append((list(key[2:]), tuple(names)))
        else:
            by_word.setdefault(key[0], []).append((list(key[1:]), tuple(names)))
    concepts = {base: concept for concept, named in raw.concepts.items() for word in named for base in words(word)}
    concepts |= {mark: mark for mark in MARKS}
    return Rules(raw.version, by_word, by_pair, tags, concepts)
