"""Layers of cells: masks, distances, surfaces and tracks, in µm, with a slider for the sequence where there are several."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import dask.array as da
import numpy as np
from dask.delayed import delayed

from cytoform.shapes.boundary import Boundary
from cytoform_napari.following import OWN, SEQUENCE, SequenceTracks, tracks_layer
from cytoform_napari.sources import CellSource
from cytoform_napari.tracks import body_tracks

# Data, arguments of the layer, and its type, as napari takes them from a plugin.
LayerData = tuple[Any, dict[str, Any], str]
TIME = "t"
MOST_TRACKED_FRAMES = 500  # tracks need all frames of a sequence read at once


def cell_layers(source: CellSource) -> list[LayerData]:
    """Masks and distances of a source, read when shown; of a store also the tracks of the bodies of a sequence."""
    layers = [distance_layer(source), mask_layer(source)]
    if source.kind == "store" and max(source.n_frames) <= MOST_TRACKED_FRAMES:
        layers.append(body_track_layer(source))
    return layers


def mask_layer(source: CellSource) -> LayerData:
    """The masks as labels: the number of the sequence, from 1."""

    def mask(number: int, frame: int) -> np.ndarray:
        return source.box(number, frame).mask() * np.uint16(number + 1)

    return _stack(source, mask, np.uint16, 0), {"name": source.title, **_placed(source)}, "labels"


def distance_layer(source: CellSource) -> LayerData:
    """The signed distances, hidden at first; the surface lies in the middle of the contrast."""

    def distance(number: int, frame: int) -> np.ndarray:
        return np.asarray(source.box(number, frame).sdf_um(), np.float32)

    shown = {
        "name": f"{source.title} distance (µm)",
        "colormap": "coolwarm",
        "contrast_limits": (-source.band_um, source.band_um),
        "rendering": "minip",  # any other mode shows a volume of distances as a grey box
        "visible": False,
    }
    return _stack(source, distance, np.float32, source.band_um), shown | _placed(source), "image"


def body_track_layer(source: CellSource) -> LayerData:
    """Tracks of the bodies of the sequence on the slider, with their lineage."""

    @lru_cache(len(source.names))
    def tracks_of(name: str) -> SequenceTracks:
        number = source.names.index(name)
        return body_tracks(source.box(number, frame) for frame in range(source.n_frames[number]))

    return tracks_layer(f"{source.title} tracks", source.names, tracks_of, source.grid.axes, _facts(source))


def surface_layers(
    source: CellSource,
    *,
    errors: Callable[[int, int, Boundary], np.ndarray] | None = None,
    name: str | None = None,
    colour: str = "orange",
) -> list[LayerData]:
    """The surfaces of all frames as one layer that follows the sliders; of cells in images, their outlines.

    `errors` gives a value for every vertex of a surface, which colours it.
    """
    found = [
        (number, frame, boundary)
        for number, n_frames in enumerate(source.n_frames)
        for frame in range(n_frames)
        if (boundary := source.box(number, frame).boundary()) is not None
    ]
    if not found:
        return []
    shown = {"name": name or f"{source.title} surface", **_in_um(source)}
    if source.grid.n_dims == 2:
        return [_outline_layer(source, found, shown | {"edge_color": colour})]
    vertices = np.concatenate([_placed_vertices(source, *each) for each in found])
    starts = np.cumsum([0, *(len(boundary.vertices_um) for *_, boundary in found)])
    faces = np.concatenate([boundary.faces + start for (*_, boundary), start in zip(found, starts, strict=False)])
    if errors is None:
        return [((vertices, faces), shown | {"colormap": colour, "shading": "smooth"}, "surface")]
    values = np.concatenate([errors(*each) for each in found])
    most = max(float(np.percentile(np.abs(values), 99)), 1e-6)
    coloured = {"colormap": "coolwarm", "contrast_limits": (-most, most), "shading": "none"}
    return [((vertices, faces, values), shown | coloured, "surface")]


def _outline_layer(source: CellSource, found: Sequence[tuple[int, int, Boundary]], shown: dict[str, Any]) -> LayerData:
    polygons = []
    for number, frame, boundary in found:
        vertices = _placed_vertices(source, number, frame, boundary)
        # A segment that goes back in the list closes a polygon.
        ends = np.flatnonzero(np.diff(boundary.faces, axis=1)[:, 0] < 0) + 1
        polygons += [part for part in np.split(vertices, ends) if len(part) > 2]
    style = {"shape_type": "polygon", "face_color": "transparent"}
    return polygons, shown | style | {"edge_width": source.grid.spacing_um / 2}, "shapes"


def _placed_vertices(source: CellSource, number: int, frame: int, boundary: Boundary) -> np.ndarray:
    """Vertices (sequence, t, z, y, x) or (t, z, y, x), as those of the masks."""
    place = [number, frame] if len(source.names) > 1 else [frame]
    vertices = boundary.vertices_um[:, ::-1]
    return np.column_stack([np.tile(np.array(place, np.float32), (len(vertices), 1)), vertices])


def _stack(
    source: CellSource, read: Callable[[int, int], np.ndarray], dtype: type[np.generic], outside: float
) -> da.Array:
    """Frames (sequence, t, z, y, x), or (t, z, y, x) of one sequence; shorter sequences end with empty frames."""
    shape, longest = source.grid.shape, max(source.n_frames)
    empty = da.full(shape, outside, dtype=dtype, chunks=shape)
    rows = [
        da.stack(
            [
                da.from_delayed(delayed(read, pure=True)(number, frame), shape, dtype) if frame < n_frames else empty
                for frame in range(longest)
            ]
        )
        for number, n_frames in enumerate(source.n_frames)
    ]
    return da.stack(rows) if len(rows) > 1 else rows[0]


def _placed(source: CellSource) -> dict[str, Any]:
    """Scale and place of arrays, whose first voxel has its centre half a voxel from the corner of the cube."""
    side, n_dims = source.grid.spacing_um, source.grid.n_dims
    before = 2 if len(source.names) > 1 else 1
    space = {"scale": (1.0,) * before + (side,) * n_dims, "translate": (0.0,) * before + (side / 2,) * n_dims}
    return space | _in_um(source)


def _in_um(source: CellSource) -> dict[str, Any]:
    before = [SEQUENCE, TIME] if len(source.names) > 1 else [TIME]
    return {
        "axis_labels": (*before, *source.grid.axes),
        "units": ("pixel",) * len(before) + ("um",) * source.grid.n_dims,
        "metadata": {OWN: _facts(source)},
    }


def _facts(source: CellSource) -> dict[str, Any]:
    """What our panels know a layer by."""
    return {
        "path": str(source.path),
        "kind": source.kind,
        "names": list(source.names),
        "time_step_s": source.time_step_s,
    }
