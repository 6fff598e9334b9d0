"""Title and abstract → scope, form and facets, each with a confidence and the words that spoke for it.

Rules find phrases; a linear model weighs them with all other words and decides scope and form. Facets beyond these two come
from the rules alone, and leave out more than they get wrong.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import compress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from catalog import taxonomy
from catalog.tagging import linear_model, phrases
from catalog.tagging.linear_model import FIELDS, FORM, SCOPE, Hit, Model, Read

CONSIDERED = 24  # strongest terms among which words to show are looked for
LEARNED_SHOWN = 3  # terms of the learned model that are shown for each of its two answers
# In scope from this probability on; borderline from the second. Chosen by cross-validation on the training examples.
IN, BORDERLINE = 0.4, 0.35
BOTH = 0.3  # explicit and implicit each need this much before a paper can be both
ABSTRACT_FIRINGS = {"acts_on": 1, "saves": 1, "training": 1, "domain": 2, "challenge": 2}  # a title needs one


class Evidence(NamedTuple):
    """Words `start`–`end` (characters) of a field of the given record, and the rule or learned term they set off."""

    field: str
    start: int
    end: int
    phrase: str
    rule: str


@dataclass(frozen=True)
class Tagged:
    """`confidence` is the lower one of scope's and form's; `facets` has tags by facet, in the taxonomy's order."""

    scope: str
    form: str
    confidence: float
    scope_confidence: float
    form_confidence: float
    facets: dict[str, list[str]] = field(default_factory=dict)
    evidence: list[Evidence] = field(default_factory=list)


@dataclass(frozen=True)
class Tagger:
    taxonomy: taxonomy.Taxonomy
    rules: phrases.Rules
    model: Model

    @property
    def source(self) -> str:
        """How rows made by this tagger are marked."""
        return f"tagger:{self.model.version}"

    def tag(self, title: str, abstract: str) -> Tagged:
        """Any two texts have an answer."""
        read = self.read(title, abstract)
        place = _Places({"title": title, "abstract": abstract}, read.places)
        known = self.model.known(linear_model.features(read))
        scope, scope_sure, scope_terms = self._scope(known)
        form, form_sure, form_terms = self._form(known, read.fired)
        facets, spoke = self._facets(form, read.fired)
        chosen = {scope, form, *self.branch(form)} | {tag for tags in facets.values() for tag in tags}
        evidence = [
            *_learned(place, read.words, f"learned: {scope}", scope_terms),
            *_learned(place, read.words, f"learned: {form}", form_terms),
            *(place(*hit) for hit in spoke if self.rules.tags[hit[3]] in chosen),
        ]
        sure = min(scope_sure, form_sure)
        return Tagged(scope, form, round(sure, 3), round(scope_sure, 3), round(form_sure, 3), facets, evidence)

    def scope(self, found: set[str]) -> str:
        """Scope alone, from features: for validation."""
        return self._scope(self.model.known(found))[0]

    def read(self, title: str, abstract: str) -> Read:
        """What the model is asked about."""
        read = Read({}, {}, {}, {}, {})
        for name, text in (("title", title), ("abstract", abstract)):
            tokens, places = phrases.tokens(text)
            kept = [token not in phrases.MARKS for token in tokens]
            words = read.words[name] = list(compress(tokens, kept))
            read.places[name] = list(compress(places, kept))
            read.pairs[name] = self._pairs(words)
            read.fired[name] = self.rules.fire(words, read.pairs[name])
            read.spoken[name] = self.rules.spoken_of(tokens if name == "abstract" else words)  # a title is one sentence
        return read

    def _pairs(self, text: list[str]) -> list[tuple[int, str]]:
        """Each word with the next, by the place of the first; of a trained model only those that it or a rule knows."""
        pairs = enumerate(map(" ".join, zip(text, text[1:])))
        return [pair for pair in pairs if pair[1] in self._known_pairs] if self.model.names else list(pairs)

    @cached_property
    def _known_pairs(self) -> set[str]:
        return {name.rpartition("|")[2] for name in self.model.names if " " in name and "#" not in name} | set(self.rules.by_pair)

    def branch(self, form: str) -> list[str]:
        """The tags below a form, at any depth."""
        return self._branches.get(form, [])

    @cached_property
    def _branches(self) -> dict[str, list[str]]:
        below: dict[str, list[str]] = {}
        for node in self.taxonomy.children("form"):
            below[node.id] = [tag for tag in self.taxonomy.tags("form") if tag != node.id and self._under(tag, node.id)]
        return below

    def _under(self, tag: str, ancestor: str) -> bool:
        parent = self.taxonomy.nodes[tag].parent
        return parent == ancestor or (parent is not None and self._under(parent, ancestor))

    @cached_property
    def _facet_of(self) -> dict[str, str]:
        return {tag: self.taxonomy.facet_of(tag) for tag in self.taxonomy.nodes}

    @cached_property
    def _parents(self) -> set[str]:
        return {node.parent for node in self.taxonomy.nodes.values() if node.parent is not None}

    def _scope(self, known: np.ndarray) -> tuple[str, float, Iterator[str]]:
        head = self.model.heads[SCOPE]
        of, parts = head(known)
        scope = scope_of(of)
        sure = of["in"] + of["borderline"] if scope == "borderline" else of[scope]
        return scope, sure, self._strongest(known, parts[:, head.classes.index(scope)])

    def _form(self, known: np.ndarray, fired: Mapping[str, list[Hit]]) -> tuple[str, float, Iterator[str]]:
        head = self.model.heads[FORM]
        of, parts = head(known)
        best = max(of, key=lambda form: of[form])
        shown = self._strongest(known, parts[:, head.classes.index(best)])
        if best != "adjacent" and min(of["explicit"], of["implicit"]) >= BOTH and self._fires("both", fired):
            return "both", of["explicit"] + of["implicit"], shown
        return best, of[best], shown

    def _fires(self, tag: str, fired: Mapping[str, list[Hit]]) -> bool:
        return any(self.rules.tags[rule] == tag for hits in fired.values() for _, _, rule in hits)

    def _strongest(self, known: np.ndarray, parts: np.ndarray) -> Iterator[str]:
        """The words that spoke most for an answer, best first; rules are shown as phrases anyway."""
        for at in np.argsort(-parts, kind="stable")[:CONSIDERED].tolist():
            if parts[at] > 0 and "#" not in (name := self.model.names[known[at]]):
                yield name

    def _facets(self, form: str, fired: Mapping[str, list[Hit]]) -> tuple[dict[str, list[str]], list[tuple[str, int, int, str]]]:
        """Tags that enough phrases speak for, and all phrases (field, first word, word after the last, rule)."""
        spoke = [(name, first, last, rule) for name, hits in fired.items() for first, last, rule in hits]
        weight: dict[str, int] = {}
        for name, _, _, rule in spoke:
            tag = self.rules.tags[rule]
            needed = ABSTRACT_FIRINGS.get(self._facet_of[tag], 1)
            weight[tag] = weight.get(tag, 0) + (needed if name == "title" else 1)
        facets: dict[str, list[str]] = {}
        leaves = [tag for tag in self.branch(form) if tag not in self._parents and weight.get(tag)]
        if leaves:
            facets["form"] = [max(leaves, key=lambda tag: weight[tag])]
        for tag in self.taxonomy.nodes:
            facet = self._facet_of[tag]
            if facet in ABSTRACT_FIRINGS and weight.get(tag, 0) >= ABSTRACT_FIRINGS[facet]:
                facets.setdefault(facet, []).append(tag)
        if "none" in facets.get("training", []):  # "without training" outweighs what such papers say of trained rivals
            facets["training"] = ["none"]
        return facets, spoke


def scope_of(sure: Mapping[str, float]) -> str:
    """The answer to give, by the probability of each."""
    if sure["in"] >= IN:
        return "in"
    return "borderline" if sure["in"] + sure["borderline"] >= BORDERLINE else "out"


def load(root: Path) -> Tagger:
    """Raises `Refused` (exit 1) where taxonomy, rules or tagger.json cannot be used."""
    tree = taxonomy.load(root)
    return Tagger(tree, phrases.load(root, tree), linear_model.load(root))


class _Places:
    """Evidence by place."""

    def __init__(self, record: Mapping[str, str], places: Mapping[str, Sequence[re.Match[str]]]) -> None:
        self._record, self._places = record, places

    def __call__(self, name: str, first: int, last: int, rule: str) -> Evidence:
        start, end = self._places[name][first].start(), self._places[name][last - 1].end()
        return Evidence(name, start, end, self._record[name][start:end], rule)


def _learned(place: _Places, texts: Mapping[str, Sequence[str]], rule: str, terms: Iterable[str]) -> list[Evidence]:
    """The first place of each term, none overlapping another."""
    shown: list[Evidence] = []
    taken: set[tuple[str, int]] = set()
    for term in terms:
        name, _, gram = term.rpartition("|")
        want = gram.split(" ")
        for where in [name] if name else FIELDS:
            at = _find(texts[where], want)
            if at is not None:
                covers = {(where, n) for n in range(at, at + len(want))}
                if not taken & covers:
                    taken |= covers
                    shown.append(place(where, at, at + len(want), rule))
                break
        if len(shown) == LEARNED_SHOWN:
            break
    return shown


def _find(words: Sequence[str], want: list[str]) -> int | None:
    at = -1
    while want[0] in words[at + 1 :]:
        at = words.index(want[0], at + 1)
        if words[at : at + len(want)] == want:
            return at
    return None


def to_json(arxiv_id: str, tagged: Tagged) -> dict[str, Any]:
    """One of `papers[]` as the contract has it."""
    return {
        "arxiv_id": arxiv_id,
        **{name: value for name, value in vars(tagged).items() if name != "evidence"},
        "evidence": [each._asdict() for each in tagged.evidence],
    }
