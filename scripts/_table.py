"""Tables of records: rich ones on a terminal, plain aligned lines otherwise."""

from typing import Any

from rich.console import Console
from rich.table import Table

SHOWN = [
    ("accuracy %", "accuracy", 100, 1),
    ("tokens", "tokens", 1, 1),
    ("of them latent", "latent_positions", 1, 1),
    ("MFLOPs", "flops", 1e-6, 1),
    ("cache kB", "cache_bytes", 1e-3, 1),
    ("latency ratio", "latency_ratio", 1, 2),
]


def cell(interval: dict[str, float] | None, scale: float, digits: int) -> str:
    if interval is None:
        return "-"
    mean, low, high = (f"{interval[key] * scale:.{digits}f}" for key in ("mean", "low", "high"))
    return mean if low == mean == high else f"{mean} [{low}, {high}]"


def show_record(made: dict[str, Any]) -> None:
    """The comparison and the claims of one record."""
    console = Console()
    plain = not console.is_terminal
    if plain:
        console = Console(width=200)
    n = made["results"]["cot"]["accuracy"]["n"]
    console.print(
        f"{made['method']} on {made['task']}, {made['protocol']} protocol, {n} test problems, seeds {made['seeds']}; "
        f"mean [95 % interval]; chance {100 * made['chance']:.0f} %, majority class {100 * made['majority']:.0f} %",
        markup=False,
    )
    table = Table(box=None if plain else Table().box, pad_edge=not plain)
    table.add_column("method")
    for title, *_ in SHOWN:
        table.add_column(title, justify="right")
    for key, metrics in made["results"].items():
        table.add_row(key, *(cell(metrics.get(metric), scale, digits) for _, metric, scale, digits in SHOWN))
    console.print(table)
    for claim in made["claims"]:
        first = " (primary)" if claim["primary"] else ""
        console.print(f"{claim['verdict']}: {claim['text']}{first}\n    {claim['kind']}; {claim['reason']}", markup=False)
