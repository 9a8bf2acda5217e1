"""Instances as network targets and back: foreground, and relative depth of each pixel, or voxel, in its instance."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Integer


@dataclass(frozen=True)
class ObjectSizes:
    """Object size in label images: diameter of the median area, and a lower limit of the area."""

    diameter_px: float
    least_area_px: float

    @classmethod
    def of(cls, labels: Iterable[Integer[np.ndarray, "_ _"]]) -> "ObjectSizes | None":
        """Sizes of all objects in the label images; None without any."""
        areas_px = np.concatenate([np.zeros(0, int), *(_areas_px(each) for each in labels)])
        if not len(areas_px):
            return None
        # Half of the 5th percentile, because pieces cut by the border of the image count as objects.
        return cls(2 * float(np.sqrt(np.median(areas_px) / np.pi)), float(np.quantile(areas_px, 0.05)) / 2)


def relative_depth(
    labels: Integer[np.ndarray, "*size"], spacing: tuple[float, ...] | None = None
) -> Float[np.ndarray, "*size"]:
    """Distance to the edge of the pixel's instance, relative to its maximum: 1 in the middle, 0 outside.

    `spacing` of pixels along the axes, in any unit; by default equal.
    """
    import edt
    from scipy.ndimage import maximum

    depth = edt.edt(np.ascontiguousarray(labels), anisotropy=spacing)  # measured to the edge of each label
    deepest = np.asarray(maximum(depth, labels, index=np.arange(int(labels.max()) + 1)))
    deepest[0] = 1.0
    return (depth / np.maximum(deepest, 1e-6)[labels]).astype(np.float32)


def labels_from(
    inside: Bool[np.ndarray, "*size"],
    depth: Float[np.ndarray, "*size"],
    *,
    seeds: Bool[np.ndarray, "*size"],
    least_area_px: float,
) -> Integer[np.ndarray, "*size"]:
    """Instances by watershed of the depth: one per connected seed, and one per foreground component without a seed.

    Instances smaller than `least_area_px` are removed; labels count from 1.
    """
    from scipy.ndimage import label
    from skimage.segmentation import relabel_sequential, watershed

    markers, n_markers = label(inside & seeds)
    pieces, _ = label(inside)
    seedless = inside & ~np.isin(pieces, pieces[markers > 0])
    markers[seedless] = pieces[seedless] + n_markers
    labels = watershed(-depth, markers, mask=inside)
    small = np.bincount(labels.ravel()) < least_area_px
    labels[small[labels]] = 0
    return np.asarray(relabel_sequential(labels)[0], np.int32)


def _areas_px(labels_yx: Integer[np.ndarray, "y x"]) -> Integer[np.ndarray, " objects"]:
    counts = np.bincount(labels_yx.ravel())[1:]
    return counts[counts > 0]
