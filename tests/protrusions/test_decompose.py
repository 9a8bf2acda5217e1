"""Whole sequences: tracks with known births and ends, bodies written, any number of workers."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from protruding import BODY_UM, GRID, MIDDLE, OFF, RADIUS_UM, cell, direction, spike
from stores import write_store

from cytoform.protrusions.decompose import n_tasks, take_apart
from cytoform.shapes.store import ShapeStore

OUTS = [direction(10, 5), direction(130, -20), direction(250, 30)]
# Length in µm of every protrusion in every frame; 0: it is not there.
LENGTHS = np.array(
    [
        [1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.2],
        [0.0, 0.0, 1.0, 1.4, 0.0, 1.4, 1.0],  # born in the movie, missing in one frame
        [1.6, 1.4, 1.0, 0.8, 0.0, 0.0, 0.0],  # gone in the movie
    ]
)


def frames_of(lengths: np.ndarray) -> list[np.ndarray]:
    return [
        cell([spike(out, um, centre=OFF) for out, um in zip(OUTS, at, strict=False) if um], balls=[(OFF, BODY_UM)])
        for at in lengths.T
    ]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ShapeStore:
    path = tmp_path_factory.mktemp("parts") / "cells.zarr"
    empty = np.full(GRID.shape, 9.0, np.float32)
    frames = {"known": frames_of(LENGTHS), "gap": [*frames_of(LENGTHS[:1, :2]), empty, *frames_of(LENGTHS[:1, 3:5])]}
    return ShapeStore.open(write_store(path, frames, grid=GRID, time_step_s=20.0))


def test_tracks_have_the_known_births_ends_and_lengths(store: ShapeStore) -> None:
    (parts,) = take_apart(store, RADIUS_UM, names=["known"])
    assert (parts.name, parts.n_frames, parts.time_step_s, parts.radius_um) == ("known", 7, 20.0, RADIUS_UM)
    assert len(parts.tracks) == 3
    for track in parts.tracks:
        out = track.curves[track.first].line_zyx_um[0] - OFF
        true_um = LENGTHS[int(np.argmax(np.array(OUTS) @ out))]
        assert sorted(track.curves) == np.flatnonzero(true_um).tolist()
        found = [track.curves[frame].length_um for frame in sorted(track.curves)]
        assert found == pytest.approx(true_um[true_um > 0], abs=0.6 * GRID.spacing_um)


def test_volumes_and_centres_of_the_body(store: ShapeStore) -> None:
    (parts,) = take_apart(store, RADIUS_UM, names=["known"])
    for frame, of_frame in zip(LENGTHS.T, parts.frames, strict=True):
        assert of_frame.n_bodies == 1
        assert of_frame.body_um3 == pytest.approx(4 / 3 * np.pi * BODY_UM**3, rel=0.03)
        tubes_um3 = np.pi * 0.3**2 * frame.sum()
        assert of_frame.cell_um3 - of_frame.body_um3 == pytest.approx(tubes_um3, abs=0.4 + 0.1 * tubes_um3)
        assert of_frame.centre_zyx_um == pytest.approx(OFF, abs=0.1)


def test_an_empty_frame_is_a_frame_that_misses_the_protrusion(store: ShapeStore) -> None:
    (parts,) = take_apart(store, RADIUS_UM, names=["gap"])
    assert [frame.n_bodies for frame in parts.frames] == [1, 1, 0, 1, 1]
    assert [sorted(track.curves) for track in parts.tracks] == [[0, 1, 3, 4]]


def test_the_first_frames_only(store: ShapeStore) -> None:
    some, whole = (take_apart(store, RADIUS_UM, names=["known"], n_frames=n)[0] for n in (3, 99))
    assert (some.n_frames, len(some.frames), whole.n_frames) == (3, 3, 7)
    assert max(track.last for track in some.tracks) == 2


def test_bodies_are_written_and_two_workers_find_the_same(store: ShapeStore, tmp_path: Path) -> None:
    found, bodies = [], []
    for workers in (1, 2):
        out = ShapeStore.create(tmp_path / f"{workers}.zarr", GRID, band_um=store.band_um, attributes={"command": "t"})
        for sequence in store:
            out.add(sequence.info)
        calls: list[None] = []
        found.append(take_apart(store, RADIUS_UM, bodies=out, workers=workers, done=partial(calls.append, None)))
        assert len(calls) == n_tasks(store) == 3
        bodies.append(np.stack([out["known"].sdf_um(frame) for frame in range(7)]))
    assert np.array_equal(*bodies)
    ball = cell([], balls=[(OFF, BODY_UM)])
    assert ((bodies[0][5] <= 0) ^ (ball <= 0)).sum() < 0.04 * (ball <= 0).sum()
    for one, two in zip(*found, strict=True):
        assert [track.label for track in one.tracks] == [track.label for track in two.tracks]
        for a, b in zip(one.tracks, two.tracks, strict=True):
            assert a.curves.keys() == b.curves.keys()
            assert all(np.array_equal(a.curves[t].line_zyx_um, b.curves[t].line_zyx_um) for t in a.curves)


def test_branches_grow_with_their_parents(tmp_path: Path) -> None:
    out, side = direction(20, 10), direction(110, -5)
    frames = []
    for length_um in (0.0, 0.8, 1.2, 2.2):
        fork = OFF + (BODY_UM + 1.1) * out
        twig = [spike(side, length_um, radius_um=0.25, centre=fork, body_um=0.0)] if length_um else []
        frames.append(cell([spike(out, 2.4, radius_um=0.25, centre=OFF), *twig], balls=[(OFF, BODY_UM)]))
    path = write_store(tmp_path / "fork.zarr", {"a": frames}, grid=GRID)
    (parts,) = take_apart(ShapeStore.open(path), RADIUS_UM)
    main, twig = parts.tracks
    assert (main.parent, twig.parent) == (None, 1)
    assert [sorted(track.curves) for track in parts.tracks] == [[0, 1, 2, 3], [1, 2, 3]]
    # Also in the last frame, where the way into the branch is the longer one.
    assert [curve.length_um for curve in main.curves.values()] == pytest.approx([2.4] * 4, abs=1.5 * GRID.spacing_um)
    assert [curve.length_um for curve in twig.curves.values()] == pytest.approx(
        [0.8, 1.2, 2.2], abs=1.5 * GRID.spacing_um
    )


def test_a_thin_cell_has_no_body_and_no_tracks(tmp_path: Path) -> None:
    path = write_store(tmp_path / "thin.zarr", {"a": [cell([], balls=[(MIDDLE, 0.5)])] * 2}, grid=GRID)
    (parts,) = take_apart(ShapeStore.open(path), RADIUS_UM)
    assert parts.tracks == []
    assert [frame.n_bodies for frame in parts.frames] == [0, 0]
