"""From what the catalog knows to Markdown files under build/docs: one function a page, one template each."""

import ast
import json
import re
import shutil
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError
from markupsafe import Markup

from catalog import auditing, challenges, entries
from catalog.auditing import ledger
from catalog.entries import Entry
from catalog.errors import Refused
from catalog.pages import bibtex, explorer, finding, guide, inline, news
from catalog.pages.contents import BASELINES, Catalog, group_of, paper_slugs
from catalog.pages.measured import COLUMNS, figure, measured_alike, method_chart, shown
from catalog.pages.primaries import primaries
from catalog.pages.reported import reported

# The kinds of token that the task's grammar knows, in the order of the legend.
KINDS = ["step", "restate", "filler", "verify", "error", "repair", "recap", "answer", "latent", "other"]
MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]


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
    explorer.write(catalog.shelf, titles, paper_slugs(catalog), catalog.cited, folder)
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
    page("calibration.md", "calibration.md.j2", primaries=primaries(catalog))
    page("freshness.md", "freshness.md.j2")
    page("finding.md", "finding.md.j2", answers=finding.answers(catalog.shelf.index, catalog.tree), shown=finding.SHOWN)
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


def month_name(month: str) -> str:
    """`2025-02` → `February 2025`."""
    return f"{MONTHS[int(month[5:7]) - 1]} {month[:4]}" if re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month) else month


def fence(text: str, language: str) -> Markup:
    """A fenced code block: the fence is longer than any in the text, so nothing in it can end it."""
    ticks = "`" * (1 + max([2, *map(len, re.findall("`+", text))]))
    return Markup(f"{ticks} {language}\n{text.rstrip()}\n{ticks}")


def landing_values(catalog: Catalog, groups: list[dict[str, Any]], changed: ledger.Ledger) -> dict[str, Any]:
    methods = [entry for entry in catalog.entries if entry.slug not in BASELINES]
    return {
        "answers": guide.answers([(group["task"], group["rows"]) for group in groups], methods),
        "news": news.week(catalog.shelf.rows, changed.change, catalog.records),
        "news_shown": news.SHOWN,
    }


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
    rows = auditing.audit(catalog.root, catalog.entries)
    return {
        "counts": auditing.counts(rows),
        "rules": auditing.RULES,
        "first": [row for row in rows if row.cell.startswith("1.") and row.metric in ("training", "models")],
        "second": [row for row in rows if row.cell.startswith("2.")],
        "quotes": [row for row in rows if not row.cell and row.metric != "statement"],
        "statements": [row for row in rows if row.metric == "statement"],
        "side": auditing.side_by_side(catalog.entries),
    }


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
