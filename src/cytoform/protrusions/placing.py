"""Where new protrusions stand: how many on a cell, and how far their roots keep from each other.

Of some random places the one farthest from all living roots is taken (best-candidate sampling, Mitchell 1991). One
candidate places roots at random, many place them evenly; the number is fitted to the learned cells.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from cytoform.protrusions.bulges import Bulges
from cytoform.protrusions.tubes import BELOW, Points, grown_at
from cytoform.protrusions.units import Units

# By dimensions: placements of a new protrusion, of which the one is taken that hides least. In images protrusions cannot pass
# one another, and many would grow into the body or another protrusion.
TRIES = {3: 1, 2: 16}
PHASES_SEEN = (0.1, 0.5, 0.9)  # of the time that a protrusion is in the movie, when it is looked at
CANDIDATES = (1, 2, 3, 4, 6, 8, 12)
TIMES = np.linspace(0, 1, 12)
FEWEST_CELLS = 6  # for a relation of number and size
WIDTH = 0.5  # of the smoothing of rates between cells, in their standard deviations
SHARES = (0.05, 4.0)  # smallest and largest rate relative to the mean


@dataclass(frozen=True)
class Roots:
    """The protrusions on the body of one cell, thin and thick ones: when they are there, and where."""

    window: Float[np.ndarray, "n 2"]
    directions: Float[np.ndarray, "n dims"]  # of their roots from the centre of the cube, unit vectors

    @classmethod
    def of(cls, units: Units, bulges: Bulges | None = None) -> "Roots":
        """Of tubes, without branches, and bulges."""
        on_body = units.parent < 0
        windows, roots = [units.window[on_body]], [units.root[on_body]]
        if bulges is not None:
            windows.append(bulges.window)
            roots.append(bulges.root)
        middle = np.concatenate(roots).mean(axis=1)
        return cls(np.concatenate(windows), middle / np.maximum(np.linalg.norm(middle, axis=1, keepdims=True), 1e-9))

    def alive(self, time: float) -> Bool[np.ndarray, " n"]:
        """Which protrusions are there at a time."""
        return (self.window[:, 0] < time) & (time < self.window[:, 1])


@dataclass(frozen=True)
class Numbers:
    """How many protrusions cells have, as a share of the mean, given the volume of the body."""

    volume_mean: float  # of ln(volume)
    slope: float  # of the share over ln(volume)
    residuals: Float[np.ndarray, " cells"]  # of the share, without the spread that chance explains

    @classmethod
    def of(cls, cells: Sequence[Roots], volumes: Float[np.ndarray, " cells"]) -> "Numbers":
        """Fit to learned cells and the mean volumes of their bodies."""
        numbers = np.array([np.mean([each.alive(t).sum() for t in TIMES]) for each in cells])
        shares, sizes = numbers / max(float(numbers.mean()), 1e-9), np.log(volumes)
        slope = 0.0
        if len(cells) >= FEWEST_CELLS and sizes.std() > 0:
            slope = float(np.polyfit(sizes, shares, 1)[0])
        residuals = shares - shares.mean() - slope * (sizes - sizes.mean())
        # The number of a cell is a random one around its rate: it spreads like that of the protrusions seen in the movie.
        seen = np.array([max(len(each.window), 1) for each in cells])
        total, chance = float(residuals.var()), float(np.mean(shares**2 / seen))
        kept = np.sqrt(max(total - chance, 0.0) / total) if total > 0 else 0.0
        return cls(float(sizes.mean()), slope, kept * residuals)

    def draw(self, n: int, rng: np.random.Generator) -> Float[np.ndarray, " {n}"]:
        """How far new cells lie from the share that their volume lets expect; near every learned one in turn."""
        centres = np.resize(rng.permutation(self.residuals), n)
        return (centres + rng.normal(0, WIDTH * float(self.residuals.std()), n)) / np.sqrt(1 + WIDTH**2)

    def factor(self, volume: float, residual: float) -> float:
        """The rate of births in a new cell, as a share of the mean."""
        return float(np.clip(1 + residual + self.slope * (np.log(volume) - self.volume_mean), *SHARES))


def fitted_candidates(cells: Sequence[Roots], rng: np.random.Generator) -> int:
    """How many candidates give roots as far apart as the learned ones: the smallest Kolmogorov-Smirnov distance."""
    from scipy.stats import ks_2samp

    learned = np.concatenate([_nearest(each, each.directions) for each in cells])
    if len(learned) < 20:
        return 1
    distances = []
    for candidates in CANDIDATES:
        placed = [_nearest(each, _random_directions(each, candidates, rng)) for each in cells]
        distances.append(float(ks_2samp(learned, np.concatenate(placed)).statistic))
    return CANDIDATES[int(np.argmin(distances))]


def farthest(candidates: Float[np.ndarray, "k dims"], living: Float[np.ndarray, "n dims"]) -> int:
    """The candidate direction with the largest angle to the nearest living one; unit vectors."""
    return int(np.argmin((candidates @ living.T).max(axis=1))) if len(living) else 0


def hidden(
    new: Units,
    others: Sequence[Units],
    moments: Sequence[float],
    to_body: Callable[[Points, float], Float[np.ndarray, " n"]],
) -> float:
    """Share of the centre lines of a new protrusion that lies in the body or touches others, at some moments.

    `to_body` is the signed distance of points from the body at a moment.
    """
    n_hidden = n_points = 0
    for moment in moments:
        tubes = [tube for each in others for tube in grown_at(each, moment, _as_it_is).values()]
        for tube in grown_at(new, moment, _as_it_is).values():
            points, radii = tube.line[BELOW:], tube.radii[BELOW:]
            beyond = np.linalg.norm(points - points[:1], axis=1) > 2 * radii  # its root touches the body, or its parent
            points, radii = points[beyond], radii[beyond]
            is_hidden = to_body(points, moment) < 0
            for other in tubes:
                is_hidden |= other.distance(points) < radii
            n_hidden, n_points = n_hidden + int(is_hidden.sum()), n_points + len(points)
    return n_hidden / max(n_points, 1)


def _as_it_is(points: Points) -> Points:
    return points


def _random_directions(roots: Roots, n_candidates: int, rng: np.random.Generator) -> Float[np.ndarray, "n dims"]:
    """New directions in the order of births, each farthest from those alive."""
    found = np.zeros_like(roots.directions)
    done: list[int] = []
    for row in np.argsort(roots.window[:, 0]).tolist():
        drawn = rng.normal(size=(n_candidates, found.shape[1]))
        drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
        living = [other for other in done if roots.window[other, 1] > roots.window[row, 0]]
        found[row] = drawn[farthest(drawn, found[living])]
        done.append(row)
    return found


def _nearest(roots: Roots, directions: Float[np.ndarray, "n dims"]) -> Float[np.ndarray, " pairs"]:
    """Angles from every root to the nearest other, at some times."""
    found = []
    for time in TIMES:
        living = directions[roots.alive(time)]
        if len(living) > 1:
            cosines = living @ living.T - 3 * np.eye(len(living))
            found.append(np.arccos(np.clip(cosines.max(axis=1), -1, 1)))
    return np.concatenate(found) if found else np.empty(0)
