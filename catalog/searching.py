"""One TF-IDF index over papers and methods, in numpy, for `search` and for `similar`. Any text is a valid query."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from sqlmodel import Session, col, select

from catalog.schema import Author, Method, Paper
from catalog.text import fold

TITLE_WEIGHT = 3  # a word of the title counts as often


@dataclass(frozen=True)
class Hit:
    """`kind`: paper or method; `score`: cosine similarity, 0–1."""

    kind: str
    key: str
    title: str
    score: float


class Index:
    """Postings by term: for each word the documents that hold it and its weight there; documents have length 1."""

    def __init__(self, documents: Iterable[tuple[str, str, str, Mapping[str, float]]]) -> None:
        """`documents`: (kind, key, title, word → count)."""
        self._documents = sorted(documents, key=lambda document: document[:2])
        self._position = {(kind, key): n for n, (kind, key, _, _) in enumerate(self._documents)}
        self._terms: dict[str, int] = {}
        rows, columns, counts = [], [], []
        for row, (_, _, _, words) in enumerate(self._documents):
            for word, count in words.items():
                rows.append(row)
                columns.append(self._terms.setdefault(word, len(self._terms)))
                counts.append(count)
        self._row, column = np.array(rows, dtype=np.int64), np.array(columns, dtype=np.int64)
        found_in = np.bincount(column, minlength=len(self._terms))
        self._idf = np.log((1 + len(self._documents)) / (1 + found_in)) + 1
        weight = (1 + np.log(np.array(counts, dtype=np.float64))) * self._idf[column] if counts else np.zeros(0)
        length = np.sqrt(np.bincount(self._row, weight**2, minlength=len(self._documents)))
        self._weight = weight / length[self._row] if counts else weight
        order = np.argsort(column, kind="stable")
        self._row, self._weight = self._row[order], self._weight[order]
        self._start = np.concatenate([[0], np.cumsum(found_in)]).astype(np.int64)

    def search(self, text: str, limit: int = 20) -> list[Hit]:
        """The nearest documents to any text at all, best first; none for a text without a known word."""
        return self._nearest(words(text), limit)

    def similar(self, kind: str, key: str, limit: int = 10) -> list[Hit]:
        """The nearest other documents. Raises `KeyError` for one that is not in the index."""
        position = self._position[kind, key]
        hits = self._nearest(self._documents[position][3], limit + 1)
        return [hit for hit in hits if (hit.kind, hit.key) != (kind, key)][:limit]

    def _nearest(self, asked: Mapping[str, float], limit: int) -> list[Hit]:
        known = {self._terms[word]: count for word, count in asked.items() if word in self._terms}
        if not known or limit < 1:
            return []
        query = {term: (1 + np.log(count)) * self._idf[term] for term, count in known.items()}
        length = np.sqrt(sum(weight**2 for weight in query.values()))
        scores = np.zeros(len(self._documents))
        for term, weight in query.items():
            postings = slice(self._start[term], self._start[term + 1])
            scores[self._row[postings]] += self._weight[postings] * weight / length
        best = np.argsort(-scores, kind="stable")[:limit]
        hits = []
        for n in best:
            kind, key, title, _ = self._documents[n]
            if scores[n] > 0:
                hits.append(Hit(kind, key, title, min(1.0, round(float(scores[n]), 4))))
        return hits


def words(text: str) -> Counter[str]:
    """Folded words with their plural taken off; `chain-of-thought` is three words."""
    return Counter(word.removesuffix("s") if len(word) > 3 else word for word in fold(text).split())


def build(session: Session) -> Index:
    """Papers by title, abstract (where the database has it) and authors; methods by name and summary."""
    authors: dict[str, list[str]] = {}
    for author in session.exec(select(Author)):
        authors.setdefault(author.paper_key, []).append(author.name)
    documents = []
    chosen = select(Paper.key, Paper.title, Paper.abstract).where(col(Paper.merged_into).is_(None))
    for key, title, abstract in session.exec(chosen):
        documents.append(("paper", key, title, _weighed(title, f"{key} {abstract or ''} {' '.join(authors.get(key, []))}")))
    for method in session.exec(select(Method)):
        named = f"{method.title} {method.slug.replace('_', ' ')}"
        documents.append(("method", method.slug, method.title, _weighed(named, method.summary)))
    return Index(documents)


def _weighed(title: str, body: str) -> Counter[str]:
    counted = words(body)
    for word, count in words(title).items():
        counted[word] += TITLE_WEIGHT * count
    return counted
