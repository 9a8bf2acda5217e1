"""Are two sets of sequences alike, and is one a copy of the other? Measures on the distances between sequences.

The distance of two sequences is the mean over their frames, first with first, second with second, of the Chamfer
distance between points spread over the two surfaces (in µm², squared as in Achlioptas et al. 2018 and PointFlow, Yang et
al. 2019), each frame about its own centroid, nothing scaled. Points being random, two clouds of the same surface are
about 2·area / (π·points) apart (of an outline, length² / points²); the measures compare distances that all carry this.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import cKDTree

from cytoform.assess.statistics.intervals import REPLICATES, Estimate, around
from cytoform.errors import InputError
from cytoform.shapes.boundary import boundary_from_distance, boundary_points
from cytoform.shapes.store import ShapeSequence

Distances = Float[np.ndarray, "references samples"]
Weights = Float[np.ndarray, " _"]
Rows = Int[np.ndarray, " _"]
N_CHOICES = 200
# Rotations that bring principal axes onto themselves, by number of dimensions.
FLIPS = {
    3: tuple(np.diag(signs) for signs in ((1.0, 1.0, 1.0), (1.0, -1.0, -1.0), (-1.0, 1.0, -1.0), (-1.0, -1.0, 1.0))),
    2: tuple(np.diag(signs) for signs in ((1.0, 1.0), (-1.0, -1.0))),
}


@dataclass(frozen=True)
class Clouds:
    """Points on the surface of every frame of a sequence, as trees; None for an empty frame."""

    name: str
    frames: tuple[cKDTree | None, ...]
    is_principal: bool = False  # in the principal axes of all frames together, whose directions are open

    @classmethod
    def on_surface(
        cls, sequence: ShapeSequence, n_points: int, rng: np.random.Generator, *, frames: Sequence[int] | None = None
    ) -> "Clouds":
        """`n_points` points a frame (all, or those given), evenly spread over the surface, about the frame's centroid."""
        chosen = range(sequence.info.n_frames) if frames is None else frames
        return cls(sequence.info.name, tuple(_frame_cloud(sequence, frame, n_points, rng) for frame in chosen))

    def principal(self) -> "Clouds":
        """All frames in the principal axes of their points, the longest along z, by one rotation."""
        points = [tree.data for tree in self.frames if tree is not None]
        if not points:
            return self
        _, axes = np.linalg.eigh(np.cov(np.concatenate(points).T, bias=True))
        axes[:, 0] *= np.sign(np.linalg.det(axes))
        return replace(self.turned(axes.T), is_principal=True)

    @cached_property
    def flipped(self) -> tuple["Clouds", ...]:
        """The clouds in all ways that principal axes can point, first as they are."""
        n_dims = next((tree.m for tree in self.frames if tree is not None), 3)
        return (self, *(self.turned(flip) for flip in FLIPS[n_dims][1:]))

    def turned(self, matrix: Float[np.ndarray, "dims dims"]) -> "Clouds":
        """All frames about their centroids by one rotation matrix (xyz)."""
        return Clouds(self.name, tuple(None if tree is None else cKDTree(tree.data @ matrix.T) for tree in self.frames))


def _frame_cloud(sequence: ShapeSequence, frame: int, n_points: int, rng: np.random.Generator) -> cKDTree | None:
    field = sequence.box(frame)
    if field.is_empty:
        return None
    # About the cell's own centroid, so it does not matter where the box lies.
    boundary = boundary_from_distance(field.box_sdf_um, sequence.grid.spacing_um)
    centroid_zyx = np.stack(np.nonzero(field.inside)).mean(axis=1) + 0.5
    return cKDTree(boundary_points(boundary, n_points, rng) - centroid_zyx[::-1] * sequence.grid.spacing_um)


def chamfer_um2(a: cKDTree, b: cKDTree) -> float:
    """Mean squared distance from the points of each cloud to the nearest of the other, both ways added."""
    there, back = np.asarray(b.query(a.data)[0]), np.asarray(a.query(b.data)[0])
    return float((there**2).mean() + (back**2).mean())


def cloud_offset_um2(extents: Float[np.ndarray, " _"], n_points: int, n_dims: int = 3) -> float:
    """Expected distance of two random clouds of as many points on one surface, for surfaces of the mean of these areas.

    In images, on outlines of these lengths.
    """
    if n_dims == 2:
        return float(np.mean(extents**2)) / n_points**2
    return 2 * float(extents.mean()) / (math.pi * n_points)


def sequence_distance_um2(a: Clouds, b: Clouds) -> float:
    """Mean over frames of the Chamfer distance; infinite where just one of two frames is empty. Raises InputError.

    In principal axes it is the smallest over the directions that these can point in.
    """
    if a.is_principal and b.is_principal:
        return min(_distance_um2(a, other) for other in b.flipped)
    return _distance_um2(a, b)


def _distance_um2(a: Clouds, b: Clouds) -> float:
    if len(a.frames) != len(b.frames):
        raise InputError(
            f"{a.name} has {len(a.frames)} frames and {b.name} {len(b.frames)}: distances need as many; use --frames"
        )
    return float(np.mean([_frame_distance_um2(*pair) for pair in zip(a.frames, b.frames, strict=True)]))


def _frame_distance_um2(a: cKDTree | None, b: cKDTree | None) -> float:
    if a is None or b is None:
        return 0.0 if a is b else np.inf
    return chamfer_um2(a, b)


def pairwise_um2(
    a: Sequence[Clouds], b: Sequence[Clouds], done: Callable[[], object] = lambda: None
) -> Float[np.ndarray, "a b"]:
    """Distance of every sequence of `a` to every one of `b`; `done` is called after each of `a`."""
    distances = np.zeros((len(a), len(b)))
    for i, one in enumerate(a):
        for j, other in enumerate(b):
            # A set against itself needs only half.
            distances[i, j] = distances[j, i] if a is b and j <= i else sequence_distance_um2(one, other)
        done()
    return distances


@dataclass(frozen=True)
class SetDistances:
    """All distances in and between a set of references and a set of samples."""

    references: Float[np.ndarray, "references references"]
    between: Distances
    samples: Float[np.ndarray, "samples samples"]

    def of(self, references: Rows, samples: Rows) -> "SetDistances":
        """The distances of some of them."""
        return SetDistances(
            self.references[np.ix_(references, references)],
            self.between[np.ix_(references, samples)],
            self.samples[np.ix_(samples, samples)],
        )


def minimum_matching_distance(between: Distances, weights: Weights | None = None) -> float:
    """MMD: mean over references of the distance to the nearest sample. Small: every reference has a good likeness."""
    return float(np.average(between.min(axis=1), weights=weights))


def coverage(between: Distances) -> float:
    """COV: share of references that are the nearest one of some sample. 1 is best; copies of one reference give 1/n."""
    return len(np.unique(between.argmin(axis=0))) / len(between)


def one_nearest_neighbour_accuracy(distances: SetDistances, weights: Weights | None = None) -> float:
    """1-NNA: share of all sequences whose nearest other one is of their own set. 0.5: the sets cannot be told apart.

    A sequence at an infinite distance from all others, for it has an empty frame, counts as told apart.
    """
    union = np.block([[distances.references, distances.between], [distances.between.T, distances.samples]])
    np.fill_diagonal(union, np.inf)
    is_reference = np.arange(len(union)) < len(distances.references)
    own = is_reference[union.argmin(axis=1)] == is_reference
    return float(np.average(own | np.isinf(union.min(axis=1)), weights=weights))


def novelty(between: Distances) -> Float[np.ndarray, " samples"]:
    """Distance of each sample to its nearest reference."""
    return between.min(axis=0)


@dataclass(frozen=True)
class SetMeasures:
    """How alike two sets of sequences are."""

    mmd_um2: Estimate
    coverage: Estimate
    one_nna: Estimate


def compare_sets(
    distances: SetDistances, *, rng: np.random.Generator, n_replicates: int = REPLICATES, n_each: int | None = None
) -> SetMeasures:
    """MMD, COV and 1-NNA with bootstrap intervals, for which sequences of both sets are drawn with replacement.

    Copies of a sequence are not neighbours of each other. All three depend on the numbers of sequences; with `n_each`,
    at most the size of the smaller set, they are means over random choices of so many sequences of each set.
    """
    sizes = distances.between.shape
    wanted = sizes if n_each is None else (n_each, n_each)
    choices = [[np.arange(n) for n in sizes]]
    if wanted != sizes:
        choices = [[rng.permutation(n)[:k] for n, k in zip(sizes, wanted, strict=True)] for _ in range(N_CHOICES)]
    value = np.mean([_measures(distances.of(*rows), *map(np.ones, wanted)) for rows in choices], axis=0)
    replicates = []
    for _ in range(n_replicates):
        drawn = [rng.integers(0, n, k) for n, k in zip(sizes, wanted, strict=True)]
        (references, of_references), (samples, of_samples) = (np.unique(rows, return_counts=True) for rows in drawn)
        replicates.append(_measures(distances.of(references, samples), of_references, of_samples))
    return SetMeasures(*around(value, np.array(replicates), least=(0, 0, 0), most=(np.inf, 1, 1)))


def _measures(distances: SetDistances, references: np.ndarray, samples: np.ndarray) -> Float[np.ndarray, " 3"]:
    """The three measures, where the sequences of both sets occur so many times."""
    return np.array(
        [
            minimum_matching_distance(distances.between, references.astype(float)),
            coverage(distances.between),
            one_nearest_neighbour_accuracy(distances, np.concatenate([references, samples]).astype(float)),
        ]
    )
