"""BibTeX for a paper: what TeX reads as commands is escaped, so any title compiles."""

import re

from catalog.entries import Paper
from catalog.text import clean

_TEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "%": r"\%", "#": r"\#", "&": r"\&",
    "_": r"\_", "$": r"\$", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
}  # fmt: skip


def escape(text: str) -> str:
    return "".join(_TEX.get(letter, letter) for letter in clean(text))


def bibtex(paper: Paper) -> str:
    """One @misc record in arXiv's form; the title in double braces keeps its capitals."""
    family = re.sub(r"[^a-z]", "", paper.authors[0].split()[-1].lower()) if paper.authors else "anonymous"
    word = next((w.lower() for w in re.findall(r"[A-Za-z]+", paper.title) if len(w) > 3), "paper")
    lines = [f"@misc{{{family}{paper.year}{word},", f"  title = {{{{{escape(paper.title)}}}}},"]
    if paper.authors:
        lines.append(f"  author = {{{' and '.join(escape(name) for name in paper.authors)}}},")
    lines += [
        f"  year = {{{paper.year}}},",
        f"  eprint = {{{paper.arxiv}}},",
        "  archivePrefix = {arXiv},",
    ]
    if paper.venue:
        lines.append(f"  note = {{{escape(paper.venue)}}},")
    return "\n".join([*lines, "}"])
