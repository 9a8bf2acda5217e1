"""The map of codes."""

import re

import numpy as np

from cytoform.pictures.figures import Side
from cytoform.reports.shapes.code_map import CodeMap, CodeSet, map_element, map_figure, sides_by_label

SIDES = [Side("Original", (0.0, 0.45, 0.7)), Side("Generated", (0.9, 0.6, 0.0))]
MAP = CodeMap(
    ("component 1", "component 2"),
    (
        CodeSet("Learned", ("a<b", "c"), np.array([[0.0, 0.0], [2.0, 0.0]])),
        CodeSet("Generated", ("n",), np.array([[1.0, 1.0]])),
    ),
)


def element(chart: CodeMap) -> str:
    return map_element(chart, sides_by_label(SIDES), lambda label, name: None if name == "c" else f"#cell={label}")


def test_points_lead_to_their_cells_and_keep_their_distances() -> None:
    drawn = element(MAP)
    places = [[float(n) for n in pair] for pair in re.findall(r"translate\(([\d.]+) ([\d.]+)\)\">", drawn)][-3:]
    (ax, ay), (cx, cy), (nx, ny) = places
    assert ay == cy
    assert cx > ax
    # n is above the middle of the two, as far as half their distance.
    np.testing.assert_allclose([nx, ay - ny], [(ax + cx) / 2, (cx - ax) / 2], atol=0.2)
    assert re.findall(r'href="([^"]+)"', drawn) == ["#cell=Learned", "#cell=Generated"]
    assert "a&lt;b" in drawn
    assert "a<b" not in drawn


def test_sets_differ_by_mark_and_are_named() -> None:
    drawn = element(MAP)
    assert drawn.count("<circle") == 3  # two points and the legend
    assert "Learned (2)" in drawn
    assert "Generated (1)" in drawn


def test_equal_codes_and_a_figure() -> None:
    same = CodeMap(("1", "2"), (CodeSet("Generated", ("a", "b"), np.zeros((2, 2))),))
    assert "nan" not in element(same)
    assert len(map_figure(MAP, sides_by_label(SIDES)).axes[0].collections) == 2
