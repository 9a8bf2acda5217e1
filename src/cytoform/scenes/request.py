"""The request of a scene: options that are checked once, and that --resume compares with the recorded ones."""

import hashlib
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from cyclopts import Parameter

from cytoform.base.digest import file_sha256, folder_sha256
from cytoform.base.geff import has_geff
from cytoform.base.kinds import Kind, kind_of, wrong_kind
from cytoform.base.options import (
    FLAG,
    LENGTH_UM,
    NOT_AN_OPTION,
    SECONDS,
    SEED,
    check_ranges,
    option_names,
    real,
    whole,
)
from cytoform.base.provenance import recorded_names
from cytoform.base.triples import Floats, IntTriple, Triple
from cytoform.errors import InputError
from cytoform.shapes.grid import NAMES

Leave = Literal["xy", "xyz", "none"]
Dial = Literal["snr", "cells", "every", "planes"]
# Axes (z, y, x) with borders through which cells enter and leave.
OPEN: dict[Leave, tuple[bool, bool, bool]] = {
    "xy": (False, True, True),
    "xyz": (True, True, True),
    "none": (False, False, False),
}
MAX_FAMILIES, MAX_FRAMES, MIN_SIDE, MAX_SIDE, MAX_VOXELS = 10_000, 10_000, 4, 1 << 20, 1 << 31
WALK = "walk"
SHORTEST_CYCLE = 2.0  # frames from a division to the next


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class SceneRequest:
    """A scene of many cells and the data sets made of it."""

    # Runs whose new cells populate the scene, or shape stores whose cells do.
    sources: Annotated[tuple[Path, ...], NOT_AN_OPTION] = ()
    cells: Annotated[int, whole(1, MAX_FAMILIES)]
    """Cell families in the scene."""
    frames: Annotated[int, whole(1, MAX_FRAMES)]
    """Frames of the movie."""
    size_zyx: Annotated[IntTriple, Parameter("--size"), whole(1, MAX_SIDE)]
    """Voxels of the field of view, Z Y X; Z is 1 for 2D cells."""
    texture: str = "optics"
    """Source of the images: 'optics', a parameter file of optics (.toml), a trained texture model, or 'none'."""
    voxel_size_zyx_um: Annotated[Triple | None, Parameter("--voxel-size"), LENGTH_UM] = None
    """Voxel size Z Y X in µm; by default as in the first RUN. The first number does not count for 2D cells."""
    time_step_s: Annotated[float | None, Parameter("--time-step"), SECONDS] = None
    """Seconds between frames; by default as in the first RUN."""
    prior: str | None = None
    """What new cells are drawn from, as in 'cytoform generate'; by default the one that the run's training chose."""
    motion: str = WALK
    """walk is a persistent random walk; with a shape store, cells move as its cells did."""
    speed_um_per_min: Annotated[float | None, Parameter("--speed"), real(0, 1e6)] = None
    """Root mean square speed of the walk in µm/min; by default a tenth of the cells' mean diameter a frame."""
    persistence_min: Annotated[float | None, Parameter("--persistence"), real(0, 1e6)] = None
    """For how many minutes a walking cell keeps its direction; by default five frames."""
    leave: Leave = "xy"
    """Borders through which cells come and go: xy leaves them the whole depth of the field."""
    arrivals: Annotated[float, real(0, 0.999)] = 0.2
    """Share of the families that come in through these borders after the first frame."""
    cycle_min: Annotated[float | None, Parameter("--cycle"), real(1e-3, 1e9)] = None
    """Mean minutes from a division to the next: daughters grow and divide again. By default every family divides once."""
    cycle_spread: Annotated[float, Parameter("--cycle-spread"), real(0, 2)] = 0.2
    """Standard deviation of the cell cycle over its mean."""
    gap_um: Annotated[float, Parameter("--gap"), real(0, 1e6)] = 0.0
    """Least distance between two cells in µm."""
    projection: Annotated[bool, FLAG] = False
    """Write 2D movies of 3D cells: maximum projections of images and masks."""
    series: Annotated[tuple[Dial, tuple[float, ...]] | None, NOT_AN_OPTION] = None
    ome_zarr: bool = True
    """Write OME-Zarr images with labels too."""
    geff: bool | None = None
    """Write the tracks as a GEFF graph too; by default where the package geff is there."""
    meshes: Annotated[bool, FLAG] = False
    """Write a surface of every cell in every frame too (PLY, in µm of the scene)."""
    licence: str = ""
    """Under which licence you publish the data set, for its README.md."""
    seed: Annotated[int, NOT_AN_OPTION, SEED] = 0
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where runs and a trained texture model compute."""

    def __post_init__(self) -> None:
        """Check all values before anything is opened."""
        if self.geff is None:
            object.__setattr__(self, "geff", has_geff())
        check_ranges(self)
        if math.prod(self.size_zyx) > MAX_VOXELS:
            shown = " ".join(str(n) for n in self.size_zyx)
            raise InputError(f"--size {shown}: choose at most {MAX_VOXELS} voxels in all")
        if self.series is not None:
            _check_series(*self.series, self)

    def chosen_prior(self) -> str:
        """The prior, by default those of all runs."""
        from cytoform.scenes.sources import PRIOR, is_run, load_cells, prior_choice

        if self.prior is not None:
            return self.prior
        chosen = [prior_choice(load_cells(run, self.device), None) for run in self.sources if is_run(run)]
        names = {each.prior if each.sigma is None else f"{each.prior} σ {each.sigma:g}" for each in chosen}
        return ", ".join(sorted(names)) or PRIOR

    def recorded(self) -> dict[str, Any]:
        """The record in the data set, with hashes of all sources: equal records give equal data."""
        options = asdict(self)
        del options["sources"], options["device"]
        options["prior"] = self.chosen_prior()
        options["series"] = None if self.series is None else [self.series[0], list(self.series[1])]
        for name in ("size_zyx", "voxel_size_zyx_um"):
            options[name] = None if options[name] is None else list(options[name])
        files = {name: _files_sha256(Path(options[name])) for name in ("texture", "motion")}
        options |= {name: recorded_names([options[name]])[0] for name, sha256 in files.items() if sha256 is not None}
        sources = [{"name": source.name, "sha256": fingerprint(source)} for source in self.sources]
        return {**options, "sources": sources, "files_sha256": files}


# Names in messages of --resume.
OPTIONS = option_names(SceneRequest) | {
    "sources": "list of RUNs, or a changed one",
    "files_sha256": "file behind --texture or --motion",
    "versions": "version of the software",
}


def fingerprint(source: Path) -> str:
    """SHA-256 of the weights and protrusions of a run, or of a whole shape store. Raises InputError for another path."""
    from cytoform.runs.parts import PARTS
    from cytoform.scenes.sources import load_cells

    kind = kind_of(source)
    if kind is Kind.RUN:
        cells = load_cells(source, "cpu")
        if not cells.run.parts:
            return cells.weights_sha256
        return hashlib.sha256((cells.weights_sha256 + str(_files_sha256(source / PARTS))).encode()).hexdigest()
    if kind is not Kind.SHAPE_STORE:
        raise wrong_kind(source, Kind.RUN, Kind.SHAPE_STORE)
    return folder_sha256(source)


def _files_sha256(path: Path) -> str | None:
    """SHA-256 of a file or folder; None if there is none."""
    if path.is_dir():
        return folder_sha256(path)
    return file_sha256(path) if path.is_file() else None


def _check_series(dial: Dial, values: tuple[float, ...], request: SceneRequest) -> None:
    shown = ",".join(f"{value:g}" for value in values)
    if len(set(values)) != len(values) or not all(1e-6 <= value <= 1e6 for value in values):
        raise InputError(f"--series {dial}={shown}: give different positive numbers")
    if dial == "snr":
        return
    most = {"cells": request.cells, "every": request.frames, "planes": request.size_zyx[0]}[dial]
    if not all(value == int(value) and 1 <= value <= most for value in values):
        raise InputError(f"--series {dial}={shown}: give whole numbers from 1 to {most}")


def parse_series(text: str) -> tuple[Dial, tuple[float, ...]]:
    """Read snr=1,2,4. Raises InputError."""
    name, _, values = text.partition("=")
    if name not in get_args(Dial):
        raise InputError(f"--series {text}: write one of {', '.join(get_args(Dial))} and its values, as in snr=0.5,1,2")
    try:
        return name, tuple(float(value) for value in values.split(","))  # type: ignore[return-value]
    except ValueError:
        raise InputError(f"--series {text}: write numbers separated by commas, as in {name}=1,2,4") from None


@dataclass(frozen=True)
class SceneScale:
    """Voxel size and time step of a scene, and the dimensions of its cells; a scene of 2D cells has one plane."""

    voxel_size_zyx_um: Triple
    time_step_s: float
    n_dims: int

    @property
    def spacing_um(self) -> Floats:
        """Voxel size along the axes that the cells have."""
        return self.voxel_size_zyx_um[-self.n_dims :]


def settle_scale(request: SceneRequest) -> SceneScale:
    """The scale of a scene, by default that of its first source.

    Raises InputError if no time step is known, and for cells that do not fit together or into the size of the scene.
    """
    from cytoform.scenes.sources import load_cells
    from cytoform.shapes.store import ShapeStore

    first = request.sources[0]
    if kind_of(first) is Kind.RUN:
        learned = load_cells(first, request.device).run.learned
        grid, time_step_s = learned.cube, learned.sequences[0].time_step_s
    else:
        store = ShapeStore.open(first)
        grid, time_step_s = store.grid, next((sequence.info.time_step_s for sequence in store), None)
    _check_dimensions(request, grid.n_dims)
    time_step_s = request.time_step_s or time_step_s
    if time_step_s is None:
        raise InputError(f"{first}: no time step is recorded; pass --time-step, in seconds")
    if request.cycle_min is not None and 60 * request.cycle_min < SHORTEST_CYCLE * time_step_s:
        raise InputError(
            f"--cycle {request.cycle_min:g}: shorter than {SHORTEST_CYCLE:g} frames of {time_step_s:g} s; choose at least "
            f"{SHORTEST_CYCLE * time_step_s / 60:.3g}, or a shorter --time-step"
        )
    scale = SceneScale(request.voxel_size_zyx_um or (grid.spacing_um,) * 3, time_step_s, grid.n_dims)
    if request.gap_um > (most := 2 * min(scale.spacing_um)):
        raise InputError(f"--gap {request.gap_um:g}: at most two voxels, here {most:g} µm; choose less")
    return scale


def _check_dimensions(request: SceneRequest, n_dims: int) -> None:
    """Raise InputError for sources of 2D and of 3D cells, and for options that their dimensions rule out."""
    first = request.sources[0]
    for source in request.sources[1:]:
        if (others := _n_dims(source, request.device)) != n_dims:
            raise InputError(f"{source}: its cells are {others}D, those of {first} {n_dims}D; make a scene of each")
    shown = " ".join(str(n) for n in request.size_zyx)
    n_z = request.size_zyx[0]
    if min(request.size_zyx[-n_dims:]) < MIN_SIDE:
        raise InputError(f"--size {shown}: a scene of {n_dims}D cells has at least {MIN_SIDE} {NAMES[n_dims]} a side")
    if n_dims == 3:
        return
    if n_z > 1:
        raise InputError(
            f"--size {shown}: the cells of {first} are 2D, a scene of them has one plane; make the first 1"
        )
    for name in ("projection", "meshes"):
        if getattr(request, name):
            raise InputError(f"--{name}: only for 3D cells, and those of {first} are 2D; leave it out")


def _n_dims(source: Path, device: str) -> int:
    from cytoform.scenes.sources import load_cells
    from cytoform.shapes.store import ShapeStore

    if kind_of(source) is Kind.RUN:
        return load_cells(source, device).run.learned.dimensions
    return ShapeStore.open(source).grid.n_dims
