"""Random square crops of an image and its channels, turned and mirrored alike."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Shaped

from cytoform.errors import InputError


@dataclass(frozen=True)
class Turn:
    """A symmetry of the square: quarter turns after an optional mirroring of x."""

    quarters: int
    mirrored: bool

    def __call__(self, array: Shaped[np.ndarray, "... y x"]) -> Shaped[np.ndarray, "... y x"]:
        turned = array[..., ::-1] if self.mirrored else array
        return np.rot90(turned, self.quarters, axes=(-2, -1))

    def direction(self, vector_yx: Float[np.ndarray, " 2"]) -> Float[np.ndarray, " 2"]:
        """Where something that points along `vector_yx` points in the turned image."""
        y, x = vector_yx[0], -vector_yx[1] if self.mirrored else vector_yx[1]
        for _ in range(self.quarters):
            y, x = -x, y
        return np.array([y, x])


ALL_TURNS = tuple(Turn(quarters, mirrored) for mirrored in (False, True) for quarters in range(4))


@dataclass(frozen=True)
class Crop:
    """A square part of an image and of its channels."""

    image_yx: Shaped[np.ndarray, "size size"]
    conditions: Float32[np.ndarray, "channels size size"]


def draw_crop(
    image_yx: Shaped[np.ndarray, "y x"],
    conditions: Float32[np.ndarray, "channels y x"],
    *,
    size_px: int,
    rng: np.random.Generator,
    turns: tuple[Turn, ...] = ALL_TURNS,
) -> Crop:
    """A crop anywhere in the image, in one of `turns`. Raises InputError if the image is smaller."""
    check_size(size_px, image_yx.shape, "the image")
    y, x = (int(rng.integers(length - size_px + 1)) for length in image_yx.shape)
    turn = turns[int(rng.integers(len(turns)))]
    window = (..., slice(y, y + size_px), slice(x, x + size_px))
    return Crop(*(np.ascontiguousarray(turn(array[window])) for array in (image_yx, conditions)))


def check_size(size_px: int, shape_yx: tuple[int, ...], where: str) -> None:
    """Raise InputError if a crop does not fit into an image."""
    y, x = shape_yx
    if size_px > min(y, x):
        raise InputError(
            f"{where}: {y}×{x} pixels, smaller than a crop of {size_px}; take crops of {min(y, x)} or less"
        )
