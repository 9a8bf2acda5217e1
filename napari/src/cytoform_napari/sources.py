"""Cells that layers are made of: the sequences of a shape store, or the learned cells of a run, frame by frame."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cytoform.shapes.box import BoxedField
from cytoform.shapes.grid import Grid, frame_times
from cytoform.shapes.sequence import ShapeSequence
from cytoform.shapes.store import ShapeStore

KEPT_FRAMES = 64  # of a source, so that a slider moved back shows at once
FINEST_RUN_GRID = 96  # voxels a side at which a run is shown; rendering takes longer than reading


@dataclass(frozen=True)
class CellSource:
    """Named sequences on one grid. `box` gives the distances of a frame by the number of its sequence and its own."""

    path: Path
    kind: str  # "store" or "run"
    grid: Grid
    band_um: float
    names: tuple[str, ...]
    n_frames: tuple[int, ...]
    time_step_s: float | None
    box: Callable[[int, int], BoxedField]

    @property
    def title(self) -> str:
        """Name of its layers."""
        name = self.path.name.removesuffix(".zarr")
        return name if len(self.names) > 1 or self.kind == "run" else f"{name} {self.names[0]}"


def store_source(path: Path, name: str | None = None) -> CellSource:
    """The sequences of a store, or the one called `name`. Raises InputError."""
    store = ShapeStore.open(path)
    sequences = list(store) if name is None else [store[name]]

    @lru_cache(KEPT_FRAMES)
    def box(number: int, frame: int) -> BoxedField:
        return sequences[number].box(frame)

    return CellSource(
        path,
        "store",
        store.grid,
        store.band_um,
        tuple(sequence.info.name for sequence in sequences),
        tuple(sequence.info.n_frames for sequence in sequences),
        _time_step(sequences),
        box,
    )


def run_source(path: Path) -> CellSource:
    """The learned cells of a run, rendered when shown, on at most `FINEST_RUN_GRID` voxels a side. Raises InputError."""
    from cytoform.synthesis.cells import load
    from cytoform.synthesis.render import BAND_VOXELS

    cells = load(path)
    learned = cells.run.learned
    grid = Grid(min(learned.grid, FINEST_RUN_GRID), learned.half_extent_um, learned.dimensions)
    times = [frame_times(sequence.n_frames) for sequence in learned.sequences]

    @lru_cache(KEPT_FRAMES)
    def box(number: int, frame: int) -> BoxedField:
        return cells.field(cells.names[number]).render(float(times[number][frame]), grid.size)

    return CellSource(
        path,
        "run",
        grid,
        BAND_VOXELS * grid.spacing_um,
        tuple(cells.names),
        tuple(sequence.n_frames for sequence in learned.sequences),
        learned.sequences[0].time_step_s,
        box,
    )


def _time_step(sequences: list[ShapeSequence]) -> float | None:
    return next((sequence.info.time_step_s for sequence in sequences if sequence.info.time_step_s), None)
