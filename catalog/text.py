"""Titles as they must be compared. What lists and servers send is hostile text until it has been through `clean`."""

import hashlib
import re
import unicodedata
from difflib import SequenceMatcher
from functools import lru_cache

# Controls, lone surrogates, private and unassigned characters, and the marks that reorder what is shown.
_DROPPED = {"Cc", "Cs", "Co", "Cn"}
_REORDERING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
_WORD = re.compile(r"[^\W_]+")
_ASCII_MARKS = {code: " " for code in range(128) if not chr(code).isalnum()}
_LATEX = re.compile(r"\\[a-zA-Z]+\*?|[${}]")
# Words that carry no identity: two titles may differ in them and be one paper's.
_LIGHT = {"a", "an", "and", "by", "for", "from", "in", "is", "of", "on", "or", "the", "to", "via", "with"}


def clean(text: str) -> str:
    """One line of visible text: whitespace folded, controls, surrogates and reordering marks removed."""
    if (plain := " ".join(text.split())).isprintable():  # most texts, and then there is nothing to remove
        return plain
    text = "".join(
        " " if character.isspace() else character
        for character in text
        if character.isspace() or (unicodedata.category(character) not in _DROPPED and character not in _REORDERING)
    )
    return " ".join(text.split())


@lru_cache(maxsize=1 << 14)  # one title is folded for search, for its key and against what lists print
def fold(title: str) -> str:
    """A title without case, accents, markup and punctuation: equal folds are the same title."""
    plain = _LATEX.sub(" ", clean(title))
    if plain.isascii():  # most texts: the same, faster
        return " ".join(plain.lower().translate(_ASCII_MARKS).split())
    plain = unicodedata.normalize("NFKD", plain).casefold()
    return " ".join(_WORD.findall("".join(c for c in plain if not unicodedata.combining(c))))


def title_key(title: str) -> str:
    """The key of a paper that lists name without an arXiv id; the same for every spelling that folds alike."""
    return "title-" + hashlib.sha256(fold(title).encode()).hexdigest()[:12]


def same_title(one: str, other: str) -> bool:
    """Whether two titles name one paper: equal, shortened at the colon, or differing by slips of the pen.

    Titles of two papers by the same group can share most of their words, so near matches must agree in most words
    *and* in most letters; a retitled paper comes out as different, and needs its title history.
    """
    a, b = fold(one), fold(other)
    if not a or not b:
        return False
    if a == b or a.replace(" ", "") == b.replace(" ", ""):
        return True
    short, long = sorted((a, b), key=len)
    if len(short.split()) >= 3 and (long.startswith(short + " ") or long.endswith(" " + short)):
        return True  # a subtitle or a short name left out
    if SequenceMatcher(None, a, b, autojunk=False).ratio() >= 0.88:
        return True
    if (name := _name(one)) and name == _name(other):
        return True
    words_a, words_b = _words(a), _words(b)
    return min(len(words_a), len(words_b)) >= 3 and len(words_a & words_b) / len(words_a | words_b) >= 0.7


def _words(folded: str) -> set[str]:
    return {word.removesuffix("s") for word in folded.split()} - _LIGHT


def _name(title: str) -> str:
    """What stands before the colon, where it is a name (`Ada-R1`) or a phrase long enough to be one paper's own."""
    head, colon, _ = title.partition(":")
    name = fold(head).replace(" ", "")
    return name if colon and len(name) >= 4 and len(head.split()) not in (0, 2) else ""
