"""What a report on images says, before it is drawn as a page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cytoform.assess.images.compare import ImageComparison, compare
from cytoform.assess.images.frames import ImageFrame
from cytoform.assess.images.sets import ImageSet, MeasurementSettings
from cytoform.assess.images.usefulness import UsefulnessComparison
from cytoform.errors import InputError
from cytoform.pictures.figures import COLOURS, Side
from cytoform.reports.images.verdict import Judged

GREY = (0.45, 0.50, 0.56)
REAL, HALVES = "Real", "Real, second half"


@dataclass(frozen=True)
class ImageReport:
    """Real images, what they are compared with, and how real ones compare with each other (`usual`)."""

    title: str
    real: ImageSet
    usual: ImageSet
    usual_found: ImageComparison
    others: tuple[ImageSet, ...]
    found: tuple[ImageComparison, ...]
    usefulness: UsefulnessComparison | None
    provenance: dict[str, Any]

    @property
    def sides(self) -> tuple[Side, ...]:
        """Colours of the real images and of the others."""
        labels = [self.real.label, *(each.label for each in self.others)]
        return tuple(Side(label, COLOURS[i % len(COLOURS)]) for i, label in enumerate(labels))

    @property
    def usual_side(self) -> Side:
        """The same for the real images that real ones are compared with."""
        return Side(self.usual.label, GREY)

    @property
    def judged(self) -> tuple[Judged, ...]:
        """Each set, for a verdict."""
        return tuple(Judged(found, self.usual_found, self.usefulness) for found in self.found)

    def with_usefulness(self, usefulness: UsefulnessComparison) -> "ImageReport":
        """The same, with what a segmenter learned."""
        return replace(self, usefulness=usefulness)

    def to_json(self) -> dict[str, Any]:
        """The content of results.json, where NaN is still to become null."""
        return {
            "images": {found.label: found.to_json() for found in self.found},
            "real": {self.usual_found.label: self.usual_found.to_json()},
            "segmenter": None if self.usefulness is None else self.usefulness.to_json(),
            "provenance": self.provenance,
        }


def measure_images(
    real: Sequence[ImageFrame],
    others: dict[str, Sequence[ImageFrame]],
    *,
    training: Sequence[ImageFrame] | None,
    title: str,
    provenance: dict[str, Any],
    seed: int = 0,
    done: Callable[[], Any] = lambda: None,
) -> ImageReport:
    """Measure sets of images, by label, against real ones.

    How real images compare is seen on the `training` ones, else on the second half of the real ones against the first.
    `done` is called once for each set. Raises InputError for what cannot be compared.
    """
    if len(real) < 2:
        raise InputError(f"{len(real)} real image is too few to know how much real ones differ; give at least 2")
    rng = np.random.default_rng(seed)
    settings = MeasurementSettings.of(real, [*others.values(), *([] if training is None else [training])])
    own = ImageSet.of(REAL, real, settings, rng, done=done)
    if training is None:
        half = len(real) // 2
        first, usual = (ImageSet.of(HALVES, part, settings, rng) for part in (real[:half], real[half:]))
    else:
        first, usual = own, ImageSet.of("Real, for training", training, settings, rng)
    done()
    measured = tuple(ImageSet.of(label, frames, settings, rng, done=done) for label, frames in others.items())
    return ImageReport(
        title=title,
        real=own,
        usual=usual,
        usual_found=compare(first, usual, rng),
        others=measured,
        found=tuple(compare(own, other, rng) for other in measured),
        usefulness=None,
        provenance=provenance,
    )
