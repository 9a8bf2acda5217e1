"""Statistics of a population of cells, each with the interval in which another movie like this one would have it.

Cells of a family are not independent: they are where their mother was, and as large. So intervals come from families,
drawn anew by giving each a weight from a Poisson distribution of mean 1 (Chamandy et al. 2012, Estimating uncertainty for
massive data streams). Counts then vary as well, as they would in another field of view.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Integer
from scipy.spatial import cKDTree

from cytoform.scenes.like.cells import CellTable
from cytoform.scenes.like.moving import Steps, own_steps
from cytoform.shapes.grid import EXPONENTS

DRAWS, PERCENTILES = 1000, (2.5, 97.5)
# Where none of n is seen, the upper end of the exact interval of a Poisson rate is 3.69 / n.
NONE_SEEN = 3.689
QUANTILES = {"10 % of the cells are {}": 0.1, "median": 0.5, "90 % of the cells are {}": 0.9}


@dataclass(frozen=True)
class Statistic:
    """A figure of a movie with its 95 % interval; all NaN where nothing could be measured."""

    name: str
    value: float
    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Whether the interval contains a value."""
        return self.low <= value <= self.high


def statistics(cells: CellTable) -> list[Statistic]:
    """Divisions, density, nearest neighbours, displacements and sizes of the cells of a movie, and brightness if known."""
    n_families = int(cells.family.max(initial=-1)) + 1
    weights = np.random.default_rng(0).poisson(1.0, (DRAWS, n_families)).astype(float)
    unit = f"µm{EXPONENTS[cells.n_dims]}"
    per, many = (1e4, "10⁴") if cells.n_dims == 2 else (1e6, "10⁶")
    present = np.bincount(cells.family, minlength=n_families).astype(float)
    field = np.full(n_families, cells.n_frames * cells.field / per / max(n_families, 1))
    distances, owners = nearest_neighbours_um(cells)
    steps = own_steps(cells)
    whole, seen = ~cells.is_cut, np.isfinite(cells.brightness)
    sizes = _quantiles(
        f"size of a whole cell, {{}} ({unit})", "smaller", cells.size[whole], cells.family[whole], weights
    )
    grey = "brightness of a cell above the background, {} (grey values)"
    brightness = _quantiles(grey, "darker", cells.brightness[seen], cells.family[seen], weights) if seen.any() else []
    return [
        _rate("divisions per cell and frame", _divisions(cells, n_families), present, weights),
        _density(f"cells in {many} {unit}", present, field, weights),
        _quantile("distance to the nearest neighbour, median (µm)", distances, owners, weights),
        _quantile("displacement per frame, median (µm)", steps.lengths_um, steps.family, weights),
        _rate("correlation of successive steps", *_correlations(steps, n_families), weights),
        *sizes,
        *brightness,
    ]


def _divisions(cells: CellTable, n_families: int) -> Float[np.ndarray, " families"]:
    mothers = [track.family for track in cells.tracks if track.n_daughters > 1]
    return np.bincount(np.array(mothers, int), minlength=n_families).astype(float)


def nearest_neighbours_um(cells: CellTable) -> tuple[Float[np.ndarray, " rows"], Integer[np.ndarray, " rows"]]:
    """For every cell that is not alone in its frame, the distance to the nearest other centroid, and its own family."""
    distances, owners = [np.empty(0)], [np.empty(0, int)]
    for frame in np.unique(cells.frame):
        rows = np.flatnonzero(cells.frame == frame)
        if len(rows) > 1:
            places = cells.centroid_um[rows]
            distances.append(np.asarray(cKDTree(places).query(places, k=[2])[0])[:, 0])
            owners.append(cells.family[rows])
    return np.concatenate(distances), np.concatenate(owners)


def _correlations(steps: Steps, n_families: int) -> tuple[np.ndarray, np.ndarray]:
    """By family: the sums of products of successive steps, and of their mean squares."""
    products = np.bincount(steps.pair_family, (steps.before_um * steps.after_um).sum(axis=1), n_families)
    squares = (steps.before_um**2 + steps.after_um**2).sum(axis=1) / 2
    return products, np.bincount(steps.pair_family, squares, n_families)


def _rate(name: str, counted: np.ndarray, among: np.ndarray, weights: np.ndarray) -> Statistic:
    """A ratio of sums over families."""
    if not among.sum():
        return Statistic(name, np.nan, np.nan, np.nan)
    if not counted.any():
        return Statistic(name, 0.0, 0.0, NONE_SEEN / float(among.sum()))
    below = weights @ among
    drawn = (weights @ counted)[below > 0] / below[below > 0]
    return _statistic(name, float(counted.sum() / among.sum()), drawn)


def _density(name: str, present: np.ndarray, field: np.ndarray, weights: np.ndarray) -> Statistic:
    return _statistic(name, float(present.sum() / field.sum()), weights @ present / field.sum())


def _quantile(name: str, values: np.ndarray, owners: np.ndarray, weights: np.ndarray, share: float = 0.5) -> Statistic:
    """A quantile of values that belong to families."""
    if not len(values):
        return Statistic(name, np.nan, np.nan, np.nan)
    order = np.argsort(values, kind="stable")
    ordered, of = values[order], owners[order]

    def quantile(counts: np.ndarray) -> float:
        below = np.cumsum(counts[of])
        return float(ordered[min(np.searchsorted(below, share * below[-1]), len(ordered) - 1)])

    drawn = [quantile(counts) for counts in weights if counts[of].any()]
    return _statistic(name, quantile(np.ones(weights.shape[1])), np.array(drawn))


def _quantiles(name: str, less: str, values: np.ndarray, owners: np.ndarray, weights: np.ndarray) -> list[Statistic]:
    """Three quantiles, named by a word for cells with lower values."""
    return [
        _quantile(name.format(which.format(less)), values, owners, weights, share) for which, share in QUANTILES.items()
    ]


def _statistic(name: str, value: float, drawn: np.ndarray) -> Statistic:
    low, high = np.percentile(drawn, PERCENTILES)
    return Statistic(name, value, float(low), float(high))
