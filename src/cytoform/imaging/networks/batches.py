"""Batches of random crops for training, and the symmetries allowed for augmentation."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from cytoform.imaging.networks.brightness import brightness_channel, mean_values, normal_scores
from cytoform.imaging.networks.conditions import conditions, signed_depth
from cytoform.imaging.networks.intensity import IntensityScale
from cytoform.movies.pairs.crops import SQUARE_SYMMETRIES, SquareSymmetry, check_crop_size, draw_crop
from cytoform.movies.pairs.pairs import Pairs

NOISE_SEEDS = 2**31
# Correlation of grey values with the direction of the nearest border. It is below 0.03 in the data sets of docs/texture.md.
SHADED = 0.1
# Ratio of the noise along y and x; cameras that smear along rows exceed it.
GRAINY = 1.2
SAMPLED_PLANES = 16
SQUARE = 0.01  # relative difference between the sides of a pixel that still counts as square


@dataclass(frozen=True)
class CropBatch:
    """Real images scaled for the network, and condition channels of their masks."""

    images: Float[Tensor, "crops 1 y x"]
    conditions: Float[Tensor, "crops channels y x"]


class Batches:
    """Draws batches of crops from a training set."""

    def __init__(self, pairs: Pairs, scale: IntensityScale, *, crop_px: int) -> None:
        self.pairs, self._scale, self._crop_px = pairs, scale, crop_px
        for movie in pairs.movies:
            check_crop_size(crop_px, movie.images.shape_zyx[1:], str(movie.images.source))
        self._symmetries = allowed_symmetries(pairs)
        self._scores = normal_scores([mean_values(scale.to_unit(p.image_yx), p.labels_yx) for p in pairs])

    def draw(self, rows: np.ndarray, rng: np.random.Generator) -> CropBatch:
        """One crop of each of the pairs `rows`, with new noise in every draw."""
        images, channels = [], []
        for row in rows:
            plane = self.pairs.at(int(row))
            noise = conditions(plane.labels_yx, frame=plane.frame, seed=int(rng.integers(NOISE_SEEDS)))
            seen = np.concatenate([noise, brightness_channel(self._scores[int(row)], plane.labels_yx)])
            crop = draw_crop(plane.image_yx, seen, size_px=self._crop_px, rng=rng, symmetries=self._symmetries)
            images.append(self._scale.to_unit(crop.image_yx)[None])
            channels.append(crop.conditions)
        return CropBatch(torch.from_numpy(np.stack(images)), torch.from_numpy(np.stack(channels)))


def allowed_symmetries(pairs: Pairs) -> tuple[SquareSymmetry, ...]:
    """Symmetries that turn images of the set into other plausible images of the same microscope.

    Oblique illumination, as in differential interference contrast, makes one side of every cell brighter, so only
    symmetries that preserve its direction are allowed. Non-square pixels and noise smeared along rows or columns exclude
    rotations by 90°.
    """
    planes = pairs[:: max(1, len(pairs) // SAMPLED_PLANES)]
    shading = np.mean([_shading(plane.image_yx, plane.labels_yx) for plane in planes], axis=0)
    grain_y, grain_x = np.mean([_grain(plane.image_yx) for plane in planes], axis=0)
    _, y_um, x_um = pairs.spacing_zyx_um or (1.0, 1.0, 1.0)
    square = abs(y_um / x_um - 1) < SQUARE and max(grain_y, grain_x) <= GRAINY * min(grain_y, grain_x)
    return tuple(
        symmetry
        for symmetry in SQUARE_SYMMETRIES
        if np.hypot(*(symmetry.direction(shading) - shading)) < SHADED and (square or symmetry.quarters % 2 == 0)
    )


def _shading(image_yx: Shaped[np.ndarray, "y x"], labels_yx: Shaped[np.ndarray, "y x"]) -> Float[np.ndarray, " 2"]:
    """Correlation of grey values with the inward direction of the nearest border, along y and x; 0 without cells."""
    inward = np.stack(np.gradient(signed_depth(labels_yx)))
    steep = (inward != 0).any(axis=0)
    values = image_yx[steep].astype(np.float64)
    if not steep.any() or values.std() == 0:
        return np.zeros(2)
    return np.array([_correlation(values, axis[steep]) for axis in inward])


def _grain(image_yx: Shaped[np.ndarray, "y x"]) -> Float[np.ndarray, " 2"]:
    """Median absolute second difference along y and x, which measures noise rather than edges."""
    return np.array([np.median(np.abs(np.diff(image_yx.astype(np.float64), n=2, axis=axis))) for axis in (0, 1)])


def _correlation(values: Float[np.ndarray, " n"], others: Float[np.ndarray, " n"]) -> float:
    return float(np.corrcoef(values, others)[0, 1]) if others.std() > 0 else 0.0
