"""The smooth surface behind a mask, as the zero of a level function with the same sign as the mask at voxel centres.

The distance transform of a mask has terraces, because a mask only tells on which side of the surface each voxel centre
lies. Smoothing removes the terraces, but would also remove a filopodium one voxel thick. The method (errors of this and
other methods are in docs/results.md):

1. Euclidean distance transform with the physical voxel size; thick slices are refined by cubic splines.
2. A Gaussian of about one voxel, applied as 2G - G² ("twicing", Tukey 1977), which does not shrink convex parts.
3. Where the cell or the gap beside it is less than about five voxels thick, the transform stays unsmoothed.
4. Where smoothing would change the sign at a voxel centre, the transform's value is restored.
"""

import math
from dataclasses import dataclass

import edt
import numpy as np
from jaxtyping import Bool, Float, Float32
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter, maximum_filter

from cytoform.shapes.box import bounding_box
from cytoform.shapes.grid import AXES

# Standard deviation in voxels by number of dimensions, and in slices where these are thick. Chosen on the T cells, and for
# images on ellipses: docs/results.md.
SIGMA_VOXELS, SIGMA_SLICES = {3: 1.0, 2: 1.5}, 0.4
# Half thickness in voxels: no smoothing below the first, full smoothing above the second.
THIN_VOXELS, THICK_VOXELS = 1.5, 2.5
# Radius in voxels of the window for the thickness.
LOOK_VOXELS = 3
MARGIN_VOXELS = 4


@dataclass(frozen=True)
class Level:
    """A function on its own grid, negative inside, close to the distance in µm near its zero."""

    values_um: Float32[np.ndarray, "*zyx"]
    spacing_zyx_um: Float[np.ndarray, " dims"]
    # Position of the first node.
    origin_zyx_um: Float[np.ndarray, " dims"]


def level_of(mask: Bool[np.ndarray, "*zyx"], spacing_zyx_um: Float[np.ndarray, " dims"]) -> Level:
    """The level function of a non-empty mask, on its bounding box with a margin.

    Its nodes are the voxel centres and further points between thick slices; at the voxel centres `level ≤ 0` is `mask`.
    """
    thick = _thick_axis(spacing_zyx_um)
    if thick:
        found = level_of(mask.swapaxes(0, thick), _swapped(spacing_zyx_um, thick))
        return Level(
            np.ascontiguousarray(found.values_um.swapaxes(0, thick)),
            _swapped(found.spacing_zyx_um, thick),
            _swapped(found.origin_zyx_um, thick),
        )
    crop, low = _crop(mask)
    distance_um = _signed_transform(crop, spacing_zyx_um)
    refinement = _refinement(spacing_zyx_um)
    raw = _refined(distance_um, refinement)
    pixel_um, slice_um = spacing_zyx_um[1:].min(), spacing_zyx_um[0]
    voxels = SIGMA_VOXELS[mask.ndim]
    sigma_z_um = max(voxels * min(pixel_um, slice_um), SIGMA_SLICES * slice_um)
    sigma = (sigma_z_um * refinement / slice_um, *[voxels] * (mask.ndim - 1))
    smooth = gaussian_filter(raw, sigma, truncate=3)
    smooth += gaussian_filter(raw - smooth, sigma, truncate=3)
    values_um = raw + _refined(_smoothing_share(crop), refinement).clip(0, 1) * (smooth - raw)
    at_voxels = values_um[::refinement]
    at_voxels[...] = np.where((at_voxels <= 0) == crop, at_voxels, distance_um)
    return Level(
        values_um=values_um,
        spacing_zyx_um=spacing_zyx_um / (refinement, *[1] * (mask.ndim - 1)),
        origin_zyx_um=(low + 0.5) * spacing_zyx_um,
    )


def _thick_axis(spacing_zyx_um: Float[np.ndarray, " dims"]) -> int:
    """The axis of slices: z, and of images the longer side of a pixel."""
    return 0 if len(spacing_zyx_um) == len(AXES) else int(spacing_zyx_um.argmax())


def _swapped(values: Float[np.ndarray, " dims"], axis: int) -> Float[np.ndarray, " dims"]:
    values = values.copy()
    values[[0, axis]] = values[[axis, 0]]
    return values


def _crop(mask: Bool[np.ndarray, "*zyx"]) -> tuple[Bool[np.ndarray, "*crop"], Float[np.ndarray, " dims"]]:
    """The mask in its bounding box with a margin, and the index of the first voxel, which may be negative."""
    box = bounding_box(mask)
    low = np.array([side.start for side in box], float) - MARGIN_VOXELS
    return np.pad(mask[box], MARGIN_VOXELS), low


def _signed_transform(
    mask: Bool[np.ndarray, "*zyx"], spacing_zyx_um: Float[np.ndarray, " dims"]
) -> Float32[np.ndarray, "*zyx"]:
    return -edt.sdf(mask.astype(np.uint8), anisotropy=tuple(spacing_zyx_um), parallel=1)


def _refinement(spacing_zyx_um: Float[np.ndarray, " dims"]) -> int:
    """Nodes per slice, so that nodes are at most about two pixels apart."""
    return max(1, math.ceil(spacing_zyx_um[0] / spacing_zyx_um[1:].min() / 2 - 0.05))


def _refined(values: Float32[np.ndarray, "*zyx"], refinement: int) -> Float32[np.ndarray, "*fine"]:
    """Cubic splines through the slices; every `refinement`-th node is an original slice."""
    if refinement == 1:
        return values
    n = len(values)
    fine = np.arange((n - 1) * refinement + 1) / refinement
    weights = CubicSpline(np.arange(n), np.eye(n))(fine).astype(np.float32)
    refined = np.tensordot(weights, values, axes=1)
    refined[::refinement] = values
    return refined


def _smoothing_share(mask: Bool[np.ndarray, "*zyx"]) -> Float32[np.ndarray, "*zyx"]:
    """Weight of the smoothed values: 0 where the cell or the background beside it is thin, 1 where both are thick."""
    depth_voxels = _signed_transform(mask, np.ones(mask.ndim))
    size = 2 * LOOK_VOXELS + 1
    half_thickness = np.minimum(maximum_filter(depth_voxels, size), maximum_filter(-depth_voxels, size))
    return np.clip((half_thickness - THIN_VOXELS) / (THICK_VOXELS - THIN_VOXELS), 0, 1)
