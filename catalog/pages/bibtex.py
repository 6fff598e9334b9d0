"""BibTeX: what TeX reads as commands is escaped, so any title compiles."""

import re
from collections.abc import Sequence

from catalog.text import clean, fold

_TEX = str.maketrans({
    "\\": r"\textbackslash{}", "%": r"\%", "#": r"\#", "&": r"\&", "_": r"\_", "$": r"\$",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    # BibTeX counts braces before TeX sees them, escaped or not: one that is open by itself would swallow the file.
    "{": r"\textbraceleft{}", "}": r"\textbraceright{}",
})  # fmt: skip


def escape(text: str) -> str:
    return clean(text).translate(_TEX)


def name(text: str) -> str:
    """One person. What BibTeX would take apart, a comma or an `and` inside a name, is held together."""
    written = escape(text)
    return f"{{{written}}}" if "," in written or re.search(r"\band\b", written, re.IGNORECASE) else written


def key(title: str, authors: Sequence[str], year: int | None) -> str:
    """`xia2025tokenskip`: family name, year, first word of the title that is not short."""
    words = re.findall(r"[a-z]+", " ".join(fold(authors[0]).split()[-1:])) if authors else []
    word = next((word for word in re.findall(r"[a-z]+", fold(title)) if len(word) > 3), "paper")
    return f"{''.join(words) or 'anonymous'}{year or ''}{word}"


def bibtex(
    title: str, authors: Sequence[str], year: int | None, arxiv: str | None, venue: str = "", cited_as: str = ""
) -> str:
    """One @misc record in arXiv's form; the title in double braces keeps its capitals. `cited_as` replaces the usual key."""
    lines = [f"@misc{{{cited_as or key(title, authors, year)},", f"  title = {{{{{escape(title)}}}}},"]
    if authors:
        lines.append(f"  author = {{{' and '.join(map(name, authors))}}},")
    if year:
        lines.append(f"  year = {{{year}}},")
    if arxiv:
        lines += [f"  eprint = {{{arxiv}}},", "  archivePrefix = {arXiv},"]
    if venue:
        lines.append(f"  note = {{{escape(venue)}}},")
    return "\n".join([*lines, "}"])
