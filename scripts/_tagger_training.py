"""Fitting the tagger's two linear models with scikit-learn, and predicting examples that were held out."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from catalog.tagging.linear_model import Model, from_json, weigh

SEEN_IN = 2  # examples a term must stand in
KEPT = 4_000  # terms a model keeps, those with the largest weights; it is then fitted once more on them alone
STRENGTH = 2.0  # C of the logistic regression: little shrinkage
SCOPE_STRENGTH = 5.0  # scope has ten times the examples and needs less; chosen by cross-validation
Features = set[str]


def fit(
    found: Sequence[Features],
    labels: Sequence[str],
    classes: list[str],
    weights: Sequence[float] | None = None,
    strength: float = STRENGTH,
) -> dict[str, Any]:
    """The model as JSON. Sorted, seeded and rounded, so that the same examples give the same bytes.

    Classes count evenly, however many examples each has, unless `weights` say what an example counts.
    """
    counts = None if weights is None else np.array(weights)
    seen = Counter(term for features in found for term in features)
    terms = sorted(term for term, times in seen.items() if times >= SEEN_IN)
    scale = {term: round(weigh(1 + float(np.log((1 + len(found)) / (1 + seen[term]))), term), 4) for term in terms}
    for last in (False, True):
        matrix = _matrix(found, {term: at for at, term in enumerate(terms)}, np.array([scale[term] for term in terms]))
        fitted = LogisticRegression(C=strength, max_iter=1000, class_weight="balanced" if weights is None else None)
        fitted.fit(matrix, labels, sample_weight=counts)
        coefficients = fitted.coef_[[list(fitted.classes_).index(name) for name in classes]]
        if not last:
            pull = np.abs(coefficients).max(axis=0) * np.array([scale[term] for term in terms])
            terms = sorted(terms[at] for at in np.argsort(-pull, kind="stable")[:KEPT])
    rows = {term: [scale[term], *(round(float(weight), 4) for weight in coefficients[:, at])] for at, term in enumerate(terms)}
    bias = fitted.intercept_[[list(fitted.classes_).index(name) for name in classes]]
    return {"classes": classes, "bias": [round(float(value), 4) for value in bias], "terms": rows}


def _matrix(found: Sequence[Features], at: dict[str, int], scale: np.ndarray) -> csr_matrix:
    known = [sorted(at[term] for term in features if term in at) for features in found]
    columns = np.array([column for row in known for column in row], dtype=np.int64)
    rows = np.repeat(np.arange(len(known)), [len(row) for row in known])
    length = np.sqrt(np.bincount(rows, scale[columns] ** 2, minlength=len(known)))
    length[length == 0] = 1
    return csr_matrix((scale[columns] / length[rows], (rows, columns)), shape=(len(known), len(at)))


def held_out(
    keys: Sequence[str],
    found: Sequence[Features],
    labels: Sequence[str],
    classes: list[str],
    folds: int,
    seed: int,
    weights: Sequence[float] | None = None,
    strength: float = STRENGTH,
) -> Iterator[tuple[str, Model]]:
    """Each paper once, with a model that has not seen it; its one head is `held out`. A paper is one example."""
    assert len(set(keys)) == len(keys)
    splits = StratifiedKFold(folds, shuffle=True, random_state=seed).split(np.zeros(len(keys)), labels)
    for training, test in splits:
        counts = None if weights is None else [weights[at] for at in training]
        raw = fit([found[at] for at in training], [labels[at] for at in training], classes, counts, strength)
        model = from_json(0, {"held out": raw})
        for at in test:
            yield keys[at], model
