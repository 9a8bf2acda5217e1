"""Reads tracks from GEFF (graph exchange file format): a Zarr group with nodes, edges and their properties."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from jaxtyping import Float, Int

from cytoform.base.codecs import checked_codecs, require_safe
from cytoform.base.gate import read_bytes
from cytoform.base.triples import Triple
from cytoform.errors import InputError
from cytoform.movies.metadata import MICROMETRES
from cytoform.movies.tracking.graph import TrackGraph

# Names that programs give to the property with the value in the label images, where the metadata do not name it.
LABEL_NAMES = ("seg_id", "segmentation_id", "label", "label_id", "mask_id")
PIXELS = ("pixel", "pixels", "px", "voxel")


def is_geff(path: Path) -> bool:
    """Whether a folder is a GEFF group, by its metadata."""
    for name, mark in (("zarr.json", b'"geff"'), (".zattrs", b'"geff"')):
        try:
            if mark in read_bytes(path / name):
                return True
        except InputError:
            continue
    return False


def read_geff(path: Path, *, spacing_zyx_um: Triple) -> TrackGraph:
    """Read a graph; positions in µm are turned into voxels of `spacing_zyx_um`. Raises InputError."""
    try:
        group = zarr.open_group(path, mode="r")
        attributes: dict[str, Any] = group.attrs.asdict()
        metadata: Mapping[str, Any] = attributes["geff"]
        ids = _array(group, "nodes/ids")
        ends = _array(group, "edges/ids").reshape(-1, 2)
        axes = list(metadata.get("axes") or ())
        frames = _property(group, _time(axes))
        labels = _labels(group, metadata, path)
        points_zyx = _points(group, axes, spacing_zyx_um)
        if len({len(values) for values in (ids, frames, labels, points_zyx) if values is not None}) > 1:
            raise ValueError("as many values as nodes are needed")
    except (MemoryError, InputError):
        raise
    except Exception as fault:
        raise InputError(f"{path}: its GEFF graph cannot be read ({type(fault).__name__}); write it again") from None
    if not len(ids):
        raise InputError(f"{path}: a graph without nodes; write it again, or move it away from the movie")
    order = np.argsort(ids, kind="stable")
    places = np.clip(np.searchsorted(ids[order], ends.ravel()), 0, len(ids) - 1)
    if (ids[order][places] != ends.ravel()).any() or (np.diff(ids[order]) == 0).any():
        raise InputError(f"{path}: its edges name nodes that are not there, or two nodes have one id; write it again")
    return TrackGraph(
        source=str(path),
        names=[f"node {one}" for one in ids],
        frames=_frames(frames, path),
        edges=order[places].reshape(-1, 2).astype(np.int64),
        labels=labels,
        points_zyx=points_zyx,
    )


def _time(axes: list[Mapping[str, Any]]) -> str:
    return next((str(axis["name"]) for axis in axes if axis.get("type") == "time"), "t")


def _frames(values: np.ndarray, path: Path) -> Int[np.ndarray, " nodes"]:
    if not (np.isfinite(values) & (values == np.floor(values)) & (values >= 0) & (values < 1e9)).all():
        raise InputError(f"{path}: times that are no numbers of frames; write the graph with t in frames from 0 on")
    return values.astype(np.int64)


def _labels(group: zarr.Group, metadata: Mapping[str, Any], path: Path) -> Int[np.ndarray, " nodes"] | None:
    """The values in the label images: the property that the metadata name, or one of a telling name."""
    related = [each for each in metadata.get("related_objects") or () if each.get("type") == "labels"]
    named = [str(each["node_prop"]) for each in related if each.get("node_prop")]
    for name in (*named, *LABEL_NAMES):
        if f"nodes/props/{name}/values" in group:
            values = _property(group, name)
            if values.dtype.kind not in "ui" or values.ndim != 1:
                raise InputError(f"{path}: its labels ({name}) are not whole numbers; write the graph again")
            return values.astype(np.int64)
    return None


def _points(
    group: zarr.Group, axes: list[Mapping[str, Any]], spacing_zyx_um: Triple
) -> Float[np.ndarray, "nodes 3"] | None:
    """Positions in voxels; None unless each axis of space is there in pixels or in a unit of length."""
    by_name = {str(axis["name"]).lower()[-1:]: axis for axis in axes if axis.get("type") == "space"}
    columns = []
    for name, size_um in zip("zyx", spacing_zyx_um, strict=True):
        axis = by_name.get(name)
        if axis is None:
            return None
        unit = str(axis.get("unit") or "").lower()
        scale, scaled = axis.get("scale"), MICROMETRES.get(str(axis.get("scaled_unit") or "").lower())
        if unit in MICROMETRES:
            per_voxel = MICROMETRES[unit] / size_um
        elif unit in PIXELS:
            per_voxel = 1.0
        elif scale and scaled:
            per_voxel = float(scale) * scaled / size_um
        else:
            return None
        # Programs put the centre of voxel 0 at 0 or at half a voxel; the search around a point bridges the difference.
        columns.append(_property(group, str(axis["name"])).astype(float) * per_voxel)
    return np.stack(columns, axis=1)


def _property(group: zarr.Group, name: str) -> np.ndarray:
    values = _array(group, f"nodes/props/{name}/values")
    if f"nodes/props/{name}/missing" in group and _array(group, f"nodes/props/{name}/missing").any():
        raise InputError(f"{group.store_path}: property {name} is missing for some nodes; write the graph again")
    return values


def _array(group: zarr.Group, name: str) -> np.ndarray:
    with checked_codecs():
        array = group[name]
    if not isinstance(array, zarr.Array) or array.size > 1 << 28:
        raise TypeError(f"{name} is no array of reasonable size")
    require_safe(array)
    return np.asarray(array[...])
