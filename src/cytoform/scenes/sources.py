"""The shapes of a cell family over time: from a trained run, or from a sequence of a shape store."""

import functools
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from cytoform.base.kinds import Kind, kind_of
from cytoform.shapes.box import BoxedField
from cytoform.shapes.grid import Grid, frame_times
from cytoform.shapes.store import ShapeSequence

if TYPE_CHECKING:
    from cytoform.synthesis.cells import Cells
    from cytoform.synthesis.field import Field

TRIAL_GRID = 48


@runtime_checkable
class ShapeSource(Protocol):
    """The shapes of one cell family; frames are counted in its own sequence, not in the scene."""

    @property
    def name(self) -> str:
        """Name for messages."""
        ...

    @property
    def grid(self) -> Grid:
        """Grid of all shapes."""
        ...

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        ...

    @property
    def has_rotations(self) -> bool:
        """Whether the family can be drawn in other rotations, which may be flatter along z."""
        ...

    @property
    def time_step_s(self) -> float | None:
        """Seconds between frames, if known."""
        ...

    def trial(self, frame: int) -> BoxedField:
        """The shape in a frame, perhaps on a coarser grid."""
        ...

    def shape(self, frame: float) -> BoxedField:
        """The shape on `grid` at any time, in frames."""
        ...


@dataclass(frozen=True)
class FromStore:
    """A sequence of a store after `quarters` quarter turns about z, which need no interpolation."""

    sequence: ShapeSequence
    quarters: int

    @property
    def name(self) -> str:
        """Name of the sequence."""
        return self.sequence.info.name

    @property
    def has_rotations(self) -> bool:
        """Only quarter turns about z, which leave the height unchanged."""
        return False

    @property
    def grid(self) -> Grid:
        """Grid of the store."""
        return self.sequence.grid

    @property
    def n_frames(self) -> int:
        """Stored frames."""
        return self.sequence.info.n_frames

    @property
    def time_step_s(self) -> float | None:
        """Stored time step."""
        return self.sequence.info.time_step_s

    def trial(self, frame: int) -> BoxedField:
        """The stored frame."""
        return self.shape(frame)

    def shape(self, frame: float) -> BoxedField:
        """The nearest stored frame."""
        stored = self.sequence.box(round(frame))
        z, y, x = stored.corner_zyx
        _, n_y, n_x = stored.box_sdf_um.shape
        size = self.grid.size
        for _ in range(self.quarters):
            # A quarter turn takes (y, x) to (size - 1 - x, y).
            y, x, n_y, n_x = size - x - n_x, y, n_x, n_y
        turned = np.rot90(stored.box_sdf_um, self.quarters, axes=(1, 2))
        return replace(stored, corner_zyx=(z, y, x), box_sdf_um=turned)


@dataclass(frozen=True)
class FromRun:
    """A latent code of a trained run, rendered in one rotation at any time."""

    name: str
    field: "Field"
    grid: Grid
    n_frames: int
    time_step_s: float | None
    has_rotations: bool

    def trial(self, frame: int) -> BoxedField:
        """Rendered on a coarse grid."""
        return self._rendered(frame, min(TRIAL_GRID, self.grid.size))

    def shape(self, frame: float) -> BoxedField:
        """Rendered on `grid`."""
        return self._rendered(frame, self.grid.size)

    def _rendered(self, frame: float, size: int) -> BoxedField:
        time = float(frame_times(self.n_frames)[0] + (2 * frame / (self.n_frames - 1) if self.n_frames > 1 else 0))
        return self.field.render(time, size)


def is_run(source: Path) -> bool:
    """Whether a path is a run folder; any other is read as a shape store."""
    return kind_of(source) is Kind.RUN


@functools.lru_cache(maxsize=8)
def load_cells(run: Path, device: str) -> "Cells":
    """Load a run, once per process."""
    from cytoform.synthesis.cells import load

    return load(run, device=device)
