"""Random square crops of an image and its condition channels, rotated and mirrored together."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Shaped

from cytoform.errors import InputError


@dataclass(frozen=True)
class SquareSymmetry:
    """A symmetry of the square: an optional mirroring of x, then `quarters` rotations by 90°."""

    quarters: int
    mirrored: bool

    def __call__(self, array: Shaped[np.ndarray, "... y x"]) -> Shaped[np.ndarray, "... y x"]:
        turned = array[..., ::-1] if self.mirrored else array
        return np.rot90(turned, self.quarters, axes=(-2, -1))

    def direction(self, vector_yx: Float[np.ndarray, " 2"]) -> Float[np.ndarray, " 2"]:
        """Rotate and mirror a direction vector like the image."""
        y, x = vector_yx[0], -vector_yx[1] if self.mirrored else vector_yx[1]
        for _ in range(self.quarters):
            y, x = -x, y
        return np.array([y, x])


SQUARE_SYMMETRIES = tuple(SquareSymmetry(quarters, mirrored) for mirrored in (False, True) for quarters in range(4))


@dataclass(frozen=True)
class Crop:
    """A square crop of an image and of its condition channels."""

    image_yx: Shaped[np.ndarray, "size size"]
    conditions: Float32[np.ndarray, "channels size size"]


def draw_crop(
    image_yx: Shaped[np.ndarray, "y x"],
    conditions: Float32[np.ndarray, "channels y x"],
    *,
    size_px: int,
    rng: np.random.Generator,
    symmetries: tuple[SquareSymmetry, ...] = SQUARE_SYMMETRIES,
) -> Crop:
    """A crop at a random position, in a random one of `symmetries`. Raises InputError if the image is smaller."""
    check_crop_size(size_px, image_yx.shape, "the image")
    y, x = (int(rng.integers(length - size_px + 1)) for length in image_yx.shape)
    symmetry = symmetries[int(rng.integers(len(symmetries)))]
    window = (..., slice(y, y + size_px), slice(x, x + size_px))
    return Crop(*(np.ascontiguousarray(symmetry(array[window])) for array in (image_yx, conditions)))


def check_crop_size(size_px: int, shape_yx: tuple[int, ...], where: str) -> None:
    """Raise InputError if a crop of `size_px` pixels does not fit into the image."""
    y, x = shape_yx
    if size_px > min(y, x):
        raise InputError(
            f"{where}: {y}×{x} pixels, smaller than a crop of {size_px}; take crops of {min(y, x)} or less"
        )
