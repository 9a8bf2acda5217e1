"""Where a family's shapes come from: a trained run, or a sequence of a shape store."""

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

    def trial(self, frame: int) -> BoxedField:
        """The shape of one of its own frames, perhaps coarsely."""
        ...

    def shape(self, frame: float) -> BoxedField:
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

    def trial(self, frame: int) -> BoxedField:
        """As stored."""
        return self.shape(frame)

    def shape(self, frame: float) -> BoxedField:
        """The stored frame that is nearest."""
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
    """A code of a trained run in a pose of its own, exact at any time."""

    name: str
    field: "Field"
    grid: Grid
    n_frames: int
    time_step_s: float | None
    has_rotations: bool

    def trial(self, frame: int) -> BoxedField:
        """On a coarse grid."""
        return self._rendered(frame, min(TRIAL_GRID, self.grid.size))

    def shape(self, frame: float) -> BoxedField:
        """Rendered then."""
        return self._rendered(frame, self.grid.size)

    def _rendered(self, frame: float, size: int) -> BoxedField:
        time = float(frame_times(self.n_frames)[0] + (2 * frame / (self.n_frames - 1) if self.n_frames > 1 else 0))
        return self.field.render(time, size)


def is_run(source: Path) -> bool:
    """A run folder; anything else is taken for a shape store."""
    return kind_of(source) is Kind.RUN


@functools.lru_cache(maxsize=8)
def load_cells(run: Path, device: str) -> "Cells":
    """A run, loaded once a process."""
    from cytoform.synthesis.cells import load

    return load(run, device=device)
