"""What the tagger learned, applied with numpy: two linear models over words, pairs of words and fired rules.

tagger.json holds vocabulary and weights as text. scripts/tagger.py writes it; nothing here needs scikit-learn.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import chain, combinations, repeat
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from catalog.errors import Refused

FILE = Path("catalog/tagger.json")
FIELDS = ("title", "abstract")
SCOPE, FORM = "scope", "form"
_pair = itemgetter(1)
RULE_WEIGHT = 2.0  # a fired rule counts as much as two words: people chose its phrases

Hit = tuple[int, int, str]  # first word, word after the last, rule that fires


class Read(NamedTuple):
    """What is seen of a text, by field: words, pairs of words, fired rules, concepts of each sentence, places of the words."""

    words: dict[str, list[str]]
    pairs: dict[str, list[tuple[int, str]]]  # and the place of the first of the two
    fired: dict[str, list[Hit]]
    spoken: dict[str, list[frozenset[str]]]
    places: dict[str, list[re.Match[str]]]  # of the words


def features(read: Read) -> set[str]:
    """Words and pairs of words, once more with `title|` before those of the title; `field#` before the rules that fire there
    and the concepts that stand in one sentence, by how often."""
    found: set[str] = set()
    for field in FIELDS:
        found.update(read.words[field], map(_pair, read.pairs[field]))
        for rule, times in Counter(rule for _, _, rule in read.fired[field]).items():
            found.add(f"{field}#{rule}")
            if times > 1:
                found.add(f"{field}#{rule} twice")
            if times > 3:
                found.add(f"{field}#{rule} four times")
        for both, times in Counter(chain.from_iterable(map(together, read.spoken[field]))).items():
            found.add(f"{field}#{both}")
            if times > 1:
                found.add(f"{field}#{both} twice")
            if times > 2:
                found.add(f"{field}#{both} thrice")
    found.update(f"title|{gram}" for gram in (*read.words["title"], *map(_pair, read.pairs["title"])))
    found.update(f"title#{concept} named" for sentence in read.spoken["title"] for concept in sentence)
    return found


@cache
def together(concepts: frozenset[str]) -> list[str]:
    """Each two of them. There are few concepts, so that all answers fit in memory."""
    return [f"{one} & {other}" for one, other in combinations(sorted(concepts), 2)]


def weigh(idf: float, term: str) -> float:
    """What one occurrence of a term counts in training, given how rare it is."""
    return RULE_WEIGHT * idf if "#" in term else idf


@dataclass(frozen=True)
class Linear:
    """One question with its possible answers. Rows are terms of the shared vocabulary, zero where a question does not use one."""

    classes: list[str]
    scale: np.ndarray  # what one occurrence of each term counts, before the document is brought to length 1
    weights: np.ndarray  # a column for each class
    bias: np.ndarray

    def __call__(self, known: np.ndarray) -> tuple[dict[str, float], np.ndarray]:
        """(probability of each class, what each known term contributes to each class)."""
        counts = self.scale[known]
        length = float(np.sqrt(counts @ counts)) or 1.0
        parts = (counts / length)[:, None] * self.weights[known]
        scores = parts.sum(axis=0) + self.bias
        odds = np.exp(scores - scores.max())
        return dict(zip(self.classes, (odds / odds.sum()).tolist())), parts


@dataclass(frozen=True)
class Model:
    """`terms` holds the row of each term of any head, `names` the term of each row."""

    version: int
    names: list[str]
    terms: dict[str, int]
    heads: dict[str, Linear]

    def known(self, found: set[str]) -> np.ndarray:
        """Rows of the features that the model has seen, in order: sums then do not hang on the order of a set."""
        rows = np.fromiter(map(self.terms.get, found, repeat(-1)), dtype=np.int64, count=len(found))
        return np.sort(rows[rows >= 0])

    def ask(self, head: str, found: set[str]) -> str:
        """The most probable answer."""
        sure, _ = self.heads[head](self.known(found))
        return max(sure, key=sure.__getitem__)


def load(root: Path) -> Model:
    """Raises `Refused` (exit 1) for a file that is missing, damaged or was not written by `laconic tagger`."""
    try:
        raw = json.loads((root / FILE).read_text("utf-8"))
        return from_json(int(raw["version"]), {name: raw[name] for name in (SCOPE, FORM)})
    except OSError as error:
        raise Refused(f"{FILE}: cannot be read ({error.strerror})") from None
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise Refused(f"{FILE}: not a tagger ({type(error).__name__}: {error}); run `laconic tagger` or restore the file") from None


def from_json(version: int, heads: Mapping[str, Any]) -> Model:
    """Each head as scripts/_tagger_training.py makes it: classes, bias, and for each term its scale and a weight a class."""
    names = sorted({term for raw in heads.values() for term in raw["terms"]})
    terms = {term: row for row, term in enumerate(names)}
    made = {}
    for name, raw in heads.items():
        table = np.zeros((len(names), 1 + len(raw["classes"])))
        table[[terms[term] for term in raw["terms"]]] = list(raw["terms"].values())
        bias = np.array(raw["bias"], dtype=np.float64)
        if bias.shape != (len(raw["classes"]),):
            raise ValueError("classes and bias do not fit together")
        made[name] = Linear(list(raw["classes"]), table[:, 0].copy(), table[:, 1:].copy(), bias)
    return Model(version, names, terms, made)
