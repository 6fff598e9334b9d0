"""What a person types into `search`: words to rank by and conditions to meet. Any text is a query; none is refused."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import permutations

from catalog.errors import nearest
from catalog.taxonomy import Taxonomy
from catalog.text import fold

# Two ways to say one thing: whoever asks for one also finds the other, with half the weight.
ALIKE = [
    ("cot", "chain of thought"),
    ("rl", "reinforcement learning"),
    ("sft", "supervised fine tuning"),
    ("llm", "large language model"),
    ("lrm", "large reasoning model"),
    ("kv", "key value cache"),
    ("moe", "mixture of experts"),
    ("short", "concise"),
    ("latent", "implicit"),
    ("latent", "continuous"),
]
ALIKE_WEIGHT = 0.5

_NAMES = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"]
_MONTH = r"(?P<name>" + "|".join(f"{name[:3]}(?:{name[3:]})?" for name in _NAMES) + r")\b\.?(?:,?\s+(?P<of>(?:19|20)\d\d)\b)?"
_WHEN = re.compile(
    r"\b(?P<how>newer than|later than|more recent than|after|since|older than|earlier than|before|from|in)\s+"
    rf"(?:{_MONTH}|(?P<iso>(?:19|20)\d\d(?:-(?:0[1-9]|1[0-2]))?)\b(?!-))",
    re.IGNORECASE,
)
_HOW = {"since": "since", "from": "in", "in": "in", "after": "after", "before": "before"}
_HOW |= {"newer than": "after", "later than": "after", "more recent than": "after"}
_HOW |= {"older than": "before", "earlier than": "before"}
_CODE = re.compile(
    r"\b(?P<no>(?:without|no)\s+code)\b|\b(?:with\s+(?:open\s+)?code|code\s+(?:is\s+)?available|has\s+code|code\s+released)\b",
    re.IGNORECASE,
)
# What people say for a label: the words for it, what of them is still worth ranking by, the label, and how a title, an
# abstract or a list's heading says the same of a paper that nobody has labelled.
_SAID = [
    (
        re.compile(
            r"\b(?:(?:without|no)\s+(?:(?:any|additional|further)\s+)*(?:training|fine-?tuning)|(?:training|tuning)[- ]free)\b",
            re.IGNORECASE,
        ),
        "",
        ("training", "none"),
        ("training free", "without training", "without additional training", "without any training", "tuning free"),
    ),
    (
        re.compile(
            r"\b(?:chang\w+|shap\w+|modif\w+|design\w*|add\w*)\s+(?:of\s+)?(?:the\s+|a\s+)?rewards?\b|\breward\s+(?:design|shaping)\b",
            re.IGNORECASE,
        ),
        "reward",
        ("form", "cot_preference_rl"),
        ("reward design", "reward shaping", "length reward", "length penalty", "length based reward"),
    ),
]
_LIKE = re.compile(r"\b(?:similar\s+to|like)\s+(?P<who>[^,;?]+)", re.IGNORECASE)
_PIECE = re.compile(r'(?P<minus>(?<!\S)-)?(?:(?P<name>[A-Za-z_]+):)?(?:"(?P<phrase>[^"]*)"|(?P<bare>[^\s"]+))')

Named = Callable[[str], tuple[str, str] | None]


@dataclass
class Query:
    """`words` rank; all else must hold. `first` and `last` are months, included. `understood` says so in words."""

    words: dict[str, float] = field(default_factory=dict)
    phrases: list[str] = field(default_factory=list)  # as `normal` writes them
    unwanted: list[str] = field(default_factory=list)  # words or phrases
    tags: list[tuple[str, str]] = field(default_factory=list)
    unwanted_tags: list[tuple[str, str]] = field(default_factory=list)
    named: set[tuple[str, str]] = field(default_factory=set)  # labels whose name stands among the words: they rank, no more
    said: list[tuple[tuple[str, str], tuple[str, ...]]] = field(default_factory=list)  # a label, or one of these phrases
    first: str | None = None
    last: str | None = None
    code: bool | None = None
    like: tuple[str, str] | None = None  # kind and key
    understood: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # what looked like a condition and is none


def words(text: str) -> Counter[str]:
    return Counter(normal(text).split())


def normal(text: str) -> str:
    """Folded words without the s at their end, a plural's or not: the same on both sides. `chain-of-thought` is three words."""
    return f"{fold(text)} ".replace("s ", " ").strip()


# Words that say how one asks and not what about; a likeness in them is none either.
STOP = frozenset(normal("""
    a about all an and any anything are as at be been but by can do does each find for from has have how i if in into is it its me
    method of on one only or other our own paper please show so some something such than that the their them then there these they
    this those to use uses using was we what when where which while who why will with work would you
""").split())  # fmt: skip


def read(text: str, tree: Taxonomy, newest: str, named: Named) -> Query:
    """`newest` is the month that a month without a year may not exceed; `named` finds what `like` refers to."""
    query = Query()
    plain: list[str] = []
    for piece in _PIECE.finditer(text):
        if not _condition(query, piece, tree, named):
            plain.append(piece.group())
    rest = _spoken(query, " ".join(plain), tree, newest, named)
    asked = words(rest)
    kept = {word: float(count) for word, count in asked.items() if word not in STOP} or dict(asked)
    query.words = kept if query.like is None or kept.keys() - STOP else {}
    query.named = _named(rest, tree)
    for phrase in query.phrases:
        query.words |= {word: query.words.get(word, 0) + 1 for word in phrase.split()}
    for one, other in ALIKE:
        for said, meant in permutations([normal(one).split(), normal(other).split()]):
            if all(word in kept for word in said):
                query.words |= {word: ALIKE_WEIGHT for word in meant if word not in query.words and word not in STOP}
    return query


def _named(text: str, tree: Taxonomy) -> set[tuple[str, str]]:
    """Labels of two words or more that the text spells out, such as latent reasoning; single words mean too many things."""
    padded = f" {normal(text)} "
    spelled = {(facet.id, tag): normal(tag.replace("_", " ")) for facet in tree.facets for tag in tree.tags(facet.id)}
    return {label for label, name in spelled.items() if " " in name and f" {name} " in padded}


def _condition(query: Query, piece: re.Match[str], tree: Taxonomy, named: Named) -> bool:
    """Whether this piece is a condition; then it is in the query."""
    name, minus = (piece["name"] or "").lower(), bool(piece["minus"])
    value = piece["phrase"] if piece["phrase"] is not None else piece["bare"].rstrip(",;.?!")
    if not name:
        if minus and normal(value):
            query.unwanted.append(normal(value))
            query.understood.append(f"not “{normal(value)}”")
        elif piece["phrase"] is not None and normal(value):
            query.phrases.append(normal(value))
            query.understood.append(f"“{normal(value)}” word for word")
        else:
            return False
        return True
    facets = {node.id for node in tree.facets}
    wrong = ""
    if name in facets and value:
        if value in (tags := tree.tags(name)):
            (query.unwanted_tags if minus else query.tags).append((name, value))
            query.understood.append(f"{'not ' if minus else ''}{_titles(tree, (name, value))}")
            return True
        wrong = f"no tag {value!r}{nearest(value, tags)}"
    elif name in ("after", "before") and value and not minus:
        if re.fullmatch(r"(19|20)\d\d(-(0[1-9]|1[0-2]))?", value):
            _narrow(query, name, value)
            return True
        wrong = f"{value!r} is neither a month such as 2026-03 nor a year"
    elif name == "code" and value and not minus:
        if value.lower() in ("yes", "no"):
            _code(query, value.lower() == "yes")
            return True
        wrong = f"{value!r} is neither yes nor no"
    elif name == "like" and value and not minus:
        if found := named(value):
            _like(query, found)
            return True
        wrong = f"no paper or method {value!r} is known"
    if wrong:
        query.notes.append(f"{name}: {wrong}; searched as words")
    return False


def _spoken(query: Query, text: str, tree: Taxonomy, newest: str, named: Named) -> str:
    """Conditions as people say them; returns the text without them."""

    def when(found: re.Match[str]) -> str:
        month = found["iso"]
        if month is None:
            number = 1 + [name[:3] for name in _NAMES].index(found["name"].lower()[:3])
            year = int(found["of"] or newest[:4])
            month = f"{year - (not found['of'] and f'{year}-{number:02}' > newest)}-{number:02}"
        _narrow(query, _HOW[" ".join(found["how"].lower().split())], month)
        return " "

    def code(found: re.Match[str]) -> str:
        _code(query, found["no"] is None)
        return " "

    def like(found: re.Match[str]) -> str:
        who = found["who"].split()
        for length in range(min(len(who), 30), 0, -1):
            if query.like is None and (name := named(" ".join(who[:length]))):
                _like(query, name)
                return " ".join(who[length:])
        return found.group()

    for pattern, kept, label, phrases in _SAID:
        text, times = pattern.subn(f" {kept} ", text)
        if times:
            query.said.append((label, tuple(map(normal, phrases))))
            query.understood.append(f"{_titles(tree, label)}, by label or by words such as “{phrases[0]}”")
    for pattern, meaning in ((_CODE, code), (_WHEN, when), (_LIKE, like)):
        text = pattern.sub(meaning, text)
    return text


def _titles(tree: Taxonomy, label: tuple[str, str]) -> str:
    return ": ".join(tree.nodes[name].title for name in label if name in tree.nodes)


def _narrow(query: Query, how: str, when: str) -> None:
    """`when` is a year or a month: after its end, before its start, since its start, or within it."""
    first, last = (when, when) if len(when) > 4 else (f"{when}-01", f"{when}-12")
    if how == "after":
        first, last = _next(last, 1), ""
    elif how == "before":
        first, last = "", _next(first, -1)
    elif how == "since":
        last = ""
    if first:
        query.first = max(first, query.first or first)
    if last:
        query.last = min(last, query.last or last)
    query.understood.append(f"{how} {when}")


def _next(month: str, step: int) -> str:
    count = 12 * int(month[:4]) + int(month[5:]) - 1 + step
    return f"{count // 12:04}-{count % 12 + 1:02}"


def _code(query: Query, wanted: bool) -> None:
    query.code = wanted
    query.understood.append("code is linked" if wanted else "no code is linked")


def _like(query: Query, found: tuple[str, str]) -> None:
    query.like = found
    query.understood.append(f"like the {found[0]} {found[1]}")
