"""What one bullet, row or summary of a survey list says: its title, links and date, from its pieces in order."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from urllib.parse import unquote, urlsplit

from bs4.element import NavigableString, PageElement, PreformattedString, Tag

from catalog.text import clean, fold

# What stands on a link that is not a title.
_LABELS = frozenset(
    {"paper", "papers", "pdf", "arxiv", "link", "links", "code", "github", "project", "page", "homepage", "home"}
    | {"website", "web", "webpage", "blog", "model", "models", "data", "dataset", "datasets", "demo", "huggingface"}
    | {"openreview", "abs", "html", "url", "doi", "star", "stars", "repo", "video", "slides", "poster", "bilibili"}
    | {"youtube", "twitter", "post", "list", "survey", "report", "technical", "hf", "official", "bibtex", "cite"}
)
_BLOCKS = frozenset({"li", "p", "div", "ul", "ol", "tr"})  # what stands in two of them is not one phrase
_BARE_URL = re.compile(r"https?://[^\s<>\"'`\])]+")
_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_DATE = re.compile(
    rf"(?<![\d.])(?:20\d\d[./-](?:1[0-2]|0?[1-9])(?:[./-]\d\d?)?(?![\d])|(?:{_MONTHS})[a-z]*\.?,? 20\d\d)(?!\d)"
)
_YEAR = re.compile(r"(?<![\d./])20\d\d(?![\d./])")
_NEWS = re.compile(
    rf"\W*(?:20\d\d[./-]\d\d?[./-]\d\d?(?!\d)|20\d\d[./-]\d\d?\W*:|(?:{_MONTHS})[a-z]*\.? \d\d?,? 20\d\d)"
)
CODE_HOSTS = frozenset({"github.com", "www.github.com", "gitlab.com", "x.com", "twitter.com"})
_QUOTED = re.compile(r'\s*[:：]?\s*["“](.+?)["”]')
_NUMBERED_NAME = re.compile(r"(20\d\d)_[^_]+_(?:[^_]+_)?(.+)")  # 2025_Venue_Short name_Title
_EDGES = " \t.,;:|-–—*_·•\"“”'‘’"


@dataclass(frozen=True)
class Run:
    """A stretch of text with one look. `kind`: text, image (its alternative text and `source`) or break."""

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
    try:
        parts = urlsplit(href)
        return href if parts.scheme.lower() in ("http", "https") and parts.hostname else ""
    except ValueError:
        return ""


def urls(pieces: list[Run]) -> list[str]:
    return list(dict.fromkeys(run.href for run in pieces if run.href))


def is_news(pieces: list[Run]) -> bool:
    """Whether a bullet opens with the day something happened: an announcement of the list's own, not a paper."""
    return bool(_NEWS.match(clean("".join(run.text for run in pieces if run.kind == "text"))[:60]))


def names_a_document(links: list[str]) -> bool:
    """Whether any link leads to something to read; repositories and posts alone are a paper's company, not a paper."""
    return any((urlsplit(link).hostname or "") not in CODE_HOSTS for link in links)


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
    if (dated := _DATE.match(text.lstrip("[("))) and (rest := text.lstrip("[(")[dated.end() :].lstrip("]) :-–")):
        text = rest
    while text.endswith(("[", "(")):
        text = text[:-1].rstrip()
    return text.strip(_EDGES)


def _is_date(text: str) -> bool:
    """Whether nothing but a date stands there: `2025.02`, `[2025-03]`."""
    return not fold(_YEAR.sub("", _DATE.sub("", text)))


def is_title(text: str) -> bool:
    return len(text) >= 6 and len(text) <= 400 and not is_label(text) and not _is_date(text)


def date(pieces: list[Run], taken: str) -> str | None:
    """A date printed beside the title `taken`, in text or on a badge; what it means differs from list to list."""
    said = []
    for run in pieces:
        if run.kind == "image" and "/badge/" in run.source:
            said.append(unquote(run.source).partition("/badge/")[2].replace("--", "\0").replace("-", " "))
        elif run.kind == "text" and not (run.href and not is_label(run.text)):
            said.append(clean(run.text).replace(taken, " ") if taken else run.text)
    text = "\n".join(said).replace("\0", "-")
    found = _DATE.search(text) or _YEAR.search(text) or re.search(r"(?<!\d)20\d\d(?=_)", text)
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
