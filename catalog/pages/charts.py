"""Where things go on a chart. The template draws; here are scales, ticks, and labels that do not lie on each other."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from catalog.pages.records import Figure

LETTER, LINE, AIR = 8.0, 15.0, 6.0  # width of a letter, height of a line at the chart's font size, room behind a name
MOST_NAMED = 14
MARGIN_LEFT, MARGIN_RIGHT, MARGIN_TOP, MARGIN_BOTTOM = 44.0, 22.0, 28.0, 42.0


@dataclass(frozen=True)
class Point:
    label: str
    group: str  # CSS class and shape
    x: Figure
    y: Figure


@dataclass(frozen=True)
class Box:
    left: float
    top: float
    right: float
    bottom: float

    def overlap(self, other: "Box") -> float:
        """Area in common."""
        wide = min(self.right, other.right) - max(self.left, other.left)
        high = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(wide, 0.0) * max(high, 0.0)

    def distance(self, other: "Box") -> float:
        """Between the nearest edges; 0 where they touch."""
        aside = max(self.left - other.right, other.left - self.right, 0.0)
        above = max(self.top - other.bottom, other.top - self.bottom, 0.0)
        return math.hypot(aside, above)


@dataclass(frozen=True)
class Mark:
    """A point in pixels, with the ends of its error bars and the place of its label's baseline start."""

    point: Point
    x: float
    y: float
    x_low: float
    x_high: float
    y_low: float
    y_high: float
    label_x: float
    label_y: float
    leader: tuple[float, float] | None  # where a line from the point to a label further off ends
    named: bool  # where there are many, only what nothing beats and the baselines are, if there is room


@dataclass(frozen=True)
class Chart:
    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    x_ticks: list[tuple[float, str]]
    y_ticks: list[tuple[float, str]]
    marks: list[Mark]
    frontier: list[tuple[float, float]]  # corners of the steps through the points that nothing beats
    levels: list[tuple[float, str]]  # horizontal lines with a name


def scatter(
    points: Sequence[Point], width: float, height: float, levels: Sequence[tuple[float, str]] = (), reach: float = math.inf
) -> Chart:
    """Accuracy (a fraction, upwards) against cost (rightwards, from 0). What costs more than `reach` stands at the right edge with
    its cost, so that one dear method does not press all others together."""
    left, right, top, bottom = MARGIN_LEFT, width - MARGIN_RIGHT, MARGIN_TOP, height - MARGIN_BOTTOM
    points = [replace(p, label=f"{p.label}: {p.x.mean:.0f} →") if p.x.mean > reach else p for p in points]
    most = max((point.x.high for point in points if point.x.mean <= reach), default=1.0) or 1.0
    step = nice_step(most / (6 if width > 500 else 4))
    end = math.ceil(most * 1.02 / step) * step

    def at_x(value: float) -> float:
        return left + (right - left) * min(value, end) / end

    def at_y(value: float) -> float:
        return bottom - (bottom - top) * value

    frame = Box(left, 2.0, width - 2, bottom)
    taken = [Box(at_x(p.x.mean) - 6, at_y(p.y.mean) - 6, at_x(p.x.mean) + 6, at_y(p.y.mean) + 6) for p in points]
    best = frontier(points)
    crowded = len(points) > MOST_NAMED
    marks, labels = [], list[Box]()
    for point in points:
        x, y = at_x(point.x.mean), at_y(point.y.mean)
        label, leader = (x, y), None
        named = not crowded or point in best or point.group == "baseline"
        if named:
            label, box = place(x, y, len(point.label) * LETTER + AIR, taken, frame)
            named = not crowded or not any(box.overlap(other) for other in labels)
        if named:
            taken.append(box)
            labels.append(box)
            if box.distance(Box(x, y, x, y)) > 14:
                leader = (min(max(x, box.left), box.right), min(max(y, box.top), box.bottom))
        marks.append(
            Mark(
                point,
                x,
                y,
                at_x(point.x.low),
                at_x(point.x.high),
                at_y(point.y.low),
                at_y(point.y.high),
                *label,
                leader,
                named,
            )
        )
    corners: list[tuple[float, float]] = []
    for point in best:
        x, y = at_x(point.x.mean), at_y(point.y.mean)
        if corners:
            corners.append((x, corners[-1][1]))
        corners.append((x, y))
    if corners:
        corners.append((right, corners[-1][1]))
    return Chart(
        width, height, left, right, top, bottom,
        [(at_x(i * step), f"{i * step:g}") for i in range(round(end / step) + 1)],
        [(at_y(i / 5), f"{20 * i}") for i in range(6)],
        marks, corners, [(at_y(value), name) for value, name in levels],
    )  # fmt: skip


def place(x: float, y: float, width: float, taken: Sequence[Box], frame: Box) -> tuple[tuple[float, float], Box]:
    """The first free place for a label around a point, nearest first; where none is free, the least covered one."""
    best: tuple[float, tuple[float, float], Box] | None = None
    amid = max(min(x - width / 2, frame.right - width), frame.left)
    for far in (9.0, 20.0, 32.0, 46.0, 64.0, 84.0, 108.0):
        for left, middle in (
            (x + far, y), (x - far - width, y), (amid, y - far - LINE / 2), (amid, y + far + LINE / 2),
            (x + far, y - far), (x + far, y + far), (x - far - width, y - far), (x - far - width, y + far),
        ):  # fmt: skip
            box = Box(left, middle - LINE / 2, left + width, middle + LINE / 2)
            outside = width * LINE - box.overlap(frame)
            covered = sum(box.overlap(other) for other in taken) + 3 * outside
            if any(box.distance(other) < box.distance(Box(x, y, x, y)) - 6 for other in taken):
                covered += LINE  # it would read as another point's label
            if best is None or covered < best[0] - 1e-9:
                best = (covered, (left, middle + LINE / 4), box)
            if covered <= 1e-9:
                return best[1], best[2]
    assert best is not None
    return best[1], best[2]


def frontier(points: Sequence[Point]) -> list[Point]:
    """The points that no other beats in both cost and accuracy, by their means, cheapest first."""
    kept: list[Point] = []
    for point in sorted(points, key=lambda p: (p.x.mean, -p.y.mean)):
        if not kept or point.y.mean > kept[-1].y.mean:
            kept.append(point)
    return kept


def nice_step(rough: float) -> float:
    """The smallest of 1, 2, 2.5 or 5 times a power of ten that is no smaller than `rough`."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.999)
