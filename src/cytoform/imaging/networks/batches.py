"""Batches of crops for training: which, where and with which noise follows from a generator of random numbers alone."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from cytoform.imaging.networks.brightness import mean_values, normal_scores, painted
from cytoform.imaging.networks.conditions import conditions
from cytoform.imaging.networks.crops import allowed_symmetries
from cytoform.imaging.networks.intensity import IntensityScale
from cytoform.movies.pairs.crops import check_crop_size, draw_crop
from cytoform.movies.pairs.pairs import Pairs

SEEDS = 2**31


@dataclass(frozen=True)
class Batch:
    """Real images on the network's scale, and what it sees of their masks."""

    images: Float[Tensor, "crops 1 y x"]
    conditions: Float[Tensor, "crops channels y x"]


class Batches:
    """Draws crops of a training set."""

    def __init__(self, pairs: Pairs, scale: IntensityScale, *, crop_px: int) -> None:
        self.pairs, self._scale, self._crop_px = pairs, scale, crop_px
        for movie in pairs.movies:
            check_crop_size(crop_px, movie.images.shape_zyx[1:], str(movie.images.source))
        self._symmetries = allowed_symmetries(pairs)
        self._scores = normal_scores([mean_values(scale.to_unit(p.image_yx), p.labels_yx) for p in pairs])

    def draw(self, rows: np.ndarray, rng: np.random.Generator) -> Batch:
        """A crop of each of the pairs `rows`, with noise that no other draw has."""
        images, channels = [], []
        for row in rows:
            plane = self.pairs.at(int(row))
            noise = conditions(plane.labels_yx, frame=plane.frame, seed=int(rng.integers(SEEDS)))
            seen = np.concatenate([noise, painted(self._scores[int(row)], plane.labels_yx)])
            crop = draw_crop(plane.image_yx, seen, size_px=self._crop_px, rng=rng, symmetries=self._symmetries)
            images.append(self._scale.to_unit(crop.image_yx)[None])
            channels.append(crop.conditions)
        return Batch(torch.from_numpy(np.stack(images)), torch.from_numpy(np.stack(channels)))
