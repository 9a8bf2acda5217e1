"""The protrusions outside a body that lasts, in one frame: pieces that are told apart at their waists.

Each has a centre line, through the centroids of its slices at equal distances from the body, a radius that follows from
their areas, and a distance of its own, which reaches a little into the body.
"""

from dataclasses import dataclass, replace

import cc3d
import edt
import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.ndimage import distance_transform_edt

from cytoform.base.triples import int_triple
from cytoform.protrusions.body import depth_um, shares
from cytoform.protrusions.curves import LEAST_VOXELS, OUTSIDE_VOXELS, Curve
from cytoform.shapes.box import BoxedField, bounding_box

# Two pieces are told apart where the waist between them is narrower than this share of the thinner one.
WAIST = 0.7
# Smallest piece, and how far one reaches into the body, in voxels.
LEAST_VOLUME, REACH_VOXELS = 30, 3.0
# From the body outwards, the cell is a little thicker than the body everywhere; the skin under a piece is a part of it.
SKIN_VOXELS = 1.5
MARGIN_VOXELS = 3


@dataclass(frozen=True)
class Piece(Curve):
    """A protrusion with its own distance and that of the body around it, and its volume outside the body."""

    patch: BoxedField | None = None
    body: BoxedField | None = None
    volume_um3: float = 0.0


def labelled(
    field: BoxedField, body: BoxedField, before: Int[np.ndarray, "n n n"], n_before: int
) -> Int[np.ndarray, "z y x"]:
    """Labels of the protrusions of a frame, from 1; those that lie on one of the frame before have its label.

    `body` is on the same box as `field`; `before` are the labels of the frame before on the whole grid, `n_before` the
    largest label so far. Pieces are watersheds of the depth, told apart at their waists and where they were before.
    """
    from skimage.morphology import reconstruction
    from skimage.segmentation import watershed

    outside = field.inside & (body.box_sdf_um > OUTSIDE_VOXELS * field.grid.spacing_um)
    # Equal shares of the depth are equal steps of its logarithm.
    depth = np.log(np.maximum(edt.edt(outside.astype(np.uint8), parallel=1), 0.5)).astype(np.float32)
    step = -float(np.log(WAIST))
    peaks = outside & (depth - reconstruction(depth - step, depth) >= step - 1e-4)
    seeds = _continued(np.where(outside, before[field.slices], 0), depth, -step)
    new = cc3d.connected_components(peaks, connectivity=26)
    # A peak on an old piece is its own.
    known = np.unique(new[seeds > 0])
    known = np.union1d(known, np.unique(new[(before[field.slices] > 0) & peaks]))
    fresh = np.setdiff1d(np.unique(new), np.append(known, 0))
    numbers = np.zeros(int(new.max()) + 1, np.int32)
    numbers[fresh] = n_before + 1 + np.arange(len(fresh))
    seeds = np.where(seeds > 0, seeds, numbers[new])
    labels = np.asarray(watershed(-depth, seeds, mask=outside), np.int32)
    kept = [label for label in np.unique(labels[labels > 0]) if _is_kept(labels == label, body)]
    return np.where(np.isin(labels, kept), labels, 0)


def _continued(
    before: Int[np.ndarray, "z y x"], depth: Float[np.ndarray, "z y x"], below: float
) -> Int[np.ndarray, "z y x"]:
    """The deep places of pieces where they were in the frame before: seeds of their labels."""
    seeds = np.zeros_like(before)
    for label in np.unique(before[before > 0]):
        own = before == label
        seeds[own & (depth >= depth[own].max() + below)] = label
    return seeds


def pieces_of(field: BoxedField, body: BoxedField, labels: Int[np.ndarray, "z y x"]) -> dict[int, Piece]:
    """The protrusions of a frame by their labels, on the same box as `field` and `body`."""
    kept = np.unique(labels[labels > 0]).tolist()
    if not kept:
        return {}
    owner, cell_um = _owners(labels, field, body), _deep(field)
    normals = np.stack(np.gradient(body.box_sdf_um, field.grid.spacing_um), axis=-1)
    return {label: _piece(label, labels, owner, cell_um, field, body, normals) for label in kept}


def _is_kept(piece: Bool[np.ndarray, "z y x"], body: BoxedField) -> bool:
    if np.count_nonzero(piece) < LEAST_VOLUME:
        return False
    return bool(body.box_sdf_um[piece].max() >= LEAST_VOXELS * body.grid.spacing_um)


def _owners(labels: Int[np.ndarray, "z y x"], field: BoxedField, body: BoxedField) -> Int[np.ndarray, "z y x"]:
    """The piece that every voxel belongs to, 0 for none: outside the cell the nearest one, in the body the one above."""
    distance, nearest = distance_transform_edt(labels == 0, return_indices=True)
    owner = labels[tuple(nearest)]
    owner[field.inside & (labels == 0) & (distance > SKIN_VOXELS)] = 0
    in_body = body.box_sdf_um <= 0
    _, above = distance_transform_edt(in_body, return_indices=True)
    owner = np.where(in_body, owner[tuple(above)], owner)
    owner[body.box_sdf_um < -REACH_VOXELS * body.grid.spacing_um] = 0
    return np.asarray(owner)


def _deep(field: BoxedField) -> Float[np.ndarray, "z y x"]:
    """Distance to the surface of the cell, also deeper than the stored band."""
    return np.where(field.inside, -np.abs(depth_um(field)), field.box_sdf_um)


def _piece(
    label: int,
    labels: Int[np.ndarray, "z y x"],
    owner: Int[np.ndarray, "z y x"],
    cell_um: Float[np.ndarray, "z y x"],
    field: BoxedField,
    body: BoxedField,
    normals: Float[np.ndarray, "z y x 3"],
) -> Piece:
    spacing_um, corner = field.grid.spacing_um, np.array(field.corner_zyx)
    voxels = np.argwhere(labels == label)
    heights = body.box_sdf_um[tuple(voxels.T)] / spacing_um
    foot = voxels[heights <= heights.min() + 1.0]
    normal = _unit(normals[tuple(foot.T)].mean(axis=0))
    # Roots lie on the surface of the body.
    middle = foot.mean(axis=0) - float(heights[heights <= heights.min() + 1.0].mean()) * normal
    line, radii = _slices(voxels, heights, middle)
    patch = _patch(owner == label, cell_um, field)
    volume = float(shares(cell_um[labels == label], spacing_um).sum()) * spacing_um**3
    points = (line + corner + 0.5) * spacing_um
    start = np.subtract(patch.corner_zyx, corner)
    box = tuple(slice(low, low + n) for low, n in zip(start, patch.box_sdf_um.shape, strict=True))
    below = replace(patch, box_sdf_um=body.box_sdf_um[box].astype(np.float16))
    return Piece(points, radii * spacing_um, normal, patch=patch, body=below, volume_um3=volume)


def _slices(
    voxels: Int[np.ndarray, "n 3"], heights: Float[np.ndarray, " n"], root: Float[np.ndarray, " 3"]
) -> tuple[Float[np.ndarray, "m 3"], Float[np.ndarray, " m"]]:
    """Centroids of slices a voxel thick, from the root on, and the radii of discs of their areas, in voxels."""
    places = np.floor(heights - heights.min()).astype(int)
    counts = np.bincount(places)
    filled = np.flatnonzero(counts)
    sums = np.stack([np.bincount(places, voxels[:, axis]) for axis in range(3)], axis=1)
    line = np.vstack([root, sums[filled] / counts[filled, None]])
    line[-1] += 0.5 * _unit(line[-1] - line[-2])
    radii = np.sqrt(counts[filled] / np.pi)
    return line, np.concatenate([radii[:1], radii])


def _patch(region: Bool[np.ndarray, "z y x"], cell_um: Float[np.ndarray, "z y x"], field: BoxedField) -> BoxedField:
    """The distance to the part of the cell in a region: that to the cell, or to the faces of the region inside it."""
    spacing_um = field.grid.spacing_um
    box = tuple(
        slice(max(side.start - MARGIN_VOXELS, 0), side.stop + MARGIN_VOXELS)
        for side in bounding_box(region & (cell_um < spacing_um))
    )
    own = region[box]
    into, out = (edt.edt(side.astype(np.uint8), parallel=1) for side in (own, ~own))
    # A face lies half a voxel from the centres on both sides; the ends of the box are no faces.
    faces_um = np.where(own, -(into - 0.5), out - 0.5) * spacing_um
    corner = int_triple(np.array(field.corner_zyx) + [side.start for side in box])
    sdf_um = np.maximum(cell_um[box], faces_um).astype(np.float16)
    return replace(field, corner_zyx=corner, box_sdf_um=sdf_um)


def _unit(vector: Float[np.ndarray, " 3"]) -> Float[np.ndarray, " 3"]:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9))
