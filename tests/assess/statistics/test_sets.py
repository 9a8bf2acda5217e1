"""Measures between sets of sequences: cases worked out by hand, brute force, and properties."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist
from stores import GRID, ball, empty, write_store

from cytoform.assess.statistics.sets import (
    Clouds,
    SetDistances,
    chamfer_um2,
    compare_sets,
    coverage,
    minimum_matching_distance,
    novelty,
    one_nearest_neighbour_accuracy,
    pairwise_um2,
    sequence_distance_um2,
)
from cytoform.errors import InputError
from cytoform.shapes.store import ShapeStore


def sequences(rng: np.random.Generator, n: int, *, name: str = "s") -> list[Clouds]:
    """Sequences of three frames of 40 random points."""
    return [Clouds(f"{name}{i}", tuple(cKDTree(rng.normal(size=(40, 3))) for _ in range(3))) for i in range(n)]


def on_a_line(references: list[float], samples: list[float]) -> SetDistances:
    """Distances of sequences that are numbers."""
    a, b = np.array(references, float)[:, None], np.array(samples, float)[:, None]
    return SetDistances(abs(a - a.T), abs(a - b.T), abs(b - b.T))


def test_chamfer_of_two_small_clouds_by_hand() -> None:
    a, b = cKDTree([[0.0, 0, 0], [3, 0, 0]]), cKDTree([[0.0, 0, 1], [0, 0, 2]])
    # From a: 1 and 9 + 1, mean 5.5; from b: 1 and 4, mean 2.5.
    assert chamfer_um2(a, b) == pytest.approx(8.0)


def test_distances_agree_with_brute_force() -> None:
    rng = np.random.default_rng(0)
    a, b = sequences(rng, 3), sequences(rng, 2)

    def brute(one: Clouds, other: Clouds) -> float:
        squared = [cdist(x.data, y.data, "sqeuclidean") for x, y in zip(one.frames, other.frames, strict=True)]
        return float(np.mean([d.min(0).mean() + d.min(1).mean() for d in squared]))

    np.testing.assert_allclose(pairwise_um2(a, b), [[brute(x, y) for y in b] for x in a])
    np.testing.assert_allclose(pairwise_um2(a, a), [[0 if x is y else brute(x, y) for y in a] for x in a])


def test_turned_clouds_keep_their_distances_to_each_other() -> None:
    a, b = sequences(np.random.default_rng(0), 2)
    a = Clouds("a", (*a.frames[:2], None))
    matrix = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])  # x to y, y to -x
    turned = a.turned(matrix)
    np.testing.assert_allclose(turned.frames[1].data, a.frames[1].data[:, [1, 0, 2]] * [-1, 1, 1])
    assert turned.frames[2] is None
    b = Clouds("b", (*b.frames[:2], None))
    assert sequence_distance_um2(turned, b.turned(matrix)) == pytest.approx(sequence_distance_um2(a, b))
    assert sequence_distance_um2(turned, b) != pytest.approx(sequence_distance_um2(a, b))


def test_an_empty_frame_is_infinitely_far_from_a_full_one_and_equal_to_an_empty_one() -> None:
    full = sequences(np.random.default_rng(0), 1)[0]
    gone = Clouds("gone", (*full.frames[:2], None))
    assert sequence_distance_um2(full, gone) == math.inf
    assert sequence_distance_um2(gone, gone) == 0


def test_another_number_of_frames_is_refused_by_name() -> None:
    full = sequences(np.random.default_rng(0), 1)[0]
    with pytest.raises(InputError, match="s0 has 3 frames and short 2"):
        sequence_distance_um2(full, Clouds("short", full.frames[:2]))


def test_clouds_lie_on_the_surface_about_the_centroid(tmp_path: Path) -> None:
    frames = [ball(3.0), ball(3.0, shift_zyx_um=(1.0, -2.0, 0.5)), empty()]
    store = ShapeStore.open(write_store(tmp_path / "a.zarr", {"a": frames}))
    clouds = Clouds.on_surface(store["a"], 500, np.random.default_rng(0))
    assert clouds.frames[2] is None
    for cloud in clouds.frames[:2]:
        assert cloud is not None
        np.testing.assert_allclose(np.linalg.norm(cloud.data, axis=1), 3.0, atol=0.5 * GRID.spacing_um)
    # Where the ball lies makes no difference: what is left is that the points are random, as the module says.
    floor = 2 * 4 * math.pi * 3.0**2 / (math.pi * 500)
    assert chamfer_um2(*clouds.frames[:2]) == pytest.approx(floor, rel=0.15)  # type: ignore[arg-type]


def test_measures_worked_out_by_hand() -> None:
    distances = on_a_line([0, 10, 20], [1, 2, 12])
    # Nearest samples of 0, 10, 20: 1, 12, 12, at distances 1, 2, 8.
    assert minimum_matching_distance(distances.between) == pytest.approx(11 / 3)
    # Nearest references of 1, 2, 12: 0, 0, 10; 20 is nobody's.
    assert coverage(distances.between) == pytest.approx(2 / 3)
    assert novelty(distances.between).tolist() == [1, 2, 2]
    # Nearest others: 0 -> 1 (other set), 10 -> 12 (other), 20 -> 12 (other), 1 -> 0 or 2: the first, so the other set;
    # 2 -> 1 (own), 12 -> 10 (other).
    assert one_nearest_neighbour_accuracy(distances) == pytest.approx(1 / 6)


def test_accuracy_is_1_for_sets_apart_0_for_copies_and_half_for_alike_ones() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(200, 2)), rng.normal(size=(200, 2))

    def accuracy(x: np.ndarray, y: np.ndarray) -> float:
        return one_nearest_neighbour_accuracy(SetDistances(cdist(x, x), cdist(x, y), cdist(y, y)))

    assert accuracy(a, a + 100) == 1
    assert accuracy(a, a + 1e-6) == 0
    assert accuracy(a, b) == pytest.approx(0.5, abs=0.06)


def test_sequences_with_an_empty_frame_are_told_apart_and_nobodys_likeness() -> None:
    rng = np.random.default_rng(0)
    references = sequences(rng, 2)
    samples = [Clouds("gone", (*one.frames[:2], None)) for one in sequences(rng, 1)]
    between = pairwise_um2(references, samples)
    distances = SetDistances(pairwise_um2(references, references), between, pairwise_um2(samples, samples))
    assert one_nearest_neighbour_accuracy(distances) == 1
    assert minimum_matching_distance(between) == math.inf


def test_intervals_hold_the_figures_shrink_with_more_sequences_and_follow_the_seed() -> None:
    def compared(n: int, seed: int = 0) -> dict[str, tuple[float, float, float]]:
        rng = np.random.default_rng(5)
        a, b = rng.normal(size=(n, 3)), rng.normal(size=(n, 3))
        found = compare_sets(
            SetDistances(cdist(a, a), cdist(a, b), cdist(b, b)), rng=np.random.default_rng(seed), n_replicates=200
        )
        return {key: (e.low, e.value, e.high) for key, e in vars(found).items()}

    few, many = compared(12), compared(100)
    for key in ("mmd_um2", "coverage", "one_nna"):
        assert few[key][0] <= few[key][1] <= few[key][2]
        assert many[key][2] - many[key][0] < few[key][2] - few[key][0]
    assert compared(12) == few
    assert compared(12, seed=1) != few


@pytest.mark.long
def test_intervals_hold_the_expected_figure_about_as_often_as_they_say() -> None:
    """Two samples of one population, many times over: the mean over all times is the truth."""
    rng = np.random.default_rng(2)
    figures, intervals = [], []
    for _ in range(60):
        a, b = rng.normal(size=(25, 3)), rng.normal(size=(25, 3))
        found = compare_sets(SetDistances(cdist(a, a), cdist(a, b), cdist(b, b)), rng=rng, n_replicates=150)
        estimates = [found.mmd_um2, found.coverage, found.one_nna]
        figures.append([e.value for e in estimates])
        intervals.append([(e.low, e.high) for e in estimates])
    truth, bounds = np.mean(figures, axis=0), np.array(intervals)
    held = ((bounds[..., 0] <= truth) & (truth <= bounds[..., 1])).mean(axis=0)
    assert (held >= 0.88).all(), held
