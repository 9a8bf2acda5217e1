"""Shapes between two divisions: a daughter of one division grows into the mother of the next."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float
from scipy import ndimage

from cytoform.base.triples import Ints, ints
from cytoform.scenes.bodies import own_field
from cytoform.scenes.pieces import find_pieces
from cytoform.shapes.box import BoxedField
from cytoform.shapes.grid import Grid

# Of a cell that dies, at its end.
REMAINS = 0.3
# Volume of a ball of radius 1, and area of a disc.
BALLS = {3: 4 / 3 * np.pi, 2: np.pi}


def centroid_voxels(field: BoxedField) -> Float[np.ndarray, " dims"]:
    """Mean place of the inside voxels, in voxels of the grid; voxel k reaches from k to k + 1."""
    return np.argwhere(field.inside).mean(axis=0) + field.corner_zyx + 0.5


def scaled(field: BoxedField, factor: float) -> BoxedField:
    """The field of a cell `factor` times as long, in a cube that much larger, on the same voxels."""
    grid = Grid(field.grid.size, field.grid.half_extent_um * factor, field.grid.n_dims)
    return replace(field, grid=grid, box_sdf_um=field.box_sdf_um * np.float32(factor), band_um=field.band_um * factor)


def size_of(field: BoxedField) -> float:
    """Volume in µm³, or area in µm²."""
    return float(field.inside.sum()) * field.grid.spacing_um**field.grid.n_dims


def grown(young: BoxedField, old: BoxedField, share: float) -> BoxedField:
    """A shape on the way from `young` to `old`, at the place of `old`; `share` of the way is behind it.

    The mean of both distances with their centroids in one place, at the level that holds as many voxels as a cell that
    grows exponentially. One piece: any other than the largest is left out.
    """
    finer = old.grid.spacing_um / young.grid.spacing_um
    # From voxels of the old grid to places in the young box, counted from the centre of the first voxel.
    middle_young, middle_old = centroid_voxels(young) - young.corner_zyx - 0.5, centroid_voxels(old) - 0.5
    corner = middle_old - middle_young / finer
    low = np.floor(np.minimum(corner, old.corner_zyx)).astype(int)
    high = np.ceil(np.maximum(corner + np.array(young.box_sdf_um.shape) / finer, [s.stop for s in old.slices])).astype(
        int
    )
    low, high = np.clip(low, 0, old.grid.size), np.clip(high, 0, old.grid.size)
    moved = ndimage.affine_transform(
        young.box_sdf_um.astype(np.float32),
        np.full(old.grid.n_dims, finer),
        offset=middle_young + finer * (low - middle_old),
        output_shape=tuple(high - low),
        order=1,
        mode="constant",
        cval=young.band_um,
    )
    still = np.full(high - low, old.band_um, np.float32)
    still[tuple(slice(c - l, c - l + n) for c, l, n in zip(old.corner_zyx, low, old.box_sdf_um.shape, strict=True))] = (
        old.box_sdf_um
    )
    size = size_of(young) ** (1 - share) * size_of(old) ** share
    return _at_size((1 - share) * moved + share * still, size, ints(low), old)


def shrunk(field: BoxedField, share: float) -> BoxedField:
    """A dying cell: `share` of the way to a ball of `REMAINS` of its size, at its place. One piece."""
    n_dims, n = field.grid.n_dims, int(field.inside.sum())
    radius = (n / BALLS[n_dims]) ** (1 / n_dims)
    margin = int(np.ceil(radius))
    low = np.maximum(np.subtract(field.corner_zyx, margin), 0)
    high = np.minimum(np.add(field.corner_zyx, field.box_sdf_um.shape) + margin, field.grid.size)
    wide = np.full(high - low, field.band_um, np.float32)
    inner = tuple(
        slice(c - l, c - l + k) for c, l, k in zip(field.corner_zyx, low, field.box_sdf_um.shape, strict=True)
    )
    wide[inner] = field.box_sdf_um
    places = np.stack(np.meshgrid(*(np.arange(l, h) + 0.5 for l, h in zip(low, high, strict=True)), indexing="ij"))
    middle = centroid_voxels(field).reshape(-1, *(1,) * n_dims)
    ball = (np.linalg.norm(places - middle, axis=0) - radius) * field.grid.spacing_um
    size = size_of(field) * (1 - (1 - REMAINS) * share)
    return _at_size((1 - share) * wide + share * ball, size, ints(low), field)


def _at_size(mixed_um: np.ndarray, size: float, corner_zyx: Ints, like: BoxedField) -> BoxedField:
    """The largest piece of a mean of distances, at the level that holds this size."""
    last = max(round(size / like.grid.spacing_um**like.grid.n_dims), 1) - 1
    level_um = np.partition(mixed_um, last, axis=None)[last]
    field = replace(like, corner_zyx=corner_zyx, box_sdf_um=(mixed_um - level_um).astype(np.float32))
    pieces = find_pieces(field)
    return own_field(field, pieces.labels == 1 + pieces.n_voxels.argmax()) if pieces.n > 1 else field
