"""Cells in contact: exact sizes, no shared voxel, one piece each, straight borders between equals, and what they refuse."""

from pathlib import Path

import numpy as np
import pytest
from flat import disc, ellipse, ellipses
from scipy.ndimage import distance_transform_edt, label

from cytoform.base.triples import floats
from cytoform.errors import InputError
from cytoform.scenes.bodies import BoxWriter, taken_by
from cytoform.scenes.compose import Composed, Placement, View, compose
from cytoform.scenes.contact import Contact, pressed
from cytoform.scenes.room import Room
from cytoform.scenes.stage import benchmark
from cytoform.shapes.box import BoxedField
from cytoform.shapes.grid import Grid
from scenes import boxed_ball, challenge_scores, files_of, read_labels, request

FLAT = Grid(64, 8.0, 2)
PIXEL_UM = 0.25
OPEN, CLOSED = (True, True), (False, False)
Places = list[tuple[float, float]]


def in_contact(
    folder: Path, fields: list[np.ndarray], places: Places, contact: Contact, *, size: int = 80
) -> tuple[list[Placement], Composed, list[int]]:
    """The pressed placements and the frame of 2D cells, and how many pixels of each are in view before."""
    with BoxWriter(folder / "0.bin") as boxes:
        shapes = [boxes.add(BoxedField(FLAT, (0, 0), sdf_um, 1.0)) for sdf_um in fields]
    view = View((1, size, size), (1.0, PIXEL_UM, PIXEL_UM), 9, n_dims=2)
    placed = [Placement(n, n + 1, shape, floats(at)) for n, (shape, at) in enumerate(zip(shapes, places, strict=True))]
    before = []
    for each in placed:
        taken = taken_by(
            folder, each.shape, centre_zyx_um=np.array(each.centre_zyx_um, float), spacing_zyx_um=(PIXEL_UM,) * 2
        )
        before.append(int(taken.clipped((size, size)).inside.sum()))
    found = pressed(0, placed, view, folder, "contact", contact)
    return found, compose(found, view, folder), before


def sizes(frame: Composed) -> list[int]:
    return np.bincount(frame.labels_zyx.ravel())[1:].tolist()


def test_equal_discs_share_a_straight_border_and_keep_their_areas(tmp_path: Path) -> None:
    """By symmetry the border is the line in the middle, at x = 10 µm."""
    _, frame, before = in_contact(tmp_path, [disc(3.0)] * 2, [(10, 7.8), (10, 12.2)], Contact(0.3, None, OPEN))
    assert frame.n_shared == 0
    labels = frame.labels_zyx[0]
    assert not (labels[:, 40:] == 1).any()
    assert not (labels[:, :40] == 2).any()
    touching = (labels[:, 39] == 1) & (labels[:, 40] == 2)
    assert touching.sum() > 12
    assert sizes(frame) == pytest.approx(before, rel=0.02)  # eight pixels on each side are equally far


def test_a_small_cell_gives_way_as_a_large_one_does(tmp_path: Path) -> None:
    """All areas are kept, in one piece each, in a row of three that would overlap."""
    fields = [disc(3.0), disc(1.5), ellipse((2.0, 4.0))]
    _, frame, before = in_contact(tmp_path, fields, [(10, 6), (10, 9.4), (10, 13.5)], Contact(0.3, None, OPEN))
    assert sizes(frame) == pytest.approx(before, rel=0.03)
    assert [label(frame.labels_zyx[0] == n)[1] for n in (1, 2, 3)] == [1, 1, 1]


def test_balls_keep_their_volumes(tmp_path: Path) -> None:
    spacing = (0.5, 0.4, 0.4)
    with BoxWriter(tmp_path / "0.bin") as boxes:
        shapes = [boxes.add(boxed_ball(radius)) for radius in (3.0, 2.0)]
    view = View((30, 50, 50), spacing, 9)
    placed = [Placement(0, 1, shapes[0], (7.0, 9.0, 8.0)), Placement(1, 2, shapes[1], (8.0, 9.5, 11.5))]
    found = pressed(0, placed, view, tmp_path, "contact", Contact(0.4, None, (False, True, True)))
    frame = compose(found, view, tmp_path)
    assert frame.n_shared == 0
    for n, each in enumerate(placed, start=1):
        taken = taken_by(
            tmp_path, each.shape, centre_zyx_um=np.array(each.centre_zyx_um, float), spacing_zyx_um=spacing
        )
        assert (frame.labels_zyx == n).sum() == pytest.approx(taken.inside.sum(), rel=0.01)
        assert label(frame.labels_zyx == n)[1] == 1
    # Their places are kept too: contact moves surfaces, not cells.
    assert found[0].shape.centroid_zyx_um == pytest.approx((7.0, 9.0, 8.0), abs=0.5)


def test_cells_that_do_not_meet_stay_as_they_are(tmp_path: Path) -> None:
    found, _, _ = in_contact(tmp_path, [disc(2.0)] * 2, [(5, 5), (15, 15)], Contact(0.3, None, OPEN))
    assert [each.shape.file for each in found] == ["0.bin", "0.bin"]


def test_a_confluent_layer_has_no_gap(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    places: Places = [(y + rng.uniform(-1, 1), x + rng.uniform(-1, 1)) for y in (3, 10, 17) for x in (3, 10, 17)]
    fields = [ellipse(tuple(rng.uniform(2.2, 4.0, 2).tolist())) for _ in places]
    _, frame, before = in_contact(tmp_path, fields, places, Contact(0.2, 1.0, OPEN))
    assert frame.n_shared == 0
    assert (frame.labels_zyx > 0).mean() > 0.999
    # One factor for all.
    factors = np.array(sizes(frame)) / before
    assert factors == pytest.approx(np.full(9, factors.mean()), rel=0.03)


def test_the_covered_share_is_the_asked_one(tmp_path: Path) -> None:
    places: Places = [(5, 5), (5, 14), (14, 5), (14, 14)]
    _, frame, _ = in_contact(tmp_path, [disc(3.0)] * 4, places, Contact(0.2, 0.6, CLOSED))
    assert (frame.labels_zyx[0, 1:-1, 1:-1] > 0).mean() == pytest.approx(0.6, abs=0.005)
    edge = np.ones((80, 80), bool)
    edge[1:-1, 1:-1] = False
    assert not frame.labels_zyx[0][edge].any()


def test_a_closed_border_presses_cells_too(tmp_path: Path) -> None:
    _, frame, _ = in_contact(tmp_path, [disc(3.0)], [(10, 2.2)], Contact(0.3, None, CLOSED))
    assert not frame.labels_zyx[0, :, 0].any()
    assert sizes(frame)[0] == pytest.approx(np.pi * 9 / PIXEL_UM**2, rel=0.02)


def test_a_gap_is_left_between_cells(tmp_path: Path) -> None:
    contact = Contact(0.3, None, OPEN, gap_um=0.5)
    _, frame, before = in_contact(tmp_path, [disc(3.0)] * 2, [(10, 8), (10, 12)], contact)
    labels = frame.labels_zyx[0]
    assert distance_transform_edt(labels != 1)[labels == 2].min() * PIXEL_UM >= 0.5
    assert sizes(frame) == pytest.approx(before, rel=0.03)


def test_crossing_rods_stay_in_one_piece_each(tmp_path: Path) -> None:
    fields = [ellipse((1.2, 5.0)), ellipse((5.0, 1.2))]
    _, frame, before = in_contact(tmp_path, fields, [(10, 10), (10, 11)], Contact(0.5, None, OPEN))
    assert [label(frame.labels_zyx[0] == n, np.ones((3, 3)))[1] for n in (1, 2)] == [1, 1]
    assert sizes(frame) == pytest.approx(before, rel=0.03)


def test_a_sliver_at_the_border_may_be_lost(tmp_path: Path) -> None:
    """Five pixels in view, beside a large cell: within three pixels of that, and none shared."""
    fields, places = [disc(3.0), disc(1.0)], [(10.0, 1.5), (10.0, -0.75)]
    _, frame, before = in_contact(tmp_path, fields, places, Contact(0.5, None, OPEN))
    assert before[1] <= 5
    assert frame.n_shared == 0
    assert (frame.labels_zyx == 2).sum() == pytest.approx(before[1], abs=3)


def test_more_than_fits_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"too crowded: in frame 0 a cell of .* finds room for"):
        in_contact(tmp_path, [disc(3.0)] * 4, [(4, 4), (4, 6), (6, 4), (6, 6)], Contact(0.5, None, CLOSED), size=40)


def test_cells_cannot_grow_without_end(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--confluence 1: cells would have to become .* times as large"):
        in_contact(tmp_path, [disc(2.0)], [(10, 10)], Contact(0.2, 1.0, OPEN))


def test_firm_parts_are_smaller_and_in_place(tmp_path: Path) -> None:
    with BoxWriter(tmp_path / "0.bin") as boxes:
        shape = boxes.add(BoxedField(FLAT, (0, 0), disc(3.0, shift_yx_um=(1.0, 0.0)), 1.0))
    firm = shape.about_its_middle(0.8)
    taken = taken_by(tmp_path, firm, centre_zyx_um=np.array([10.0, 10.0]), spacing_zyx_um=(PIXEL_UM,) * 2)
    assert taken.inside.sum() * PIXEL_UM**2 == pytest.approx(np.pi * 2.4**2, rel=0.02)
    middle = (np.argwhere(taken.inside).mean(axis=0) + taken.corner_zyx + 0.5) * PIXEL_UM
    assert middle == pytest.approx((11.0, 10.0), abs=0.05)


def test_firm_parts_grow_with_the_cells_that_cover_the_field() -> None:
    """A room of 400 µm² with cells of 200 µm²: at full confluence all become twice as large."""
    room = Room((80, 80), (PIXEL_UM,) * 2, OPEN)
    assert Contact(0.2, None, OPEN).firmness(200.0, room) == pytest.approx(0.8)
    assert Contact(0.2, 1.0, OPEN).firmness(200.0, room) == pytest.approx(0.8 * 2**0.5)


def test_a_monolayer_is_a_data_set_that_the_challenge_accepts(tmp_path: Path) -> None:
    """With one worker and with two: the same bytes."""
    cells = ellipses(tmp_path / "cells.zarr", n=4, n_frames=3)
    small = {"size_zyx": (1, 60, 60), "voxel_size_zyx_um": (1.0, 0.4, 0.4), "frames": 3, "cells": 20, "leave": "xy"}
    wanted = request(cells, confluence=1.0, **small)
    (made,) = benchmark(wanted, tmp_path / "one")
    benchmark(wanted, tmp_path / "two", workers=2)
    assert files_of(tmp_path / "one") == files_of(tmp_path / "two")
    assert all(frame.n_shared == 0 and frame.inside_share > 0.99 for frame in made.measured)
    labels = read_labels(tmp_path / "one", 2).astype(int)
    pieces = [label(labels == each, np.ones((3, 3)))[1] for each in np.unique(labels[labels > 0])]
    assert max(pieces) == 1
    (tmp_path / "room").mkdir()
    assert challenge_scores(tmp_path / "one", tmp_path / "room") == {"SEG": 1, "DET": 1, "TRA": 1}
