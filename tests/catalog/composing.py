"""Survey lists composed from facts, one composer per style that real lists have: what is put in must be read out again."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FACTS = Path(__file__).parents[1] / "fixtures" / "lists"
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

Fact = dict[str, Any]


@dataclass(frozen=True)
class Placed:
    """A fact and the line of the composed list where it must be found."""

    line: int
    fact: Fact


def facts(name: str) -> list[Fact]:
    return [json.loads(line) for line in (FACTS / f"{name}.jsonl").read_text("utf-8").splitlines()]


def names() -> list[str]:
    return sorted(path.stem for path in FACTS.glob("*.jsonl") if "." not in path.stem)


def url(fact: Fact) -> str:
    return f"https://arxiv.org/abs/{fact['arxiv_id']}" if "arxiv_id" in fact else "https://openreview.net/forum?id=abc"


def date(fact: Fact) -> str:
    number = fact.get("arxiv_id", "2501.00001")
    return f"20{number[:2]}.{number[2:4]}"


def markdown(title: str) -> str:
    """A title as a careful author writes it in Markdown."""
    for character in "\\*_[]<>|`$":
        title = title.replace(character, f"\\{character}")
    return title


def html(title: str) -> str:
    return title.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def month(fact: Fact) -> str:
    year, number = date(fact).split(".")
    return f"{MONTHS[int(number) - 1]} {year}"


Style = Callable[[Fact], list[str]]  # the lines of one entry; the first is where it starts

BULLETS: dict[str, Style] = {
    "linked title": lambda f: [f"- [{markdown(f['title'])}]({url(f)})"],
    "one line, label, date badge": lambda f: [
        f"* {markdown(f['title'])}. [[Paper]]({url(f)}) ![](https://img.shields.io/badge/pdf-{date(f)}-red)"
    ],
    "two lines": lambda f: [
        f"- **{markdown(f['title'])}**  ",
        f"  *A. Example, B. Example*. [[pdf]({url(f)})], [[code](https://github.com/a/b)], {date(f)}. "
        "![](https://img.shields.io/badge/Arxiv-orange) ![](https://img.shields.io/badge/Short--name-blue)",
    ],
    "two lines, not indented": lambda f: [f"- **{markdown(f['title'])}**", f"*A. Example*. [[pdf]({url(f)})], {date(f)}"],
    "two lines, a blank between": lambda f: [
        f"- **{markdown(f['title'])}**",
        "",
        f"A. Example. [[pdf]({url(f)})], {date(f)}.",
        "",
    ],
    "nested, bare address": lambda f: [
        f"* **{markdown(f['title'])}⭐**",
        "  * ***Note: what it is about***",
        "  * A. Example, B. Example.",
        f"  * {url(f)}",
        "",
    ],
    "short name and quoted title, badges": lambda f: [
        f'- **Short**: "{markdown(f["title"])}". [![arXiv](https://img.shields.io/badge/arXiv-x-b31b1b.svg)]({url(f)}) '
        "[![Code](https://img.shields.io/badge/Code-GitHub-green.svg)](https://github.com/a/b)",
        "",
    ],
    "numbered, underscores": lambda f: [
        f"1. {date(f)[:4]}_Venue_Short_{markdown(f['title'])}",
        f"   [[arXiv]]({url(f)})",
        "   [[Github]](https://github.com/a/b)",
    ],
    "venue in front": lambda f: [f"- [arXiv {date(f)}] [{markdown(f['title'])}]({url(f)}), A. Example et al."],
    "month by name": lambda f: [f"- [{markdown(f['title'])}]({url(f)}), A. Example, {month(f)}"],
    "summary": lambda f: [f'<summary> {html(f["title"])}<a href="{url(f)}" target="_blank">', "    [Paper]", "</a></summary>", ""],
    "html item": lambda f: [f'<li><b>{html(f["title"])}</b>, <a href="{url(f)}">paper</a></li>', ""],
    "paragraph": lambda f: [f"**{markdown(f['title'])}.** A. Example. [[paper]({url(f)})], {date(f)}.", ""],
}

ROWS: dict[str, tuple[list[str], Style]] = {
    "table": (
        ["| Time | Title | Venue | Paper | Code |", "| --- | --- | :---: | :---: | :---: |"],
        lambda f: [f"| {date(f)} | **{markdown(f['title'])}** | arXiv | [link]({url(f)}) | [link](https://github.com/a/b) |"],
    ),
    "linked title in a table": (
        ["| Date | Paper | Venue | Key idea |", "|------|-------|:---:|----------|"],
        lambda f: [f"| {date(f)} | [{markdown(f['title'])}]({url(f)}) | — | in a few words |"],
    ),
    "badges and breaks, no closing bar": (
        ["| Title & Authors | Introduction | Links |", "|:--| :----: | :---:|"],
        lambda f: [
            "|[![Star](https://img.shields.io/github/stars/a/b.svg)](https://github.com/a/b) [![Publish](https://x.org/y.svg)]()"
            f'<br>[{markdown(f["title"])}]({url(f)}) <br> A. Example |<img width="9" src="f.png"> |[Paper]({url(f)})| [//]: #5/6'
        ],
    ),
    "full-width bars": (
        ["| Date | Title | Paper |", "| - | - | - |"],
        lambda f: [f"｜ {date(f)} ｜ {markdown(f['title'])} ｜ [link]({url(f)}) ｜"],
    ),
    "more cells than columns": (
        ["| Date | Title |", "| - | - |"],
        lambda f: [f"| {date(f)} | **{markdown(f['title'])}** | [link]({url(f)}) | [code](https://github.com/a/b) |"],
    ),
}

STYLES = [*BULLETS, *ROWS]


def compose(style: str, chosen: list[Fact], filler: Callable[[], list[str]] = list) -> tuple[str, list[Placed]]:
    """A list in one style, headings as the facts have them; `filler` gives lines to stand between two sections."""
    header, entry = ROWS.get(style) or ([], BULLETS[style])
    lines: list[str] = []
    placed: list[Placed] = []
    path: list[str] = []
    for fact in chosen:
        if fact["section"] != path:
            lines += ["", *filler(), ""]
            common = next(
                (i for i, (a, b) in enumerate(zip(path, fact["section"])) if a != b), min(len(path), len(fact["section"]))
            )
            common = min(common, len(fact["section"]) - 1)  # a section that is left for one above it is named again
            for level, name in enumerate(fact["section"][common:], common + 1):
                lines += ["#" * min(level, 6) + f" {markdown(name)}" if level <= 6 else f"**{markdown(name)}**", ""]
            lines += header
            path = fact["section"]
        placed.append(Placed(len(lines) + 1, fact))
        lines += entry(fact)
    return "\n".join(lines) + "\n", placed
