"""Cells in images: exact distances and outlines, stores with two axes of space."""

import json
from pathlib import Path

import numpy as np
import pytest
from flat import disc, ellipse_mask, square, write_flat
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cytoform.errors import EmptyFrame, InputError
from cytoform.shapes.boundary import boundary_from_distance, boundary_points, cones
from cytoform.shapes.box import BoxedField
from cytoform.shapes.cleaning import clean_mask
from cytoform.shapes.distance import band_um, signed_distance
from cytoform.shapes.grid import Grid
from cytoform.shapes.outline import Outline
from cytoform.shapes.pieces import far_pieces
from cytoform.shapes.remarks import remark
from cytoform.shapes.store import SequenceInfo, ShapeStore


@settings(max_examples=40, deadline=None)
@given(arrays(bool, (9, 9)), st.sampled_from([0.01, 0.3, 7.0]))
def test_round_trip_of_any_mask(mask: np.ndarray, spacing_um: float) -> None:
    """Single pixels, diagonal contacts, holes, the border: every pixel keeps its side."""
    grid = Grid(9, 9 * spacing_um / 2, 2)
    centre = (grid.half_extent_um,) * 2
    if not mask.any():
        with pytest.raises(EmptyFrame):
            signed_distance(mask, (spacing_um,) * 2, grid, centre)
        return
    assert np.array_equal(signed_distance(mask, (spacing_um,) * 2, grid, centre) <= 0, mask)


@pytest.mark.parametrize(("spacing_yx_um", "most_um"), [((0.2, 0.2), 0.07), ((0.2, 0.6), 0.25), ((0.6, 0.2), 0.25)])
def test_distance_to_an_ellipse_of_pixels(spacing_yx_um: tuple[float, float], most_um: float) -> None:
    """Half a pixel at most, also where pixels are longer along one side, whichever that is."""
    mask = ellipse_mask((10.0, 10.0), spacing_yx_um, size_um=30.0)
    grid = Grid(96, 12.0, 2)
    sdf_um = signed_distance(mask, spacing_yx_um, grid, (15.0, 15.0))
    true_um = np.linalg.norm(grid.points_zyx_um() - 12, axis=1).reshape(grid.shape) - 10
    near = np.abs(true_um) < band_um(grid) - 0.3
    assert np.abs(sdf_um - true_um)[near].max() < most_um
    outline = BoxedField(grid, (0, 0), sdf_um, band_um(grid)).boundary()
    assert isinstance(outline, Outline)
    assert outline.area_um2 == pytest.approx(np.pi * 100, rel=0.003)
    assert outline.perimeter_um == pytest.approx(np.pi * 20, rel=0.02)


def test_a_line_of_single_pixels_is_kept() -> None:
    mask = np.zeros((40, 40), bool)
    mask[5:35, 20] = True
    grid = Grid(80, 4.0, 2)
    sdf_um = signed_distance(mask, (0.2, 0.2), grid, (4.0, 4.0))
    assert clean_mask((sdf_um <= 0).astype(np.uint8), (1,)).in_pieces == ()
    assert (sdf_um <= 0).sum() * 0.1**2 == pytest.approx(30 * 0.2**2, rel=0.3)


def test_outlines() -> None:
    """Holes count as outside, parts that touch at a corner are one, and points are uniform."""
    ring = np.maximum(disc(5.0), -disc(2.0))
    outline = boundary_from_distance(ring, 0.25)
    assert outline.size == pytest.approx(np.pi * 21, rel=0.01)
    assert outline.extent == pytest.approx(2 * np.pi * 7, rel=0.01)
    assert cones(outline, np.zeros(2))[1].sum() == pytest.approx(outline.size)
    points = boundary_points(outline, 2000, np.random.default_rng(0)) - 8
    assert (np.linalg.norm(points, axis=1) < 3).mean() == pytest.approx(2 / 7, abs=0.05)
    touching = np.where(np.eye(4, dtype=bool), -1.0, 1.0).astype(np.float32)
    assert len(np.unique(boundary_from_distance(touching, 1.0).faces[:, 0])) == len(
        boundary_from_distance(touching, 1.0).faces
    )
    moved = outline.moved(np.array([1.0, -2.0], np.float32))
    assert moved.size == pytest.approx(outline.size, rel=1e-4)
    with pytest.raises(EmptyFrame):
        boundary_from_distance(np.ones((4, 4), np.float32), 1.0)


def test_a_plate_stands_for_an_image_in_pictures() -> None:
    field = BoxedField(Grid(64, 8.0, 2), (0, 0), disc(5.0), 2.0)
    mesh = field.tight(2).mesh()
    assert mesh is not None
    assert mesh.centroid_xyz_um == pytest.approx((8, 8, 8), abs=0.25)
    assert mesh.volume_um3 / (np.pi * 25) < 1


def test_cleaning_and_far_pieces() -> None:
    labels = np.zeros((40, 60), np.uint8)
    labels[5:25, 5:25] = 1
    labels[10:15, 10:15] = 0
    labels[5:25, 50:58] = 1
    labels[38, 2] = 1
    found = clean_mask(labels, (1,))
    assert (found.n_holes, found.n_filled, found.n_specks, found.in_pieces) == (1, 25, 1, (1,))
    far = far_pieces(labels == 1, (1.0, 1.0))
    assert far is not None
    assert far.gap_um == pytest.approx(26, abs=1)


def test_a_store_of_images(tmp_path: Path) -> None:
    store = ShapeStore.create(tmp_path / "a.zarr", Grid(64, 8.0, 2), band_um=2.0, attributes={"command": "test"})
    sequence = store.add(SequenceInfo("a", 2, time_step_s=5.0, offsets_zyx_um=((1.0, 2.0), (3.0, 4.0))))
    sequence.write(0, disc(5.0))
    store.note()
    found = ShapeStore.open(tmp_path / "a.zarr")
    assert found.grid == Grid(64, 8.0, 2)
    assert found.attributes["dimensions"] == 2
    assert found["a"].info.offsets_zyx_um == ((1.0, 2.0), (3.0, 4.0))
    assert np.array_equal(found["a"].mask(0), disc(5.0) <= 0)
    assert found["a"].box(1).is_empty
    ome = json.loads((tmp_path / "a.zarr" / "a" / "zarr.json").read_text())["attributes"]["ome"]["multiscales"][0]
    assert [axis["name"] for axis in ome["axes"]] == ["t", "y", "x"]
    assert ome["datasets"][0]["coordinateTransformations"][0]["scale"] == [5.0, 0.25, 0.25]


def test_a_store_that_contradicts_its_dimensions_is_damaged(tmp_path: Path) -> None:
    square(tmp_path / "a.zarr")
    path = tmp_path / "a.zarr" / "zarr.json"
    path.write_text(path.read_text().replace('"dimensions": 2', '"dimensions": 3'))
    with pytest.raises(InputError, match="damaged shape store"):
        ShapeStore.open(tmp_path / "a.zarr")["a"]


def test_remarks_are_about_every_sequence(tmp_path: Path) -> None:
    """Also about longer ones before a shorter one."""
    nothing = np.full((64, 64), 1.0, np.float32)
    path = write_flat(tmp_path / "a.zarr", {"a": [disc(3.0), nothing], "b": [disc(3.0)], "c": [nothing]})
    said = remark(ShapeStore.open(path), remedy="look")
    assert said == "notice: 1 of 3 cells are empty (c), 1 of 3 cells are empty in some frames (a); look"
