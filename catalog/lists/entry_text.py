"""What one bullet, row or summary of a survey list says: its title, links and date, from its pieces in order."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from urllib.parse import unquote, urlsplit

from bs4.element import NavigableString, PageElement, PreformattedString, Tag

from catalog.lists.defects import CODE_HOSTS
from catalog.text import clean, fold

# What stands on a link that is not a title.
_LABELS = frozenset(
    {"paper", "papers", "pdf", "arxiv", "link", "links", "code", "github", "project", "page", "homepage", "home"}
    | {"website", "web", "webpage", "blog", "model", "models", "data", "dataset", "datasets", "demo", "huggingface"}
    | {"openreview", "abs", "html", "url", "doi", "star", "stars", "repo", "video", "slides", "poster", "bilibili"}
    | {"youtube", "twitter", "post", "list", "survey", "report", "technical", "hf", "official", "bibtex", "cite"}
    | {"here", "this", "repository", "notion"}
)
_BLOCKS = frozenset({"li", "p", "div", "ul", "ol", "tr"})  # what stands in two of them is not one phrase
_BARE_URL = re.compile(r"https?://[^\s<>\"'`\])]+")
_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_DATE = re.compile(rf"(?<![\d.])(?:20\d\d[./-](?:1[0-2]|0?[1-9])(?:[./-]\d\d?)?(?![\d])|(?:{_MONTHS})[a-z]*\.?,? 20\d\d)(?!\d)")
_YEAR = re.compile(r"(?<![\d./])20\d\d(?![\d./])")
_DAY = re.compile(
    rf"\W*(?:20\d\d[./-]\d\d?[./-]\d\d?(?!\d)|20\d\d[./-]\d\d?\W*:|(?:{_MONTHS})[a-z]*\.? \d\d?,? 20\d\d"
    rf"|\d\d?[./ -](?:(?:{_MONTHS})[a-z]*|\d\d?)[., /-]+20\d\d)"
)
_LEAD = re.compile(
    rf"[\[(【]([^\])】]*(?:20\d\d|'\d\d|(?:{_MONTHS})|(?<!\d)\d\d\.(?:0[1-9]|1[0-2])(?!\d))[^\])】]*)[\])】]\s*:?\s*"
)
_SHORT_DATE = re.compile(r"(?<![\d.])\d\d\.(?:0[1-9]|1[0-2])(?![\d.])")
_COMPANY = CODE_HOSTS | {"x.com", "twitter.com"}
_CODE = frozenset({"code", "github", "repo", "repository", "gitlab"})
_HOST = re.compile(r"(?:[\w-]+\.)+(?:org|com|net|io|ai|cc|edu)/\S")
_QUOTED = re.compile(r'\s*[:：]?\s*["“](.+)["”]')
_NUMBERED_NAME = re.compile(r"(20\d\d)_[^_]+_(?:[^_]+_)?(.+)")  # 2025_Venue_Short name_Title
_EDGES = " \t.,;:|-–—*_·•"
_QUOTES = {'"': '"', "“": "”", "'": "'", "‘": "’"}


@dataclass(frozen=True)
class Run:
    """A stretch of text with one look. `kind`: text, image (its alternative text and `source`), break, or dead (what
    follows is a link without an address)."""

    kind: str
    text: str = ""
    href: str = ""
    strong: bool = False
    source: str = ""


def runs(tag: Tag, without: tuple[str, ...] = ()) -> list[Run]:
    """The pieces of `tag` in reading order; elements named in `without` are left out with all they hold."""
    return list(_walk(tag, without, "", False))


def _walk(tag: Tag, without: tuple[str, ...], href: str, strong: bool) -> Iterator[Run]:
    # An own stack instead of recursion: raw HTML in a list may be nested as deep as its author likes.
    stack: list[tuple[PageElement, str, bool]] = [(child, href, strong) for child in reversed(tag.contents)]
    while stack:
        node, href, strong = stack.pop()
        if isinstance(node, PreformattedString):
            continue  # comments, doctypes, CDATA
        if isinstance(node, NavigableString):
            yield from _text(str(node), href, strong)
        elif isinstance(node, Tag):
            if node.name == "br":
                yield Run("break")
            elif node.name == "img":
                yield Run("image", str(node.get("alt") or ""), href, source=str(node.get("src") or ""))
            elif node.name not in without:
                if node.name in _BLOCKS:
                    yield Run("break")
                inside = _http(str(node.get("href") or "")) if node.name == "a" else href
                if node.name == "a" and node.has_attr("href") and not str(node["href"]).strip():
                    yield Run("dead")
                bold = strong or node.name in ("strong", "b")
                stack += [(child, inside, bold) for child in reversed(node.contents)]


def _text(text: str, href: str, strong: bool) -> Iterator[Run]:
    start = 0
    if not href:
        for url in _BARE_URL.finditer(text):
            yield Run("text", text[start : url.start()], "", strong)
            yield Run("text", "link", _http(url[0].rstrip(".,;")), strong)
            start = url.end()
    yield Run("text", text[start:], href, strong)


def _http(href: str) -> str:
    href = clean(href)
    if _HOST.match(href):
        href = "https://" + href  # the scheme was forgotten
    try:
        parts = urlsplit(href)
        return href if parts.scheme.lower() in ("http", "https") and parts.hostname else ""
    except ValueError:
        return ""


def urls(pieces: list[Run]) -> list[str]:
    return list(dict.fromkeys(run.href for run in pieces if run.href))


def is_news(pieces: list[Run], under_news: bool) -> bool:
    """Whether a bullet that opens with a day announces something of the list's own instead of naming a paper.

    Lists that print a day before each paper link its title at once; news is a sentence, or stands under such a heading.
    """
    if not _DAY.match(clean("".join(run.text for run in pieces if run.kind == "text"))[:60]):
        return False
    return under_news or not starts_with_title(pieces)


def starts_with_title(pieces: list[Run]) -> bool:
    """Whether the first thing said, dates and labels aside, is a title that is linked or bold, and leads to a document."""
    for run in pieces:
        if run.kind == "text" and run.text.strip(_EDGES + "[](){}\n") and not _is_date(run.text) and not is_label(run.text):
            named = bool(run.href) or (run.strong and not _DAY.match(clean(run.text)))
            return named and len(fold(run.text).split()) >= 2 and is_title(title(pieces)) and names_a_document(pieces)
    return False


def names_a_document(pieces: list[Run]) -> bool:
    """Whether any link leads to something to read; repositories and posts alone are a paper's company, not a paper."""
    for run in pieces:
        if run.href and (urlsplit(run.href).hostname or "") not in _COMPANY:
            return True
        if run.href and (fold(run.text) in ("paper", "pdf") or urlsplit(run.href).path.endswith(".pdf")):
            return True  # a paper kept in a repository
    return False


def links_by_label(pieces: list[Run]) -> bool:
    """Whether a link that says `paper`, `pdf` and the like leads to a document."""
    return any(run.href and is_label(run.text) and names_a_document([run]) for run in pieces)


def code_urls(pieces: list[Run]) -> set[str]:
    """Links that are called code, by their text or the text of their badge."""
    said: dict[str, set[str]] = {}
    for run in pieces:
        if run.href:
            said.setdefault(run.href, set()).update(fold(run.text).split())
    return {url for url, words in said.items() if words & _CODE and not words - _LABELS - _CODE}


def slips(pieces: list[Run], taken: str) -> Iterator[tuple[str, str]]:
    """(kind, detail) of the markup slips that the pieces of one entry show."""
    if any(run.kind == "dead" for run in pieces):
        yield "dead_link", "a link without an address"
    text = "".join(run.text for run in pieces if run.kind == "text").replace(taken, "")
    if text.count("[") != text.count("]"):
        yield "unclosed_bracket", f"{text.count('[')} [ and {text.count(']')} ]"
    elif any(_stays_open(*three) for three in zip(pieces, pieces[1:], pieces[2:])):
        yield "unclosed_bracket", "a bracket stays open across two links"
    before = "".join(_printed(run) for run in takewhile(lambda run: not run.href, pieces))
    between = before.partition(taken)[2] if taken else ""
    if "\0" in between and "," in between and not fold(between):
        yield "authors_cut_off", f"“{clean(between)}” where authors should stand"


def _stays_open(one: Run, between: Run, other: Run) -> bool:
    linked = bool(one.href and other.href) and one.href != other.href and not between.href
    return linked and between.kind == "text" and between.text.strip() == ","


def _printed(run: Run) -> str:
    return "\0" if run.kind == "break" else run.text if run.kind == "text" else ""


def anchor(heading: str) -> str:
    """The in-page address GitHub gives a heading."""
    kept = "".join(c for c in heading.lower() if c in " -_" or unicodedata.category(c)[0] in "LN")
    return kept.strip().replace(" ", "-")


def is_label(text: str) -> bool:
    """Whether a text says what a link leads to (`Paper`, `[code]`) rather than naming a paper."""
    words = fold(text).split()
    return all(word in _LABELS or word.isdigit() for word in words)


def title(pieces: list[Run]) -> str:
    """The title among the pieces of an entry; empty where nothing can be one."""
    for start, run in enumerate(pieces):
        if run.kind != "text" or is_label(run.text) or _is_date(run.text):
            continue
        rest = pieces[start:]
        if run.href:
            same = [r.kind == "text" and r.href == run.href for r in rest]
            found = "".join(r.text for r in rest[: [*same, False].index(False)])
        elif run.strong:
            phrase = list(takewhile(lambda r: r.kind == "text" and r.strong and (not r.href or is_label(r.text)), rest))
            found = "".join(r.text for r in phrase if not r.href)
            after = "".join(r.text for r in takewhile(lambda r: r.kind == "text" and not r.href, rest[len(phrase) :]))
            if quoted := _QUOTED.match(after):
                found = quoted[1]  # **Short name**: "Title"
        else:
            found = "".join(r.text for r in takewhile(lambda r: r.kind == "text" and not r.href, rest))
        return _trim(found)
    return ""


def _trim(text: str) -> str:
    text = clean(text)
    if named := _NUMBERED_NAME.fullmatch(text):
        text = named[2]
    if (lead := _LEAD.match(text[:300])) and is_title(text[lead.end() :]):
        text = text[lead.end() :]  # [ICLR 2025] Title, (25.02, arXiv) Title
    if (dated := _DATE.match(text.lstrip("[("))) and (rest := text.lstrip("[(")[dated.end() :].lstrip("]) :-–")):
        text = rest
    while text.endswith(("[", "(")):
        text = text[:-1].rstrip()
    return _unquoted(_bare_edges(text))


def _bare_edges(text: str) -> str:
    """Without punctuation and pictographs (stars that rate a paper) at either end."""
    start, end = 0, len(text)
    while start < end and _is_edge(text[start]):
        start += 1
    while start < end and _is_edge(text[end - 1]):
        end -= 1
    return text[start:end]


def _is_edge(character: str) -> bool:
    return character in _EDGES or unicodedata.category(character) in ("So", "Sk", "Mn") and not character.isascii()


def _unquoted(text: str) -> str:
    """Without quotation marks around the whole; those that mark a part of a title belong to it."""
    if text and (close := _QUOTES.get(text[0])):
        if text[-1] == close and (text[0] != close or text.count(close) == 2) and len(text) > 1:
            return _bare_edges(text[1:-1])
        if close not in text[1:]:
            return _bare_edges(text[1:])
    return text


def _is_date(text: str) -> bool:
    """Whether nothing but a date stands there: `2025.02`, `[2025-03]`."""
    return not fold(_YEAR.sub("", _DATE.sub("", text)))


def is_title(text: str, least: int = 6) -> bool:
    """Whether a text can be a title; `least` characters, as short words are rather remarks."""
    return least <= len(text) <= 400 and not is_label(text) and not _is_date(text)


def date(pieces: list[Run], taken: str) -> str | None:
    """A date printed beside the title `taken`, in text or on a badge; what it means differs from list to list."""
    said = []
    for run in pieces:
        if run.kind == "image" and "/badge/" in run.source:
            said.append(unquote(run.source).partition("/badge/")[2].replace("--", "\0").replace("-", " "))
        elif run.kind == "text" and not (run.href and not is_label(run.text)):
            said.append(clean(run.text).replace(taken, " ") if taken else run.text)
        elif run.kind == "text" and (lead := _LEAD.match(clean(run.text)[:300])):
            said.append(lead[1])
    text = "\n".join(said).replace("\0", "-")
    found = _DATE.search(text) or _YEAR.search(text) or re.search(r"(?<!\d)20\d\d(?=_)", text) or _SHORT_DATE.search(text)
    return found[0] if found else None


def bold_line(pieces: list[Run]) -> str:
    """The text of a paragraph that is one bold phrase and so stands for a heading; else empty."""
    said = [run for run in pieces if run.kind != "break" and (run.kind == "image" or run.text.strip(" \n\t:："))]
    if not said or not all(run.kind == "text" and run.strong and not run.href for run in said):
        return ""
    return clean("".join(run.text for run in said))


def title_column(headers: list[str]) -> int:
    """Which column of a table holds titles, by its header; -1 where none says so."""
    for wanted in ("title", "paper", "name", "method", "work"):
        for position, header in enumerate(headers):
            if wanted in fold(header).split() or f"{wanted}s" in fold(header).split():
                return position
    return -1
