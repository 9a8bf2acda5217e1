"""Where a family's shapes come from: a trained run, or a sequence of a shape store."""

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from cytoform.scenes.pieces import Pieces, find_pieces
from cytoform.shapes.grid import Grid, frame_times
from cytoform.shapes.store import ShapeSequence

if TYPE_CHECKING:
    from cytoform.synthesis.cells import Cells
    from cytoform.synthesis.field import Field

TRIAL_GRID = 48


@dataclass(frozen=True)
class Boxed:
    """A shape on a grid: signed distance in µm in the box that holds it."""

    grid: Grid
    corner_zyx: tuple[int, int, int]
    sdf_um: Float[np.ndarray, "z y x"]

    def span(self, axis: int) -> tuple[int, int]:
        """The first and last voxel of the grid along an axis that are inside; (0, -1) where nothing is."""
        filled = np.flatnonzero((self.sdf_um <= 0).any(axis=tuple({0, 1, 2} - {axis})))
        low = self.corner_zyx[axis]
        return (low + int(filled[0]), low + int(filled[-1])) if len(filled) else (0, -1)

    @property
    def height_um(self) -> float:
        """How tall it is along z."""
        first, last = self.span(0)
        return (last - first + 1) * self.grid.spacing_um

    @property
    def is_cut(self) -> bool:
        """Whether an outermost voxel of the grid is inside."""
        return any(first == 0 or last == self.grid.size - 1 for first, last in map(self.span, range(3)))

    def pieces(self) -> Pieces:
        """What it is in pieces of."""
        return find_pieces(np.ascontiguousarray(self.sdf_um <= 0), self.corner_zyx)


@runtime_checkable
class Actor(Protocol):
    """One cell family over its own time."""

    @property
    def name(self) -> str:
        """For messages."""
        ...

    @property
    def grid(self) -> Grid:
        """Of its shapes."""
        ...

    @property
    def n_frames(self) -> int:
        """Frames of its own."""
        ...

    @property
    def has_rotations(self) -> bool:
        """Whether other poses of it may be flatter."""
        ...

    @property
    def time_step_s(self) -> float | None:
        """Between these."""
        ...

    def trial(self, frame: int) -> Boxed:
        """The shape of one of its own frames, perhaps coarsely."""
        ...

    def shape(self, frame: float) -> Boxed:
        """Its shape on `grid` at any time, counted in its own frames."""
        ...


@dataclass(frozen=True)
class FromStore:
    """A sequence of a store, turned by quarters about the optical axis, which changes no distance."""

    sequence: ShapeSequence
    quarters: int

    @property
    def name(self) -> str:
        """Of the sequence."""
        return self.sequence.info.name

    @property
    def has_rotations(self) -> bool:
        """About the optical axis only."""
        return False

    @property
    def grid(self) -> Grid:
        """As stored."""
        return self.sequence.grid

    @property
    def n_frames(self) -> int:
        """As stored."""
        return self.sequence.info.n_frames

    @property
    def time_step_s(self) -> float | None:
        """As stored."""
        return self.sequence.info.time_step_s

    def trial(self, frame: int) -> Boxed:
        """As stored."""
        return self.shape(frame)

    def shape(self, frame: float) -> Boxed:
        """The stored frame that is nearest."""
        (z, y, x), sdf_um = self.sequence.box(round(frame))
        _, n_y, n_x = sdf_um.shape
        size = self.grid.size
        for _ in range(self.quarters):
            # A quarter turn takes (y, x) to (size - 1 - x, y).
            y, x, n_y, n_x = size - x - n_x, y, n_x, n_y
        return Boxed(self.grid, (z, y, x), np.rot90(sdf_um, self.quarters, axes=(1, 2)))


@dataclass(frozen=True)
class FromRun:
    """A code of a trained run in a pose of its own, exact at any time."""

    name: str
    field: "Field"
    grid: Grid
    n_frames: int
    time_step_s: float | None
    has_rotations: bool

    def trial(self, frame: int) -> Boxed:
        """On a coarse grid."""
        return self._rendered(frame, min(TRIAL_GRID, self.grid.size))

    def shape(self, frame: float) -> Boxed:
        """Rendered then."""
        return self._rendered(frame, self.grid.size)

    def _rendered(self, frame: float, size: int) -> Boxed:
        time = float(frame_times(self.n_frames)[0] + (2 * frame / (self.n_frames - 1) if self.n_frames > 1 else 0))
        rendered = self.field.render(time, size)
        return Boxed(rendered.grid, rendered.corner_zyx, rendered.box_sdf_um)


def is_run(source: Path) -> bool:
    """A run folder; anything else is taken for a shape store."""
    return (source / "config.toml").is_file()


@functools.lru_cache(maxsize=8)
def load_cells(run: Path, device: str) -> "Cells":
    """A run, loaded once a process."""
    from cytoform.synthesis.cells import load

    return load(run, device=device)
