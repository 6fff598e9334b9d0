"""What the tagger learned, applied with numpy: two linear models over words, pairs of words and fired rules.

tagger.json holds vocabulary and weights as text. scripts/tagger.py writes it; nothing here needs scikit-learn.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from catalog.errors import Refused

FILE = Path("catalog/tagger.json")
FIELDS = ("title", "abstract")
SCOPE, FORM = "scope", "form"
RULE_WEIGHT = 2.0  # a fired rule counts as much as two words: people chose its phrases

Fired = Mapping[str, Sequence[tuple[int, int, str]]]  # field → (first word, word after the last, rule)


def features(texts: Mapping[str, Sequence[str]], fired: Fired) -> set[str]:
    """Words and pairs of words, once more with `title|` before those of the title, and rules as `#rule` by where and how often."""
    found: set[str] = set()
    for field in FIELDS:
        words = texts[field]
        grams = [*words, *map(" ".join, zip(words, words[1:]))]
        found.update(grams)
        if field == "title":
            found.update(f"title|{gram}" for gram in grams)
        for rule, times in Counter(rule for _, _, rule in fired[field]).items():
            found.add(f"{field}#{rule}")
            if times > 1:
                found.add(f"{field}#{rule} twice")
            if times > 3:
                found.add(f"{field}#{rule} four times")
    return found


def weigh(idf: float, term: str) -> float:
    return RULE_WEIGHT * idf if "#" in term else idf


@dataclass(frozen=True)
class Linear:
    """One question with its possible answers: `weights` has a row for each term and a column for each class."""

    classes: list[str]
    terms: dict[str, int]
    scale: np.ndarray  # what one occurrence of each term counts, before the document is brought to length 1
    weights: np.ndarray
    bias: np.ndarray

    @cached_property
    def names(self) -> list[str]:
        return list(self.terms)

    def __call__(self, found: Iterable[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(probability of each class, indices of the known terms, their contribution to each class)."""
        get = self.terms.get
        known = np.sort(np.array([at for at in map(get, found) if at is not None], dtype=np.int64))
        counts = self.scale[known]
        length = float(np.sqrt(counts @ counts)) or 1.0
        parts = (counts / length)[:, None] * self.weights[known]
        scores = parts.sum(axis=0) + self.bias
        odds = np.exp(scores - scores.max())
        return odds / odds.sum(), known, parts


@dataclass(frozen=True)
class Model:
    version: int
    heads: dict[str, Linear]


def load(root: Path) -> Model:
    """Raises `Refused` (exit 1) for a file that is missing, damaged or was not written by `laconic tagger`."""
    path = root / FILE
    try:
        raw = json.loads(path.read_text("utf-8"))
        return Model(int(raw["version"]), {name: from_json(raw[name]) for name in (SCOPE, FORM)})
    except OSError as error:
        raise Refused(f"{FILE}: cannot be read ({error.strerror})") from None
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise Refused(f"{FILE}: not a tagger ({type(error).__name__}: {error}); run `laconic tagger` or restore the file") from None


def from_json(raw: Mapping[str, Any]) -> Linear:
    rows = np.array(list(raw["terms"].values()), dtype=np.float64)
    bias = np.array(raw["bias"], dtype=np.float64)
    if rows.ndim != 2 or rows.shape[1] != 1 + len(raw["classes"]) or len(bias) != len(raw["classes"]):
        raise ValueError("terms, classes and bias do not fit together")
    return Linear(list(raw["classes"]), {term: at for at, term in enumerate(raw["terms"])}, rows[:, 0], rows[:, 1:], bias)
