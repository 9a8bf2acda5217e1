"""Cells taken apart for a training: the run keeps their protrusions, and learns their bodies.

RUN/parts.safetensors  of every sequence NAME: NAME.protrusions, rows of `Units` in its own pose; NAME.volumes, of the
                       cell and of its body in every frame, in cubed half extents (of cells in images their areas, in
                       squared half extents); NAME.bulges, rows of `Bulges`; and of all bulges: moments, boxes and
                       phases, see `Moments`
    bodies.zarr        a shape store of the bodies, until the training is finished
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import numpy as np
import torch
from jaxtyping import Float

from cytoform.base.parallel import Progress
from cytoform.base.tensors import read_header, read_tensors, write_tensors
from cytoform.errors import InputError
from cytoform.protrusions.bulge_fit import bulges_of, is_thick
from cytoform.protrusions.bulges import NODES, Bulges, Moments
from cytoform.protrusions.decompose import n_tasks, take_apart
from cytoform.protrusions.lasting import FEWEST_FRAMES, window_of
from cytoform.protrusions.parts import PartsOfSequence
from cytoform.protrusions.radius import opening_curve
from cytoform.protrusions.unit_fit import units_of
from cytoform.protrusions.units import Units
from cytoform.representations.parts.config import FILLET_SHARE, PartsConfig
from cytoform.runs.config import Config
from cytoform.shapes.boundary import BALL_NAMES
from cytoform.shapes.grid import NAMES
from cytoform.shapes.store import ShapeStore, refuse_2d

PARTS, BODIES = "parts.safetensors", "bodies.zarr"
MOST_UNITS = 10_000  # protrusions of a sequence
FILLET_VOXELS = 0.5  # width of the rounding at the roots of thick protrusions


@dataclass(frozen=True)
class LearnedParts:
    """Protrusions and volumes of one learned sequence, in half extents."""

    units: Units
    volumes: Float[np.ndarray, "frames 2"]  # of the cell and of its body
    bulges: Bulges = field(default_factory=Bulges.none)


@dataclass(frozen=True)
class PartsOfRun:
    """What a run keeps of its cells beside their bodies."""

    sequences: list[LearnedParts]
    moments: Moments  # of the bulges of all
    centred: bool  # whether their frames are each centred on the cell's centroid


def resolved(config: Config, store: ShapeStore, *, workers: int) -> Config:
    """The settings with the radius of the opening found from the data, unless it is set. Raises InputError."""
    if not isinstance(config.model, PartsConfig):
        return config
    if config.data.frame_stride > 1:
        raise InputError(
            "data.frame_stride: protrusions are followed from frame to frame, so model.kind = 'parts' learns all frames; "
            "set it to 1 or choose model.kind = 'global'"
        )
    radius_um, fillet = config.model.opening_radius_um, config.model.fillet
    if config.model.body == "lasting":
        refuse_2d(store.path, store.grid.n_dims, "model.body = 'lasting'")
        _refuse_short(config, store)
        width = fillet or round(FILLET_VOXELS * store.grid.spacing_um / store.grid.half_extent_um, 4)
        return config.model_copy(update={"model": config.model.model_copy(update={"fillet": width})})
    if radius_um == 0:
        curve = opening_curve(store, names=config.data.sequences, workers=workers)
        if curve is None:
            raise InputError(
                f"{store.path}: the cells are too thin, or the {NAMES[store.grid.n_dims]} too coarse, for a body to be told "
                "from its protrusions; prepare on a finer --grid, or train with --set model.kind=global"
            )
        radius_um = curve.radius_um
    model = {
        "opening_radius_um": round(radius_um, 4),
        "fillet": fillet or round(FILLET_SHARE * radius_um / store.grid.half_extent_um, 4),
    }
    return config.model_copy(update={"model": config.model.model_copy(update=model)})


def take_run_apart(
    config: Config, store: ShapeStore, names: Sequence[str], run: Path, workers: int, progress: Progress
) -> None:
    """Write the protrusions of the named sequences, and a store of their bodies, into the folder of a run."""
    model = cast(PartsConfig, config.model)
    radius_um = None if model.body == "lasting" else model.opening_radius_um
    bodies = ShapeStore.create(
        run / BODIES, store.grid, band_um=store.band_um, attributes={"command": "train", "opening_radius_um": radius_um}
    )
    for name in names:
        bodies.add(store[name].info)
    with progress("taking cells apart", n_tasks(store, names, lasting=radius_um is None)) as advance:
        parts = take_apart(store, radius_um, names=names, bodies=bodies, workers=workers, done=advance)
    bodies.note()
    for each in parts:
        _refuse_bodiless(each, store.path, store.grid.n_dims)
    half_um = store.grid.half_extent_um
    thick = bulges_of(parts, half_um) if radius_um is None else None
    tensors = {} if thick is None else tensors_of(thick.moments)
    for number, each in enumerate(parts):
        if thick is not None:
            rows = thick.cells[number].to_rows()
            tensors[f"{each.name}.bulges"] = torch.tensor(rows, dtype=torch.float32)
            each = replace(each, tracks=[track for track in each.tracks if not is_thick(track)])
        units = units_of(each, half_um)
        volumes = np.array([[frame.cell_um3, frame.body_um3] for frame in each.frames]) / half_um**store.grid.n_dims
        tensors[f"{each.name}.protrusions"] = torch.tensor(units.to_rows(), dtype=torch.float32)
        tensors[f"{each.name}.volumes"] = torch.tensor(volumes, dtype=torch.float32)
    keep_motion = store.attributes.get("options", {}).get("keep_motion", False)
    write_tensors(run / PARTS, tensors, {"centred": json.dumps(not keep_motion)})


def read_parts(run: Path, n_frames: Mapping[str, int], n_dims: int) -> PartsOfRun:
    """The protrusions of learned sequences in `n_dims` dimensions, by name their number of frames.

    Raises InputError for a damaged file.
    """
    shapes = read_header(run / PARTS).shapes
    for name, n in n_frames.items():
        rows, volumes = (shapes.get(f"{name}.{what}", ()) for what in ("protrusions", "volumes"))
        if rows[1:] != (Units.width(n_dims),) or rows[0] > MOST_UNITS or volumes != (n, 2):
            raise _damaged(run, name)
        thick = shapes.get(f"{name}.bulges", (0, Bulges.width(n_dims)))
        if thick[1:] != (Bulges.width(n_dims),) or thick[0] > MOST_UNITS:
            raise _damaged(run, name)
    tensors, metadata = read_tensors(run / PARTS)
    moments = _moments_of(run, tensors)
    found = []
    for name in n_frames:
        values, volumes_of = (tensors[f"{name}.{what}"].double().numpy() for what in ("protrusions", "volumes"))
        bulges = Bulges.none(n_dims)
        if f"{name}.bulges" in tensors:
            bulges = Bulges.from_rows(tensors[f"{name}.bulges"].double().numpy(), n_dims)
        parts = LearnedParts(Units.from_rows(values, n_dims), volumes_of, bulges)
        if not (parts.units.are_sound() and bulges.are_sound(len(moments))) or (parts.volumes < 0).any():
            raise _damaged(run, name)
        found.append(parts)
    return PartsOfRun(found, moments, metadata.get("centred") != "false")


def tensors_of(moments: Moments) -> dict[str, torch.Tensor]:
    """The moments of all bulges as tensors of the file."""
    return {
        "moments": torch.from_numpy(moments.values),
        "boxes": torch.tensor(moments.boxes, dtype=torch.float32),
        "phases": torch.tensor(moments.phases, dtype=torch.float32),
    }


def _moments_of(run: Path, tensors: Mapping[str, torch.Tensor]) -> Moments:
    """The distances of bulges; none in a run without. Raises InputError for damaged ones."""
    if "moments" not in tensors:
        return Moments.none()
    values, boxes, phases = (tensors.get(name, torch.empty(0)) for name in ("moments", "boxes", "phases"))
    n = len(phases)
    if (values.dtype, values.shape, boxes.shape) == (torch.int8, (n, NODES, NODES, NODES), (n, 3, 2)):
        moments = Moments(values.numpy(), boxes.double().numpy(), phases.double().numpy())
        if moments.are_sound():
            return moments
    raise InputError(
        f"{run / PARTS}: the distances of thick protrusions are damaged, or of an earlier version; train the run anew"
    )


def _damaged(run: Path, name: str) -> InputError:
    return InputError(f"{run / PARTS}: the parts of sequence {name} are missing or damaged; train the run anew")


def _refuse_bodiless(parts: PartsOfSequence, where: Path, n_dims: int) -> None:
    for number, frame in enumerate(parts.frames):
        if frame.body_um3 == 0:
            if parts.radius_um is None:
                raise InputError(
                    f"{where}, {parts.name}, frame {number}: nothing of the cell lasts around it, so it has no body; train "
                    "with --preset linear"
                )
            raise InputError(
                f"{where}, {parts.name}, frame {number}: thinner everywhere than a {BALL_NAMES[n_dims]} of "
                f"{parts.radius_um:.2g} µm, so it has no body; choose a smaller "
                "--set model.opening_radius_um, or --set model.kind=global"
            )


def _refuse_short(config: Config, store: ShapeStore) -> None:
    for name in config.data.sequences or store.names:
        if window_of(n := store[name].info.n_frames) is None:
            raise InputError(
                f"{store.path}, {name}: {n} frames; model.body = 'lasting' takes {2 * FEWEST_FRAMES}, to tell what lasts"
            )
