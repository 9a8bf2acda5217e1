"""Measurement of a set of images, once, before it is compared with others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from cytoform.assess.images.bootstrap import FrameDraws, FrameWeights, draws_of
from cytoform.assess.images.features import texture_features
from cytoform.assess.images.flicker import Flicker, flicker
from cytoform.assess.images.frames import Crops, ImageFrame, crop_side_px, crops_of_all
from cytoform.assess.images.histograms import Bins, Histograms
from cytoform.assess.images.noise import NoiseCurves, noise_curves, noise_levels
from cytoform.assess.images.spectra import power_spectra
from cytoform.errors import InputError


@dataclass(frozen=True)
class MeasurementSettings:
    """Common settings of a comparison: histogram bins, side of squares, unit of features, intensity levels of the noise.

    `unit` is the mean standard deviation of real images.
    """

    bins: Bins
    side_px: int
    unit: float
    noise_edges: Float[np.ndarray, " edges"]

    @classmethod
    def of(cls, real: Sequence[ImageFrame], others: Sequence[Sequence[ImageFrame]]) -> "MeasurementSettings":
        """Settings for real images and the sets to be compared. Raises InputError for images too small or uniform."""
        sets = [real, *others]
        for frames in sets:
            _check(frames)
        unit = float(np.mean([frame.image_yx.std(dtype=np.float64) for frame in real]))
        return cls(Bins.over(sets), crop_side_px(sets), unit, noise_levels(real))


@dataclass(frozen=True)
class ImageSet:
    """Measurements of a set of frames; `crops` are squares with cells."""

    label: str
    frames: Sequence[ImageFrame]
    draws: FrameDraws
    histograms: Histograms
    noise: NoiseCurves
    flicker: Flicker
    crops: Crops
    crop_power: Float[np.ndarray, "crops rings"]
    crop_features: Float[np.ndarray, "crops features"]

    @classmethod
    def of(
        cls,
        label: str,
        frames: Sequence[ImageFrame],
        settings: MeasurementSettings,
        rng: np.random.Generator,
        *,
        done: Callable[[], Any] = lambda: None,
    ) -> "ImageSet":
        """Measure a set of frames, then call `done`. Raises InputError if no square has cells."""
        crops = crops_of_all(frames, settings.side_px, rng)
        if not len(crops):
            raise InputError(
                f"{label}: no square of {settings.side_px} pixels with cells in any of {len(frames)} images; "
                "are these the masks of these images?"
            )
        measured = cls(
            label=label,
            frames=frames,
            draws=draws_of(frames, rng),
            histograms=Histograms.of(frames, settings.bins),
            noise=noise_curves(frames, settings.noise_edges),
            flicker=flicker(frames),
            crops=crops,
            crop_power=power_spectra(crops.images),
            crop_features=texture_features(crops.images.astype(np.float64), unit=settings.unit),
        )
        done()
        return measured

    def spectrum(self, weights: FrameWeights) -> Float[np.ndarray, " rings"]:
        """Weighted mean power over the squares; NaN without any."""
        times = weights[self.crops.frame]
        total = times.sum()
        return times @ self.crop_power / total if total else np.full(self.crop_power.shape[1], np.nan)


def _check(frames: Sequence[ImageFrame]) -> None:
    for frame in frames:
        low, high = frame.image_yx.min(), frame.image_yx.max()
        if low == high:
            raise InputError(
                f"{frame.name}: all pixels have one intensity ({low}), so there is nothing to judge; leave it out"
            )
