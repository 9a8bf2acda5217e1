"""Training samples against the exact distance of a ball."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import erf

from cytoform.errors import EmptyFrame
from cytoform.representations.rotation import MIRRORS
from cytoform.runs.config import SamplingConfig
from cytoform.runs.samples import draw_pool, draw_samples, training_frames
from cytoform.shapes.grid import Grid
from cytoform.shapes.store import SequenceInfo, ShapeStore
from cytoform.simulate.analytic import Ball

GRID = Grid(48, 6.0)
BALL = Ball(3.0, 4.0, centre_zyx_um=(6.0, 6.0, 6.0))
SAMPLING = SamplingConfig(pool_points=5000)


@pytest.fixture
def store(tmp_path: Path) -> ShapeStore:
    store = ShapeStore.create(tmp_path / "a.zarr", GRID, band_um=1.5, attributes={})
    points = GRID.points_zyx_um()
    for name in ("a", "b"):
        sequence = store.add(SequenceInfo(name, 3))
        for frame in range(3):
            distances = BALL.distance_um(points, frame / 2).reshape(GRID.shape)
            sequence.write(frame, distances.astype(np.float32))
    return store


def test_distances_are_exact_at_continuous_positions(store: ShapeStore) -> None:
    samples = draw_samples(store["a"], 2, SAMPLING, np.random.default_rng(0))
    points_zyx_um = (samples[:, 2::-1].astype(float) + 1) * 6
    exact = BALL.distance_um(points_zyx_um, 1.0)
    error_um = np.abs(samples[:, 3] * 6 - exact)
    near = np.abs(exact) < 1.0
    assert error_um[near].max() < 0.02  # a twelfth of a voxel
    assert error_um.mean() < 0.01
    # Beyond the band the nearest mesh vertex stands for the surface.
    assert error_um[np.abs(exact) > 1.5].max() < 0.05
    on_centres = np.isclose((points_zyx_um / GRID.spacing_um) % 1, 0.5, atol=1e-3).all(axis=1)
    assert on_centres.mean() < 0.01


def test_points_for_any_pose_fill_the_ball_around_the_cube(store: ShapeStore) -> None:
    samples = draw_samples(store["a"], 2, SAMPLING, np.random.default_rng(0), any_pose=True)
    radius = np.linalg.norm(samples[:, :3], axis=1)
    assert 1.7 < radius.max() <= np.sqrt(3) + 1e-6
    outside = np.abs(samples[:, :3]).max(axis=1) > 1
    assert 0.05 < outside.mean() < 0.2
    exact = BALL.distance_um((samples[:, 2::-1].astype(float) + 1) * 6, 1.0)
    assert np.abs(samples[:, 3] * 6 - exact.clip(max=12))[outside].max() < 0.05
    plain = draw_samples(store["a"], 2, SAMPLING, np.random.default_rng(0))
    assert np.abs(plain[:, :3]).max() <= 1


def test_only_some_chunks_hold_the_cell(tmp_path: Path) -> None:
    """A ball in a corner of the cube, and cut by its face."""
    grid = Grid(100, 6.0)
    ball = Ball(2.0, centre_zyx_um=(3.0, 9.9, 11.0))
    sequence = ShapeStore.create(tmp_path / "a.zarr", grid, band_um=0.6, attributes={}).add(SequenceInfo("a", 1))
    sequence.write(0, ball.distance_um(grid.points_zyx_um()).reshape(grid.shape).astype(np.float32))
    samples = draw_samples(sequence, 0, SAMPLING, np.random.default_rng(0))
    exact_um = ball.distance_um((samples[:, 2::-1].astype(float) + 1) * 6)
    error_voxels = np.abs(samples[:, 3] * 6 - exact_um.clip(max=12)) / grid.spacing_um
    # Deeper inside, the face counts as surface; between the last voxel centres and the face nothing is extrapolated.
    outer = exact_um > -0.35
    assert error_voxels[outer].max() < 0.6
    assert error_voxels[outer].mean() < 0.02


def test_shares_of_near_and_far(store: ShapeStore) -> None:
    sampling = SamplingConfig(pool_points=20_000, near_sigma=(0.02,))
    samples = draw_samples(store["a"], 0, sampling, np.random.default_rng(1))
    near = np.abs(samples[:, 3]) < 4 * 0.02
    # Uniform points fall near the surface too: 4 π r² · 2 · 4σ out of 2³.
    by_chance = 4 * np.pi * 0.5**2 * 8 * 0.02 / 8
    assert near.mean() == pytest.approx(0.7 + 0.3 * by_chance, abs=0.02)
    assert np.abs(samples[:, :3]).max() <= 1
    # Any run of a pool holds the same mixture.
    assert near[:2000].mean() == pytest.approx(near.mean(), abs=0.04)


def test_widths_around_the_surface_share_its_points_evenly(store: ShapeStore) -> None:
    sampling = SamplingConfig(pool_points=20_000, near_share=1.0, near_sigma=(0.05, 0.05, 0.005))
    distance = np.abs(draw_samples(store["a"], 0, sampling, np.random.default_rng(1))[:, 3])
    # On a nearly flat surface, distances are normal with the width of their part.
    within = 2 / 3 * erf(0.01 / 0.05 / np.sqrt(2)) + 1 / 3 * erf(0.01 / 0.005 / np.sqrt(2))
    assert (distance < 0.01).mean() == pytest.approx(within, abs=0.02)


def test_truncation_cuts_distances(store: ShapeStore) -> None:
    sampling = SamplingConfig(pool_points=2000, truncation=0.1)
    samples = draw_samples(store["a"], 0, sampling, np.random.default_rng(1))
    assert np.abs(samples[:, 3]).max() == pytest.approx(0.1)


def test_frames_and_times(store: ShapeStore) -> None:
    frames = training_frames(store, ["b", "a"], 2)
    assert [(f.sequence, f.frame, f.code, f.time) for f in frames] == [
        ("b", 0, 0, -1.0), ("b", 2, 0, 1.0), ("a", 0, 1, -1.0), ("a", 2, 1, 1.0),
    ]  # fmt: skip


def test_pool_is_reused_only_for_the_same_recipe(store: ShapeStore, tmp_path: Path) -> None:
    frames, calls = training_frames(store, ["a", "b"], 1), []
    folder = tmp_path / "samples"
    for seed in (0, 0, 1):
        pool = draw_pool(store, frames, folder, sampling=SAMPLING, seed=seed, done=lambda: calls.append(1))
    assert len(calls) == 2 * 6
    batch = pool.batch(np.array([4, 1]), 64, np.random.default_rng(0))
    assert batch.points.shape == (2, 64, 3)
    assert batch.codes.tolist() == [1, 0]
    assert batch.times.tolist() == [0.0, 0.0]


def test_same_seed_same_bytes_for_any_number_of_workers(store: ShapeStore, tmp_path: Path) -> None:
    frames = training_frames(store, ["a"], 1)
    for workers in (1, 2):
        draw_pool(store, frames, tmp_path / str(workers), sampling=SAMPLING, seed=5, workers=workers)
    assert (tmp_path / "1" / "samples.npy").read_bytes() == (tmp_path / "2" / "samples.npy").read_bytes()


def test_empty_frame_is_named(store: ShapeStore) -> None:
    sequence = store.add(SequenceInfo("empty", 1, source="movie.tif"))
    with pytest.raises(EmptyFrame, match=r"movie.tif, frame 0"):
        draw_samples(sequence, 0, SAMPLING, np.random.default_rng(0))


def test_batches_are_the_same_from_disk_and_from_a_device(store: ShapeStore, tmp_path: Path) -> None:
    frames = training_frames(store, store.names, 1)
    pool = draw_pool(store, frames, tmp_path / "pool", sampling=SAMPLING, seed=0)
    rows = np.array([5, 0, 3])
    mapped = [pool.batch(rows, n, np.random.default_rng(1)) for n in (7, 5000, 9000)]
    pool.keep_on(torch.device("cpu"))
    resident = [pool.batch(rows, n, np.random.default_rng(1)) for n in (7, 5000, 9000)]
    for one, other in zip(mapped, resident, strict=True):
        assert all(torch.equal(vars(one)[name], vars(other)[name]) for name in vars(one))


def test_mirror_images_are_those_of_their_codes(tmp_path: Path) -> None:
    """A ball off the centre on all axes: the sign of each is found from the code, and distances are those to the image."""
    grid, centre_xyz = Grid(24, 6.0), np.array([1.0, 2.0, 3.0])
    store = ShapeStore.create(tmp_path / "a.zarr", grid, band_um=1.5, attributes={})
    ball = Ball(2.0, 2.0, centre_zyx_um=tuple(centre_xyz[::-1] + 6.0))
    for name in ("a", "b"):
        store.add(SequenceInfo(name, 1)).write(
            0, ball.distance_um(grid.points_zyx_um(), 0).reshape(grid.shape).astype(np.float32)
        )
    frames = training_frames(store, store.names, 1)
    pool = draw_pool(store, frames, tmp_path / "pool", sampling=SAMPLING, seed=0, mirrored=True)
    rows = np.tile([0, 1], 40)
    batch = pool.batch(rows, 50, np.random.default_rng(1))
    assert set(batch.codes[rows == 0].tolist()) == set(range(8))
    assert set(batch.codes[rows == 1].tolist()) == set(range(8, 16))
    for points, distances, code in zip(
        batch.points.numpy(), batch.distances.numpy(), batch.codes.tolist(), strict=True
    ):
        image = centre_xyz * MIRRORS[3][code % 8]
        exact = (np.linalg.norm(6 * points - image, axis=1) - 2) / 6
        np.testing.assert_allclose(distances, exact, atol=0.02)
    # What a process gets of a batch is what one process alone would have.
    part = pool.batch(rows, 50, np.random.default_rng(1), part=slice(1, None, 2))
    assert torch.equal(part.points, batch.points[1::2])
    assert torch.equal(part.codes, batch.codes[1::2])
    assert MIRRORS[3][0].tolist() == [1, 1, 1]
