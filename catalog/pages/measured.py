"""Measured numbers as pages show them: columns, groups of what was measured alike, points on charts."""

import math
from typing import Any

from markupsafe import Markup

from catalog.entries import Entry
from catalog.pages import charts, inline, records
from catalog.pages.contents import BASELINES, Catalog, group_of
from catalog.pages.records import Record

REACH = 1.5  # times the dearest baseline: where the axis of a chart of many methods ends; compare.js has the same
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
    ("removed", "Removed, %", "percent"),
    ("latency_ratio", "Latency ÷ cot", "ratio"),
]


def figure(cell: records.Figure | None, form: str = "") -> Markup:
    """A mean and, smaller, its interval."""
    if cell is None:
        return inline.number(None, "")
    low, high = inline.written(cell.low, form), inline.written(cell.high, form)
    if low == high:
        return inline.number(cell.mean, f"{cell.source}.mean", form)
    return Markup('<data value="{}" data-source="{}">{} <small>{}–{}</small></data>').format(
        cell.mean, inline.inline(cell.source), *map(inline.inline, (inline.written(cell.mean, form), low, high))
    )


def measured_alike(catalog: Catalog) -> list[dict[str, Any]]:
    """Methods by the task and model of their records: only what was measured alike is compared."""
    found: dict[tuple[str, str], list[tuple[Entry, Record]]] = {}
    for entry in catalog.entries:
        record = catalog.records.get(entry.slug)
        if record and record.figure(entry.slug, "tokens") and record.figure(entry.slug, "accuracy"):
            found.setdefault((str(record.raw["task"]), str(record.raw["model"])), []).append((entry, record))
    for rows in found.values():  # the baselines' own records may be of another task: then the runs of this one have them
        held = {entry.slug for entry, _ in rows}
        missing = [entry for entry in catalog.entries if entry.slug in BASELINES and entry.slug not in held]
        run = rows[0][1]
        rows[:0] = [(entry, run) for entry in missing if run.figure(entry.slug, "tokens") and run.figure(entry.slug, "accuracy")]
    groups = []
    for (task, model), rows in sorted(found.items()):
        points = [
            charts.Point(entry.written.name, group_of(entry), x, y)
            for entry, record in rows
            if (x := record.figure(entry.slug, "tokens")) and (y := record.figure(entry.slug, "accuracy"))
        ]
        levels = {level: None for entry, record in rows for level in record.levels(entry.slug)}
        reach = REACH * max((point.x.mean for point in points if point.group == "baseline"), default=math.inf)
        groups.append(
            {
                "task": task,
                "model": model,
                "rows": rows,
                "levels": list(levels),
                "columns": [column for column in COLUMNS if any(_measured(record, entry, column[0]) for entry, record in rows)],
                "source": ", ".join(sorted({record.file for _, record in rows})),
                "charts": both_widths(points, chance_lines(catalog, task), reach),
            }
        )
    return groups


def _measured(record: Record, entry: Entry, metric: str) -> bool:
    cell = record.figure(entry.slug, metric)
    return cell is not None and bool(cell.mean)


def both_widths(points: list[charts.Point], levels: list[tuple[float, str]], reach: float = math.inf) -> dict[str, charts.Chart]:
    """The same chart for a desk and for a phone: one drawing scaled down could not be read."""
    return {"wide": charts.scatter(points, 720, 400, levels, reach), "narrow": charts.scatter(points, 344, 340, levels, reach)}


def chance_lines(catalog: Catalog, task: str) -> list[tuple[float, str]]:
    for record in catalog.records.values():
        chance = record.raw.get("chance")
        if record.raw["task"] == task and isinstance(chance, int | float):
            return [(float(chance), "chance")]
    return []


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
