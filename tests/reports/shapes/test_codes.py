"""The map of the codes that stores were rendered from."""

from pathlib import Path

import numpy as np
import pytest
from stores import GRID, ball

from cytoform.reports.shapes.codes import map_of_codes
from cytoform.shapes.store import SequenceInfo, ShapeStore


def rendered(path: Path, codes: dict[str, list[float]], *, weights: str = "w") -> Path:
    """A store that says which codes its sequences were rendered from."""
    store = ShapeStore.create(path, GRID, band_um=2.0, attributes={"command": "generate", "weights_sha256": weights})
    for name, code in codes.items():
        store.add(SequenceInfo(name, 1, details={"code": code} if code else {})).write(0, ball(3.0))
    return path


@pytest.fixture
def learned(tmp_path: Path) -> Path:
    return rendered(tmp_path / "rec.zarr", {"a": [0.0, 0.0, 1.0], "b": [4.0, 0.0, 1.0], "c": [2.0, 1.0, 1.0]})


def test_distances_on_the_map_are_those_of_codes(learned: Path, tmp_path: Path) -> None:
    new = rendered(tmp_path / "new.zarr", {"n": [2.0, 0.0, 1.0]})
    chart = map_of_codes([("Reconstructed", learned), ("Generated", new)])
    assert chart is not None
    assert [each.label for each in chart.sets] == ["Reconstructed", "Generated"]
    a, b, _ = chart.sets[0].positions
    np.testing.assert_allclose(np.linalg.norm(a - b), 4.0)
    np.testing.assert_allclose(np.linalg.norm(a - chart.sets[1].positions[0]), 2.0)
    assert "94 %" in chart.axis_titles[0] or "92 %" in chart.axis_titles[0]


def test_codes_of_other_runs_do_not_mix_and_stores_without_codes_are_left_out(learned: Path, tmp_path: Path) -> None:
    other = rendered(tmp_path / "other.zarr", {"n": [1.0, 2.0, 3.0]}, weights="v")
    none = rendered(tmp_path / "none.zarr", {"n": []})
    chart = map_of_codes([("A", none), ("B", learned), ("C", other)])
    assert chart is not None
    assert [each.label for each in chart.sets] == ["B"]


def test_no_map_of_less_than_two_codes(tmp_path: Path) -> None:
    assert map_of_codes([("A", rendered(tmp_path / "one.zarr", {"n": [1.0, 2.0]}))]) is None
    assert map_of_codes([("A", rendered(tmp_path / "none.zarr", {"n": []}))]) is None


def test_codes_along_one_direction_are_on_a_line(tmp_path: Path) -> None:
    chart = map_of_codes([("A", rendered(tmp_path / "two.zarr", {"m": [0.0, 0.0], "n": [3.0, 4.0]}))])
    assert chart is not None
    np.testing.assert_allclose(chart.sets[0].positions[:, 1], 0)
    np.testing.assert_allclose(np.ptp(chart.sets[0].positions[:, 0]), 5.0)
