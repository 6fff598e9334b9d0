"""The records whose titles come nearest to a printed one: for people to choose from, never proof by itself."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from difflib import SequenceMatcher

from catalog.text import fold

LOOKED_AT = 25  # records that share the rarest words; letters are compared for these only


class Titles:
    """`records`: arXiv id → the record's title, then its former ones."""

    def __init__(self, records: Mapping[str, list[str]]) -> None:
        self._records = records
        self._having: dict[str, set[str]] = defaultdict(set)
        for number, titles in records.items():
            for word in {word for title in titles for word in fold(title).split()}:
                self._having[word].add(number)

    def nearest(self, title: str, most: int = 3, least: float = 0.5) -> list[tuple[float, str, str]]:
        """(score 0–1, id, title) of the best matches, best first; score is the share of letters in common, in order."""
        shared: Counter[str] = Counter()
        for word in set(fold(title).split()):
            having = self._having.get(word, set())
            for number in having:
                shared[number] += 1 / len(having)  # type: ignore[assignment]
        scored = []
        for number, _ in sorted(shared.items(), key=lambda pair: (-pair[1], pair[0]))[:LOOKED_AT]:
            for known in self._records[number]:
                score = SequenceMatcher(None, fold(title), fold(known), autojunk=False).ratio()
                if score >= least:
                    scored.append((round(score, 2), number, known))
        return sorted(scored, key=lambda each: (-each[0], each[1]))[:most]
