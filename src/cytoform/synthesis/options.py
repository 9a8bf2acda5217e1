"""How cells are rendered and fitted: the options of calls and commands, without PyTorch."""

from dataclasses import dataclass
from typing import Annotated, Literal

from cyclopts import Parameter

from cytoform.base.options import FRAMES, GRID, NOT_AN_OPTION, check_ranges, real, whole

Method = Literal["narrow-band", "dense"]
SAFETY = 1.25


@Parameter(name="*")
@dataclass(frozen=True)
class Rendering:
    """How the sequences of a run are rendered."""

    grid_size: Annotated[int | None, Parameter("--grid"), GRID] = None
    """Voxels along a side of the cube; by default as learned."""
    n_frames: Annotated[int | None, Parameter("--frames"), FRAMES] = None
    """Frames spread evenly over the sequence's time; by default as many as learned."""
    method: Method = "narrow-band"
    """narrow-band evaluates only near the surface; dense evaluates every voxel."""
    safety: Annotated[float, real(1e-3, 1e6)] = SAFETY
    """Safety factor for skipping empty space. Larger is slower but misses fewer thin parts."""

    def check(self) -> None:
        """Raises InputError."""
        check_ranges(self)

    def size(self, learned: int) -> int:
        """Voxels along a side of the grid, where the run has learned on `learned` of them."""
        return learned if self.grid_size is None else self.grid_size

    def frames(self, learned: int) -> int:
        """Frames of a sequence that has `learned` frames in the run."""
        return learned if self.n_frames is None else self.n_frames


@Parameter(name="*")
@dataclass(frozen=True)
class FitSettings:
    """How a fit descends. The figures behind the defaults are in docs/LOG.md."""

    steps: Annotated[int, whole(1, 1_000_000)] = 1200
    """Steps of each fit."""
    learning_rate: Annotated[float, NOT_AN_OPTION] = 2e-2
    # Of the squared change of a code from knot to knot, where it changes over time.
    jump_penalty: Annotated[float, NOT_AN_OPTION] = 3e-5
    # Where the run has learned rotations.
    rotation_rate: Annotated[float, NOT_AN_OPTION] = 1e-2
    # Steps of fine-tuning the decoder for each cell, after the fit.
    adapt_steps: Annotated[int, NOT_AN_OPTION] = 0

    def check(self) -> None:
        """Raises InputError."""
        check_ranges(self)
