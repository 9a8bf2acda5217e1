"""The data sets of the experiments, simulated or read, as shape stores: training cells and held-out cells."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from cytoform.base.parallel import Progress
from cytoform.errors import InputError
from cytoform.prepare import prepare
from cytoform.shapes.store import ShapeStore
from cytoform.simulate import BlebsParameters, FilopodiaParameters, MitosisParameters, simulate
from cytoform.simulate.population import Parameters, n_tasks

Name = Literal["mitosis", "filopodia", "blebs", "tcells"]
# Measured by default.
NAMES: tuple[Name, ...] = ("mitosis", "filopodia", "tcells")
# Data sets with dividing cells, which may have two components.
DIVIDING = ("mitosis",)


@dataclass(frozen=True)
class Size:
    """Amount of computation in an experiment."""

    name: str
    sequences: int  # for training, at most; there are 27 of T cells
    held_out: int
    frames: int
    grid: int
    preset: str  # auto: the default of `cytoform train`
    settings: tuple[str, ...]
    generated: int  # new cells per prior
    cloud_points: int  # surface points per frame, for distances between sequences
    cloud_every: int = 1  # every so many frames have points
    aligned: bool = True  # also train on cells in their principal frames, for generation
    # Different values for filopodial cells, because their protrusions are only two voxels thin.
    filopodial: dict[str, Any] = field(default_factory=dict)

    def of(self, name: Name) -> "Size":
        """The size with the values for a data set."""
        return replace(self, **(self.filopodial if name == "filopodia" else {}), filopodial={})

    def with_preset(self, preset: str) -> "Size":
        """The size with another preset as it is, for all data sets; named after both."""
        return replace(self, name=f"{self.name}, preset {preset}", preset=preset, settings=(), filopodial={})


SIZES = {
    # Only tests that everything runs.
    "tiny": Size("tiny", 3, 2, 5, 32, "quick", (
        "training.epochs=150", "training.checkpoint_epochs=50", "model.width=32", "model.depth=3",
        "model.code_dim=8", "model.code_layers=[1, 2]", "model.omega=8.0", "sampling.pool_points=4000",
    ), 3, 128),
    # Three experiments take less than an hour on two cores.
    "cpu": Size("cpu", 10, 6, 11, 96, "best", ("training.epochs=600",), 10, 1024, filopodial={
        "preset": "thin", "aligned": False,
    }),
    # Filopodial cells on a grid that resolves them, with their preset: hours on two cores.
    "thin": Size("thin", 10, 6, 11, 160, "thin", ("training.epochs=1200",), 10, 1024),
    # All T cells, with the preset for unseen cells: a quarter of an hour per model on two cores; there are two models.
    "unseen": Size("unseen", 27, 6, 30, 96, "unseen", (), 33, 1024),
    # The sizes of the paper. With its preset, for a GPU.
    "paper": Size("paper", 33, 6, 30, 256, "auto", (), 33, 1024, cloud_every=3),
}  # fmt: skip


@dataclass(frozen=True)
class Simulation:
    """Parameters of a simulated data set."""

    parameters: Parameters
    time_step_s: float
    voxel_um: float


SIMULATIONS = {
    "mitosis": Simulation(MitosisParameters(), 60.0, 0.125),
    "filopodia": Simulation(FilopodiaParameters(), 20.0, 0.125),
    "blebs": Simulation(BlebsParameters(), 10.0, 0.2),
}


@dataclass(frozen=True)
class Split:
    """Names of the training sequences and of the held-out sequences, which are never used for training."""

    training: tuple[str, ...]
    held_out: tuple[str, ...]


def make_simulated(
    name: str, size: Size, folder: Path, *, seed: int, workers: int, overwrite: bool, progress: Progress
) -> Split:
    """Simulate and prepare `folder`/shapes.zarr, or use the existing one."""
    simulation, shapes = SIMULATIONS[name], folder / "shapes.zarr"
    if overwrite or not shapes.exists():
        movies, n_cells = folder / "movies", size.sequences + size.held_out
        if overwrite or not movies.exists():
            with progress("simulating", n_tasks(n_cells=n_cells, n_frames=size.frames)) as advance:
                simulate(
                    simulation.parameters,
                    movies,
                    n_cells=n_cells,
                    n_frames=size.frames,
                    seed=seed,
                    spacing_zyx_um=(simulation.voxel_um,) * 3,
                    time_step_s=simulation.time_step_s,
                    workers=workers,
                    overwrite=True,
                    done=advance,
                )
        _prepare([movies], shapes, size, workers=workers, overwrite=overwrite, progress=progress)
    names = ShapeStore.open(shapes).names
    return _checked(Split(tuple(names[: size.sequences]), tuple(names[size.sequences :])), shapes, size)


def make_tcells(source: Path, size: Size, folder: Path, *, workers: int, overwrite: bool, progress: Progress) -> Split:
    """Prepare T cells from `source`, split by cell as in its sequences.csv, or use the existing store."""
    rows, shapes = sequence_rows(source), folder / "shapes.zarr"
    training, held_out = ([name for name in rows if rows[name]["split"] == part] for part in ("train", "held_out"))
    # Evenly spaced, because neighbours in the list are often the same cell.
    split = Split(_spread(training, size.sequences), _spread(held_out, size.held_out))
    if overwrite or not shapes.exists():
        masks = [source / "masks" / f"{name}.ome.tif" for name in (*split.training, *split.held_out)]
        _prepare(masks, shapes, size, workers=workers, overwrite=overwrite, progress=progress)
    return _checked(split, shapes, size)


def _prepare(
    sources: list[Path], shapes: Path, size: Size, *, workers: int, overwrite: bool, progress: Progress
) -> None:
    """Prepare a store, or go on with an interrupted one."""
    prepare(
        sources,
        shapes,
        frames=size.frames,
        grid_size=size.grid,
        workers=workers,
        overwrite=overwrite,
        resume=not overwrite,
        progress=progress,
    )


def sequence_rows(source: Path) -> dict[str, dict[str, str]]:
    """The rows of sequences.csv of the T cells, by name of the sequence. Raises InputError."""
    try:
        with (source / "sequences.csv").open(newline="") as file:
            return {row["name"]: row for row in csv.DictReader(file)}
    except (OSError, KeyError):
        raise InputError(
            f"{source}: no T cells (sequences.csv, masks/); say where they are with --tcells, or leave them out "
            "with --data mitosis filopodia"
        ) from None


def _spread(names: Sequence[str], n: int) -> tuple[str, ...]:
    n = min(n, len(names))
    return tuple(names[i * (len(names) - 1) // max(n - 1, 1)] for i in range(n))


def _checked(split: Split, shapes: Path, size: Size) -> Split:
    """Raise InputError for a store made with another size."""
    store = ShapeStore.open(shapes)
    n_frames = {sequence.info.n_frames for sequence in store}
    if (
        set(store.names) != {*split.training, *split.held_out}
        or store.grid.size != size.grid
        or n_frames != {size.frames}
    ):
        raise InputError(f"{shapes}: made at another size than {size.name}; give another --out, or --overwrite")
    return split
