"""Charts over time."""

import re

import numpy as np

from cytoform.pictures.figures import Side
from cytoform.pictures.slices import OUTLINE_DASHES
from cytoform.reports.shapes.charts import HEIGHT, WIDTH, Line, key_of_lines, line_chart

A, B = Side("A & co", (0.0, 0.45, 0.7)), Side("B", (0.9, 0.6, 0.0))


def strokes(chart: str) -> list[str]:
    """The paths of the values: all but the grid lines and the dots."""
    return re.findall(r'<path d="([^"]*)" fill="none" stroke="#[^"]+" stroke-width="1.6"', chart)


def test_points_lie_where_their_values_are() -> None:
    (path,) = strokes(line_chart("Size [µm³]", [Line(A, np.array([1.0, 3.0, 2.0]), 0)]))
    x, y = np.array([[float(n) for n in pair.split()] for pair in re.split("[ML]", path) if pair]).T
    assert (np.diff(x) > 0).all()
    assert 0 <= x.min() <= x.max() <= WIDTH
    assert 0 <= y.min() <= y.max() <= HEIGHT
    # Up is more, and in proportion.
    np.testing.assert_allclose((y[0] - y[2]) / (y[0] - y[1]), 0.5, atol=0.01)


def test_what_is_not_defined_is_a_gap() -> None:
    (path,) = strokes(line_chart("x", [Line(A, np.array([1.0, 2.0, np.nan, 2.0, 1.0]), 0)]))
    assert path.count("M") == 2
    chart = line_chart("x", [Line(A, np.full(3, np.nan), 0)])
    assert "not defined" in chart
    assert "nan" not in chart


def test_lines_differ_by_more_than_colour_and_are_told_in_words() -> None:
    chart = line_chart("x < y", [Line(A, np.array([1.0, 2.0]), 0), Line(B, np.array([5.0, 4.0]), 1)])
    assert f'stroke-dasharray="{OUTLINE_DASHES[1]}"' in chart
    assert 'stroke-linecap="square"' in chart
    assert 'aria-label="x &lt; y by frame: A &amp; co from 1 to 2; B from 4 to 5"' in chart
    assert "A &amp; co" in key_of_lines([A, B])


def test_counts_are_marked_at_whole_numbers() -> None:
    chart = line_chart("Pieces", [Line(A, np.array([1.0, 1.0]), 0)], counts=True)
    assert re.findall(r'text-anchor="end">([^<]+)<', chart) == ["1"]


def test_one_frame_and_constant_values() -> None:
    for values in (np.array([0.0]), np.array([2.0, 2.0]), np.array([-1e-17, 1e-17])):
        (path,) = strokes(line_chart("x", [Line(A, values, 0)]))
        assert path.startswith("M")
    # Rounding is not magnified to a mountain.
    (path,) = strokes(line_chart("x", [Line(A, np.array([100.0, 100.0 + 1e-9]), 0)]))
    assert len({pair.split()[1] for pair in re.split("[ML]", path) if pair}) == 1
