"""The numbers that papers report, as the table on a method's page."""

from dataclasses import dataclass
from typing import Any

from catalog import entries
from catalog.entries import Entry

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
            cells = [Cell(getattr(row, c.metric), f"{where}.{c.metric}", form(c.metric, row)) for c in columns]
            shown.append((row, cells))
        groups.append((group, shown))
    return {"columns": columns, "groups": groups, "noted": any(row.note for row in rows)}


def form(metric: str, row: entries.Row) -> str:
    if metric.endswith("_change"):
        return "signed"
    value = getattr(row, metric)
    return "tenths" if metric == "accuracy" and value is not None and value == round(value, 1) else ""
