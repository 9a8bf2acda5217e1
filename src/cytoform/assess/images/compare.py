"""Comparison of a set of images with real ones: every measure with its interval, and per frame."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Integer

from cytoform.assess.images.bootstrap import FrameWeights, estimate
from cytoform.assess.images.features import frechet_distance
from cytoform.assess.images.flicker import CHANGES
from cytoform.assess.images.fooling import TESTS, CropStatistics, fooling
from cytoform.assess.images.histograms import PARTS, histogram_distance
from cytoform.assess.images.noise import noise_ratio
from cytoform.assess.images.sets import ImageSet
from cytoform.assess.images.similarity import partners, similarities
from cytoform.assess.images.spectra import spectrum_distance
from cytoform.assess.measures.descriptors import Descriptor
from cytoform.assess.statistics.intervals import Estimate

# A measure of real and other frames with the given frame weights.
Statistic = Callable[[FrameWeights, FrameWeights], float]

_FOOLS = "share of squares with cells that pass for real ones by their {}: within the usual distance of real squares"
IMAGE_MEASURES = {
    "histogram_foreground": Descriptor(
        "Intensities of cells", "σ", "Wasserstein distance of the intensities inside cells, in their standard deviation"
    ),
    "histogram_background": Descriptor(
        "Intensities of background", "σ", "the same outside cells, in the standard deviation of the real background"
    ),
    "spectrum_db": Descriptor(
        "Power spectrum",
        "dB",
        "root mean square difference of the mean radial spectra of squares with cells, every octave alike",
    ),
    "noise_ratio": Descriptor(
        "Noise", "×", "factor by which the noise at equal intensity is off, up or down; 1: as real", "Immerkaer 1996"
    ),
    "feature_distance": Descriptor(
        "Feature distance",
        "",
        "Fréchet distance of the answers of squares to 16 Gabor filters, in units of real standard deviations",
        "Dowson and Landau 1982",
    ),
    "mean_change": Descriptor(
        "Flicker of brightness",
        "×",
        "mean change of a cell’s mean intensity from frame to frame, relative to real movies",
    ),
    "texture_change": Descriptor(
        "Flicker of texture",
        "×",
        "mean change of a cell’s texture in its own coordinates from frame to frame, relative to real movies",
    ),
    "fooling_histogram": Descriptor("Fooling, histogram", "", _FOOLS.format("intensities")),
    "fooling_spectrum": Descriptor("Fooling, spectrum", "", _FOOLS.format("power spectrum")),
    "fooling_both": Descriptor("Fooling, both", "", _FOOLS.format("intensities and power spectrum at once")),
    "ssim": Descriptor("SSIM", "", "structural similarity with the real image of the same mask", "Wang et al. 2004"),
    "ssim_inside": Descriptor("SSIM inside cells", "", "the same, inside cells", "Wang et al. 2004"),
}


@dataclass(frozen=True)
class ImageComparison:
    """Measures (IMAGE_MEASURES) of a set against the real one, and of each of its frames alone; NaN if undefined."""

    label: str
    figures: dict[str, Estimate]
    per_frame: dict[str, Float[np.ndarray, " frames"]]
    # Number of squares compared, and the limit of each fooling test.
    n_crops: int
    usual: dict[str, float]
    # Number of frames with the same masks as a real frame.
    shared_masks: int

    def to_json(self) -> dict[str, Any]:
        """An entry of results.json; NaN is not yet converted to null."""
        figures = {
            name: asdict(figure) | {"unit": IMAGE_MEASURES[name].unit, "per_frame": self.per_frame[name].tolist()}
            for name, figure in self.figures.items()
        }
        return {
            "figures": figures,
            "squares": self.n_crops,
            "usual_distances": self.usual,
            "frames_with_shared_masks": self.shared_masks,
        }


def compare(real: ImageSet, other: ImageSet, rng: np.random.Generator) -> ImageComparison:
    """Compute all measures of a set of images against real ones."""
    n = min(len(real.crops), len(other.crops))
    pairs = partners(real.frames, other.frames)
    tested, usual = _fooling(real, other, n, rng)
    statistics = (
        _histograms(real, other)
        | {"spectrum_db": lambda a, b: spectrum_distance(real.spectrum(a), other.spectrum(b))}
        | {"noise_ratio": lambda a, b: noise_ratio(real.noise.pooled(a), other.noise.pooled(b))}
        | {"feature_distance": _features(real, other)}
        | {change: _flicker(real, other, change) for change in CHANGES}
        | tested
        | _similarity(real, other, pairs)
    )
    n_frames = len(other.frames)
    whole = np.ones(len(real.frames))
    return ImageComparison(
        label=other.label,
        figures={
            name: estimate(statistics[name], real.draws, other.draws, most=_most(name)) for name in IMAGE_MEASURES
        },
        per_frame={
            name: np.array([statistics[name](whole, np.eye(n_frames)[i]) for i in range(n_frames)])
            for name in IMAGE_MEASURES
        },
        n_crops=n,
        usual=usual,
        shared_masks=len(pairs),
    )


def _most(name: str) -> float:
    return 1.0 if name.startswith(("fooling", "ssim")) else np.inf


def _histograms(real: ImageSet, other: ImageSet) -> dict[str, Statistic]:
    def of(part: str) -> Statistic:
        width = real.histograms.bins.width / (real.histograms.spread(part) or 1.0)
        return lambda a, b: histogram_distance(real.histograms.pooled(part, a), other.histograms.pooled(part, b), width)

    return {f"histogram_{part}": of(part) for part in PARTS}


def _features(real: ImageSet, other: ImageSet) -> Statistic:
    """In standard deviations of the real features; undefined for fewer squares than features."""
    scale = np.maximum(real.crop_features.std(axis=0), 1e-6)
    own, found = (each.crop_features / scale for each in (real, other))
    fewest = own.shape[1]

    def statistic(a: FrameWeights, b: FrameWeights) -> float:
        times = a[real.crops.frame], b[other.crops.frame]
        if min(np.count_nonzero(each) for each in times) < fewest:
            return float("nan")
        return frechet_distance(own, found, weights=times)

    return statistic


def _flicker(real: ImageSet, other: ImageSet, change: str) -> Statistic:
    def statistic(a: FrameWeights, b: FrameWeights) -> float:
        usual = real.flicker.pooled(change, a)
        return other.flicker.pooled(change, b) / usual if usual else float("nan")

    return statistic


def _fooling(
    real: ImageSet, other: ImageSet, n: int, rng: np.random.Generator
) -> tuple[dict[str, Statistic], dict[str, float]]:
    """Fooling rates, from equal numbers of squares of both sets, and the limits of the tests."""
    found = fooling(*(CropStatistics.of(each.crops.drawn(n, rng)) for each in (real, other)))

    def of(test: str) -> Statistic:
        return lambda _a, b: float("nan") if found is None else found.rate(test, b)

    return {f"fooling_{test}": of(test) for test in TESTS}, {} if found is None else found.usual


def _similarity(real: ImageSet, other: ImageSet, pairs: list[tuple[int, int]]) -> dict[str, Statistic]:
    values = similarities(real.frames, other.frames, pairs)
    which: Integer[np.ndarray, " pairs"] = np.array([j for _, j in pairs], int)

    def of(column: int) -> Statistic:
        def statistic(_a: FrameWeights, b: FrameWeights) -> float:
            total = b[which].sum()
            return float(b[which] @ values[:, column] / total) if total else float("nan")

        return statistic

    return {"ssim": of(0), "ssim_inside": of(1)}
