"""New protrusions from learned ones: complete lives, their shapes mixed, at rates that know of movies that cut lives off.

A life is complete where the movie shows its birth and its end. Long lives are cut off more often than short ones, so a
complete life of length l counts 1 / (1 - l): the inverse of its chance to be seen whole in a movie of length 1 (Horvitz
and Thompson 1952). Births come at a constant rate, so that new movies may be longer than the learned ones.

Shapes are drawn by a smoothed bootstrap that keeps mean and variance (Silverman and Young 1987): a learned protrusion,
plus differences of protrusions of a similar length, each turned by a random azimuth (in images mirrored or not), divided
by what they add to the variance.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int

from cytoform.protrusions.units import Units, joined, local_frame

# Share of the differences that is added to a learned protrusion: to its logarithms of length, life and radius, and to its
# angles beyond the mean direction. Branches are mixed less: one that bends back to its parent merges with it.
SCALAR_WIDTH, ANGLE_WIDTH, BRANCH_WIDTH = 0.3, 1.0, 0.4
NEIGHBOURS = 40  # protrusions of similar length, whose differences are added
# A life that is seen whole in fewer movies counts no more than one that fits this share of the movie.
LEAST_ROOM = 0.1
# Fewer complete lives than this, and protrusions keep the windows that they have in the learned movies.
FEWEST_COMPLETE = 8
# So they do where complete lives would hold a smaller share of the length that is seen: movies of a few frames show only the
# briefest lives whole.
LEAST_HELD = 0.6


@dataclass(frozen=True)
class Rates:
    """How often learned lives are to be drawn."""

    kept: Bool[np.ndarray, " n"]  # lives that are drawn: whole ones, or all where these are few
    weights: Float[np.ndarray, " kept"]  # sum 1
    births: float  # in a cell and a movie of length 1, on average
    renewed: bool  # whether whole lives are drawn; otherwise windows as they are

    @classmethod
    def of(
        cls, window: Float[np.ndarray, "n 2"], n_cells: int, lengths: Float[np.ndarray, " n"] | None = None
    ) -> "Rates":
        """From the windows of all protrusions on the bodies of learned cells, and their mean lengths where these matter."""
        born, complete = window[:, 0] >= 0, (window[:, 0] >= 0) & (window[:, 1] <= 1)
        n = len(window)
        as_they_are = cls(np.ones(n, bool), np.full(n, 1 / max(n, 1)), n / n_cells, False)
        if int(complete.sum()) < FEWEST_COMPLETE:
            return as_they_are
        lasting = np.diff(window[complete], axis=1)[:, 0]
        weights = 1 / np.maximum(1 - lasting, LEAST_ROOM)
        renewed = cls(complete, weights / weights.sum(), float(born.sum()) / n_cells, True)
        if lengths is not None:
            seen = float(lengths @ np.diff(window.clip(0, 1), axis=1)[:, 0]) / n_cells
            if renewed.births * float(renewed.weights @ (lengths[complete] * lasting)) < LEAST_HELD * seen:
                return as_they_are
        return renewed


@dataclass(frozen=True)
class Lives:
    """Learned protrusions with their branches, and how often each is to be drawn."""

    units: Units  # of all cells
    families: tuple[Int[np.ndarray, " _"], ...]  # rows of each protrusion, itself first
    weights: Float[np.ndarray, " families"]  # sum 1
    births: float  # in a cell and a movie of length 1, on average
    renewed: bool  # whether whole lives are drawn; otherwise windows as they are

    @classmethod
    def of(cls, cells: Sequence[Units]) -> "Lives":
        """The lives of the protrusions of learned cells."""
        units = joined(cells)
        families = tuple(units.families())
        first = units[np.array([rows[0] for rows in families], int)]
        rates = Rates.of(first.window, len(cells), first.length * first.growth.mean(axis=1))
        kept = tuple(rows for rows, whole in zip(families, rates.kept, strict=True) if whole)
        return cls(units, kept, rates.weights, rates.births, rates.renewed)

    @property
    def lasting(self) -> Float[np.ndarray, " families"]:
        """How long each protrusion lives, in movies."""
        return np.array([self.units.window[rows[0], 1] - self.units.window[rows[0], 0] for rows in self.families])

    def draw(self, factor: float, span: float, rng: np.random.Generator, *, mixed: bool = True) -> list[Units]:
        """Protrusions of one new cell with `factor` times the usual rate, over a movie of `span` learned movies.

        Their roots and axes are still the learned ones. Not `mixed`: learned ones as they are.
        """
        if not len(self.families):
            return []
        if not self.renewed:
            n = rng.poisson(self.births * factor)
            drawn = [self._one(int(f), rng, mixed) for f in rng.integers(len(self.families), size=n)]
            return [_stretched(each, span) for each in drawn]
        longest = float(self.lasting.max()) * (1 + 2 * SCALAR_WIDTH)
        n = rng.poisson(self.births * factor * (span + longest))
        births = rng.uniform(-longest, span, n)
        chosen = rng.choice(len(self.families), n, p=self.weights)
        drawn = [_born_at(self._one(int(f), rng, mixed), b) for f, b in zip(chosen, births, strict=True)]
        return [each for each in drawn if each.window[0, 1] > 0]

    def _one(self, family: int, rng: np.random.Generator, mixed: bool) -> Units:
        rows = self.families[family]
        place = {int(row): number for number, row in enumerate(rows)}
        parents = np.array([place.get(int(p), -1) for p in self.units.parent[rows]])
        unit = replace(self.units[rows], parent=parents)
        return _mirrored(self._mixed(unit, rng) if mixed else unit, rng)

    def _mixed(self, unit: Units, rng: np.random.Generator) -> Units:
        """The unit with a new size, life and bends."""
        longer, lasting, thicker = np.exp(self._change(unit, rng))
        angles = np.stack([self._bent(unit, row, rng) for row in range(len(unit))])
        return replace(
            unit,
            window=rescaled(unit.window, lasting),
            at=unit.at * longer,
            length=unit.length * longer,
            radii=unit.radii * thicker,
            angles=angles,
        )

    @cached_property
    def _logs(self) -> Float[np.ndarray, "families 3"]:
        """Logarithms of length, life and mean radius of every protrusion."""
        return np.stack([_logs(self.units, int(rows[0])) for rows in self.families])

    def _change(self, unit: Units, rng: np.random.Generator) -> Float[np.ndarray, " 3"]:
        """Change of the logarithms of length, life and radius: a difference of two others is added, made smaller."""
        a, b = rng.choice(len(self.families), 2, p=self.weights)
        step = np.clip(SCALAR_WIDTH * (self._logs[a] - self._logs[b]) / np.sqrt(2), -0.5, 0.5)
        own, mean = _logs(unit, 0), self.weights @ self._logs
        return mean + (own - mean + step) / np.sqrt(1 + SCALAR_WIDTH**2) - own

    def _bent(self, unit: Units, row: int, rng: np.random.Generator) -> Float[np.ndarray, "angles along over"]:
        """The angles of a row, mixed with those of protrusions of a similar length; the mean direction is kept."""
        own, is_branch = unit.angles[row], bool(unit.parent[row] >= 0)
        width = BRANCH_WIDTH if is_branch else ANGLE_WIDTH
        others = self._similar(float(unit.length[row]), is_branch=is_branch)
        if len(others) < 3:
            return own
        around = _AROUND[len(own)]
        a, b = (around(self.units.angles[i], rng) for i in rng.choice(others, 2, replace=False))
        mixed = (own + width * (a - b) / np.sqrt(2)) / np.sqrt(1 + width**2)
        mixed[:, 0] = own[:, 0]
        return mixed

    def _similar(self, length: float, *, is_branch: bool) -> Int[np.ndarray, " similar"]:
        rows = np.flatnonzero((self.units.parent >= 0) == is_branch)
        order = np.argsort(np.abs(np.log(self.units.length[rows] / length)), kind="stable")
        return rows[order[:NEIGHBOURS]]


def _logs(units: Units, row: int) -> Float[np.ndarray, " 3"]:
    start, end = units.window[row]
    return np.log([units.length[row], end - start, units.radii[row].mean()])


def placed(
    unit: Units, root: Float[np.ndarray, "2 dims"], axis: Float[np.ndarray, "2 dims"], rng: np.random.Generator
) -> Units:
    """The protrusion with its branches at another root and axis, both at birth and end, with a random azimuth.

    In images it is the protrusion or its mirror image.
    """
    before = local_frame(unit.axis[0].mean(axis=0)[None], unit.across[0][None])[0]
    across = rng.normal(size=unit.n_dims)
    after = local_frame(axis.mean(axis=0)[None], across[None])[0]
    turn = after.T @ before
    new_across = unit.across @ turn.T
    new_across[0] = after[1]
    roots, axes = unit.root.copy(), unit.axis.copy()
    roots[0], axes[0] = root, axis
    return replace(unit, root=roots, axis=axes, across=new_across)


def _azimuth(angles: Float[np.ndarray, "2 along over"], rng: np.random.Generator) -> Float[np.ndarray, "2 along over"]:
    azimuth = rng.uniform(0, 2 * np.pi)
    cosine, sine = np.cos(azimuth), np.sin(azimuth)
    return np.stack([cosine * angles[0] - sine * angles[1], sine * angles[0] + cosine * angles[1]])


def _side(angles: Float[np.ndarray, "1 along over"], rng: np.random.Generator) -> Float[np.ndarray, "1 along over"]:
    return angles * rng.choice([-1, 1])


# By the number of angles: turns them about the axis at random.
_AROUND: dict[int, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {2: _azimuth, 1: _side}


def _mirrored(unit: Units, rng: np.random.Generator) -> Units:
    """The unit or, as often, its mirror image."""
    if rng.random() < 0.5:
        return unit
    frame = local_frame(unit.axis[0].mean(axis=0)[None], unit.across[0][None])[0]
    mirror = frame.T @ np.diag([*np.ones(unit.n_dims - 1), -1.0]) @ frame
    # Angles count from the first two directions, of which only the third follows.
    angles = unit.angles.copy()
    angles[:, 1:] *= -1
    return replace(unit, across=unit.across @ mirror.T, angles=angles)


def _born_at(unit: Units, time: float) -> Units:
    return replace(unit, window=unit.window + (time - unit.window[0, 0]))


def rescaled(window: Float[np.ndarray, "n 2"], lasting: float) -> Float[np.ndarray, "n 2"]:
    """Windows of a protrusion, itself first, that last `lasting` times as long; as they are where the movie cuts its life off.

    How long such a life lasts is unknown, and a shorter one would end in the movie: new cells would have fewer protrusions.
    """
    birth, end = window[0]
    return birth + (window - birth) * lasting if birth >= 0 and end <= 1 else window


def _stretched(unit: Units, span: float) -> Units:
    return replace(unit, window=stretched(unit.window, span))


def stretched(window: Float[np.ndarray, "n 2"], span: float) -> Float[np.ndarray, "n 2"]:
    """Windows that the movie cuts off reach to the ends of a longer movie; others lie anywhere in it alike."""
    window = window.copy()
    top = window[0].copy()
    if top[1] > 1:
        window[:, 1] = np.where(window[:, 1] > 1, window[:, 1] + span - 1, window[:, 1])
    elif top[0] >= 0:
        window += (span - 1) * top[0] / max(1 - (top[1] - top[0]), 1e-6)
    return window


def is_alive(units: Units, time: float) -> Bool[np.ndarray, " n"]:
    """Which units are there at a time."""
    return (units.window[:, 0] < time) & (time < units.window[:, 1])
