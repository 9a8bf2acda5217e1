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
# Stored distances are known up to this share of the band, a little less than 1 because they are rounded.
STORED_SHARE = 0.99


def depth_um(field: BoxedField) -> Float[np.ndarray, "*zyx"]:
    """Distance in µm from every voxel of the box to the surface, positive inside, also deeper than the stored band.

    Deeper, it is the distance to where the surface crosses the lines between neighbouring voxels. That to the next voxel
    outside, less half a voxel, is a third of a voxel too short: with the narrow band of new cells their bodies would lose
    5 % of the volume, and the roots of protrusions would seem thicker.
    """
    depth = -field.box_sdf_um.astype(np.float32)
    is_deep = depth > STORED_SHARE * field.band_um
    if is_deep.any():
        to_surface, _ = cKDTree(edge(field.inside, depth)).query(np.argwhere(is_deep))
        depth[is_deep] = np.maximum(to_surface * field.grid.spacing_um, depth[is_deep])
    return depth


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
