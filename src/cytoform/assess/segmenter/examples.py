"""What the segmenter learns from: images and targets in memory, and batches of squares drawn from them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Integer

from cytoform.assess.segmenter.objects import relative_depth
from cytoform.errors import InputError
from cytoform.movies.pairs.crops import Crop, draw_crop
from cytoform.movies.pairs.pairs import MaskedImage

# Most pixels of a large square are far from any object: four times smaller ones teach as much in a quarter of the time.
BATCH, CROP_PX = 4, 128
MOST_PIXELS = 64_000_000
# Of the normalised intensities: other exposures and backgrounds than those learned.
GAINS, OFFSETS, NOISE = (0.75, 1.33), (-0.1, 0.1), 0.03

Images = Float32[np.ndarray, "n 1 y x"]


@dataclass(frozen=True)
class Lesson:
    """An image as the network sees it, and what it is to say of it: foreground, and depth in the instance."""

    image: Float[np.ndarray, "y x"]
    targets: Float[np.ndarray, "2 y x"]
    inside: Integer[np.ndarray, "n 2"]  # pixels of objects


def lessons_of(planes: Sequence[MaskedImage], shrink: int) -> list[Lesson]:
    """Evenly spread planes, as many as hold 64 million pixels. Raises InputError where the images are of one intensity."""
    n_pixels = planes[0].labels_yx.size // shrink**2
    n = max(1, min(len(planes), MOST_PIXELS // max(n_pixels, 1)))
    lessons = [_lesson(planes[i], shrink) for i in np.linspace(0, len(planes) - 1, n).round().astype(int).tolist()]
    if not any(lesson.image.any() for lesson in lessons):
        raise InputError("the images have one intensity each, so no segmenter can learn from them")
    return lessons


def _lesson(plane: MaskedImage, shrink: int) -> Lesson:
    labels = plane.labels_yx
    targets = np.stack([shrunk(each, shrink) for each in ((labels > 0).astype(np.float32), relative_depth(labels))])
    inside = np.argwhere(targets[0] > 0.5).astype(np.int32)
    return Lesson(shrunk(normalised(plane.image_yx), shrink), targets, inside)


def shrunk(image: Float[np.ndarray, "y x"], factor: int) -> Float[np.ndarray, "y2 x2"]:
    """Means of squares of pixels; the last ones are filled up with their edge."""
    y, x = image.shape
    filled = np.pad(image, ((0, -y % factor), (0, -x % factor)), mode="edge")
    return filled.reshape(-(-y // factor), factor, -(-x // factor), factor).mean(axis=(1, 3))


def draw_batch(lessons: Sequence[Lesson], rng: np.random.Generator) -> tuple[Images, Float32[np.ndarray, "n 2 y x"]]:
    """Images (with an axis of one channel) and targets of squares, turned, mirrored and exposed at random."""
    side = min(CROP_PX, *(n for lesson in lessons for n in lesson.image.shape))
    crops = [_drawn(lessons[int(rng.integers(len(lessons)))], side, rng) for _ in range(BATCH)]
    images = np.stack([crop.image_yx for crop in crops])[:, None]
    gains, offsets = (rng.uniform(*ends, (BATCH, 1, 1, 1)) for ends in (GAINS, OFFSETS))
    images = images * gains + offsets + NOISE * rng.standard_normal(images.shape)
    return images.astype(np.float32), np.stack([crop.conditions for crop in crops])


def _drawn(lesson: Lesson, side: int, rng: np.random.Generator) -> Crop:
    """A square anywhere, or about a pixel of an object where there is one, by the toss of a coin."""
    window: tuple[slice, slice] = np.s_[:, :]
    if len(lesson.inside) and rng.integers(2):
        middle = lesson.inside[rng.integers(len(lesson.inside))]
        y, x = (int(np.clip(m - side // 2, 0, n - side)) for m, n in zip(middle, lesson.image.shape, strict=True))
        window = np.s_[y : y + side, x : x + side]
    return draw_crop(lesson.image[window], lesson.targets[:, *window], size_px=side, rng=rng)


def normalised(image_yx: np.ndarray) -> Float[np.ndarray, "y x"]:
    """Intensities less their median, over the range that holds 99.8 % of them; all 0 where they are all the same."""
    image = np.asarray(image_yx, np.float64)
    low, middle, high = np.quantile(image, [0.001, 0.5, 0.999])
    scale = (high - low) or (np.ptp(image) or 1.0)
    # Hot pixels say nothing.
    return np.clip((image - middle) / scale, -2, 2).astype(np.float32)
