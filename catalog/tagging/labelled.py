"""What the tagger learns from: the survey lists' own sections, read through sections.toml, and examples given by hand."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from catalog.errors import Refused
from catalog.toml import Strict, read

SECTIONS = Path("catalog/sections.toml")
EXAMPLES = Path("catalog/tagger_examples.jsonl")
LISTINGS = Path("catalog/snapshot/listings")
_SCOPES = ("out", "borderline", "in")  # of several lists the most generous counts: the others may speak of a part of the paper


class _Section(Strict):
    list: str
    heading: str
    form: Literal["explicit", "implicit", "adjacent"] | None = None
    scope: Literal["in", "borderline", "out"] | None = None
    why: str | None = None


class _File(Strict):
    version: int
    ambiguous: list[str]
    section: list[_Section]


@dataclass(frozen=True)
class Claim:
    """What one list's section says about a paper."""

    list_name: str
    heading: str
    form: str | None
    scope: str | None


@dataclass(frozen=True)
class Labels:
    """`claims` by paper key; `unlisted`: scope by arXiv id, of records that no list names, and how each label was given."""

    ambiguous: list[str]
    claims: dict[str, list[Claim]]
    unlisted: dict[str, tuple[str, str]]

    def form(self, key: str, *, in_scope: bool = True, without: str | None = None) -> str | None:
        """The form that most lists give, one vote a list; None where they are even or silent.

        `in_scope` asks only sections that put their papers in scope; `without` leaves a list out.
        """
        votes = {
            (claim.list_name, claim.form)
            for claim in self.claims.get(key, [])
            if claim.form and claim.list_name != without and (claim.scope == "in" or not in_scope)
        }
        ranked = Counter(form for _, form in votes).most_common(2)
        return ranked[0][0] if ranked and (len(ranked) == 1 or ranked[0][1] > ranked[1][1]) else None

    def scope(self, key: str) -> str | None:
        if key in self.unlisted:
            return self.unlisted[key][0]
        said = {claim.scope for claim in self.claims.get(key, [])}
        return next((scope for scope in reversed(_SCOPES) if scope in said), None)


def load(root: Path) -> Labels:
    """Raises `Refused` (exit 1) where a file cannot be used, or a list has a section that no row of the table covers."""
    raw = read(root / SECTIONS, _File, root)
    rows = {(row.list, row.heading): row for row in raw.section}
    if len(rows) < len(raw.section):
        twice = next(key for key, times in Counter((row.list, row.heading) for row in raw.section).items() if times > 1)
        raise Refused(f"{SECTIONS}: section: {twice[0]!r}, {twice[1]!r} stands twice")
    claims: dict[str, list[Claim]] = {}
    for path in sorted((root / LISTINGS).glob("*.jsonl")):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            mention = json.loads(line)
            row = next((rows[path.stem, heading] for heading in reversed(mention["section"]) if (path.stem, heading) in rows), None)
            if row is None:
                place = f"{path.relative_to(root)}:{number}: section: {mention['section'][-1]!r}"
                raise Refused(f"{place} is not in {SECTIONS}; add a row, with or without form and scope")
            claims.setdefault(mention["paper"], []).append(Claim(path.stem, row.heading, row.form, row.scope))
    unlisted = {row["id"]: (row["scope"], row["by"]) for row in map(json.loads, (root / EXAMPLES).read_text("utf-8").splitlines())}
    return Labels(raw.ambiguous, claims, {key: label for key, label in unlisted.items() if key not in claims})


def dropped(labels: Labels, texts: Mapping[str, Any]) -> dict[str, int]:
    """How many listed papers give no label of form to train on, by reason."""
    reasons: Counter[str] = Counter()
    for key in sorted(labels.claims):
        if key in labels.ambiguous:
            reasons["one of the nine ambiguous papers"] += 1
        elif key not in texts:
            reasons["no abstract"] += 1
        elif labels.form(key) is None:
            reasons[_reason(labels.claims[key])] += 1
    return dict(sorted(reasons.items()))


def _reason(claims: Iterable[Claim]) -> str:
    forms = [claim for claim in claims if claim.form]
    if not forms:
        return "its sections name no form"
    if all(claim.scope != "in" for claim in forms):
        return "its sections name a form but do not put it in scope"
    return "lists disagree evenly"
