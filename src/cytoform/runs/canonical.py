"""Cells in the frame and at the size that all of a data set share: principal axes, and one volume.

A point p of the cube Ω, in half extents from its centre, is q = R p / scale there. The scale changes from frame to frame,
so that all frames have one volume.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import edt
import numpy as np
from jaxtyping import Float
from scipy.ndimage import map_coordinates, spline_filter
from torch import Tensor

from cytoform.errors import EmptyFrame
from cytoform.representations.rotation import Moments, identity, principal_rotation, to_matrix
from cytoform.runs.alignment import moments_inside
from cytoform.shapes.box import BoxedField
from cytoform.shapes.store import ShapeSequence, ShapeStore

MOST_VOXELS = 500_000  # of a frame, on which a grid is tried


@dataclass(frozen=True)
class Measured:
    """A sequence's rotation (w, x, y, z), and of every frame the volume and the reach, in half extents and their powers.

    The volume of an image is its area.

    The reach is that of the farthest voxel from the centre of the cube, along any principal axis.
    """

    rotation: Float[Tensor, " 4"]
    volumes: Float[np.ndarray, " frames"]
    reaches: Float[np.ndarray, " frames"]


@dataclass(frozen=True)
class Canonical:
    """How a frame of a sequence is brought into the frame that all share."""

    rotation: Float[Tensor, " 4"]
    scale: float
    n_dims: int = 3

    @property
    def matrix(self) -> Float[np.ndarray, "dims dims"]:
        """R, from the pose of the sequence to the shared one."""
        return to_matrix(self.rotation[None], self.n_dims)[0].double().numpy()


def measured(path: Path, name: str, frames: Sequence[int], align: str) -> Measured:
    """`measure` for a sequence of the store at `path`."""
    return measure(ShapeStore.open(path)[name], frames, align)


def measure(sequence: ShapeSequence, frames: Sequence[int], align: str) -> Measured:
    """Measure some frames of a sequence. Raises EmptyFrame for one without a cell."""
    moments: list[Moments] = []
    surfaces, volumes = [], []
    for frame in frames:
        field = sequence.box(frame)
        each = moments_inside(field)
        if each.n == 0:
            raise EmptyFrame(
                f"{sequence.info.source or sequence.info.name}, frame {frame}: no voxel is inside the cell; leave the "
                "frame out with 'cytoform prepare --frames'"
            )
        moments.append(each)
        volumes.append(each.n * (2 / sequence.grid.size) ** sequence.grid.n_dims)
        surfaces.append(_surface(field))
    first, *others = moments
    rotation = identity(1)[0] if align == "none" else principal_rotation(sum(others, start=first))
    turn = to_matrix(rotation[None], sequence.grid.n_dims)[0].double().numpy()
    reaches = [float(np.abs(surface @ turn.T).max()) for surface in surfaces]
    return Measured(rotation, np.array(volumes), np.array(reaches))


def shared_volume(found: Sequence[Measured]) -> float:
    """The geometric mean of the sequences' volumes, in cubed half extents."""
    return float(np.exp(np.mean([np.log(each.volumes.mean()) for each in found])))


def node_places(nodes: int, extent: float, n_dims: int = 3) -> Float[np.ndarray, "n {n_dims}"]:
    """The nodes of a grid of width 2 × `extent` as (x, y, z), in the order of an array (z, y, x)."""
    axis = ((np.arange(nodes) + 0.5) * 2 / nodes - 1) * extent
    zyx = np.meshgrid(*[axis] * n_dims, indexing="ij")
    return np.stack(zyx[::-1], axis=-1).reshape(-1, n_dims)


def distances_at_nodes(
    sequence: ShapeSequence, frame: int, place: Canonical, nodes: int, extent: float, cut: float
) -> Float[np.ndarray, "*nodes"]:
    """Signed distances in half extents at the shared size, cut off at `cut` nodes from the surface."""
    field, distances = _untruncated(sequence.box(frame).tight(margin=2))
    spacing = 2 / sequence.grid.size
    points = place.scale * node_places(nodes, extent, place.n_dims) @ place.matrix
    index = ((points[:, ::-1] + 1) / spacing - 0.5).T - np.array(field.corner_zyx)[:, None]
    nearest = np.clip(index, 0, np.array(distances.shape)[:, None] - 1)
    found = map_coordinates(distances, nearest, order=1) + spacing * np.linalg.norm(index - nearest, axis=0)
    width = cut * 2 * extent / nodes
    return np.clip(found / place.scale, -width, width).astype(np.float32).reshape((nodes,) * place.n_dims)


def held_share(sequence: ShapeSequence, frame: int, place: Canonical, nodes: int, extent: float, cut: float) -> float:
    """Jaccard index of a frame and its copy, which a cubic spline interpolates from distances at the nodes.

    Of a large frame every so many voxels along each axis are compared, `MOST_VOXELS` at most.
    """
    grid = spline_filter(distances_at_nodes(sequence, frame, place, nodes, extent, cut), mode="mirror")
    box = sequence.box(frame).tight(margin=2)
    step = int(np.ceil((box.inside.size / MOST_VOXELS) ** (1 / box.grid.n_dims)))
    known = box.inside[(slice(None, None, step),) * box.grid.n_dims]
    voxels = np.argwhere(np.ones(known.shape, bool)) * step + np.array(box.corner_zyx)
    points = ((voxels + 0.5) * 2 / sequence.grid.size - 1)[:, ::-1]
    shared = points @ place.matrix.T / place.scale
    places = (shared[:, ::-1] / extent + 1) * (nodes / 2) - 0.5
    inside = map_coordinates(grid, np.clip(places, 0, nodes - 1).T, mode="mirror", prefilter=False) <= 0
    return float((inside & known.ravel()).sum() / (inside | known.ravel()).sum())


def _untruncated(field: BoxedField) -> tuple[BoxedField, Float[np.ndarray, "*zyx"]]:
    """Distances in half extents, beyond the band of the store to the nearest voxel on the other side."""
    spacing = field.grid.spacing_um
    voxels = -edt.sdf(np.ascontiguousarray(field.inside, np.uint8), parallel=1)
    far = (voxels - np.sign(voxels) / 2) * spacing
    near = np.abs(field.box_sdf_um) < field.band_um - spacing / 2
    return field, np.where(near, field.box_sdf_um, far) / field.grid.half_extent_um


def _surface(field: BoxedField) -> Float[np.ndarray, "n dims"]:
    """Voxels of the surface as (x, y, z) in Ω."""
    from scipy.ndimage import binary_erosion

    voxels = np.argwhere(field.inside & ~binary_erosion(field.inside)) + np.array(field.corner_zyx)
    return ((voxels + 0.5) * 2 / field.grid.size - 1)[:, ::-1]
