"""What a segmenter learned from some pairs, as scores on real images: of whole sets, with intervals, and of each frame."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from cytoform.assess.images.bootstrap import Draws, Weights, draws_of, estimate
from cytoform.assess.images.frames import Frame
from cytoform.assess.measures.descriptors import Descriptor
from cytoform.assess.statistics.intervals import Estimate

CTC = "Cell Tracking Challenge"
SCORES = {
    "seg": Descriptor(
        "SEG", "", "mean Jaccard index of real cells with what was found on more than half of them; 0 without", CTC
    ),
    "foreground": Descriptor("Foreground", "", "Jaccard index of all that is cell"),
    "f1": Descriptor(
        "F1", "", "of cells found with a Jaccard index of at least 0.5: harmonic mean of recall and precision"
    ),
}


@dataclass(frozen=True)
class Lesson:
    """Scores of a segmenter that was trained on the set `label`, frame by frame of the real images that it was tested on.

    `jaccard_sum` is over the `n_cells` real cells; `matched` are those found with a Jaccard index of at least 0.5, of the
    `n_found` that were found at all.
    """

    label: str
    jaccard_sum: Float[np.ndarray, " frames"]
    n_cells: Float[np.ndarray, " frames"]
    foreground: Float[np.ndarray, " frames"]
    matched: Float[np.ndarray, " frames"]
    n_found: Float[np.ndarray, " frames"]

    def score(self, name: str, weights: Weights) -> float:
        """One of SCORES over frames: every cell counts the same, and for `foreground` every frame. NaN without any."""
        above, below = {
            "seg": (self.jaccard_sum, self.n_cells),
            "foreground": (self.foreground, np.ones(len(self.foreground))),
            "f1": (2 * self.matched, self.n_cells + self.n_found),
        }[name]
        total = weights @ below
        return float(weights @ above / total) if total else float("nan")

    def estimates(self, draws: Draws) -> dict[str, Estimate]:
        """All of SCORES."""

        def of(name: str) -> Estimate:
            return estimate(lambda _a, b: self.score(name, b), draws, draws, most=1.0)

        return {name: of(name) for name in SCORES}

    def per_frame(self, name: str) -> Float[np.ndarray, " frames"]:
        """One of SCORES, of each frame alone."""
        return np.array([self.score(name, weights) for weights in np.eye(len(self.foreground))])


@dataclass(frozen=True)
class Lessons:
    """Lessons of the same segmenter from different sets, the first from real pairs; tested on the same real frames."""

    segmenter: str
    lessons: tuple[Lesson, ...]
    estimates: tuple[dict[str, Estimate], ...]
    # SEG of each lesson over that of the first.
    shares: tuple[Estimate, ...]

    @classmethod
    def of(
        cls, segmenter: str, lessons: Sequence[Lesson], frames: Sequence[Frame], rng: np.random.Generator
    ) -> "Lessons":
        """Intervals over the real frames, the same frames being drawn for all lessons."""
        draws = draws_of(frames, rng)
        real = lessons[0]
        return cls(
            segmenter=segmenter,
            lessons=tuple(lessons),
            estimates=tuple(lesson.estimates(draws) for lesson in lessons),
            shares=tuple(estimate(_share_of(real, lesson), draws, draws) for lesson in lessons),
        )

    def to_json(self) -> dict[str, Any]:
        """The entry `segmenter` of results.json."""
        return {"segmenter": self.segmenter} | {
            lesson.label: {
                name: asdict(found[name]) | {"per_frame": lesson.per_frame(name).tolist()} for name in SCORES
            }
            | {"seg_share_of_real": asdict(share)}
            for lesson, found, share in zip(self.lessons, self.estimates, self.shares, strict=True)
        }


def _share_of(real: Lesson, lesson: Lesson) -> Any:
    def share(_a: Weights, b: Weights) -> float:
        best = real.score("seg", b)
        return lesson.score("seg", b) / best if best else float("nan")

    return share
