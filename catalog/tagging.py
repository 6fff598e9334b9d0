"""Title and abstract → scope, form and facets, each with a confidence and the words that spoke for it.

Rules find phrases; a linear model weighs them with all other words and decides scope and form. Facets beyond these two come
from the rules alone, and leave out more than they get wrong.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from catalog import tagging_model, tagging_rules, taxonomy
from catalog.tagging_model import FIELDS, FORM, SCOPE, Fired, Linear, Model

LEARNED_SHOWN = 3  # terms of the learned model that are shown for each of its two answers
# In scope from this probability on; borderline from the second. Chosen by cross-validation on the training examples.
IN, BORDERLINE = 0.5, 0.35
BOTH = 0.3  # explicit and implicit each need this much before a paper can be both
ABSTRACT_FIRINGS = {"acts_on": 1, "saves": 1, "training": 1, "domain": 2, "challenge": 2}  # a title needs one


@dataclass(frozen=True)
class Evidence:
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
    rules: tagging_rules.Rules
    model: Model

    @property
    def source(self) -> str:
        """How rows made by this tagger are marked."""
        return f"tagger:{self.model.version}"

    def tag(self, title: str, abstract: str) -> Tagged:
        """Any two texts have an answer."""
        record = {"title": title, "abstract": abstract}
        texts, fired = self.read(title, abstract)
        found = tagging_model.features(texts, fired)
        scope, scope_sure, scope_terms = self._scope(found)
        form, form_sure, form_terms = self._form(found, fired)
        facets, spoke = self._facets(form, fired)
        chosen = {scope, form, *self.branch(form)} | {tag for tags in facets.values() for tag in tags}
        evidence = [
            *_learned(record, texts, f"learned: {scope}", scope_terms),
            *_learned(record, texts, f"learned: {form}", form_terms),
            *_phrases(record, (hit for hit in spoke if self.rules.tags[hit[3]] in chosen)),
        ]
        sure = min(scope_sure, form_sure)
        return Tagged(scope, form, round(sure, 3), round(scope_sure, 3), round(form_sure, 3), facets, evidence)

    def scope(self, found: set[str]) -> str:
        """Scope alone, from features: for validation."""
        return self._scope(found)[0]

    def read(self, title: str, abstract: str) -> tuple[dict[str, list[str]], Fired]:
        """The words of both fields, and the rules that fire in them."""
        texts = {"title": tagging_rules.words(title), "abstract": tagging_rules.words(abstract)}
        return texts, {name: list(self.rules.fire(words)) for name, words in texts.items()}

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

    def _scope(self, found: Iterable[str]) -> tuple[str, float, list[str]]:
        head = self.model.heads[SCOPE]
        sure, known, parts = head(found)
        of = dict(zip(head.classes, map(float, sure)))
        if of["in"] >= IN:
            return "in", of["in"], _strongest(head, known, parts, "in")
        if of["in"] + of["borderline"] >= BORDERLINE:
            return "borderline", of["in"] + of["borderline"], _strongest(head, known, parts, "borderline")
        return "out", of["out"], _strongest(head, known, parts, "out")

    def _form(self, found: Iterable[str], fired: Fired) -> tuple[str, float, list[str]]:
        head = self.model.heads[FORM]
        sure, known, parts = head(found)
        of = dict(zip(head.classes, map(float, sure)))
        best = max(of, key=lambda form: of[form])
        both_named = any(self.rules.tags[rule] == "both" for hits in fired.values() for _, _, rule in hits)
        if both_named and best != "adjacent" and min(of["explicit"], of["implicit"]) >= BOTH:
            return "both", of["explicit"] + of["implicit"], _strongest(head, known, parts, best)
        return best, of[best], _strongest(head, known, parts, best)

    def _facets(self, form: str, fired: Fired) -> tuple[dict[str, list[str]], list[tuple[str, int, int, str]]]:
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


def load(root: Path) -> Tagger:
    """Raises `Refused` (exit 1) where taxonomy, rules or tagger.json cannot be used."""
    tree = taxonomy.load(root)
    return Tagger(tree, tagging_rules.load(root, tree), tagging_model.load(root))


def _strongest(head: Linear, known: np.ndarray, parts: np.ndarray, answer: str) -> list[str]:
    """The learned words that spoke most for an answer; rules are shown as phrases anyway."""
    column = parts[:, head.classes.index(answer)]
    names = head.names
    ranked = sorted((-float(column[at]), names[known[at]]) for at in np.argsort(-column, kind="stable")[:24])
    return [name for cost, name in ranked if cost < 0 and "#" not in name]


def _learned(record: Mapping[str, str], texts: Mapping[str, Sequence[str]], rule: str, terms: Iterable[str]) -> list[Evidence]:
    shown: list[Evidence] = []
    taken: set[tuple[str, int]] = set()
    for term in terms:
        name, _, gram = term.rpartition("|")
        want = gram.split(" ")
        for where in [name] if name else FIELDS:
            words = texts[where]
            at = next((n for n in range(len(words)) if words[n : n + len(want)] == want), None)
            if at is None:
                continue
            if not taken & {(where, n) for n in range(at, at + len(want))}:
                taken |= {(where, n) for n in range(at, at + len(want))}
                shown += _phrases(record, [(where, at, at + len(want), rule)])
            break
        if len(shown) == LEARNED_SHOWN:
            break
    return shown


def _phrases(record: Mapping[str, str], spoke: Iterable[tuple[str, int, int, str]]) -> Iterator[Evidence]:
    spans: dict[str, list[tuple[int, int]]] = {}
    for name, first, last, rule in spoke:
        if name not in spans:
            spans[name] = tagging_rules.places(record[name])
        start, end = spans[name][first][0], spans[name][last - 1][1]
        yield Evidence(name, start, end, record[name][start:end], rule)


def to_json(arxiv_id: str, tagged: Tagged) -> dict[str, Any]:
    """One of `papers[]` as the contract has it."""
    return {
        "arxiv_id": arxiv_id,
        **{name: value for name, value in vars(tagged).items() if name != "evidence"},
        "evidence": [vars(each) for each in tagged.evidence],
    }
