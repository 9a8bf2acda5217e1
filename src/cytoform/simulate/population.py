"""Populations of simulated cells with exact distances, and their movies."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from jaxtyping import Float, UInt16

import cytoform
from cytoform.base.cluster import local_workers
from cytoform.base.files import write_json
from cytoform.base.lazy import make_callable
from cytoform.base.ome import VERSION, OmeMovie
from cytoform.base.output import Output
from cytoform.base.parallel import run_all
from cytoform.base.triples import Ints, Triple, in_volume, ints
from cytoform.errors import InputError
from cytoform.movies.ctc import CtcWriter
from cytoform.movies.lineage import Lineage
from cytoform.simulate.blebbing import draw_blebs_cell
from cytoform.simulate.cell import SimulatedCell, Spacing, Time
from cytoform.simulate.family_tree import draw_mitosis_cell
from cytoform.simulate.labels import label_image
from cytoform.simulate.parameters import BlebsParameters, FilopodiaParameters, MitosisParameters
from cytoform.simulate.randomness import stratified_normal
from cytoform.simulate.sprouting import draw_filopodia_cell

BORDER_VOXELS = 3  # background around the family
MAX_VOXELS = 1 << 30
MAX_CELLS = 999
FRAMES_A_TASK = 5
Parameters = MitosisParameters | FilopodiaParameters | BlebsParameters
SIMULATORS: dict[type[Parameters], Callable[..., SimulatedCell]] = {
    MitosisParameters: draw_mitosis_cell,
    FilopodiaParameters: draw_filopodia_cell,
    BlebsParameters: draw_blebs_cell,
}


@dataclass(frozen=True)
class SimulatedFamily:
    """One cell family in its own volume; points are measured from the corner of this volume.

    `frame` is continuous in [0, n_frames - 1]; the shape is exact at any time.
    """

    name: str
    cell: SimulatedCell
    spacing_zyx_um: Spacing

    @property
    def n_frames(self) -> int:
        """Frames of the movie."""
        return self.cell.n_frames

    @property
    def n_dims(self) -> int:
        """Dimensions of space."""
        return len(self.spacing_zyx_um)

    @property
    def lineage(self) -> Lineage:
        """Tracks with parents."""
        return Lineage(self.cell.tracks)

    @cached_property
    def _box_zyx_um(self) -> Float[np.ndarray, "2 dims"]:
        boxes = [part.bounds_zyx_um for frame in range(self.n_frames) for part in self.cell.parts(frame)]
        margin = BORDER_VOXELS * np.array(self.spacing_zyx_um)
        return np.stack([np.min([box[0] for box in boxes], 0) - margin, np.max([box[1] for box in boxes], 0) + margin])

    @property
    def shape_zyx(self) -> Ints:
        """Shape of the volume (image) in voxels; it holds the family in every frame, with background all around."""
        low, high = self._box_zyx_um
        return ints(np.ceil((high - low) / np.array(self.spacing_zyx_um)))

    @property
    def corner_zyx_um(self) -> Float[np.ndarray, " dims"]:
        """Corner of the volume in the coordinates of the cell."""
        return self._box_zyx_um[0]

    def distance_um(self, points_zyx_um: Float[np.ndarray, "n dims"], frame: Time) -> Float[np.ndarray, " n"]:
        """Signed distance to the family's surface in µm, negative inside."""
        placed = points_zyx_um + self.corner_zyx_um
        return np.min([part.distance_um(placed) for part in self.cell.parts(frame)], axis=0)

    def labels(self, frame: Time) -> UInt16[np.ndarray, "*zyx"]:
        """Label image at a time."""
        return label_image(
            self.cell.parts(frame),
            shape=self.shape_zyx,
            spacing_zyx_um=self.spacing_zyx_um,
            corner_zyx_um=self.corner_zyx_um,
        )


def population(
    parameters: Parameters,
    *,
    n_cells: int,
    n_frames: int,
    seed: int,
    spacing_zyx_um: Triple = (0.125, 0.125, 0.125),
    time_step_s: float = 60.0,
) -> list[SimulatedFamily]:
    """Draw random cell families without rendering them; equal arguments give equal cells. Raises InputError.

    For cells in images, the voxel size along z does not count.
    """
    if seed < 0:
        raise InputError(f"--seed {seed}: must not be negative")
    _check(n_cells=n_cells, n_frames=n_frames, spacing_zyx_um=spacing_zyx_um, time_step_s=time_step_s)
    parameters.check_voxels(spacing_zyx_um[-parameters.dims :])
    draw = SIMULATORS[type(parameters)]
    master, *seeds = np.random.SeedSequence(seed).spawn(n_cells + 1)
    shuffle = np.random.default_rng(master)
    # Standard scores of size and division time (or number of filopodia), stratified so that few cells cover the range.
    scores = [stratified_normal(n_cells, shuffle) for _ in range(2)]
    return [
        SimulatedFamily(
            f"{n:02d}",
            draw(
                parameters,
                np.random.default_rng(own_seed),
                n_frames=n_frames,
                time_step_s=time_step_s,
                scores=(float(size), float(pace)),
            ),
            spacing_zyx_um[-parameters.dims :],
        )
        for n, (own_seed, size, pace) in enumerate(zip(seeds, *scores, strict=True), start=1)
    ]


def simulate(
    parameters: Parameters,
    out: Path,
    *,
    n_cells: int,
    n_frames: int,
    seed: int,
    spacing_zyx_um: Triple,
    time_step_s: float,
    workers: int = 1,
    ome_zarr: bool = False,
    overwrite: bool = False,
    done: Callable[[], Any] = lambda: None,
    report: Callable[[Path, list[SimulatedFamily]], Any] = lambda folder, families: None,
) -> list[SimulatedFamily]:
    """Write a population as a Cell Tracking Challenge dataset, one sequence per family; return the exact cells.

    Writes OUT/NN_GT/{TRA,SEG} and man_track.txt, with voxel size and time step; with `ome_zarr` also
    OUT/ome_zarr/NN.zarr. `done` is called `n_tasks` times; `report` may add files to OUT. Equal arguments give equal
    files for any number of workers. Raises InputError.
    """
    output = Output.at(out, inputs=[], overwrite=overwrite)
    output.check()
    families = population(
        parameters,
        n_cells=n_cells,
        n_frames=n_frames,
        seed=seed,
        spacing_zyx_um=spacing_zyx_um,
        time_step_s=time_step_s,
    )
    _check_size(families)
    with output.staged() as folder, local_workers(workers):
        movies = [MovieFiles(folder.absolute(), family, time_step_s, ome_zarr) for family in families]
        starts = range(0, n_frames, FRAMES_A_TASK)
        tasks = [(movie, start, min(start + FRAMES_A_TASK, n_frames)) for movie in movies for start in starts]
        run_all(_write_frames, tasks, workers=workers, done=done)
        for movie in movies:
            movie.labels.finish(movie.family.lineage)
        write_json(
            folder / "provenance.json",
            {
                "kind": kind_of(parameters),
                "parameters": recorded(parameters),
                "cells": n_cells,
                "frames": n_frames,
                "seed": seed,
                "voxel_size_zyx_um": list(spacing_zyx_um),
                "time_step_s": time_step_s,
                "version": cytoform.__version__,
            },
        )
        report(folder, families)
    return families


def kind_of(parameters: Parameters) -> str:
    """Name of the simulator: `mitosis`, `filopodia` or `blebs`."""
    return type(parameters).__name__.removesuffix("Parameters").lower()


def recorded(parameters: Parameters) -> dict[str, Any]:
    """The parameters; dimensions only where they are not three."""
    return {name: value for name, value in vars(parameters).items() if (name, value) != ("dims", 3)}


def n_tasks(*, n_cells: int, n_frames: int) -> int:
    """Number of tasks of `simulate`, for a progress bar."""
    return n_cells * -(-n_frames // FRAMES_A_TASK)


class MovieFiles:
    """Output files of one family's movie; frames may be written in any order and by any process."""

    def __init__(self, folder: Path, family: SimulatedFamily, time_step_s: float, ome_zarr: bool) -> None:
        self.family = family
        spacing_zyx_um = in_volume(family.spacing_zyx_um, family.spacing_zyx_um[-1])
        self.labels = CtcWriter(folder, family.n_frames, spacing_zyx_um, time_step_s, family.name)
        self.zarr: zarr.Array[Any] | None = None
        if ome_zarr:
            self.zarr = _create_ome_zarr(folder / "ome_zarr" / f"{family.name}.zarr", family, time_step_s)

    def write(self, frame: int) -> None:
        """Render and write one frame."""
        labels = self.family.labels(frame)
        self.labels.write(frame, labels.reshape(in_volume(labels.shape, 1)))
        if self.zarr is not None:
            self.zarr[frame] = labels


def _write_frames(movie: MovieFiles, first: int, end: int) -> None:
    for frame in range(first, end):
        movie.write(frame)


def _create_ome_zarr(path: Path, family: SimulatedFamily, time_step_s: float) -> zarr.Array[Any]:
    group = zarr.create_group(path, zarr_format=3)
    shape_zyx = family.shape_zyx
    movie = OmeMovie(family.n_frames, shape_zyx, shape_zyx, family.spacing_zyx_um, time_step_s, compressor="auto")
    array = movie.create(group, family.name, "uint16", label={"version": VERSION})
    group.attrs["cytoform"] = {"tracks": [dataclasses.asdict(track) for track in family.lineage.tracks]}
    return array


def _check(*, n_cells: int, n_frames: int, spacing_zyx_um: Spacing, time_step_s: float) -> None:
    if not 1 <= n_cells <= MAX_CELLS:
        raise InputError(f"--cells {n_cells}: choose 1 to {MAX_CELLS} cells")
    if not 1 <= n_frames <= 10000:
        raise InputError(f"--frames {n_frames}: choose 1 to 10000 frames")
    if not all(np.isfinite(step) and step > 0 for step in spacing_zyx_um):
        given = " ".join(f"{step:g}" for step in spacing_zyx_um)
        raise InputError(f"--voxel-size {given}: must be three positive numbers of µm, along z, y and x")
    if not (np.isfinite(time_step_s) and time_step_s > 0):
        raise InputError(f"--time-step {time_step_s}: must be a positive number of seconds")


def _check_size(families: list[SimulatedFamily]) -> None:
    for family in families:
        if np.prod(family.shape_zyx, dtype=object) > MAX_VOXELS:
            shape = "×".join(str(n) for n in family.shape_zyx)
            given = " ".join(f"{step:g}" for step in family.spacing_zyx_um)
            raise InputError(f"--voxel-size {given}: a frame would have {shape} voxels; choose larger voxels")


make_callable(__name__)
