"""One TF-IDF index over papers and methods, in numpy, for `search` and for `similar`. Any text is a valid query."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import chain

import numpy as np
from sqlmodel import Session, select

from catalog import arxiv_id, store
from catalog.finding import query
from catalog.finding.query import Query, normal
from catalog.labels import Label, of_papers
from catalog.lists import code_links
from catalog.lists.code_links import on_github
from catalog.schema import Author, Mention, Method, Paper, Repository
from catalog.taxonomy import Taxonomy
from catalog.text import fold

TITLE_WEIGHT = 3  # a word of the title counts as often
NAMED = 2.0  # a paper that holds a label which the question spells out counts so many times what its words alone would
LABEL_WEIGHT = 0.5  # labels are few and shared by many: at full weight, papers would be alike that have nothing else in common


@dataclass(frozen=True)
class Document:
    """What is searched of one paper or method. `counts` are its words; `text` the same in order, for phrases."""

    kind: str  # paper | method
    key: str
    title: str
    counts: Mapping[str, float]
    text: str = ""
    labels: frozenset[Label] = frozenset()
    month: str | None = None  # 2025-02
    code: str | None = None  # where its code is
    paper: str | None = None  # of a method: the paper's key


@dataclass(frozen=True)
class Hit:
    """`score`: cosine similarity, 0–1; None where conditions alone were asked for, so that nothing ranks."""

    kind: str
    key: str
    title: str
    score: float | None
    month: str | None
    code: str | None

    @property
    def cells(self) -> list[str]:
        """Its row in a table under `COLUMNS`."""
        return ["" if self.score is None else f"{self.score:.2f}", self.kind, self.key, self.title]


COLUMNS = ["score", "kind", "id", "title"]


@dataclass(frozen=True)
class Answer:
    hits: list[Hit]
    understood: list[str]  # the conditions that were read out of the text
    notes: list[str]


class Index:
    """Postings by term: for each word the documents that hold it and its weight there; documents have length 1."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self._documents = sorted(documents, key=lambda document: (document.kind, document.key))
        self._position = {(each.kind, each.key): n for n, each in enumerate(self._documents)}
        self._terms: dict[str, int] = {}
        columns: list[int] = []
        for document in self._documents:
            columns += [self._terms.setdefault(word, len(self._terms)) for word in document.counts]
        column = np.array(columns, dtype=np.int64)
        self._row = np.repeat(np.arange(len(self._documents)), [len(document.counts) for document in self._documents])
        counts = np.fromiter(chain.from_iterable(document.counts.values() for document in self._documents), np.float64)
        found_in = np.bincount(column, minlength=len(self._terms))
        self._idf = np.log((1 + len(self._documents)) / (1 + found_in)) + 1
        weight = (1 + np.log(counts)) * self._idf[column]
        length = np.sqrt(np.bincount(self._row, weight**2, minlength=len(self._documents)))
        self._weight = weight / length[self._row]
        order = np.argsort(column, kind="stable")
        self._row, self._weight = self._row[order], self._weight[order]
        self._start = np.concatenate([[0], np.cumsum(found_in)]).astype(np.int64)

    @property
    def newest(self) -> str:
        """The newest month of any paper; arXiv's first where there is none."""
        return max((document.month for document in self._documents if document.month), default="1991-08")

    def ask(self, text: str, tree: Taxonomy, limit: int = 20) -> Answer:
        """What answers any text at all, best first; what has no ranking words comes newest first."""
        asked = query.read(text, tree, self.newest, self.named)
        return Answer(self.search(asked, limit), asked.understood, asked.notes)

    def search(self, asked: Query, limit: int = 20) -> list[Hit]:
        fits = np.array([_fits(document, asked) for document in self._documents], dtype=bool)
        ranking = dict(asked.words)
        if asked.like:
            family = self._family(*asked.like)
            fits[family] = False
            for position in family:
                for word, count in self._documents[position].counts.items():
                    if word not in query.STOP:
                        ranking[word] = ranking.get(word, 0) + count
        if ranking:
            return self._nearest(ranking, fits, limit, asked.named)
        if not (asked.understood and len(fits)):
            return []
        chosen = [self._documents[n] for n in np.flatnonzero(fits)]
        chosen.sort(key=lambda document: (document.month or "", document.key), reverse=True)
        return [_hit(document, None) for document in chosen[:limit]]

    def similar(self, kind: str, key: str, limit: int = 10) -> list[Hit]:
        """The nearest other documents; a method and its paper count as one. Raises `KeyError` for one not in the index."""
        self._position[kind, key]
        return self.search(Query(like=(kind, key)), limit)

    @property
    def code(self) -> dict[str, str]:
        """Paper → where its code is."""
        return {each.key: each.code for each in self._documents if each.kind == "paper" and each.code}

    @property
    def labels(self) -> dict[str, frozenset[Label]]:
        """Paper → its labels, with the tags above each."""
        return {each.key: each.labels for each in self._documents if each.kind == "paper"}

    def nearest_papers(self, limit: int) -> dict[str, tuple[tuple[str, str], ...]]:
        """Paper → key and title of the papers nearest to it, nearest first; for all of them at once."""
        methods = sum(each.kind != "paper" for each in self._documents)  # they stand before the papers
        # A word that stands in a tenth of all papers tells little of any and costs most of the time.
        held_by = np.diff(self._start)
        rare = np.repeat(held_by <= len(self._documents) / 10 + 10, held_by)
        order = np.argsort(self._row, kind="stable")
        order = order[rare[order]]
        first = np.searchsorted(self._row[order], np.arange(len(self._documents) + 1))
        term = np.repeat(np.arange(len(self._terms)), held_by)
        start, end = self._start[:-1][term], self._start[1:][term]
        found = {}
        for n in range(methods, len(self._documents)):
            own = order[first[n] : first[n + 1]]
            scores = np.zeros(len(self._documents))
            for begin, behind, weight in zip(start[own].tolist(), end[own].tolist(), self._weight[own].tolist()):
                scores[self._row[begin:behind]] += self._weight[begin:behind] * weight
            scores[n] = scores[:methods] = 0
            some = np.flatnonzero(scores > 0)  # of truth values five times as fast
            best = some[np.argsort(-scores[some], kind="stable")[:limit]]
            near = [self._documents[each] for each in best.tolist()]
            found[self._documents[n].key] = tuple((each.key, each.title) for each in near)
        return found

    def named(self, text: str) -> tuple[str, str] | None:
        """Kind and key of what goes by this slug, id, name, title, or what stands before a title's colon."""
        printed = arxiv_id.read(text)
        if printed and ("paper", printed.bare) in self._position:
            return "paper", str(printed.bare)
        for kind in ("method", "paper"):
            if (kind, text) in self._position:
                return kind, text
        wanted = fold(text)
        if not wanted:
            return None
        for document in self._documents:  # methods stand before papers
            names = [document.title, document.title.partition(":")[0] if ":" in document.title else ""]
            if wanted in [fold(name) for name in names if len(name) < 4 * len(text) + 8]:
                return document.kind, document.key
        return None

    def _family(self, kind: str, key: str) -> list[int]:
        """A method with its paper, a paper with its methods."""
        paper = key if kind == "paper" else self._documents[self._position[kind, key]].paper
        own = [n for n, each in enumerate(self._documents) if paper and paper in (each.paper, each.kind == "paper" and each.key)]
        return own or [self._position[kind, key]]

    def _nearest(self, asked: Mapping[str, float], fits: np.ndarray, limit: int, named: Set[Label]) -> list[Hit]:
        known = {self._terms[word]: count for word, count in asked.items() if word in self._terms}
        if not known or limit < 1:
            return []
        wanted = {term: (1 + np.log(count)) * self._idf[term] for term, count in known.items()}
        length = np.sqrt(sum(weight**2 for weight in wanted.values()))
        scores = np.zeros(len(self._documents))
        for term, weight in wanted.items():
            postings = slice(self._start[term], self._start[term + 1])
            scores[self._row[postings]] += self._weight[postings] * weight / length
        if named:
            scores[[not named.isdisjoint(document.labels) for document in self._documents]] *= NAMED
        scores[~fits] = 0
        best = np.argsort(-scores, kind="stable")[:limit]
        return [_hit(self._documents[n], min(1.0, round(float(scores[n]), 4))) for n in best if scores[n] > 0]


def _hit(document: Document, score: float | None) -> Hit:
    return Hit(document.kind, document.key, document.title, score, document.month, document.code)


def _fits(document: Document, asked: Query) -> bool:
    held = document.labels
    return (
        (asked.code is None or asked.code is (document.code is not None))
        and (asked.first is None or (document.month or "") >= asked.first)
        and (asked.last is None or (document.month or "9999") <= asked.last)
        and held.issuperset(asked.tags)
        and held.isdisjoint(asked.unwanted_tags)
        and (not (asked.phrases or asked.unwanted or asked.said) or _says(f" {document.text} ", held, asked))
    )


def _says(padded: str, held: Set[Label], asked: Query) -> bool:
    return (
        all(f" {phrase} " in padded for phrase in asked.phrases)
        and not any(f" {phrase} " in padded for phrase in asked.unwanted)
        and all(label in held or any(f" {phrase} " in padded for phrase in phrases) for label, phrases in asked.said)
    )


def build(session: Session, tree: Taxonomy, *, abstracts: bool = True) -> Index:
    """Papers by title, abstract (where the database has it), authors, labels and the headings that lists put them under.

    Methods by name, summary and the labels of their paper. Without `abstracts` every database of one snapshot answers alike.
    """
    authors: dict[str, list[str]] = defaultdict(list)
    for key, name in store.columns(session, Author, "paper_key name", order="paper_key position"):
        authors[key].append(name)
    headings, code = _headings(session), _code(session)
    labelled = of_papers(session, tree)
    spoken = {tag: normal(f"{tag.replace('_', ' ')} {node.title}").split() for tag, node in tree.nodes.items()}
    documents = []
    months: dict[str, str | None] = {}
    chosen = "key arxiv_id title merged_into" + " abstract" * abstracts
    for key, number, title, merged_into, *abstract in store.columns(session, Paper, chosen, order="key"):
        if merged_into is not None:
            continue
        months[key] = arxiv_id.month(number) if number else None
        held = frozenset(labelled.get(key, ()))
        named, text = normal(title), normal("".join(filter(None, abstract)))
        under = [normal(heading) for heading in sorted(headings[key])]
        counts = _counted(named, f"{text} {' '.join(under)} {normal(' '.join([number or '', *authors[key]]))}", held, spoken)
        read = " | ".join([named, text, *under])  # no phrase runs from one part into the next
        documents.append(Document("paper", key, title, counts, read, held, months[key], code.get(key)))
    for method in session.exec(select(Method).order_by(Method.slug)):
        paper = method.paper_key
        held = frozenset(labelled.get(paper or "", ()))
        named, text = normal(f"{method.title} {method.slug.replace('_', ' ')}"), normal(method.summary)
        counts = _counted(named, text, held, spoken)
        month, link = months.get(paper or ""), code.get(paper or "")
        documents.append(Document("method", method.slug, method.title, counts, f"{named} | {text}", held, month, link, paper))
    return Index(documents)


def _headings(session: Session) -> dict[str, set[str]]:
    """Paper → the innermost headings over its listings."""
    headings: dict[str, set[str]] = defaultdict(set)
    for key, section, gone_on in store.columns(session, Mention, "paper_key section gone_on"):
        if gone_on is None:
            headings[key].update(section[-1:])
    return headings


def _code(session: Session) -> dict[str, str]:
    """Paper → the first repository that a list gives for it and GitHub has not lost."""
    gone = set(session.exec(select(Repository.name).where(Repository.state == "gone")))
    standing = {key: [url for url in urls if on_github(url) not in gone] for key, urls in code_links.of_papers(session).items()}
    return {key: urls[0] for key, urls in standing.items() if urls}


def _counted(title: str, body: str, held: frozenset[Label], spoken: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """`spoken`: the words of each tag."""
    counted: dict[str, float] = Counter(f"{f'{title} ' * TITLE_WEIGHT}{body}".split())  # type: ignore[assignment]
    for _, tag in sorted(held):
        for word in spoken[tag]:
            counted.setdefault(word, LABEL_WEIGHT)
    return counted
