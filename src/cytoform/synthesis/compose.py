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
from scipy.spatial import cKDTree

from cytoform.errors import EmptyFrame
from cytoform.priors.prior import Drawn, Given, Prior
from cytoform.protrusions.model import Lives, placed
from cytoform.protrusions.placing import Numbers, farthest, fitted_candidates
from cytoform.protrusions.sizes import BODY, CELL, LEAST_VOLUME, Sizes
from cytoform.protrusions.tubes import centre_of, tubes_at, volume
from cytoform.protrusions.units import WIDTH, Units, joined
from cytoform.representations.parts.representation import there_and_back
from cytoform.runs.parts import LearnedParts
from cytoform.shapes.mesh import Mesh
from cytoform.synthesis.field import Field

# Grid on which the surface of a new body is found, and moments at which its volume is measured.
COARSE_GRID, MOMENTS = 64, 9
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
    scale: Float[np.ndarray, " moments"]
    offset: Float[np.ndarray, "moments 3"]


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
    def _units(self) -> list[Units]:
        return [each.units for each in self.learned]

    @cached_property
    def lives(self) -> Lives:
        """The lives of the learned protrusions."""
        return Lives.of(self._units)

    @cached_property
    def sizes(self) -> Sizes:
        """The volumes of the learned cells."""
        slope, _ = self._outside
        return Sizes.of([each.volumes for each in self.learned], [slope * tubes for tubes in self._tubes])

    @cached_property
    def numbers(self) -> Numbers:
        """How many protrusions cells have, given the volumes of their bodies."""
        means = np.array([each.volumes[:, BODY].mean() for each in self.learned])
        return Numbers.of(self._units, np.maximum(means, 1e-12))

    @cached_property
    def candidates(self) -> int:
        """Random places for a root, of which the farthest from others is taken."""
        return fitted_candidates(self._units, np.random.default_rng(self.seed))

    @cached_property
    def _tubes(self) -> list[Float[np.ndarray, " frames"]]:
        """Volume of the protrusions as straight tubes, in every frame of every learned cell."""
        return [
            np.array([volume(each.units, float(t)) for t in np.linspace(0, 1, len(each.volumes))])
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
        slope = sum(float(tubes @ out) for tubes, out in pairs) / spread if spread > 0 else 1.0
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
                added += _volume(whole, 2 * time - 1, size) - _volume(bare, 2 * time - 1, size)
                straight += volume(units, time)
        return float(np.clip(added / straight, *SLOPES)) if straight > 0 else 1.0

    @cached_property
    def _drawn_volumes(self) -> tuple[float, float]:
        """Mean and standard deviation of ln(volume) of bodies as the prior draws them."""
        codes = self.bodies.draw(CALIBRATION, np.random.default_rng(self.seed)).codes
        logs = [np.log(max(_volume(self.body_of(code), 0.0, COARSE_GRID), 1e-12)) for code in codes]
        return float(np.mean(logs)), float(np.std(logs))

    def _draw(self, n: int, rng: np.random.Generator, given: Given) -> Drawn:
        """`n` cells, each with its protrusions, the scale of its body over time, and the span of its movie."""
        span = float(given.get("span", self.span))
        codes = self.bodies.draw(n, rng).codes
        residuals = self.numbers.draw(n, rng).tolist()
        cells = [self._cell(code, residual, span, rng) for code, residual in zip(codes, residuals, strict=True)]
        most = max([len(cell.units) for cell in cells] + [1])
        rows = np.full((n, most, WIDTH), np.nan)
        for number, cell in enumerate(cells):
            rows[number, : len(cell.units)] = cell.units.to_rows()
        courses = {name: np.stack([getattr(cell, name) for cell in cells]) for name in ("scale", "offset")}
        return Drawn(codes, {"protrusions": rows, **courses, "span": np.full(n, span)})

    def _cell(
        self, code: Float[np.ndarray, " code"], residual: float, span: float, rng: np.random.Generator
    ) -> "_NewCell":
        surface = Surface.of(self.body_of(code), span)
        opened = float(np.exp(self._wanted(np.log(surface.volumes.mean()))))
        units = self._protrusions(surface, self.numbers.factor(opened, residual), span, rng)
        _, rest = self._outside
        target = opened + rest
        course = self.sizes.course(span, rng)
        moments = np.linspace(0, span, len(course))
        of_tubes = self._sticking_out * np.array([volume(units, float(moment)) for moment in moments])
        if self.sizes.kept == CELL:
            bodies = (target + of_tubes.mean()) * np.exp(course) - of_tubes
        else:
            bodies = target * np.exp(course)
        now = surface.at(moments / span, surface.volumes)
        scale = np.clip(np.cbrt(np.maximum(bodies, LEAST_VOLUME * target) / np.maximum(now, 1e-12)), *SCALES)
        centres = scale[:, None] * surface.at(moments / span, surface.centres)
        outside = np.stack([centre_of(tubes_at(units, float(moment), lambda roots: roots)) for moment in moments])
        share = (of_tubes / np.maximum(now * scale**3 + of_tubes, 1e-12))[:, None]
        return _NewCell(units, scale, -((1 - share) * centres + share * outside) if self.centred else 0 * centres)

    def _wanted(self, drawn: float) -> float:
        """ln(volume) of a body, spread between cells as learned ones are: codes between others are all of one size."""
        mean, std = self._drawn_volumes
        score = (drawn - mean) / std if std > 0 else 0.0
        return self.sizes.body_mean + self.sizes.body_std * float(np.clip(score, -3, 3))

    def _protrusions(self, surface: "Surface", factor: float, span: float, rng: np.random.Generator) -> Units:
        drawn = sorted(self.lives.draw(factor, span, rng, mixed=self.mixed), key=lambda unit: unit.window[0, 0])
        found: list[Units] = []
        directions = np.empty((0, 3))
        for unit in drawn:
            birth, end = np.clip(unit.window[0], 0, span)
            places = surface.draw(self.candidates, birth / span, rng)
            living = np.array([each.window[0, 1] > birth for each in found], bool)
            chosen = places[farthest(surface.directions(places), directions[living])]
            root, axis = surface.follow(chosen, birth / span, end / span)
            found.append(placed(unit, root, axis, rng))
            directions = np.vstack([directions, surface.directions(root[:1])])
        return joined(found)


@dataclass(frozen=True)
class Surface:
    """The surface of a body at some moments of its movie, and its volume."""

    vertices: Sequence[Float[np.ndarray, "_ 3"]]  # (x, y, z) in Ω
    normals: Sequence[Float[np.ndarray, "_ 3"]]
    weights: Sequence[Float[np.ndarray, " _"]]  # share of the area at each vertex
    volumes: Float[np.ndarray, " moments"]
    centres: Float[np.ndarray, "moments 3"]  # centroids of the body

    @classmethod
    def of(cls, body: Field, span: float) -> "Surface":
        """The surface of a field at equal moments over a movie of `span` learned movies."""
        try:
            meshes = [_mesh(body, 2 * there_and_back(moment) - 1) for moment in np.linspace(0, span, MOMENTS)]
        except EmptyFrame:
            raise EmptyFrame(
                "a new body is empty in some frame; train longer, or draw with a smaller --sigma"
            ) from None
        vertices, normals, weights = zip(*(_weighted(mesh, body.half_extent_um) for mesh in meshes), strict=True)
        volumes = np.array([mesh.volume_um3 for mesh in meshes]) / body.half_extent_um**3
        centres = np.stack([mesh.centroid_xyz_um for mesh in meshes]) / body.half_extent_um - 1
        return cls(vertices, normals, weights, volumes, centres)

    def at(
        self, shares: Float[np.ndarray, " n"], values: Float[np.ndarray, "moments ..."]
    ) -> Float[np.ndarray, "n ..."]:
        """Values of the moments at shares of the movie, by linear interpolation."""
        from scipy.interpolate import make_interp_spline

        return np.asarray(make_interp_spline(np.linspace(0, 1, len(values)), values, k=1)(shares))

    def draw(self, n: int, share: float, rng: np.random.Generator) -> Float[np.ndarray, "n 3"]:
        """Random points, uniform over the area, at a share of the movie."""
        moment = self._moment(share)
        return self.vertices[moment][rng.choice(len(self.weights[moment]), n, p=self.weights[moment])]

    def follow(
        self, point: Float[np.ndarray, " 3"], start: float, end: float
    ) -> tuple[Float[np.ndarray, "2 3"], Float[np.ndarray, "2 3"]]:
        """A point of the surface and the normal there, at two shares of the movie."""
        roots, axes = [], []
        for share in (start, end):
            moment = self._moment(share)
            nearest = int(cKDTree(self.vertices[moment]).query(point)[1])
            roots.append(self.vertices[moment][nearest])
            axes.append(self.normals[moment][nearest])
        return np.stack(roots), np.stack(axes)

    def directions(self, points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
        """Unit vectors from the centre of the cube."""
        return points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-9)

    def _moment(self, share: float) -> int:
        return round(min(max(share, 0), 1) * (len(self.vertices) - 1))


def _mesh(body: Field, time: float) -> Mesh:
    return body.mesh(time, 2 * body.half_extent_um / COARSE_GRID)


def _volume(cell: Field, time: float, grid_size: int) -> float:
    return cell.mesh(time, 2 * cell.half_extent_um / grid_size).volume_um3 / cell.half_extent_um**3


def _weighted(mesh: Mesh, half_extent_um: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices in Ω, their normals, and their shares of the area."""
    vertices = mesh.vertices_xyz_um.astype(float)
    corners = vertices[mesh.faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals, areas = np.zeros_like(vertices), np.zeros(len(vertices))
    for corner in range(3):
        np.add.at(normals, mesh.faces[:, corner], across)
        np.add.at(areas, mesh.faces[:, corner], np.linalg.norm(across, axis=1))
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    return vertices / half_extent_um - 1, normals, areas / areas.sum()
