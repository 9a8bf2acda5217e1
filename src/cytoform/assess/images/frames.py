"""Images with the masks of their cells, and the squares that are cut from them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Integer, Num

from cytoform.errors import InputError

LARGEST_CROP_PX, SMALLEST_CROP_PX = 64, 32
# Squares of nothing but background would say more of the camera than of the cells.
LEAST_FOREGROUND = 0.05
MOST_CROPS = 400


@dataclass(frozen=True)
class Frame:
    """An image, instance labels of its cells (0 being background), and where it comes from."""

    image_yx: Num[np.ndarray, "y x"]
    labels_yx: Integer[np.ndarray, "y x"]
    movie: str
    number: int

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.movie}, frame {self.number}"


@dataclass(frozen=True)
class Crops:
    """Squares with cells: pixels, which of them are of cells, the index of the frame among all, and the corner in it."""

    images: Float[np.ndarray, "n side side"]
    inside: Bool[np.ndarray, "n side side"]
    frame: Integer[np.ndarray, " n"]
    corner_yx: Integer[np.ndarray, "n 2"]

    def __len__(self) -> int:
        return len(self.images)

    def take(self, chosen: Integer[np.ndarray, " m"]) -> "Crops":
        """Some of them."""
        return Crops(self.images[chosen], self.inside[chosen], self.frame[chosen], self.corner_yx[chosen])

    def drawn(self, n: int, rng: np.random.Generator) -> "Crops":
        """At most `n` of them at random, in their order."""
        return self if len(self) <= n else self.take(np.sort(rng.choice(len(self), n, replace=False)))


def crop_side_px(sets: Sequence[Sequence[Frame]]) -> int:
    """One side for the crops of all sets: 64 pixels, or what the smallest image has. Raises InputError below 32."""
    name, least = min(
        ((frame.name, min(frame.image_yx.shape)) for frames in sets for frame in frames), key=lambda found: found[1]
    )
    if least < SMALLEST_CROP_PX:
        raise InputError(
            f"{name}: {least} pixels on a side are too few to judge an image by; {SMALLEST_CROP_PX} are needed"
        )
    return min(LARGEST_CROP_PX, least)


def crops_of(frame: Frame, index: int, side: int) -> Crops:
    """All squares of a regular grid in which cells take at least 5 % of the pixels."""
    corners = np.array([(y, x) for y in _starts(frame, 0, side) for x in _starts(frame, 1, side)])
    windows = [np.s_[y : y + side, x : x + side] for y, x in corners]
    images = np.stack([frame.image_yx[at] for at in windows]).astype(np.float32)
    inside = np.stack([frame.labels_yx[at] > 0 for at in windows])
    chosen = inside.mean(axis=(1, 2)) >= LEAST_FOREGROUND
    return Crops(images[chosen], inside[chosen], np.full(chosen.sum(), index), corners[chosen])


def crops_of_all(frames: Sequence[Frame], side: int, rng: np.random.Generator) -> Crops:
    """At most about 400 squares, as many of each frame where it has them."""
    quota = -(-MOST_CROPS // len(frames))
    parts = [crops_of(frame, i, side).drawn(quota, rng) for i, frame in enumerate(frames)]
    keys = ("images", "inside", "frame", "corner_yx")
    return Crops(*(np.concatenate([getattr(each, key) for each in parts]) for key in keys))


def _starts(frame: Frame, axis: int, side: int) -> list[int]:
    """Where squares begin that lie side by side, in the middle of what is there."""
    length = frame.image_yx.shape[axis]
    return [(length % side) // 2 + i * side for i in range(length // side)]
