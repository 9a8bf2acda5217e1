"""The body is what lasts; thick protrusions are what comes and goes, each with its own distance and its own track."""

from pathlib import Path

import numpy as np
import pytest
from blebbing import BLEB_UM, BODY_UM, HEIGHT_UM, LIFE, N_FRAMES, births, blebbing_frames
from protruding import GRID, OFF, boxed
from stores import write_store

from cytoform.protrusions.body import shares
from cytoform.protrusions.decompose import take_apart
from cytoform.protrusions.lasting import around, lasting_body, on_one_box, window_of
from cytoform.protrusions.parts import PartsOfSequence
from cytoform.protrusions.pieces import Piece
from cytoform.shapes.store import ShapeStore


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> PartsOfSequence:
    path = tmp_path_factory.mktemp("lasting") / "blebs.zarr"
    return take_apart(ShapeStore.open(write_store(path, {"a": blebbing_frames()}, grid=GRID)), None)[0]


def test_windows_fit_the_movie() -> None:
    assert window_of(9) is None
    assert window_of(14) == 7
    assert window_of(1000) == 15
    assert [list(around(frame, 6, 3)) for frame in (0, 3, 5)] == [[0, 1, 2], [2, 3, 4], [3, 4, 5]]


def test_the_body_is_the_ball_that_lasts() -> None:
    fields = on_one_box([boxed(sdf_um) for sdf_um in blebbing_frames()[2:9]], 5)
    body = lasting_body(fields, 1.0)
    points = GRID.points_zyx_um().reshape(*GRID.shape, 3)[body.slices]
    exact = np.linalg.norm(points - OFF, axis=-1) - BODY_UM
    near = np.abs(exact) < 0.8
    assert np.abs(body.box_sdf_um - exact)[near].mean() < 0.05
    assert np.abs(body.box_sdf_um - exact)[near].max() < 0.25


def test_every_bleb_is_one_track(parts: PartsOfSequence) -> None:
    seen = [first for first, _ in births(0) if 0 < first < N_FRAMES - LIFE]
    whole = [track for track in parts.tracks if track.first > 0 and track.last < N_FRAMES - 1]
    assert sorted(track.first for track in whole if len(track.curves) == LIFE) == seen


def test_a_bleb_has_its_root_height_and_volume(parts: PartsOfSequence) -> None:
    directions = dict(births(0))
    track = next(each for each in parts.tracks if each.first == 3)
    piece = track.curves[4]
    assert isinstance(piece, Piece)
    assert np.linalg.norm(piece.line_zyx_um[0] - OFF - BODY_UM * directions[3]) < 0.3
    assert piece.normal_zyx @ directions[3] > 0.98
    assert piece.length_um == pytest.approx(HEIGHT_UM + BLEB_UM, abs=0.25)
    assert piece.radii_um.max() == pytest.approx(BLEB_UM, abs=0.12)
    points = GRID.points_zyx_um()
    outside = np.linalg.norm(points - OFF, axis=1) - BODY_UM > 0
    ball = np.linalg.norm(points - OFF - (BODY_UM + HEIGHT_UM) * directions[3], axis=1) - BLEB_UM
    exact = float(shares(ball[outside].astype(float), GRID.spacing_um).sum()) * GRID.spacing_um**3
    assert piece.volume_um3 == pytest.approx(exact, rel=0.15)


def test_the_own_distance_of_a_bleb_is_that_of_the_cell_outside(parts: PartsOfSequence) -> None:
    frames = blebbing_frames()
    piece = next(each for each in parts.tracks if each.first == 3).curves[4]
    assert isinstance(piece, Piece)
    assert piece.patch is not None
    own, cell_um = piece.patch.box_sdf_um.astype(float), frames[4][piece.patch.slices]
    points = GRID.points_zyx_um().reshape(*GRID.shape, 3)[piece.patch.slices]
    height = np.linalg.norm(points - OFF, axis=-1) - BODY_UM
    above = (height > 0.4) & (np.abs(cell_um) < 0.3)
    assert np.abs(own - cell_um)[above].max() < 0.02
    assert (own[height < -1.0] > 0).all()


def test_movies_that_are_too_short_are_refused(tmp_path: Path) -> None:
    store = ShapeStore.open(write_store(tmp_path / "short.zarr", {"a": blebbing_frames()[:4]}, grid=GRID))
    with pytest.raises(ValueError, match="too few"):
        take_apart(store, None)
