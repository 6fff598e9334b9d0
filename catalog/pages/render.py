"""From what the catalog knows to Markdown files under build/docs: one function a page, one template each."""

import ast
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError
from markupsafe import Markup

from catalog import auditing, challenges, entries, errata, ledger, taxonomy
from catalog.entries import Entry
from catalog.errors import Refused
from catalog.pages import bibtex, charts, explorer, finding, guide, inline, news, papers, records
from catalog.pages.records import Changed, Record

BASELINES = ("direct", "cot")
# What a table of measurements shows, in order, where the run measured it: metric, heading, form of its numbers.
COLUMNS = [
    ("accuracy", "Accuracy, %", "percent"),
    ("tokens", "All tokens", "tenths"),
    ("thinking_tokens", "Thinking", "tenths"),
    ("latent_positions", "Latent", "tenths"),
    ("answer_tokens", "Answer", "tenths"),
    ("probe_tokens", "Probes", "tenths"),
    ("flops", "FLOPs", "short"),
    ("peak_context_tokens", "Peak context", "tenths"),
    ("cache_bytes", "Cache, bytes", "short"),
    ("latency_ratio", "Latency ÷ cot", "ratio"),
]
# What a table of reported numbers shows, in order, where its entry has it.
REPORTED = {
    "accuracy": "Accuracy, %",
    "accuracy_change": "Accuracy, change in points",
    "accuracy_kept": "Accuracy kept, %",
    "tokens": "Tokens",
    "length_change": "Length, change in %",
    "length_error": "Error of length, %",
    "peak_tokens": "Peak tokens",
    "dependency": "Dependency, million",
    "compression": "Compression, times",
    "perplexity": "Perplexity",
    "latency_s": "Latency, s",
    "speedup": "Speed-up, times",
    "cost_change": "Cost, change in %",
    "memory_change": "Memory, change in %",
}
# The kinds of token that the task's grammar knows, in the order of the legend.
KINDS = ["step", "restate", "filler", "verify", "error", "repair", "recap", "answer", "latent", "other"]
MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]


@dataclass(frozen=True)
class Catalog:
    """Everything a page may show, read once."""

    root: Path
    tree: taxonomy.Taxonomy
    entries: list[Entry]
    errata: errata.Errata
    records: dict[str, Record]
    contributed: list[Record]
    calibration: dict[str, Any] | None
    shelf: papers.Shelf
    challenges: list[challenges.Challenge]

    @classmethod
    def load(cls, root: Path, changed: Changed) -> "Catalog":
        written = sorted(entries.load(root), key=lambda entry: (entry.slug not in BASELINES, entry.slug))
        found = {entry.slug: record for entry in written if (record := records.load(root, entry.slug, changed))}
        tree = taxonomy.load(root)
        open_questions = challenges.load(root, tree, [entry.slug for entry in written])
        shelf = papers.load(root, tree)
        others = records.contributed(root, changed)
        return cls(root, tree, written, errata.load(root), found, others, records.calibration(root), shelf, open_questions)


def render(catalog: Catalog, folder: Path) -> None:
    """Writes all pages below `folder`, which is emptied first."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(catalog.root / "site" / "docs", folder)
    shutil.copytree(catalog.root / "site" / "assets", folder / "assets", dirs_exist_ok=True)
    jinja = environment(catalog)

    def page(path: str, template: str, **values: Any) -> None:
        try:
            text = jinja.get_template(template).render(**values)
        except TemplateError as error:  # a record, say, that lacks what the page needs
            raise Refused(f"site/templates/{template}: the page {path} cannot be rendered: {error}") from None
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")

    groups = measured_alike(catalog)
    changed = ledger.load(catalog.root)
    page("index.md", "landing.md.j2", plots=groups, **landing_values(catalog, groups, changed))
    titles = {node.id: node.title for node in catalog.tree.nodes.values()}
    page("compare.md", "compare.md.j2", groups=groups, label_titles=json.dumps(titles))
    page("taxonomy.md", "taxonomy.md.j2")
    page("methods/index.md", "methods.md.j2", families=families(catalog))
    for entry in catalog.entries:
        page(f"methods/{entry.slug}.md", "method.md.j2", entry=entry, **method_values(catalog, entry))
    years = catalog.shelf.years()
    page("papers/index.md", "papers.md.j2", years=years)
    explorer.write(catalog.shelf, titles, paper_slugs(catalog), folder)
    for year, months in years.items():
        page(f"papers/{year}.md", "year.md.j2", year=year, months=months)
    page("errata.md", "errata.md.j2")
    audited = audit_values(catalog)
    page("audit.md", "audit.md.j2", **audited)
    page("audit-papers.md", "audit_papers.md.j2", **audited)
    page("corrections.md", "corrections.md.j2", ledger=changed)
    page("challenges/index.md", "challenges.md.j2")
    for challenge in catalog.challenges:
        carriers = [e for e in catalog.entries if challenge.tag in e.written.facets.get(challenges.FACET, [])]
        page(f"challenges/{challenge.tag}.md", "challenge.md.j2", challenge=challenge, carriers=carriers)
    (folder / entries.SCHEMA.name).write_text(entries.schema(catalog.tree), "utf-8")
    page("calibration.md", "calibration.md.j2")
    page("freshness.md", "freshness.md.j2")
    page("finding.md", "finding.md.j2", answers=finding.answers(catalog.root, catalog.tree), shown=finding.SHOWN)
    for name, source in (("contributing.md", "CONTRIBUTING.md"), ("changes.md", "CHANGELOG.md")):
        text = catalog.root / source
        (folder / name).write_text(text.read_text("utf-8") if text.exists() else "# Changes\n\nNone yet.\n", "utf-8")


def environment(catalog: Catalog) -> Environment:
    """Jinja2 in which every expression is encoded unless it was made as markup."""
    jinja = Environment(
        loader=FileSystemLoader(catalog.root / "site" / "templates"),
        autoescape=True,
        finalize=inline.finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    jinja.globals.update(
        catalog=catalog,
        titles={node.id: node.title for node in catalog.tree.nodes.values()},
        slugs={entry.slug for entry in catalog.entries},
        names={entry.slug: entry.written.name for entry in catalog.entries},
        referenced={e.slug for e in catalog.entries if (catalog.root / "methods" / f"{e.slug}.py").exists()},
        numbers=ledger.numbers(catalog.entries),
        paper_slugs=paper_slugs(catalog),
        link=inline.link,
        number=inline.number,
        figure=figure,
        group_of=group_of,
        columns=COLUMNS,
        kinds=KINDS,
        baselines=BASELINES,
        month_name=month_name,
        fence=fence,
    )
    jinja.filters["px"] = lambda value: Markup(f"{value:.1f}")
    return jinja


def paper_slugs(catalog: Catalog) -> dict[str, str]:
    """arXiv id → the entry about that paper."""
    return {entry.written.paper.arxiv: entry.slug for entry in catalog.entries if entry.written.paper}


def figure(cell: records.Figure | None, form: str = "") -> Markup:
    """A mean and, smaller, its interval."""
    if cell is None:
        return inline.number(None, "")
    low, high = inline.written(cell.low, form), inline.written(cell.high, form)
    if low == high:
        return inline.number(cell.mean, f"{cell.source}.mean", form)
    return Markup('<data value="{}" data-source="{}">{} <small class="interval">{}–{}</small></data>').format(
        cell.mean, inline.inline(cell.source), *map(inline.inline, (inline.written(cell.mean, form), low, high))
    )


def month_name(month: str) -> str:
    """`2025-02` → `February 2025`."""
    return f"{MONTHS[int(month[5:7]) - 1]} {month[:4]}" if re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month) else month


def fence(text: str, language: str) -> Markup:
    """A fenced code block: the fence is longer than any in the text, so nothing in it can end it."""
    ticks = "`" * (1 + max([2, *map(len, re.findall("`+", text))]))
    return Markup(f"{ticks} {language}\n{text.rstrip()}\n{ticks}")


def group_of(entry: Entry) -> str:
    """The class that colours a method's point."""
    return "baseline" if entry.slug in BASELINES else entry.written.facets.get("form", ["adjacent"])[0]


def landing_values(catalog: Catalog, groups: list[dict[str, Any]], changed: ledger.Ledger) -> dict[str, Any]:
    methods = [entry for entry in catalog.entries if entry.slug not in BASELINES]
    return {
        "answers": guide.answers([(group["task"], group["rows"]) for group in groups], methods),
        "news": news.week(catalog.shelf.rows, changed.change, catalog.records),
        "news_shown": news.SHOWN,
    }


def measured_alike(catalog: Catalog) -> list[dict[str, Any]]:
    """Methods by the task and model of their records: only what was measured alike is compared."""
    found: dict[tuple[str, str], list[tuple[Entry, Record]]] = {}
    for entry in catalog.entries:
        record = catalog.records.get(entry.slug)
        if record and record.figure(entry.slug, "tokens") and record.figure(entry.slug, "accuracy"):
            found.setdefault((str(record.raw["task"]), str(record.raw["model"])), []).append((entry, record))
    groups = []
    for (task, model), rows in sorted(found.items()):
        points = [
            charts.Point(entry.written.name, group_of(entry), x, y)
            for entry, record in rows
            if (x := record.figure(entry.slug, "tokens")) and (y := record.figure(entry.slug, "accuracy"))
        ]
        levels = {level: None for entry, record in rows for level in record.levels(entry.slug)}
        groups.append(
            {
                "task": task,
                "model": model,
                "rows": rows,
                "levels": list(levels),
                "columns": [column for column in COLUMNS if any(_measured(record, entry, column[0]) for entry, record in rows)],
                "source": ", ".join(sorted(record.file for _, record in rows)),
                "charts": both_widths(points, chance_lines(catalog, task)),
            }
        )
    return groups


def _measured(record: Record, entry: Entry, metric: str) -> bool:
    cell = record.figure(entry.slug, metric)
    return cell is not None and bool(cell.mean)


def both_widths(points: list[charts.Point], levels: list[tuple[float, str]]) -> dict[str, charts.Chart]:
    """The same chart for a desk and for a phone: one drawing scaled down could not be read."""
    return {"wide": charts.scatter(points, 720, 400, levels), "narrow": charts.scatter(points, 344, 340, levels)}


def chance_lines(catalog: Catalog, task: str) -> list[tuple[float, str]]:
    for record in catalog.records.values():
        chance = record.raw.get("chance")
        if record.raw["task"] == task and isinstance(chance, int | float):
            return [(float(chance), "chance")]
    return []


def method_values(catalog: Catalog, entry: Entry) -> dict[str, Any]:
    """What the page of one method shows beside its entry."""
    record = catalog.records.get(entry.slug)
    path = catalog.root / "methods" / f"{entry.slug}.py"
    code = path.read_text("utf-8") if path.exists() else None
    cited = entry.written.paper
    return {
        "record": record,
        "code": code,
        "header": header(code) if code else {},
        "plot": method_chart(catalog, entry, record) if record else None,
        "rivals": [key for key in record.raw["results"] if key not in record.arms(entry.slug)] if record else [],
        "shown": shown(record) if record else [],
        "bibtex": bibtex.bibtex(cited.title, cited.authors, cited.year, cited.arxiv, cited.venue) if cited else None,
        "errata": [erratum for erratum in catalog.errata.errata if entry.slug in erratum.methods],
        "title": entry.written.name,
        "reported": reported(entry),
    }


def families(catalog: Catalog) -> list[tuple[str, list[Entry]]]:
    """The baselines, then the entries under the tag of `form` that is given last: the finest."""
    baselines = [entry for entry in catalog.entries if entry.slug in BASELINES]
    found = [("Baselines", baselines)]
    for tag in catalog.tree.tags("form"):
        members = [e for e in catalog.entries if e not in baselines and e.written.facets.get("form", ["adjacent"])[-1] == tag]
        found.append((catalog.tree.nodes[tag].title, members))
    return [(title, members) for title, members in found if members]


def audit_values(catalog: Catalog) -> dict[str, Any]:
    rows = auditing.audit(catalog.root)
    return {
        "counts": auditing.counts(rows),
        "rules": auditing.RULES,
        "first": [row for row in rows if row.cell.startswith("1.") and row.metric in ("training", "models")],
        "second": [row for row in rows if row.cell.startswith("2.")],
        "quotes": [row for row in rows if not row.cell and row.metric != "statement"],
        "statements": [row for row in rows if row.metric == "statement"],
        "side": auditing.side_by_side(catalog.entries),
    }


@dataclass(frozen=True)
class Column:
    metric: str
    heading: str


@dataclass(frozen=True)
class Cell:
    value: float | None
    source: str
    form: str


def reported(entry: Entry) -> dict[str, Any]:
    """The table of an entry's numbers: the columns it needs, and each number with the address of its evidence."""
    rows = [row for group in entry.written.reported for row in group.rows]
    columns = [Column(m, heading) for m, heading in REPORTED.items() if any(getattr(row, m) is not None for row in rows)]
    groups = []
    for index, group in enumerate(entry.written.reported):
        shown = []
        for number, row in enumerate(group.rows):
            where = f"{entry.file} reported[{index}].rows[{number}]"
            cells = [
                Cell(getattr(row, c.metric), f"{where}.{c.metric}", form(c.metric, row))
                for c in columns
            ]
            shown.append((row, cells))
        groups.append((group, shown))
    return {"columns": columns, "groups": groups, "noted": any(row.note for row in rows)}


def form(metric: str, row: entries.Row) -> str:
    if metric.endswith("_change"):
        return "signed"
    value = getattr(row, metric)
    return "tenths" if metric == "accuracy" and value is not None and value == round(value, 1) else ""


def shown(record: Record) -> list[tuple[str, str, str]]:
    """The columns in which anything was measured; one that is zero throughout says nothing of this method."""
    cells = record.raw["results"].values()
    return [column for column in COLUMNS if any(cell.get(column[0], {}).get("mean") for cell in cells)]


def method_chart(catalog: Catalog, entry: Entry, record: Record) -> dict[str, charts.Chart] | None:
    points = []
    for key in record.raw["results"]:
        x, y = record.figure(key, "tokens"), record.figure(key, "accuracy")
        slug, _, arm = key.partition("@")
        if x and y:
            group = group_of(entry) if key == entry.slug else "arm" if slug == entry.slug else "baseline"
            points.append(charts.Point(arm.replace("_", " ") or slug, group, x, y))
    return both_widths(points, chance_lines(catalog, str(record.raw["task"]))) if len(points) > 1 else None


def header(code: str) -> dict[str, str]:
    """The file's docstring as its parts: `Paper: …`, `Idea: …`, `Kept: …`, `Left out: …`; each may run over several lines."""
    parts: dict[str, str] = {}
    name = ""
    for line in (ast.get_docstring(ast.parse(code)) or "").splitlines()[1:]:
        begun = re.match(r"([A-Z][a-z]+(?: [a-z]+)?): (.*)", line)
        if begun:
            name, parts[begun[1]] = begun[1], begun[2]
        elif name and line.strip():
            parts[name] += f" {line.strip()}"
    return parts
