"""Structural similarity of real and generated images of the same masks (Wang et al. 2004), by scikit-image."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from cytoform.assess.images.frames import ImageFrame

# Masks may change by a few pixels when they are written and read again.
LEAST_OVERLAP = 0.98
SIGMA_PX = 1.5


def same_masks(a: ImageFrame, b: ImageFrame) -> bool:
    """Whether two frames show the same cells at the same places, regardless of their labels."""
    if a.labels_yx.shape != b.labels_yx.shape:
        return False
    inside_a, inside_b = a.labels_yx > 0, b.labels_yx > 0
    union = np.count_nonzero(inside_a | inside_b)
    return bool(union > 0 and np.count_nonzero(inside_a & inside_b) >= LEAST_OVERLAP * union)


def partners(real: Sequence[ImageFrame], other: Sequence[ImageFrame]) -> list[tuple[int, int]]:
    """Index pairs of frames with equal masks, matched by movie and frame number, else by frame number."""
    by_place = {(frame.movie, frame.number): i for i, frame in enumerate(other)}
    by_number = {frame.number: i for i, frame in enumerate(other)}
    found = []
    for i, frame in enumerate(real):
        j = by_place.get((frame.movie, frame.number), by_number.get(frame.number))
        if j is not None and same_masks(frame, other[j]):
            found.append((i, j))
    return found


def structural_similarity(real: ImageFrame, other: ImageFrame) -> tuple[float, float]:
    """Mean SSIM of the whole image and of the pixels inside cells; 1 for equal images."""
    from skimage.metrics import structural_similarity as ssim

    image = real.image_yx.astype(np.float64)
    low, high = np.quantile(image, [0.001, 0.999])
    mean, everywhere = ssim(
        image,
        other.image_yx.astype(np.float64),
        data_range=float(high - low) or 1.0,
        gaussian_weights=True,
        sigma=SIGMA_PX,
        use_sample_covariance=False,
        full=True,
    )
    inside = real.labels_yx > 0
    return float(mean), float(everywhere[inside].mean()) if inside.any() else float("nan")


def similarities(
    real: Sequence[ImageFrame], other: Sequence[ImageFrame], pairs: Sequence[tuple[int, int]]
) -> Float[np.ndarray, "pairs 2"]:
    """SSIM of all pairs: of the whole image, and inside cells."""
    return np.array([structural_similarity(real[i], other[j]) for i, j in pairs]).reshape(-1, 2)
