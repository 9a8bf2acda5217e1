"""Images with instance masks, and squares cut from them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Integer, Num

from cytoform.errors import InputError

LARGEST_CROP_PX, SMALLEST_CROP_PX = 64, 32
# Squares of background alone would show the camera rather than cells.
LEAST_FOREGROUND = 0.05
MOST_CROPS = 400


@dataclass(frozen=True)
class ImageFrame:
    """An image, its instance labels (0 is background), and its movie and frame number."""

    image_yx: Num[np.ndarray, "y x"]
    labels_yx: Integer[np.ndarray, "y x"]
    movie: str
    number: int

    @property
    def name(self) -> str:
        """Movie and frame number as text."""
        return f"{self.movie}, frame {self.number}"


@dataclass(frozen=True)
class Crops:
    """Squares with cells: pixels, mask of cells, index of the frame, and corner in the frame."""

    images: Float[np.ndarray, "n side side"]
    inside: Bool[np.ndarray, "n side side"]
    frame: Integer[np.ndarray, " n"]
    corner_yx: Integer[np.ndarray, "n 2"]

    def __len__(self) -> int:
        return len(self.images)

    def take(self, chosen: Integer[np.ndarray, " m"]) -> "Crops":
        """Select crops by index."""
        return Crops(self.images[chosen], self.inside[chosen], self.frame[chosen], self.corner_yx[chosen])

    def drawn(self, n: int, rng: np.random.Generator) -> "Crops":
        """At most `n` random crops, in their order."""
        return self if len(self) <= n else self.take(np.sort(rng.choice(len(self), n, replace=False)))


def crop_side_px(sets: Sequence[Sequence[ImageFrame]]) -> int:
    """Common side of the crops of all sets: 64 pixels, or the smallest image's side. Raises InputError below 32."""
    name, least = min(
        ((frame.name, min(frame.image_yx.shape)) for frames in sets for frame in frames), key=lambda found: found[1]
    )
    if least < SMALLEST_CROP_PX:
        raise InputError(
            f"{name}: an image of {least} pixels on a side is too small to be judged; {SMALLEST_CROP_PX} are needed"
        )
    return min(LARGEST_CROP_PX, least)


def crops_of(frame: ImageFrame, index: int, side: int) -> Crops:
    """All squares of a regular grid with at least 5 % of cell pixels."""
    corners = np.array([(y, x) for y in _starts(frame, 0, side) for x in _starts(frame, 1, side)])
    windows = [np.s_[y : y + side, x : x + side] for y, x in corners]
    images = np.stack([frame.image_yx[at] for at in windows]).astype(np.float32)
    inside = np.stack([frame.labels_yx[at] > 0 for at in windows])
    chosen = inside.mean(axis=(1, 2)) >= LEAST_FOREGROUND
    return Crops(images[chosen], inside[chosen], np.full(chosen.sum(), index), corners[chosen])


def crops_of_all(frames: Sequence[ImageFrame], side: int, rng: np.random.Generator) -> Crops:
    """About 400 squares at most, equally many per frame if it has them."""
    quota = -(-MOST_CROPS // len(frames))
    parts = [crops_of(frame, i, side).drawn(quota, rng) for i, frame in enumerate(frames)]
    keys = ("images", "inside", "frame", "corner_yx")
    return Crops(*(np.concatenate([getattr(each, key) for each in parts]) for key in keys))


def _starts(frame: ImageFrame, axis: int, side: int) -> list[int]:
    """Start positions of adjacent squares along an axis, centred in the image."""
    length = frame.image_yx.shape[axis]
    return [(length % side) // 2 + i * side for i in range(length // side)]
