"""Everything a page or a published file may show, read once."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog import challenges, entries, taxonomy
from catalog.auditing import errata
from catalog.entries import Entry
from catalog.pages import papers, records
from catalog.pages.citations import all_cited
from catalog.pages.records import Changed, Record

BASELINES = ("direct", "cot", "bare")


@dataclass(frozen=True)
class Catalog:
    """Everything a page may show, read once."""

    root: Path
    tree: taxonomy.Taxonomy
    entries: list[Entry]
    errata: errata.Errata
    records: dict[str, Record]
    contributed: list[Record]  # of models from outside
    calibration: dict[str, Any] | None
    shelf: papers.Shelf
    cited: dict[str, str]  # paper → its BibTeX
    challenges: list[challenges.Challenge]

    @classmethod
    def load(cls, root: Path, changed: Changed) -> "Catalog":
        written = sorted(entries.load(root), key=lambda entry: (entry.slug not in BASELINES, entry.slug))
        found = {entry.slug: record for entry in written if (record := records.load(root, entry.slug, changed))}
        tree = taxonomy.load(root)
        open_questions = challenges.load(root, tree, [entry.slug for entry in written])
        shelf = papers.load(root, tree)
        cited = all_cited(shelf.rows, written)
        others = records.contributed(root, changed)
        return cls(root, tree, written, errata.load(root), found, others, records.calibration(root), shelf, cited, open_questions)


def paper_slugs(catalog: Catalog) -> dict[str, str]:
    """arXiv id → the entry about that paper."""
    return {entry.written.paper.arxiv: entry.slug for entry in catalog.entries if entry.written.paper}


def group_of(entry: Entry) -> str:
    """The class that colours a method's point."""
    return "baseline" if entry.slug in BASELINES else entry.written.facets.get("form", ["adjacent"])[0]
