"""Training examples of the segmenter: images and targets in memory, and batches of random squares."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Integer

from cytoform.assess.segmenter.objects import relative_depth
from cytoform.errors import InputError
from cytoform.movies.pairs.crops import Crop, draw_crop
from cytoform.movies.pairs.pairs import MaskedImage

# Most pixels of a large square are far from any object: four smaller squares train as well in a quarter of the time.
BATCH, CROP_PX = 4, 128
MOST_PIXELS = 64_000_000
# Augmentation of the normalised intensities: gain, offset and noise.
GAINS, OFFSETS, NOISE = (0.75, 1.33), (-0.1, 0.1), 0.03

ImageBatch = Float32[np.ndarray, "n 1 y x"]


@dataclass(frozen=True)
class Example:
    """An input image of the network, and its targets: foreground, and depth in the instance."""

    image: Float[np.ndarray, "y x"]
    targets: Float[np.ndarray, "2 y x"]
    inside: Integer[np.ndarray, "n 2"]  # pixels of objects


def examples_of(planes: Sequence[MaskedImage], shrink: int) -> list[Example]:
    """Examples of evenly spaced planes, up to 64 million pixels. Raises InputError if all images are uniform."""
    n_pixels = planes[0].labels_yx.size // shrink**2
    n = max(1, min(len(planes), MOST_PIXELS // max(n_pixels, 1)))
    examples = [_example(planes[i], shrink) for i in np.linspace(0, len(planes) - 1, n).round().astype(int).tolist()]
    if not any(example.image.any() for example in examples):
        raise InputError("the images have one intensity each, so no segmenter can learn from them")
    return examples


def _example(plane: MaskedImage, shrink: int) -> Example:
    labels = plane.labels_yx
    targets = np.stack([shrunk(each, shrink) for each in ((labels > 0).astype(np.float32), relative_depth(labels))])
    inside = np.argwhere(targets[0] > 0.5).astype(np.int32)
    return Example(shrunk(normalised(plane.image_yx), shrink), targets, inside)


def shrunk(image: Float[np.ndarray, "y x"], factor: int) -> Float[np.ndarray, "y2 x2"]:
    """Means of squares of `factor` pixels; incomplete squares are padded with edge values."""
    y, x = image.shape
    filled = np.pad(image, ((0, -y % factor), (0, -x % factor)), mode="edge")
    return filled.reshape(-(-y // factor), factor, -(-x // factor), factor).mean(axis=(1, 3))


def draw_batch(
    examples: Sequence[Example], rng: np.random.Generator, *, others: Sequence[Example] = (), share: float = 0.0
) -> tuple[ImageBatch, Float32[np.ndarray, "n 2 y x"]]:
    """Images (with a channel axis) and targets of random squares, augmented by symmetry, gain, offset and noise.

    With the probability `share` a square is from `others`.
    """
    side = min(CROP_PX, *(n for example in (*examples, *others) for n in example.image.shape))
    crops = []
    for _ in range(BATCH):
        source = others if others and rng.random() < share else examples
        crops.append(_drawn(source[int(rng.integers(len(source)))], side, rng))
    images = np.stack([crop.image_yx for crop in crops])[:, None]
    gains, offsets = (rng.uniform(*ends, (BATCH, 1, 1, 1)) for ends in (GAINS, OFFSETS))
    images = images * gains + offsets + NOISE * rng.standard_normal(images.shape)
    return images.astype(np.float32), np.stack([crop.conditions for crop in crops])


def _drawn(example: Example, side: int, rng: np.random.Generator) -> Crop:
    """A random square; with probability 1/2 it is centred on a pixel of an object."""
    window: tuple[slice, slice] = np.s_[:, :]
    if len(example.inside) and rng.integers(2):
        middle = example.inside[rng.integers(len(example.inside))]
        y, x = (int(np.clip(m - side // 2, 0, n - side)) for m, n in zip(middle, example.image.shape, strict=True))
        window = np.s_[y : y + side, x : x + side]
    return draw_crop(example.image[window], example.targets[:, *window], size_px=side, rng=rng)


def normalised(image: np.ndarray) -> Float[np.ndarray, "*size"]:
    """Intensities minus their median, divided by their 99.8 % range; all 0 for a uniform image."""
    image = np.asarray(image, np.float64)
    low, middle, high = np.quantile(image, [0.001, 0.5, 0.999])
    scale = (high - low) or (np.ptp(image) or 1.0)
    # Clips hot pixels.
    return np.clip((image - middle) / scale, -2, 2).astype(np.float32)
