"""Label images of simulated cells: every label is one connected component, and cells do not touch."""

import itertools

import numpy as np
from jaxtyping import Bool, Float, UInt16

from cytoform.base.triples import Ints, ints
from cytoform.errors import InputError
from cytoform.shapes.components import components
from cytoform.simulate.cell import Part, Spacing
from cytoform.simulate.sampling import inside_voxels, line_voxels

MIN_VOXELS = 8
# By number of dimensions: the steps to all neighbours of a voxel.
STEPS = {n: np.array([step for step in itertools.product((-1, 0, 1), repeat=n) if any(step)]) for n in (3, 2)}


def label_image(
    parts: list[Part], *, shape: Ints, spacing_zyx_um: Spacing, corner_zyx_um: Float[np.ndarray, " dims"]
) -> UInt16[np.ndarray, "*zyx"]:
    """Label image of all parts: a voxel belongs to the part with the smallest distance ≤ 0 at its centre.

    Three rules keep the anatomy if voxels are coarse. A neck or filopodium thinner than a voxel covers the voxels along
    its centre line. Cells less than a voxel apart are separated by one voxel of background. Components still detached
    from their cell are removed. Raises InputError for a cell of fewer than 8 voxels.
    """
    where = {"shape": shape, "spacing_zyx_um": spacing_zyx_um, "corner_zyx_um": corner_zyx_um}
    labels = np.zeros(shape, np.uint16)
    for part in parts:
        mask = _part_mask(part, **where)  # type: ignore[arg-type]
        shared = mask & (labels > 0)
        if shared.any():
            mask[shared] = _is_nearest(part, parts, np.argwhere(shared), spacing_zyx_um, corner_zyx_um)
        labels[mask] = part.label
    for part in parts[1:]:
        _keep_apart(labels, part.label)
    for part in parts:
        _keep_in_one_piece(labels, part.label, spacing_zyx_um)
    return labels


def _part_mask(
    part: Part, *, shape: Ints, spacing_zyx_um: Spacing, corner_zyx_um: Float[np.ndarray, " dims"]
) -> Bool[np.ndarray, "*zyx"]:
    spacing = np.array(spacing_zyx_um)
    low, high = (part.bounds_zyx_um - corner_zyx_um) / spacing
    first = np.maximum(np.floor(low - 1).astype(int), 0)
    size = ints(np.minimum(np.ceil(high + 1).astype(int), shape) - first)
    box = inside_voxels(part, shape=size, spacing_zyx_um=spacing_zyx_um, corner_zyx_um=corner_zyx_um + first * spacing)
    mask = np.zeros(shape, dtype=bool)
    mask[tuple(slice(low, low + n) for low, n in zip(first, size, strict=True))] = box
    thin = line_voxels(part.lines_zyx_um, spacing_zyx_um=spacing_zyx_um, corner_zyx_um=corner_zyx_um)
    mask[tuple(thin.T)] = True
    return mask


def _is_nearest(
    part: Part,
    parts: list[Part],
    voxels: np.ndarray,
    spacing_zyx_um: Spacing,
    corner_zyx_um: Float[np.ndarray, " dims"],
) -> Bool[np.ndarray, " n"]:
    points = corner_zyx_um + (voxels + 0.5) * np.array(spacing_zyx_um)
    others = [other.distance_um(points) for other in parts if other is not part]
    return np.asarray(part.distance_um(points) < np.min(others, axis=0))


def _keep_apart(labels: UInt16[np.ndarray, "*zyx"], label: int) -> None:
    """Turn voxels of `label` that touch a lower label into background."""
    voxels = np.argwhere(labels == label)
    around = labels[tuple(np.moveaxis(voxels[:, None] + STEPS[labels.ndim], 2, 0))]
    touching = ((around > 0) & (around < label)).any(axis=1)
    labels[tuple(voxels[touching].T)] = 0


def _keep_in_one_piece(labels: UInt16[np.ndarray, "*zyx"], label: int, spacing_zyx_um: Spacing) -> None:
    mask = labels == label
    pieces = components(mask)
    sizes = np.bincount(pieces.ravel(), minlength=2)[1:]
    if sizes.max(initial=0) < MIN_VOXELS:
        raise InputError(
            f"--voxel-size {' '.join(f'{s:g}' for s in spacing_zyx_um)}: a cell would have {sizes.max(initial=0)} "
            "voxels; choose smaller voxels"
        )
    if len(sizes) > 1:
        labels[mask & (pieces != 1 + sizes.argmax())] = 0
