"""The request of a scene: options that are checked once, and that --resume compares with the recorded ones."""

import hashlib
import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

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
from cytoform.base.triples import IntTriple, Triple
from cytoform.errors import InputError

Leave = Literal["xy", "xyz", "none"]
Dial = Literal["snr", "cells", "every", "planes", "gap", "bleaching", "blur", "focus-drift", "debris", "missing"]
# Axes (z, y, x) with borders through which cells enter and leave.
OPEN: dict[Leave, tuple[bool, bool, bool]] = {
    "xy": (False, True, True),
    "xyz": (True, True, True),
    "none": (False, False, False),
}
MAX_FAMILIES, MAX_FRAMES, MIN_SIDE, MAX_SIDE, MAX_VOXELS = 10_000, 10_000, 4, 1 << 20, 1 << 31
WALK = "walk"
# The option behind each dial of a series.
DIALS: dict[Dial, str] = {
    "snr": "snr",
    "cells": "cells",
    "every": "every",
    "planes": "planes",
    "gap": "gap_um",
    "bleaching": "bleaching",
    "blur": "blur_um",
    "focus-drift": "focus_drift_um",
    "debris": "debris",
    "missing": "missing",
}
CONFLUENT_DEPTH = 0.15  # of contact, by default where cells cover a given share of the field
SHORTEST_CYCLE = 2.0  # frames from a division to the next


Asked = TypeVar("Asked", bound="SceneRequest")


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class SceneRequest:
    """A scene of many cells and the data sets made of it."""

    # Runs whose new cells populate the scene, or shape stores whose cells do.
    sources: Annotated[tuple[Path, ...], NOT_AN_OPTION] = ()
    like: Path | None = None
    """Tracked movie (Cell Tracking Challenge folder) that the scene resembles; options that are given override it."""
    cells: Annotated[int | None, whole(1, MAX_FAMILIES)] = None
    """Cell families in the scene; needed without --like, as are --frames and --size."""
    frames: Annotated[int | None, whole(1, MAX_FRAMES)] = None
    """Frames of the movie."""
    size_zyx: Annotated[IntTriple | None, Parameter("--size"), whole(1, MAX_SIDE)] = None
    """Voxels of the field of view, Z Y X; Z is 1 for 2D cells."""
    texture: str | None = None
    """Source of the images: 'optics' (the default), a parameter file of optics (.toml), a texture model, or 'none'."""
    # Parameters of the optics, in TOML, in place of the default ones.
    optics: Annotated[str | None, NOT_AN_OPTION] = None
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
    wobble_um: Annotated[float | None, Parameter("--wobble"), real(0, 1e6)] = None
    """How far a walking cell is from its course in µm, anew in every frame (root mean square); by default 0."""
    neighbour_um: Annotated[float | None, Parameter("--neighbour"), real(0, 1e6)] = None
    """Distance in µm from a cell to its nearest neighbour in the first frame, where there is a choice of free places."""
    leave: Leave | None = None
    """Borders through which cells come and go: xy (the default) leaves them the whole depth of the field."""
    arrivals: Annotated[float | None, real(0, 0.999)] = None
    """Share of the families that come in through these borders after the first frame, by default 0.2."""
    cycle_min: Annotated[float | None, Parameter("--cycle"), real(1e-3, 1e9)] = None
    """Mean minutes from a division to the next: daughters grow and divide again. By default every family divides once."""
    cycle_spread: Annotated[float | None, Parameter("--cycle-spread"), real(0, 2)] = None
    """Standard deviation of the cell cycle over its mean, by default 0.2."""
    cell_size: Annotated[float | None, real(1e-9, 1e15)] = None
    """Median size of the cells, in µm³ (2D: µm²); by default as the sources have them."""
    cell_size_spread: Annotated[float | None, real(0, 2)] = None
    """Standard deviation of the logarithm of this size, where it is larger than in the sources."""
    quiescent: Annotated[float | None, real(0, 1)] = None
    """Share of the cells that never divide; they stop growing between birth and division. With --cycle, by default 0."""
    deaths: Annotated[float | None, real(0, 1e6)] = None
    """Deaths per cell and hour: a dying cell rounds up, shrinks and is gone. With --cycle, by default 0."""
    resemblance: Annotated[float | None, real(0, 1)] = None
    """Correlation of a cell's brightness and texture with her mother's in the images; by default 0, with --like 0.9."""
    contact: Annotated[float | None, real(0, 0.5)] = None
    """How far cells may be pressed together, as a share of their radius: they change their shapes and keep their sizes."""
    confluence: Annotated[float | None, real(0.01, 1)] = None
    """Share of the field that cells cover in every frame; all sizes get one factor. Cells are in contact."""
    polarity: Annotated[float | None, real(0, 1)] = None
    """How far elongated cells move along their long axis: 0 in any direction (the default), 1 along it only."""
    drift_zyx_um_per_min: Annotated[Triple | None, Parameter("--drift"), real(-1e6, 1e6)] = None
    """Velocity Z Y X in µm/min that all cells have beside their own, as in a flow or along a gradient."""
    gap_um: Annotated[float, Parameter("--gap"), real(0, 1e6)] = 0.0
    """Least distance between two cells in µm."""
    snr: Annotated[float | None, real(1e-6, 1e6)] = None
    """Signal-to-noise ratio of the images, relative to the texture's own."""
    bleaching: Annotated[float | None, real(0, 0.99)] = None
    """Share of the fluorescence that is lost by the last frame."""
    blur_um: Annotated[float | None, Parameter("--blur"), real(0, 1e3)] = None
    """More blur of the images, as a standard deviation in µm."""
    focus_drift_um: Annotated[float | None, Parameter("--focus-drift"), real(0, 1e3)] = None
    """How far in µm the focus is from 2D cells in the last frame; it leaves them evenly."""
    debris: Annotated[int | None, whole(0, 10_000)] = None
    """Pieces of debris in the images, which glow like cells and are in no mask."""
    missing: Annotated[float | None, real(0, 0.9)] = None
    """Share of the frames with an empty image; their cells keep masks and tracks, but no SEG mask."""
    # Only through a series: every n-th frame, and every n-th plane.
    every: Annotated[int | None, NOT_AN_OPTION, whole(1, MAX_FRAMES)] = None
    planes: Annotated[int | None, NOT_AN_OPTION, whole(1, MAX_SIDE)] = None
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
        if self.size_zyx is not None and math.prod(self.size_zyx) > MAX_VOXELS:
            shown = " ".join(str(n) for n in self.size_zyx)
            raise InputError(f"--size {shown}: choose at most {MAX_VOXELS} voxels in all")
        if self.series is not None:
            _check_series(*self.series, self)

    def turned(self: Asked, dial: Dial, value: float) -> Asked:
        """The request with one dial of its series at a value. Raises InputError."""
        turned: dict[str, Any] = {"series": None, DIALS[dial]: int(value) if value == int(value) else value}
        return replace(self, **turned)

    def settled(self) -> "SettledRequest":
        """The request with its defaults filled in. Raises InputError for an option that has none."""
        options = {name: value for name, value in vars(self).items() if value is not None}
        missing = [OPTIONS[name] for name in NEEDED if name not in options]
        if missing:
            raise InputError(f"{missing[0]}: missing; give it, or a movie that the scene resembles with --like FOLDER")
        for name in ("quiescent", "deaths"):
            if name in options and "cycle_min" not in options:
                raise InputError(f"{OPTIONS[name]}: only with --cycle, which gives cells a life; add it")
        return SettledRequest(**(vars(self) | DEFAULTS | options))

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
        options = {name: value for name, value in options.items() if name not in ADDED or value is not None}
        options["prior"] = self.chosen_prior()
        if self.like is not None:
            options["like"] = {"name": self.like.name, "sha256": _files_sha256(self.like)}
        options["series"] = None if self.series is None else [self.series[0], list(self.series[1])]
        options = {name: list(value) if isinstance(value, tuple) else value for name, value in options.items()}
        files = {name: _files_sha256(Path(str(options[name]))) for name in ("texture", "motion")}
        options |= {name: recorded_names([options[name]])[0] for name, sha256 in files.items() if sha256 is not None}
        sources = [{"name": source.name, "sha256": fingerprint(source)} for source in self.sources]
        return {**options, "sources": sources, "files_sha256": files}


@dataclass(frozen=True, kw_only=True)
class SettledRequest(SceneRequest):
    """A request with nothing left open: from its options, a movie that it resembles, and defaults."""

    cells: int
    frames: int
    size_zyx: IntTriple
    texture: str
    leave: Leave
    arrivals: float
    cycle_spread: float

    @property
    def contact_depth(self) -> float:
        """How far cells may be pressed together; 0 for cells that keep their shapes."""
        return self.contact if self.contact is not None else CONFLUENT_DEPTH if self.confluence is not None else 0.0

    @property
    def in_contact(self) -> bool:
        """Whether cells change their shapes where they meet."""
        return self.contact_depth > 0 or self.confluence is not None


NEEDED = ("cells", "frames", "size_zyx")
DEFAULTS: dict[str, Any] = {"texture": "optics", "leave": "xy", "arrivals": 0.2, "cycle_spread": 0.2}
# Recorded only where they are given.
ADDED = (
    "like",
    "optics",
    "cell_size",
    "cell_size_spread",
    "quiescent",
    "deaths",
    "resemblance",
    "wobble_um",
    "neighbour_um",
    "contact",
    "confluence",
    "polarity",
    "drift_zyx_um_per_min",
    "snr",
    "bleaching",
    "blur_um",
    "focus_drift_um",
    "debris",
    "missing",
    "every",
    "planes",
)

# Names in messages of --resume.
OPTIONS = option_names(SceneRequest) | {
    "sources": "list of RUNs, or a changed one",
    "files_sha256": "file behind --texture or --motion",
    "versions": "version of the software",
    "optics": "brightness of the images",
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
    if len(set(values)) != len(values):
        raise InputError(f"--series {dial}={shown}: give different numbers")
    if dial == "gap" and request.contact is None and request.confluence is None:
        raise InputError("--series gap: only with --contact or --confluence, since other cells would move apart")
    if dial in ("cells", "every", "planes"):
        size = request.size_zyx
        most = {"cells": request.cells, "every": request.frames, "planes": None if size is None else size[0]}[dial]
        if not all(value == int(value) and 1 <= value <= (most or MAX_SIDE) for value in values):
            raise InputError(f"--series {dial}={shown}: give whole numbers from 1 to {most or MAX_SIDE}")
    for value in values:
        request.turned(dial, value)


def parse_series(text: str) -> tuple[Dial, tuple[float, ...]]:
    """Read snr=1,2,4. Raises InputError."""
    name, _, values = text.partition("=")
    if name not in get_args(Dial):
        raise InputError(f"--series {text}: write one of {', '.join(get_args(Dial))} and its values, as in snr=0.5,1,2")
    try:
        return name, tuple(float(value) for value in values.split(","))  # type: ignore[return-value]
    except ValueError:
        raise InputError(f"--series {text}: write numbers separated by commas, as in {name}=1,2,4") from None
