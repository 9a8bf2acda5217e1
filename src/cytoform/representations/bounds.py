"""How fast a trained field changes around its surface; the narrow-band search skips empty space by these bounds."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from cytoform.representations.representation import Frame, Representation

# Lengths at which a field is measured, in units of the half extent: from an eighth of the cube to a voxel of 512³.
LENGTHS = tuple(2.0**-power for power in range(2, 9))
NODES = 4  # cells an axis that a prediction takes: cubic interpolation
# The largest error of a prediction at a slope of 1: absolute weights times distances, in widths, midway between nodes.
PREDICTION_REACH = 2.15
N_FRAMES, N_POINTS, N_DIRECTIONS = 16, 256, 8
BISECTIONS = 20
LEAST_CHANGE, MOST_CHANGE = 1e-9, 1e30  # of a field that is the same everywhere, and of one that overflows


@dataclass(frozen=True)
class Bounds:
    """How a field can change around its surface; all in units of the half extent.

    `slope` is the steepest gradient on the surface. Within LENGTHS[i] of the surface the field is at most reaches[i]; and
    a prediction of a point of the surface from cells of width LENGTHS[i] is at most mispredictions[i].
    """

    slope: float
    reaches: tuple[float, ...]
    mispredictions: tuple[float, ...]

    @classmethod
    def of_slope(cls, slope: float) -> "Bounds":
        """Bounds of a field from its steepest slope alone."""
        reaches = [slope * length for length in LENGTHS]
        return cls(slope, tuple(reaches), tuple(PREDICTION_REACH * reach for reach in reaches))

    def reach(self, length: float) -> float:
        """The largest value within `length` of the surface."""
        return _at(length, self.reaches, self.slope)

    def misprediction(self, width: float) -> float:
        """The largest error of a prediction, from cells of `width`, of a point of the surface."""
        return _at(width, self.mispredictions, PREDICTION_REACH * self.slope)

    def scaled(self, scale: float) -> "Bounds":
        """The bounds of the field of a cell that is `scale` times as large."""
        lengths = [length / scale for length in LENGTHS]
        return Bounds(
            self.slope,
            tuple(scale * self.reach(length) for length in lengths),
            tuple(scale * self.misprediction(length) for length in lengths),
        )

    def times(self, safety: float) -> "Bounds":
        """The bounds with a margin."""
        return Bounds(
            safety * self.slope,
            tuple(safety * reach for reach in self.reaches),
            tuple(safety * error for error in self.mispredictions),
        )


def _at(length: float, measured: tuple[float, ...], steepest: float) -> float:
    """Interpolate values measured at LENGTHS, linearly over logarithms; beyond them in proportion to the slope."""
    if length == 0:
        return 0.0
    if length > LENGTHS[0]:
        return measured[0] + steepest * (length - LENGTHS[0])
    logarithms = np.log(np.maximum(measured[::-1], LEAST_CHANGE))
    return min(math.exp(float(np.interp(math.log(length), np.log(LENGTHS[::-1]), logarithms))), steepest * length)


def measure_bounds(representation: Representation, codes: Float[Tensor, "sequences ..."], *, seed: int) -> Bounds:
    """Measure the bounds at random points of the surface, at random times of learned codes and of codes near them.

    Codes near them are mixtures of two learned codes, and learned codes with noise. Only the surface counts: the search
    loses no piece of it by changes of the field elsewhere.
    """
    rng, n_dims = np.random.default_rng([seed, 4]), representation.n_dims
    slope, reaches, mispredictions = 0.0, np.zeros(len(LENGTHS)), np.zeros(len(LENGTHS))
    for _ in range(N_FRAMES):
        a, b = codes[rng.integers(len(codes))], codes[rng.integers(len(codes))]
        share = rng.choice([0.0, 0.5])
        noise = torch.tensor(rng.normal(0, 0.01, a.shape), dtype=codes.dtype, device=codes.device)
        code, time = (1 - share) * a + share * b + noise, float(rng.uniform(-1, 1))
        evaluate = representation.frame(code, time)
        points = surface_points(evaluate, uniform_points(rng, 16 * N_POINTS, codes, n_dims), rng)
        if not len(points):  # nothing there: the slope anywhere has to do
            points = uniform_points(rng, N_POINTS, codes, n_dims)
        gradients = representation.gradient(code, time, points)
        slope = max(slope, float(gradients.norm(dim=1).max()))
        directions = torch.nn.functional.normalize(uniform_points(rng, N_DIRECTIONS, codes, n_dims), dim=1)
        for i, length in enumerate(LENGTHS):
            reaches[i] = max(reaches[i], _change(evaluate, points, length * directions))
            mispredictions[i] = max(mispredictions[i], _misprediction(evaluate, points, length))
    longer = np.maximum.accumulate(reaches[::-1])[::-1]  # points within a length are within all longer ones
    found = np.array([slope, *longer, *mispredictions])
    # A training that diverged leaves a field that overflows; then no space is skipped.
    slope, *changes = np.nan_to_num(found, nan=MOST_CHANGE).clip(LEAST_CHANGE, MOST_CHANGE).tolist()
    return Bounds(slope, tuple(changes[: len(LENGTHS)]), tuple(changes[len(LENGTHS) :]))


def lagrange_weights(positions: Float[np.ndarray, " m"], n: int = NODES) -> Float[np.ndarray, "m {n}"]:
    """Weights of values at 0, 1, …, n - 1 in the polynomial through them at `positions`."""
    nodes = np.arange(n)
    factors = (positions[:, None, None] - nodes) / np.where(np.eye(n, dtype=bool), 1, nodes[:, None] - nodes)
    return np.where(np.eye(n, dtype=bool), 1, factors).prod(axis=2)


def uniform_points(rng: np.random.Generator, n: int, like: Tensor, n_dims: int = 3) -> Float[Tensor, "n {n_dims}"]:
    """Random points in Ω."""
    return torch.tensor(rng.uniform(-1, 1, (n, n_dims)), dtype=like.dtype, device=like.device)


def surface_points(
    evaluate: Frame, points: Float[Tensor, "n dims"], rng: np.random.Generator
) -> Float[Tensor, "m dims"]:
    """Where lines between `points` inside and outside cross the surface, by bisection; none in an empty frame."""
    is_inside = evaluate(points) <= 0
    inside, outside = points[is_inside], points[~is_inside]
    if not len(inside) or not len(outside):
        return points[:0]
    inside = inside[rng.integers(len(inside), size=N_POINTS)]
    outside = outside[rng.integers(len(outside), size=N_POINTS)]
    for _ in range(BISECTIONS):
        middle = (inside + outside) / 2
        is_inside = (evaluate(middle) <= 0)[:, None]
        inside, outside = torch.where(is_inside, middle, inside), torch.where(is_inside, outside, middle)
    return inside


def _change(evaluate: Frame, points: Float[Tensor, "n dims"], steps: Float[Tensor, "m dims"]) -> float:
    """The largest change of the field over any of `steps`."""
    there = evaluate((points[:, None] + steps).reshape(-1, points.shape[1])).reshape(len(points), -1)
    return float((there - evaluate(points)[:, None]).abs().max())


def _misprediction(evaluate: Frame, points: Float[Tensor, "n dims"], width: float) -> float:
    """The largest |prediction - field| where a prediction is worst informed: midway between the cells of `width`."""
    middle = (NODES - 1) / 2
    steps = torch.arange(NODES, dtype=points.dtype, device=points.device) - middle
    n_dims = points.shape[1]
    nodes = (points[:, None] + torch.cartesian_prod(*[steps] * n_dims) * width).reshape(-1, n_dims)
    axis = torch.tensor(lagrange_weights(np.array([middle]))[0], dtype=points.dtype, device=points.device)
    weights = axis
    for _ in range(n_dims - 1):
        weights = weights[..., None] * axis
    return float((evaluate(nodes).reshape(-1, NODES**n_dims) @ weights.flatten() - evaluate(points)).abs().max())
