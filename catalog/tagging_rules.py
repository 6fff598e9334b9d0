"""Words of a text, and the phrases of tagger_rules.toml that stand in it, each with its place."""

import re
from dataclasses import dataclass
from pathlib import Path

from catalog.errors import Refused, nearest
from catalog.taxonomy import Taxonomy
from catalog.toml import Strict, read

FILE = Path("catalog/tagger_rules.toml")
_WORD = re.compile(r"[^\W_]+")
_ANY = "*"


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


def places(text: str) -> list[tuple[int, int]]:
    """Start and end of each of the `words` of a text."""
    return list(map(re.Match.span, _WORD.finditer(text)))


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
    by_first: dict[str, list[tuple[list[str], tuple[str, ...]]]]
    tags: dict[str, str]

    def fire(self, text: list[str]) -> list[tuple[int, int, str]]:
        """(first word, word after the last, rule) for each phrase that stands in these words."""
        hits = []
        for at, phrases in enumerate(map(self.by_first.get, text)):
            for rest, rules in phrases or ():
                end = at + 1 + len(rest)
                if not rest or (found := text[at + 1 : end]) == rest or (_ANY in rest and _fits(rest, found)):
                    hits += [(at, end, rule) for rule in rules]
        return hits


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
    by_first: dict[str, list[tuple[list[str], tuple[str, ...]]]] = {}
    for key, names in phrases.items():
        by_first.setdefault(key[0], []).append((list(key[1:]), tuple(names)))
    return Rules(raw.version, by_first, tags)
