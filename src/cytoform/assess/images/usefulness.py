"""Usefulness of image-mask pairs for training: scores of segmenters on real images, with intervals, and per frame."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from cytoform.assess.images.bootstrap import FrameDraws, FrameWeights, draws_of, estimate
from cytoform.assess.images.frames import ImageFrame
from cytoform.assess.measures.descriptors import Descriptor
from cytoform.assess.statistics.intervals import Estimate

CTC = "Cell Tracking Challenge"
SCORES = {
    "seg": Descriptor(
        "SEG",
        "",
        "mean Jaccard index of real cells with the found cell that covers more than half of them; 0 without",
        CTC,
    ),
    "foreground": Descriptor("Foreground", "", "Jaccard index of all cell pixels"),
    "f1": Descriptor(
        "F1", "", "of cells found with a Jaccard index of at least 0.5: harmonic mean of recall and precision"
    ),
}


@dataclass(frozen=True)
class Usefulness:
    """Scores of a segmenter trained on the set `label`, for each real test image.

    `jaccard_sum` is the sum over the `n_cells` real cells. Of `n_found` found cells, `matched` have a Jaccard index of at
    least 0.5.
    """

    label: str
    jaccard_sum: Float[np.ndarray, " frames"]
    n_cells: Float[np.ndarray, " frames"]
    foreground: Float[np.ndarray, " frames"]
    matched: Float[np.ndarray, " frames"]
    n_found: Float[np.ndarray, " frames"]

    def score(self, name: str, weights: FrameWeights) -> float:
        """Weighted mean of one of SCORES: over cells, or over frames for `foreground`. NaN without any."""
        above, below = {
            "seg": (self.jaccard_sum, self.n_cells),
            "foreground": (self.foreground, np.ones(len(self.foreground))),
            "f1": (2 * self.matched, self.n_cells + self.n_found),
        }[name]
        total = weights @ below
        return float(weights @ above / total) if total else float("nan")

    def estimates(self, draws: FrameDraws) -> dict[str, Estimate]:
        """All of SCORES with intervals."""

        def of(name: str) -> Estimate:
            return estimate(lambda _a, b: self.score(name, b), draws, draws, most=1.0)

        return {name: of(name) for name in SCORES}

    def per_frame(self, name: str) -> Float[np.ndarray, " frames"]:
        """One of SCORES for each frame alone."""
        return np.array([self.score(name, weights) for weights in np.eye(len(self.foreground))])


@dataclass(frozen=True)
class UsefulnessComparison:
    """Usefulness of several sets for the same segmenter and test frames; the first set is real."""

    segmenter: str
    sets: tuple[Usefulness, ...]
    estimates: tuple[dict[str, Estimate], ...]
    # SEG of each set relative to the first.
    shares: tuple[Estimate, ...]

    @classmethod
    def of(
        cls, segmenter: str, sets: Sequence[Usefulness], frames: Sequence[ImageFrame], rng: np.random.Generator
    ) -> "UsefulnessComparison":
        """Compute bootstrap intervals over the real frames, with the same replicates for all sets."""
        draws = draws_of(frames, rng)
        real = sets[0]
        return cls(
            segmenter=segmenter,
            sets=tuple(sets),
            estimates=tuple(each.estimates(draws) for each in sets),
            shares=tuple(estimate(_share_of(real, each), draws, draws) for each in sets),
        )

    def to_json(self) -> dict[str, Any]:
        """The entry `segmenter` of results.json."""
        return {"segmenter": self.segmenter} | {
            each.label: {name: asdict(found[name]) | {"per_frame": each.per_frame(name).tolist()} for name in SCORES}
            | {"seg_share_of_real": asdict(share)}
            for each, found, share in zip(self.sets, self.estimates, self.shares, strict=True)
        }


def _share_of(real: Usefulness, other: Usefulness) -> Any:
    def share(_a: FrameWeights, b: FrameWeights) -> float:
        best = real.score("seg", b)
        return other.score("seg", b) / best if best else float("nan")

    return share
