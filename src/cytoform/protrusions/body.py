"""The body of a cell: the part that remains when every part thinner than a ball, in images a disc, is taken away."""

from itertools import product

import edt
import numpy as np
from jaxtyping import Bool, Float
from scipy.spatial import cKDTree

from cytoform.shapes.box import BoxedField
from cytoform.shapes.components import components

# A piece of the opened cell with a smaller share of its largest piece's voxels is no body: a thick place of a protrusion.
PIECE_SHARE = 0.2
# The distance to a body is measured at least so far, also where the store truncates distances at less.
BAND_VOXELS = 4.0


def depth_um(field: BoxedField) -> Float[np.ndarray, "*zyx"]:
    """Distance in µm from every voxel of the box to the surface, positive inside, also deeper than the stored band."""
    spacing_um = field.grid.spacing_um
    stored = -field.box_sdf_um
    # To the surface, half a voxel before the next centre outside.
    deep = (edt.edt(field.inside.astype(np.uint8), parallel=1) - 0.5) * spacing_um
    return np.where(stored > field.band_um - spacing_um, np.maximum(deep, stored), stored)


def shares(sdf_um: Float[np.ndarray, "..."], spacing_um: float) -> Float[np.ndarray, "..."]:
    """Share of every voxel that is inside, as for a flat surface: a smoother measure of volume than whole voxels."""
    return np.clip(0.5 - sdf_um / spacing_um, 0, 1)


def body_of(field: BoxedField, radius_um: float) -> BoxedField:
    """The opening of a cell by a ball (a disc) of `radius_um`: every place that such a ball inside the cell reaches.

    The centres of the balls are the places at least so deep in the cell. The distance to the body is the distance to them
    less the radius, exact outside the body to a fraction of a voxel. Small pieces are left out. The body is empty where
    the cell is thinner than the ball everywhere.
    """
    spacing_um = field.grid.spacing_um
    band_um = max(field.band_um, BAND_VOXELS * spacing_um)
    depth = depth_um(field)
    distance = np.full(depth.shape, band_um, np.float32)
    if not (depth >= radius_um).any():
        return BoxedField(field.grid, field.corner_zyx, distance, band_um)
    centres = large_pieces(depth >= radius_um)
    distance[centres] = np.maximum(-depth[centres], -band_um)
    reach_um = radius_um + band_um
    near = ~centres & (edt.edt((~centres).astype(np.uint8), parallel=1) * spacing_um < reach_um + 2 * spacing_um)
    to_edge, _ = cKDTree(edge(centres, depth - radius_um)).query(np.argwhere(near))
    distance[near] = np.minimum(to_edge * spacing_um - radius_um, band_um)
    return BoxedField(field.grid, field.corner_zyx, distance, band_um)


def edge(inside: Bool[np.ndarray, "*zyx"], beyond: Float[np.ndarray, "*zyx"]) -> Float[np.ndarray, "n dims"]:
    """Points in voxels where a level set crosses the lines between neighbouring voxels; `beyond` is positive inside it."""
    voxels = np.argwhere(inside)
    found = []
    for axis, step in product(range(inside.ndim), (-1, 1)):
        beside = voxels.copy()
        beside[:, axis] = np.clip(beside[:, axis] + step, 0, inside.shape[axis] - 1)
        out = ~inside[tuple(beside.T)]
        near, far = beyond[tuple(voxels[out].T)], beyond[tuple(beside[out].T)]
        points = voxels[out].astype(float)
        points[:, axis] += step * near / np.maximum(near - far, 1e-9)
        found.append(points)
    return np.concatenate(found)


def large_pieces(mask: Bool[np.ndarray, "*zyx"]) -> Bool[np.ndarray, "*zyx"]:
    """A mask that is not empty without its small pieces."""
    pieces = components(mask)
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    return np.asarray((sizes >= PIECE_SHARE * sizes.max())[pieces] & mask)
