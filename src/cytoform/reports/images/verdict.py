"""The verdict on a set of images: graded sentences that follow from its measures by the rules below."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from cytoform.assess.images.compare import IMAGE_MEASURES, ImageComparison
from cytoform.assess.images.usefulness import UsefulnessComparison
from cytoform.assess.statistics.intervals import Estimate
from cytoform.reports.verdicts import Finding, Verdict, grade, worst

# Times what real images differ among themselves: limits of good and of mixed.
TIMES_REAL = (1.5, 3.0)
# What is no larger than this is good, however alike real images are; three times this is mixed.
NEGLIGIBLE = {
    "histogram_foreground": 0.1,
    "histogram_background": 0.1,
    "spectrum_db": 1.0,
    "noise_ratio": 0.1,
    "feature_distance": 5.0,
}
FOOLING_LIMITS = (0.8, 0.4)  # of the rate of real images
FLICKER_LIMITS = (1.5, 2.5)  # factors, up or down
LEARN_LITTLE = ("otsu",)
LEARNING_LIMITS = (0.9, 0.75)  # of SEG learned from real pairs

RULES = (
    f"Histograms, spectrum, noise and features are good where they are off by at most {TIMES_REAL[0]:g} times "
    f"what real images differ among themselves, mixed up to {TIMES_REAL[1]:g} times. Differences of at most "
    "0.1 σ, 1 dB, 10 % and 5 are good in any case, and three times these mixed. Of the two histograms the worse counts.",
    f"Fooling is good where at least {FOOLING_LIMITS[0]:g} times as many squares pass for real ones by both tests together as "
    f"squares of other real images do, mixed from {FOOLING_LIMITS[1]:g} times.",
    f"Flicker of brightness and of texture is good within a factor {FLICKER_LIMITS[0]:g} of the real movie’s, up or down, "
    f"mixed within {FLICKER_LIMITS[1]:g}; the worse of the two counts. Cells that change less than real ones are no better.",
    f"Pairs are good for learning where a segmenter trained on them has at least {LEARNING_LIMITS[0]:.0%} of the SEG of one "
    f"trained on real pairs, mixed from {LEARNING_LIMITS[1]:.0%}.",
    "SSIM has no grade: grain and texture of another cell are as real, but not the same.",
    "The whole is as good as the worst of its sentences; open ones do not count.",
)


@dataclass(frozen=True)
class Judged:
    """A set to be judged: how it compares with real images, how real ones do among themselves, and what it teaches."""

    found: ImageComparison
    usual: ImageComparison
    usefulness: UsefulnessComparison | None


def verdict_of(judged: Judged) -> Verdict:
    """The findings of all rules on a set."""
    rules: tuple[Callable[[Judged], Finding], ...] = (
        _histograms,
        _distance("spectrum_db", "Power spectra are {value} dB off"),
        _noise,
        _distance("feature_distance", "Textures are {value} apart by the answers to Gabor filters"),
        _fooling,
        _flicker,
        _similarity,
    )
    findings = [rule(judged) for rule in rules]
    learning = None if judged.usefulness is None else _learning(judged.found.label, judged.usefulness)
    return Verdict(judged.found.label, tuple(findings if learning is None else [*findings, learning]))


def _against_real(judged: Judged, name: str) -> str:
    """The grade of a distance; a factor counts from 1."""
    value, usual = (each.figures[name].value - (name == "noise_ratio") for each in (judged.found, judged.usual))
    usual = 0.0 if math.isnan(usual) else usual
    least = NEGLIGIBLE[name]
    return grade(
        value, (max(least, TIMES_REAL[0] * usual), max(3 * least, TIMES_REAL[1] * usual)), higher_is_better=False
    )


def _told(usual: float) -> str:
    """A figure of real images, which may be too few to have one."""
    return "an unknown number" if math.isnan(usual) else f"{usual:.3g}"


def _histograms(judged: Judged) -> Finding:
    names = ("histogram_foreground", "histogram_background")
    inside, outside = (judged.found.figures[name].value for name in names)
    usual = " and ".join(_told(judged.usual.figures[name].value) for name in names)
    level = worst(_against_real(judged, name) for name in names)
    text = (
        f"Intensities are off by {inside:.2g} standard deviations inside cells and {outside:.2g} outside; real images differ "
        f"by {usual} among themselves."
    )
    return Finding(level, text)


def _distance(name: str, sentence: str) -> Callable[[Judged], Finding]:
    def rule(judged: Judged) -> Finding:
        value, usual = judged.found.figures[name].value, judged.usual.figures[name].value
        if math.isnan(value):
            return Finding("open", f"{IMAGE_MEASURES[name].title}: too few squares with cells to tell.")
        text = f"{sentence.format(value=f'{value:.3g}')}; real images are {_told(usual)} apart."
        return Finding(_against_real(judged, name), text)

    return rule


def _noise(judged: Judged) -> Finding:
    value, usual = (each.figures["noise_ratio"].value for each in (judged.found, judged.usual))
    if math.isnan(value):
        return Finding("open", "No intensity is common to both sides, so their noise cannot be compared.")
    text = f"Noise at equal intensity is off by a factor {value:.3g}; between real images it is {_told(usual)}."
    return Finding(_against_real(judged, "noise_ratio"), text)


def _fooling(judged: Judged) -> Finding:
    rate, usual = (each.figures["fooling_both"].value for each in (judged.found, judged.usual))
    if math.isnan(rate):
        return Finding("open", "There are too few squares with cells for a test of fooling.")
    apart = " and ".join(f"{judged.found.figures[f'fooling_{t}'].value:.0%} the {t}" for t in ("histogram", "spectrum"))
    text = (
        f"{rate:.0%} of the squares pass for real ones in a test of histogram and spectrum together; of other real "
        f"squares {_told(100 * usual)} % do. Each test alone has a stricter limit: {apart}."
    )
    least, mixed = (limit * (0.95 if math.isnan(usual) else usual) for limit in FOOLING_LIMITS)
    return Finding(grade(rate, (least, mixed)), text)


def _flicker(judged: Judged) -> Finding:
    brightness, texture = (judged.found.figures[name].value for name in ("mean_change", "texture_change"))
    if math.isnan(texture):
        return Finding(
            "open", "No cell keeps its label from one frame to the next on both sides, so flicker cannot be told."
        )
    level = worst(
        grade(max(r, 1 / max(r, 1e-9)), FLICKER_LIMITS, higher_is_better=False) for r in (brightness, texture)
    )
    text = (
        f"From frame to frame the brightness of a cell changes {brightness:.2g} times as much as in the real movie, "
        f"and its texture {texture:.2g} times."
    )
    return Finding(level, text)


def _similarity(judged: Judged) -> Finding:
    inside = judged.found.figures["ssim_inside"].value
    if math.isnan(inside):
        return Finding("open", "No frame has the mask of a real one, so SSIM has no meaning here.")
    return Finding("open", f"On the masks of real frames the structural similarity inside cells is {inside:.2f}.")


def _learning(label: str, usefulness: UsefulnessComparison) -> Finding | None:
    labels = [each.label for each in usefulness.sets]
    if label not in labels:
        return None
    at = labels.index(label)
    if usefulness.segmenter in LEARN_LITTLE:
        return Finding(
            "open", "Otsu’s threshold learns nothing of images but how large cells are, so it says little of these."
        )
    share: Estimate = usefulness.shares[at]
    own, real = (usefulness.estimates[i]["seg"].value for i in (at, 0))
    if math.isnan(share.value):
        return Finding("open", "The segmenter learned nothing from real pairs, so nothing can be said of others.")
    text = (
        f"A segmenter trained on these pairs has {share.value:.0%} of the SEG of one trained on real pairs: "
        f"{own:.3f} and {real:.3f}."
    )
    return Finding(grade(share.value, LEARNING_LIMITS), text)
