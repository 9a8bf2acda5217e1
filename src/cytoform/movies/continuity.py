"""Whether a label is the same cell in the next frame: by overlap with the frame before, step and change of volume.

A label whose centroid moves little and whose volume changes little is not looked at further, which is nearly every label
of a tracked movie. Only for the others voxels are compared with the frame before.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from jaxtyping import Float

from cytoform.base.triples import Triple
from cytoform.movies.extents import LabelExtents
from cytoform.movies.movie import Labels

# Steps in diameters of the cell, after the median step of all labels (a drift) is taken off. T cells at 4 s between
# frames reach 0.16, nuclei of a mouse embryo several diameters: a long step alone proves nothing.
LOOK_STEP, LONG_STEP = 0.4, 1.0
# Changes of volume. T cells reach 1.1, nuclei 1.7, dividing cells 2.
LOOK_RATIO, LARGE_RATIO = 1.5, 3.0
# Shares of voxels: a label that has left its place and lies where another label was.
LEFT, TAKEN = 0.1, 0.5
# The share of a label that grew over the place of one that ended.
SWALLOWED = 0.25


class Oddity(Enum):
    """A way in which a label does not go on from the frame before."""

    JUMP = "lies where another label was"
    LEAP = "moves far"
    MERGER = "grows over a label that ends"
    CHANGE = "changes its volume"
    BIRTH = "begins where another label was"


@dataclass(frozen=True)
class Step:
    """A label that does not go on from the frame before `frame`; `other` is the label that was at its place, or 0."""

    oddity: Oddity
    frame: int
    label: int
    other: int = 0
    # LEAP: diameters and µm. MERGER and CHANGE: ratio of volumes.
    size: float = 0.0
    step_um: float = 0.0


@dataclass
class Follower:
    """Compares each frame of a movie with the one before. Call `add` with the frames in order."""

    spacing_zyx_um: Triple
    # Whether labels may begin in the place of others, as they do where a lineage says so.
    tracked: bool
    steps: list[Step] = field(default_factory=list)
    # Pairs of a label and the next frame that were compared.
    n_compared: int = 0
    _before: tuple[int, Labels, LabelExtents] | None = None

    def add(self, frame: int, labels: Labels, extents: LabelExtents) -> None:
        """Compare a frame with the one before, unless that was skipped."""
        before, self._before = self._before, (frame, labels, extents)
        if before is None or before[0] != frame - 1:
            return
        _, labels_before, extents_before = before
        lasting = [label for label in extents if label in extents_before]
        self.n_compared += len(lasting)
        if lasting:
            self._compare(frame, lasting, labels, extents, labels_before, extents_before)
        for label in () if self.tracked else sorted(extents.keys() - extents_before.keys()):
            other, share, _ = _place(label, labels, labels_before, extents)
            if share >= TAKEN:
                self.steps.append(Step(Oddity.BIRTH, frame, label, other))

    def _compare(
        self,
        frame: int,
        lasting: Sequence[int],
        labels: Labels,
        extents: LabelExtents,
        labels_before: Labels,
        extents_before: LabelExtents,
    ) -> None:
        moved_um = _centroids(lasting, extents, self.spacing_zyx_um) - _centroids(
            lasting, extents_before, self.spacing_zyx_um
        )
        # The median of one or two labels is no drift.
        drift_um = np.median(moved_um, axis=0) if len(lasting) > 2 else np.zeros(3)
        steps_um = np.linalg.norm(moved_um - drift_um, axis=1)
        n_before = np.array([extents_before[label].n_voxels for label in lasting], float)
        ratios = np.array([extents[label].n_voxels for label in lasting]) / n_before
        diameters_um = np.cbrt(6 / np.pi * n_before * np.prod(self.spacing_zyx_um))
        far = steps_um > LOOK_STEP * diameters_um
        for n in map(int, np.flatnonzero(far | (ratios > LOOK_RATIO) | (ratios < 1 / LOOK_RATIO))):
            label, ratio = lasting[n], float(ratios[n])
            other, share, own = _place(label, labels, labels_before, extents)
            kept = own / min(extents[label].n_voxels, extents_before[label].n_voxels)
            step = float(steps_um[n] / diameters_um[n])
            if far[n] and kept < LEFT and share >= TAKEN:
                self.steps.append(Step(Oddity.JUMP, frame, label, other))
            elif kept < LEFT and step > LONG_STEP:
                self.steps.append(Step(Oddity.LEAP, frame, label, 0, step, float(steps_um[n])))
            elif ratio > LOOK_RATIO and share >= SWALLOWED and other not in extents:
                self.steps.append(Step(Oddity.MERGER, frame, label, other, ratio))
            elif not 1 / LARGE_RATIO <= ratio <= LARGE_RATIO:
                self.steps.append(Step(Oddity.CHANGE, frame, label, 0, ratio))


def _place(label: int, labels: Labels, labels_before: Labels, extents: LabelExtents) -> tuple[int, float, int]:
    """What was at the place of a label: the other label with most voxels, its share, and the voxels of the label itself."""
    box = extents[label].box_zyx
    counts = np.bincount(labels_before[box][labels[box] == label], minlength=label + 1)
    own, counts[label], counts[0] = int(counts[label]), 0, 0
    other = int(counts.argmax())
    return other if counts[other] else 0, counts[other] / extents[label].n_voxels, own


def _centroids(labels: Sequence[int], extents: LabelExtents, spacing_zyx_um: Triple) -> Float[np.ndarray, "labels 3"]:
    return np.array([extents[label].centroid_voxels for label in labels]) * spacing_zyx_um
