"""Text on a page. Titles, names and lists are hostile: nothing reaches Markdown but through these functions."""

import re
import string
from typing import Any

from markupsafe import Markup

from catalog.text import clean

# Markdown and HTML are written with ASCII punctuation and nothing else, so encoding all of it leaves plain text.
_ENCODED = {ord(mark): f"&#{ord(mark)};" for mark in string.punctuation}
_HTTPS = re.compile(r"https://[^\s\"'<>`\\]+")


def inline(text: object) -> Markup:
    """One line that a reader sees exactly as it was given, whatever it holds; good in text and in quoted attributes.

    Whitespace is folded; controls, lone surrogates and marks that reorder text are dropped.
    """
    return Markup(clean(str(text)).translate(_ENCODED))


def finalize(value: object) -> Any:
    """What Jinja does with each `{{ expression }}`: only what was made as markup is markup."""
    return value if isinstance(value, Markup) else inline("" if value is None else value)


def link(url: str, text: object) -> Markup:
    """An outward link; an address that is not https becomes the text alone."""
    words = text if isinstance(text, Markup) else inline(text)
    if not _HTTPS.fullmatch(url):
        return words
    return Markup(f'<a href="{inline(url)}" rel="noreferrer">{words}</a>')


def number(value: float | int | None, source: str, form: str = "") -> Markup:
    """A figure with where it comes from; a missing one is a dash.

    `form`: `percent` (of a fraction 0..1), `count` (grouped thousands), `short` (three digits and k, M, G, T), `tenths`,
    `ratio` (two decimals), `signed`; without one, as its source prints it.
    """
    if value is None:
        return Markup("–")
    return Markup(
        f'<data value="{value}" data-source="{inline(source)}">{written(value, form)}</data>'
    )


def written(value: float | int, form: str = "") -> str:
    """A number as readers of that kind of number expect it."""
    if form == "percent":
        return f"{100 * value:.1f}"
    if form == "count":
        return f"{value:,.0f}".replace(",", "\u202f")
    if form == "short":
        for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
            if abs(value) >= size:
                return f"{value / size:.3g}\u202f{letter}"
        return f"{value:.3g}"
    if form == "signed":
        return f"{value:+.10g}".replace("-", "\u2212")
    if form in ("tenths", "ratio"):
        return f"{value:.{1 if form == 'tenths' else 2}f}"
    return f"{value:.10g}"
