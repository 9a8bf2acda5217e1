"""The shapes of a cell family over time: from a trained run, or from a sequence of a shape store."""

import functools
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cytoform.base.kinds import Kind, kind_of
from cytoform.base.triples import floats
from cytoform.scenes.bodies import Protrusion
from cytoform.scenes.interphase import scaled
from cytoform.shapes.box import BoxedField
from cytoform.shapes.grid import Grid, frame_times
from cytoform.shapes.store import ShapeSequence

if TYPE_CHECKING:
    from cytoform.synthesis.cells import Cells
    from cytoform.synthesis.choice import Choice
    from cytoform.synthesis.field import Field

TRIAL_GRID = 48
PRIOR = "between"  # of whole cells


@dataclass(frozen=True)
class ShapeSource(ABC):
    """The shapes of one cell family; frames are counted in its own sequence, not in the scene."""

    name: str
    grid: Grid
    n_frames: int
    time_step_s: float | None
    # Whether the family can be drawn in other rotations, which may be flatter along z.
    has_rotations: bool

    @abstractmethod
    def shape(self, frame: float) -> BoxedField:
        """The shape on `grid` at any time, in frames."""

    def trial(self, frame: int) -> BoxedField:
        """The shape in a frame, perhaps on a coarser grid."""
        return self.shape(frame)

    def protrusions(self, frame: float) -> list[Protrusion] | None:
        """The protrusions that reach a voxel or more out of the body at any time; None where they are not known."""
        return None


@dataclass(frozen=True)
class FromStore(ShapeSource):
    """A sequence of a store after `quarters` quarter turns from y to x, which need no interpolation."""

    sequence: ShapeSequence
    quarters: int

    @classmethod
    def of(cls, sequence: ShapeSequence, quarters: int) -> "FromStore":
        """All frames of a sequence."""
        info = sequence.info
        return cls(info.name, sequence.grid, info.n_frames, info.time_step_s, False, sequence, quarters)

    def shape(self, frame: float) -> BoxedField:
        """The nearest stored frame."""
        stored = self.sequence.box(round(frame))
        *z, y, x = stored.corner_zyx
        *_, n_y, n_x = stored.box_sdf_um.shape
        for _ in range(self.quarters):
            # A quarter turn takes (y, x) to (size - 1 - x, y).
            y, x, n_y, n_x = self.grid.size - x - n_x, y, n_x, n_y
        turned = np.rot90(stored.box_sdf_um, self.quarters, axes=(-2, -1))
        return replace(stored, corner_zyx=(*z, y, x), box_sdf_um=turned)


@dataclass(frozen=True)
class FromRun(ShapeSource):
    """A latent code of a trained run, rendered in one rotation at any time."""

    field: "Field"
    voxel_um: float  # of the scene, along its finest axis

    def trial(self, frame: int) -> BoxedField:
        """Rendered on a coarse grid."""
        return self._rendered(frame, min(TRIAL_GRID, self.grid.size))

    def shape(self, frame: float) -> BoxedField:
        """Rendered on `grid`."""
        return self._rendered(frame, self.grid.size)

    def protrusions(self, frame: float) -> list[Protrusion] | None:
        """Of cells that are made of a body and protrusions; of others nothing is known."""
        from cytoform.representations.parts.frame import PartsFrame
        from cytoform.representations.parts.protruding import protruding

        made, half_um = self.field.at(self._time(frame)), self.grid.half_extent_um
        if not isinstance(made, PartsFrame):
            return None
        return [
            Protrusion(
                each.row,
                each.parent,
                floats(half_um * each.root[::-1]),
                floats(half_um * each.tip[::-1]),
                half_um * each.length,
                half_um * each.radius,
            )
            for each in protruding(made, step=1 / self.grid.size, least=self.voxel_um / half_um)
        ]

    def _rendered(self, frame: float, size: int) -> BoxedField:
        return self.field.render(self._time(frame), size)

    def _time(self, frame: float) -> float:
        """The network's time of a frame."""
        return float(frame_times(self.n_frames)[0] + (2 * frame / (self.n_frames - 1) if self.n_frames > 1 else 0))


@dataclass(frozen=True)
class Enlarged(ShapeSource):
    """The shapes of another source, `factor` times as long."""

    drawn: ShapeSource
    factor: float

    @classmethod
    def of(cls, drawn: ShapeSource, factor: float) -> "Enlarged":
        """All shapes of a source."""
        grid = Grid(drawn.grid.size, drawn.grid.half_extent_um * factor, drawn.grid.n_dims)
        return cls(drawn.name, grid, drawn.n_frames, drawn.time_step_s, drawn.has_rotations, drawn, factor)

    def shape(self, frame: float) -> BoxedField:
        """The shape of the source, enlarged."""
        return scaled(self.drawn.shape(frame), self.factor)

    def trial(self, frame: int) -> BoxedField:
        """The shape of the source, perhaps on a coarser grid, enlarged."""
        return scaled(self.drawn.trial(frame), self.factor)

    def protrusions(self, frame: float) -> list[Protrusion] | None:
        """The protrusions of the source, enlarged."""
        found = self.drawn.protrusions(frame)
        return None if found is None else [enlarged(each, self.factor) for each in found]


def enlarged(protrusion: Protrusion, factor: float) -> Protrusion:
    """A protrusion with all its lengths times a factor."""
    return replace(
        protrusion,
        root_zyx_um=floats(factor * np.array(protrusion.root_zyx_um)),
        tip_zyx_um=floats(factor * np.array(protrusion.tip_zyx_um)),
        length_um=factor * protrusion.length_um,
        radius_um=factor * protrusion.radius_um,
    )


def is_run(source: Path) -> bool:
    """Whether a path is a run folder; any other is read as a shape store."""
    return kind_of(source) is Kind.RUN


@functools.lru_cache(maxsize=8)
def load_cells(run: Path, device: str) -> "Cells":
    """Load a run, once per process."""
    from cytoform.synthesis.cells import load

    return load(run, device=device)


def prior_choice(cells: "Cells", prior: str | None) -> "Choice":
    """The prior that new cells of a run are drawn from, by default the one chosen at the end of its training."""
    from cytoform.synthesis.choice import Choice

    found = Choice.read(cells.run.path) if prior is None else None
    return found or Choice(prior or ("compose" if cells.run.parts else PRIOR), None, None, "")
