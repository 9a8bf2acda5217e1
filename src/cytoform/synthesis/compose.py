"""New cells put together: a new body, new protrusions, new places for them (the prior `compose`); or real ones moved.

The body comes from a prior of codes. Its surface says where protrusions may stand. How many there are follows from its
volume, how they grow and bend from learned ones (protrusions/model.py), how far they keep apart from learned roots
(protrusions/placing.py). The prior `graft` takes learned bodies and moves learned protrusions, as they are, to other
cells and places.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from cytoform.priors.prior import Drawn, Given, Prior
from cytoform.protrusions import swollen
from cytoform.protrusions.bulge_lives import BulgeLives, placed_bulge
from cytoform.protrusions.bulges import Bulges
from cytoform.protrusions.bulges import joined as joined_bulges
from cytoform.protrusions.model import Lives, placed
from cytoform.protrusions.placing import PHASES_SEEN, TRIES, Numbers, Roots, farthest, fitted_candidates, hidden
from cytoform.protrusions.sizes import BODY, CELL, LEAST_VOLUME, Sizes
from cytoform.protrusions.tubes import centre_of, tubes_at, volume
from cytoform.protrusions.units import Units, joined
from cytoform.runs.parts import LearnedParts
from cytoform.shapes.grid import ROOTS
from cytoform.synthesis.field import Field
from cytoform.synthesis.surface import COARSE_GRID, Surface, boundary_of, volume_of

# Draws by which the volumes of new bodies are compared with learned ones.
CALIBRATION = 32
# Volume outside the body over that of straight tubes: at the least and at the most.
SLOPES = (0.5, 1.5)
# Cells and times at which tubes are rendered for it, on a grid whose voxels are so many radii wide.
TRIED_CELLS, TRIED_TIMES, VOXELS_A_RADIUS, FINEST_GRID = 3, (0.2, 0.5, 0.8), 0.75, 256
SCALES = (0.6, 1.6)  # smallest and largest scale of a body

# From a code, and `variables` beside it, to a cell.
BodyOf = Callable[..., Field]


@dataclass(frozen=True)
class _NewCell:
    """Protrusions, and over time the scale of the body and the offset of the cell, as the representation takes them."""

    units: Units
    bulges: Bulges
    scale: Float[np.ndarray, " moments"]
    offset: Float[np.ndarray, "moments dims"]


@dataclass(frozen=True)
class Composed(Prior):
    """New bodies with protrusions. `given` may hold the span of the movie in learned movies."""

    bodies: Prior
    body_of: BodyOf
    learned: tuple[LearnedParts, ...]  # in the canonical pose
    mixed: bool = True  # whether protrusions are new; otherwise learned ones as they are
    centred: bool = True  # whether every frame is centred on its own centroid, as the learned ones are by default
    conditions: ClassVar[frozenset[str]] = frozenset({"span"})
    draws_at_once: ClassVar[int] = 8
    span: float = 1.0  # length of the movies in learned movies, where it is not given
    seed: int = 0  # of what is fitted by simulation

    @property
    def _n_dims(self) -> int:
        return self.learned[0].units.n_dims

    @property
    def _units(self) -> list[Units]:
        return [each.units for each in self.learned]

    @cached_property
    def lives(self) -> Lives:
        """The lives of the learned protrusions."""
        return Lives.of(self._units)

    @cached_property
    def bulges(self) -> BulgeLives:
        """The lives of the learned thick protrusions."""
        return BulgeLives.of([each.bulges for each in self.learned])

    @cached_property
    def _roots(self) -> list[Roots]:
        return [Roots.of(each.units, each.bulges) for each in self.learned]

    @cached_property
    def sizes(self) -> Sizes:
        """The volumes of the learned cells."""
        slope, _ = self._outside
        volumes = [each.volumes for each in self.learned]
        if self._has_bulges:  # the volumes of new cells are measured, not estimated
            return Sizes.of(volumes, [each[:, CELL] - each[:, BODY] for each in volumes])
        return Sizes.of(volumes, [slope * tubes for tubes in self._tubes])

    @property
    def _has_bulges(self) -> bool:
        return any(len(each.bulges) for each in self.learned)

    @cached_property
    def numbers(self) -> Numbers:
        """How many protrusions cells have, given the volumes of their bodies."""
        means = np.array([each.volumes[:, BODY].mean() for each in self.learned])
        return Numbers.of(self._roots, np.maximum(means, 1e-12))

    @cached_property
    def candidates(self) -> int:
        """Random places for a root, of which the farthest from others is taken."""
        return fitted_candidates(self._roots, np.random.default_rng(self.seed))

    @cached_property
    def _tubes(self) -> list[Float[np.ndarray, " frames"]]:
        """Volume of the protrusions, tubes taken as straight, in every frame of every learned cell."""
        return [
            np.array([_volume_outside(each.units, each.bulges, t) for t in np.linspace(0, 1, len(each.volumes))])
            for each in self.learned
        ]

    @cached_property
    def _outside(self) -> tuple[float, float]:
        """How the volume outside the body grows with that of the tubes, and the rest of it that is always there.

        The rest is what the opening takes from the body: its edges. By least squares within the learned cells.
        """
        outside = [each.volumes[:, CELL] - each.volumes[:, BODY] for each in self.learned]
        pairs = [(tubes - tubes.mean(), out - out.mean()) for tubes, out in zip(self._tubes, outside, strict=True)]
        spread = sum(float(tubes @ tubes) for tubes, _ in pairs)
        is_estimated = spread > 0 and not self._has_bulges  # the volumes of bulges are measured outside the body
        slope = sum(float(tubes @ out) for tubes, out in pairs) / spread if is_estimated else 1.0
        slope = float(np.clip(slope, *SLOPES))
        rest = float(np.mean(np.concatenate(outside))) - slope * float(np.mean(np.concatenate(self._tubes)))
        return slope, max(rest, 0.0)

    @cached_property
    def _sticking_out(self) -> float:
        """Volume that tubes add to a body when they are rendered, over that of straight tubes from its surface."""
        code, added, straight = self.bodies.draw(1, np.random.default_rng(self.seed)).codes[0], 0.0, 0.0
        bare = self.body_of(code)
        for units in self._units[:TRIED_CELLS]:
            if not len(units):
                continue
            size = int(np.clip(2 / (VOXELS_A_RADIUS * float(np.median(units.radii))), COARSE_GRID, FINEST_GRID))
            whole = self.body_of(code, variables={"protrusions": units.to_rows()})
            for time in TRIED_TIMES:
                added += volume_of(whole, 2 * time - 1, size) - volume_of(bare, 2 * time - 1, size)
                straight += volume(units, time)
        return float(np.clip(added / straight, *SLOPES)) if straight > 0 else 1.0

    @cached_property
    def _drawn_volumes(self) -> tuple[float, float]:
        """Mean and standard deviation of ln(volume) of bodies as the prior draws them."""
        codes = self.bodies.draw(CALIBRATION, np.random.default_rng(self.seed)).codes
        logs = [np.log(max(volume_of(self.body_of(code), 0.0, COARSE_GRID), 1e-12)) for code in codes]
        return float(np.mean(logs)), float(np.std(logs))

    def _draw(self, n: int, rng: np.random.Generator, given: Given) -> Drawn:
        """`n` cells, each with its protrusions, the scale of its body over time, and the span of its movie."""
        span = float(given.get("span", self.span))
        codes = self.bodies.draw(n, rng).codes
        residuals = self.numbers.draw(n, rng).tolist()
        cells = [self._cell(code, residual, span, rng) for code, residual in zip(codes, residuals, strict=True)]
        most = max([len(cell.units) for cell in cells] + [1])
        rows = np.full((n, most, Units.width(self._n_dims)), np.nan)
        thick = np.full((n, max([len(cell.bulges) for cell in cells] + [1]), Bulges.width(self._n_dims)), np.nan)
        for number, cell in enumerate(cells):
            rows[number, : len(cell.units)] = cell.units.to_rows()
            thick[number, : len(cell.bulges)] = cell.bulges.to_rows()
        bulges = {"bulges": thick} if self._has_bulges else {}
        courses = {name: np.stack([getattr(cell, name) for cell in cells]) for name in ("scale", "offset")}
        return Drawn(codes, {"protrusions": rows, **bulges, **courses, "span": np.full(n, span)})

    def _cell(
        self, code: Float[np.ndarray, " code"], residual: float, span: float, rng: np.random.Generator
    ) -> "_NewCell":
        surface = Surface.of(self.body_of(code), span)
        opened = float(np.exp(self._wanted(np.log(surface.volumes.mean()))))
        units, bulges = self._protrusions(surface, self.numbers.factor(opened, residual), span, rng)
        _, rest = self._outside
        target = opened + rest
        course = self.sizes.course(span, rng)
        moments = np.linspace(0, span, len(course))
        of_tubes = self._sticking_out * np.array([volume(units, float(moment)) for moment in moments])
        of_tubes += [swollen.volume(bulges, float(moment)) for moment in moments]
        if self.sizes.kept == CELL:
            bodies = (target + of_tubes.mean()) * np.exp(course) - of_tubes
        else:
            bodies = target * np.exp(course)
        now = surface.at(moments / span, surface.volumes)
        root, n_dims = ROOTS[self._n_dims], self._n_dims
        scale = np.clip(root(np.maximum(bodies, LEAST_VOLUME * target) / np.maximum(now, 1e-12)), *SCALES)
        centres = scale[:, None] * surface.at(moments / span, surface.centres)
        tubes = [tubes_at(units, float(moment), lambda roots: roots) for moment in moments]
        outside = np.stack([centre_of(each, n_dims) for each in tubes])
        share = (of_tubes / np.maximum(now * scale**n_dims + of_tubes, 1e-12))[:, None]
        offset = -((1 - share) * centres + share * outside)
        if len(bulges):
            found, offset = self._measured(code, _NewCell(units, bulges, scale, 0 * centres), span)
            volumes = now * scale**n_dims
            bodies = np.maximum(bodies + of_tubes - (found - volumes), LEAST_VOLUME * volumes)
            scale = np.clip(scale * root(bodies / np.maximum(volumes, 1e-12)), *SCALES)
        return _NewCell(units, bulges, scale, offset if self.centred else 0 * offset)

    def _measured(
        self, code: Float[np.ndarray, " code"], cell: _NewCell, span: float
    ) -> tuple[Float[np.ndarray, " moments"], Float[np.ndarray, "moments dims"]]:
        """The volume of a cell at all moments, with its protrusions, and the offset that centres it."""
        rows = {"protrusions": cell.units.to_rows(), "bulges": cell.bulges.to_rows()}
        whole = self.body_of(code, variables={**rows, "scale": cell.scale, "span": np.array(span)})
        boundaries = [boundary_of(whole, float(time)) for time in np.linspace(-1, 1, len(cell.scale))]
        volumes = np.array([each.size for each in boundaries]) / whole.half_extent_um**self._n_dims
        return volumes, 1 - np.stack([each.centroid_um for each in boundaries]) / whole.half_extent_um

    def _wanted(self, drawn: float) -> float:
        """ln(volume) of a body, spread between cells as learned ones are: codes between others are all of one size."""
        mean, std = self._drawn_volumes
        score = (drawn - mean) / std if std > 0 else 0.0
        return self.sizes.body_mean + self.sizes.body_std * float(np.clip(score, -3, 3))

    def _protrusions(
        self, surface: Surface, factor: float, span: float, rng: np.random.Generator
    ) -> tuple[Units, Bulges]:
        thin = self.lives.draw(factor, span, rng, mixed=self.mixed)
        thick = self.bulges.draw(factor, span, rng, mixed=self.mixed)
        tubes: list[Units] = []
        bulges: list[Bulges] = []
        windows, directions = np.empty((0, 2)), np.empty((0, self._n_dims))
        both: list[Units | Bulges] = [*thin, *thick]
        for unit in sorted(both, key=lambda unit: unit.window[0, 0]):
            living = directions[windows[:, 1] > np.clip(unit.window[0, 0], 0, span)]
            tries = [self._placed(unit, living, surface, span, rng) for _ in range(TRIES[self._n_dims])]
            chosen = _least_hidden(tries, tubes, surface, span) if len(tries) > 1 else tries[0]
            if isinstance(chosen, Units):
                tubes.append(chosen)
            else:
                bulges.append(chosen)
            windows = np.vstack([windows, chosen.window[:1]])
            directions = np.vstack([directions, surface.directions(chosen.root[0, :1])])
        return joined(tubes, self._n_dims), joined_bulges(bulges, self._n_dims)

    def _placed(
        self,
        unit: Units | Bulges,
        living: Float[np.ndarray, "n dims"],
        surface: Surface,
        span: float,
        rng: np.random.Generator,
    ) -> Units | Bulges:
        """A protrusion at a random place of the body, away from the directions of living ones."""
        birth, end = np.clip(unit.window[0], 0, span) / span
        places = surface.draw(self.candidates, birth, rng)
        chosen = places[farthest(surface.directions(places), living)]
        root, axis = surface.follow(chosen, birth, end)
        if isinstance(unit, Units):
            return placed(unit, root, axis, rng)
        return placed_bulge(unit, root, axis, rng)


def _least_hidden(
    tries: Sequence[Units | Bulges], others: Sequence[Units], surface: Surface, span: float
) -> Units | Bulges:
    """The placement of a thin protrusion that hides least of it in the body and in others."""
    birth, end = np.clip(tries[0].window[0], 0, span)
    moments = [float(birth + phase * (end - birth)) for phase in PHASES_SEEN]
    shares = [
        hidden(each, others, moments, lambda points, moment: surface.distance(points, moment / span))
        for each in tries
        if isinstance(each, Units)
    ]
    return tries[int(np.argmin(shares))] if shares else tries[0]


def _volume_outside(units: Units, bulges: Bulges, time: float) -> float:
    return volume(units, float(time)) + swollen.volume(bulges, float(time))
