"""Cells at the voxels of a scene: where they belong, as large as they are, and never two at one place."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytoform.errors import InputError
from cytoform.scenes.bodies import BoxWriter, Shape, own_field, read_box, taken_by
from cytoform.shapes.box import BoxedField
from cytoform.shapes.grid import Grid
from cytoform.shapes.store import ShapeStore
from scenes import DIVISION, GRID, N_FRAMES, RADIUS_UM, write_pairs


@dataclass(frozen=True)
class Cells:
    """The pair before and after it divides, and the two cells that it then is."""

    folder: Path
    before: Shape
    after: Shape
    left: Shape
    right: Shape


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Cells:
    folder = tmp_path_factory.mktemp("cells")
    pair = ShapeStore.open(write_pairs(folder / "a.zarr", "p"))["p"]
    first, last = (BoxedField(GRID, (0, 0, 0), pair.sdf_um(frame), pair.band_um) for frame in (0, DIVISION))
    half = np.zeros(GRID.shape, bool)
    half[:, :, :16] = True
    fields = (first, last, *(own_field(last, mine & last.inside) for mine in (half, ~half)))
    with BoxWriter(folder / "0.bin") as boxes:
        return Cells(folder, *(boxes.add(field) for field in fields))


@settings(max_examples=20, deadline=None)
@given(
    spacing=st.tuples(*[st.floats(0.2, 0.5)] * 3),
    centre=st.tuples(*[st.floats(-5, 50)] * 3),
)
def test_a_ball_is_where_it_is_put_and_as_large_as_it_is(
    spacing: tuple[float, float, float], centre: tuple[float, float, float], cells: Cells
) -> None:
    found = taken_by(cells.folder, cells.before, centre_zyx_um=np.array(centre), spacing_zyx_um=spacing)
    inside = np.argwhere(found.inside)
    middle = (inside.mean(axis=0) + found.corner_zyx + 0.5) * spacing
    assert middle == pytest.approx(centre, abs=0.1)
    volume = 4 / 3 * np.pi * RADIUS_UM**3
    assert len(inside) * np.prod(spacing) == pytest.approx(volume, rel=0.1)


@settings(max_examples=30, deadline=None)
@given(spacing=st.tuples(*[st.floats(0.3, 0.7)] * 3), centre=st.tuples(*[st.floats(0, 1)] * 3))
def test_sisters_at_one_place_never_share_a_voxel_and_together_are_the_family(
    spacing: tuple[float, float, float], centre: tuple[float, float, float], cells: Cells
) -> None:
    inside: list[set[tuple[int, ...]]] = []
    for shape in (cells.left, cells.right, cells.after):
        found = taken_by(cells.folder, shape, centre_zyx_um=np.array(centre), spacing_zyx_um=spacing)
        inside.append({tuple(place) for place in (np.argwhere(found.inside) + found.corner_zyx).tolist()})
    left, right, family = inside
    assert not left & right
    assert len(left | right) == pytest.approx(len(family), rel=0.02)
    assert (left | right) <= family


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 1000), spacing=st.tuples(*[st.floats(0.03, 1.5)] * 3), centre=st.tuples(*[st.floats(-1, 1)] * 3)
)
def test_the_inside_ends_where_it_says_however_fine_the_voxels(
    seed: int, spacing: tuple[float, float, float], centre: tuple[float, float, float], tmp_path_factory: Any
) -> None:
    """Neighbours are looked for by these ends: a voxel beyond them could be another cell's too."""
    folder = tmp_path_factory.mktemp("cells")
    field = np.full((8, 8, 8), 0.7, np.float32)
    field[1:4, 2:6, 1:7] = np.random.default_rng(seed).normal(0.2, 1, (3, 4, 6))
    field[2, 3, 2] = -0.4
    with BoxWriter(folder / "0.bin") as boxes:
        shape = boxes.add(BoxedField(Grid(8, 4.0), (0, 0, 0), field, 0.7))
    found = taken_by(folder, shape, centre_zyx_um=np.array(centre), spacing_zyx_um=spacing)
    places = (np.argwhere(found.inside) + found.corner_zyx + 0.5) * spacing - centre
    if len(places):
        assert (places.min(axis=0) >= np.array(shape.low_zyx_um) - 1e-5).all()
        assert (places.max(axis=0) <= np.array(shape.high_zyx_um) + 1e-5).all()
    if max(spacing) < 0.1:
        assert places.min(axis=0) == pytest.approx(shape.low_zyx_um, abs=0.2)
        assert places.max(axis=0) == pytest.approx(shape.high_zyx_um, abs=0.2)


def test_a_box_is_cut_at_the_border_of_the_scene(cells: Cells) -> None:
    found = taken_by(cells.folder, cells.before, centre_zyx_um=np.array([0.0, 8, 8]), spacing_zyx_um=(0.5, 0.5, 0.5))
    cut = found.clipped((30, 30, 30))
    assert cut.corner_zyx[0] == 0
    n_whole, n_cut = (part.inside.sum() for part in (found, cut))
    assert n_cut == pytest.approx(n_whole / 2, rel=0.02)
    beyond = found.clipped((30, 4, 30))
    assert not beyond.inside.size


def test_frames_of_the_pair_are_what_other_tests_take_them_for(cells: Cells) -> None:
    import cc3d

    store = ShapeStore.open(cells.folder / "a.zarr")
    pieces = [cc3d.connected_components(store["p"].mask(frame), return_N=True)[1] for frame in range(N_FRAMES)]
    assert pieces == [1] * DIVISION + [2] * (N_FRAMES - DIVISION)


def test_what_is_known_of_a_shape(cells: Cells) -> None:
    r = RADIUS_UM
    assert cells.before.low_zyx_um == pytest.approx((-r, -r, -r), abs=GRID.spacing_um)
    assert cells.before.size == pytest.approx(4 / 3 * np.pi * r**3, rel=0.1)
    assert cells.left.centroid_zyx_um == pytest.approx((0, 0, -7.4 * DIVISION / (N_FRAMES - 1) / 2), abs=0.1)
    assert cells.left.size + cells.right.size == pytest.approx(cells.after.size)


def test_a_damaged_file_is_one_line(cells: Cells) -> None:
    for other in (replace(cells.before, start=5), replace(cells.before, size_zyx=(500, 2, 2))):
        with pytest.raises(InputError, match="damaged"):
            read_box(cells.folder, other)
