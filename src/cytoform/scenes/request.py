"""The request for a scene: checked once, then frozen; --resume continues an equal request."""

import hashlib
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from cytoform.base.digest import folder_sha256
from cytoform.base.provenance import recorded_names
from cytoform.base.triples import IntTriple, Triple
from cytoform.errors import InputError
from cytoform.priors.fitted import PriorName
from cytoform.scenes.sources import is_run, load_cells
from cytoform.shapes.store import ShapeStore

Leave = Literal["xy", "xyz", "none"]
Dial = Literal["snr", "cells", "every", "planes"]
# Axes (z, y, x) with borders through which cells enter and leave.
OPEN: dict[Leave, tuple[bool, bool, bool]] = {
    "xy": (False, True, True),
    "xyz": (True, True, True),
    "none": (False, False, False),
}
# Command-line names of fields that have another name there.
OPTIONS = {
    "sources": "list of RUNs, or a changed one",
    "files_sha256": "file behind --texture or --motion",
    "versions": "version of the software",
    "size_zyx": "--size",
    "voxel_size_zyx_um": "--voxel-size",
    "time_step_s": "--time-step",
    "speed_um_per_min": "--speed",
    "persistence_min": "--persistence",
    "gap_um": "--gap",
}
MAX_FAMILIES, MAX_FRAMES, MAX_VOXELS = 10000, 10000, 1 << 31
WALK = "walk"


@dataclass(frozen=True)
class SceneRequest:
    """Options of a scene; those that are None are derived from the sources."""

    sources: tuple[Path, ...]
    cells: int
    frames: int
    size_zyx: IntTriple
    texture: str = "optics"
    voxel_size_zyx_um: Triple | None = None
    time_step_s: float | None = None
    prior: PriorName = "between"
    motion: str = WALK
    speed_um_per_min: float | None = None
    persistence_min: float | None = None
    leave: Leave = "xy"
    # Share of the families that enter after the first frame.
    arrivals: float = 0.2
    gap_um: float = 0.0
    projection: bool = False
    series: tuple[Dial, tuple[float, ...]] | None = None
    ome_zarr: bool = True
    geff: bool = True
    meshes: bool = False
    licence: str = ""
    seed: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        """Check all values before anything is opened."""
        if not self.sources:
            raise InputError("no RUN: give trained runs or shape stores whose cells populate the scene")
        _whole("--cells", self.cells, 1, MAX_FAMILIES)
        _whole("--frames", self.frames, 1, MAX_FRAMES)
        if min(self.size_zyx) < 4 or math.prod(self.size_zyx) > MAX_VOXELS:
            shown = " ".join(str(n) for n in self.size_zyx)
            raise InputError(f"--size {shown}: choose three numbers of at least 4, at most {MAX_VOXELS} voxels in all")
        for option, value in (
            *(("--voxel-size", step) for step in self.voxel_size_zyx_um or ()),
            ("--time-step", self.time_step_s),
        ):
            if value is not None and not (math.isfinite(value) and value > 0):
                raise InputError(f"{option} {value:g}: must be a positive number")
        for option, value in (
            ("--speed", self.speed_um_per_min),
            ("--persistence", self.persistence_min),
            ("--gap", self.gap_um),
        ):
            if value is not None and not (math.isfinite(value) and value >= 0):
                raise InputError(f"{option} {value:g}: must be a number of at least 0")
        if not 0 <= self.arrivals < 1:
            raise InputError(f"--arrivals {self.arrivals:g}: a share of the cells, at least 0 and below 1")
        if self.seed < 0:
            raise InputError(f"--seed {self.seed}: must not be negative")
        if self.series is not None:
            _check_series(*self.series, self)

    def recorded(self) -> dict[str, Any]:
        """The record in the data set, with hashes of all sources: equal records give equal data."""
        options = asdict(self)
        del options["sources"], options["device"]
        options["series"] = None if self.series is None else [self.series[0], list(self.series[1])]
        for name in ("size_zyx", "voxel_size_zyx_um"):
            options[name] = None if options[name] is None else list(options[name])
        files = {}
        for name in ("texture", "motion"):
            path = Path(options[name])
            files[name] = _files_sha256(path)
            if path.exists():
                options[name] = recorded_names([path])[0]
        sources = [{"name": source.name, "sha256": fingerprint(source)} for source in self.sources]
        return {**options, "sources": sources, "files_sha256": files}


def fingerprint(source: Path) -> str:
    """SHA-256 of the weights and codes of a run, or of a whole store. Raises InputError for any other path."""
    if not source.exists():
        raise InputError(f"{source}: no such file or folder; give a run of 'cytoform train' or a shape store")
    if is_run(source):
        return load_cells(source, "cpu").weights_sha256
    ShapeStore.open(source)
    return folder_sha256(source)


def _files_sha256(path: Path) -> str | None:
    """SHA-256 of a file or folder; None if there is none."""
    if path.is_dir():
        return folder_sha256(path)
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def refuse_to_resume(wanted: dict[str, Any], recorded: dict[str, Any], out: Path) -> None:
    """Raise InputError naming the first difference between two requests."""
    before = dict(recorded)
    for name in ("texture", "motion"):
        # Known by their content (files_sha256), wherever the file is; older versions recorded whole paths.
        if Path(str(before.get(name))).name == Path(wanted[name]).name:
            before[name] = wanted[name]
    for name, value in wanted.items():
        if before.get(name) != value:
            option = OPTIONS.get(name, f"--{name.replace('_', '-')}")
            raise InputError(
                f"{out}: --resume with another {option}; repeat the options of the interrupted command, or leave "
                "--resume out to begin anew"
            )


def _whole(option: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise InputError(f"{option} {value}: choose {least} to {most}")


def _check_series(dial: Dial, values: tuple[float, ...], request: SceneRequest) -> None:
    shown = ",".join(f"{value:g}" for value in values)
    if len(set(values)) != len(values) or not all(math.isfinite(value) and value > 0 for value in values):
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
    """Voxel size and time step of a scene."""

    voxel_size_zyx_um: Triple
    time_step_s: float


def settle_scale(request: SceneRequest) -> SceneScale:
    """The scale of a scene, by default that of its first source. Raises InputError if no time step is known."""
    first = request.sources[0]
    if is_run(first):
        learned = load_cells(first, request.device).run.learned
        spacing_um, time_step_s = 2 * learned.half_extent_um / learned.grid, learned.sequences[0].time_step_s
    else:
        store = ShapeStore.open(first)
        spacing_um = store.grid.spacing_um
        time_step_s = next((sequence.info.time_step_s for sequence in store), None)
    time_step_s = request.time_step_s or time_step_s
    if time_step_s is None:
        raise InputError(f"{first}: no time step is recorded; pass --time-step, in seconds")
    voxel_size = request.voxel_size_zyx_um or (spacing_um, spacing_um, spacing_um)
    if request.gap_um > 2 * min(voxel_size):
        raise InputError(f"--gap {request.gap_um:g}: at most two voxels, here {2 * min(voxel_size):g} µm; choose less")
    return SceneScale(voxel_size, time_step_s)
