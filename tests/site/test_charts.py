"""Labels that can be read, error bars where the interval is, and the frontier."""

from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.pages.charts import LETTER, LINE, Box, Point, frontier, nice_step, scatter
from catalog.pages.records import Figure


def point(label: str, x: float, y: float, wide: float = 0.0) -> Point:
    return Point(label, "explicit", Figure(x, x - wide, x + wide, "s"), Figure(y, y - 0.01, y + 0.01, "s"))


def boxes(points: list[Point], width: float) -> list[Box]:
    chart = scatter(points, width, 400)
    return [
        Box(m.label_x, m.label_y - LINE * 0.75, m.label_x + len(m.point.label) * LETTER, m.label_y + LINE / 4) for m in chart.marks
    ]


def test_labels_of_close_points_do_not_lie_on_each_other() -> None:
    found = boxes([point(f"method {i}", 100 + i, 0.95 + i / 1000) for i in range(6)], 720)
    assert all(a.overlap(b) < 1 for i, a in enumerate(found) for b in found[:i])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(1, 500), st.floats(0, 1)), min_size=1, max_size=5))
def test_labels_stay_on_the_drawing(places: list[tuple[float, float]]) -> None:
    for box in boxes([point("some name", x, y) for x, y in places], 344):
        assert box.left >= 0
        assert box.right <= 344
        assert box.top >= 0
        assert box.bottom <= 400


def test_error_bars_span_the_interval_and_axes_start_at_zero() -> None:
    chart = scatter([point("a", 100, 0.5, wide=10)], 720, 400)
    mark = chart.marks[0]
    assert mark.x_low < mark.x < mark.x_high
    assert mark.y_high < mark.y < mark.y_low  # upwards on the screen is a smaller y
    assert chart.x_ticks[0] == (chart.left, "0")
    assert [text for _, text in chart.y_ticks] == ["0", "20", "40", "60", "80", "100"]


def test_what_is_far_dearer_stands_at_the_edge_with_its_cost() -> None:
    near, far = point("near", 100, 0.9, wide=4), point("far", 900, 0.95, wide=4)
    alone, both = scatter([near], 720, 400), scatter([near, far], 720, 400, reach=150)
    assert both.x_ticks == alone.x_ticks
    assert (both.marks[0].x, both.marks[0].point.label) == (alone.marks[0].x, "near")
    edge = both.marks[1]
    assert edge.x == edge.x_low == edge.x_high == both.right
    assert edge.point.label == "far: 900 →"
    assert both.frontier[-1][0] == both.right
    assert max(x for x, _ in scatter([near, far], 720, 400).frontier) <= both.right


def test_the_frontier_leaves_out_what_is_beaten_in_both() -> None:
    cheap, dear, beaten = point("cheap", 10, 0.4), point("dear", 100, 0.9), point("beaten", 60, 0.3)
    assert frontier([dear, beaten, cheap]) == [cheap, dear]


@given(st.floats(1e-6, 1e9))
def test_steps_are_round_and_no_smaller_than_asked(rough: float) -> None:
    assert rough * 0.99 <= nice_step(rough) <= rough * 2.6
