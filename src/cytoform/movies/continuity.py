"""Whether a label is the same cell in the next frame: by its place, its overlap with the frame before, and its volume.

A label whose centroid moves little and whose volume changes little is not looked at further, which is nearly every label
of a tracked movie. For the others, the motion that all cells have in common is found, and two explanations are compared: the
labels follow the cells, or the cells are numbered anew.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from jaxtyping import Bool, Float, Int

from cytoform.base.triples import Triple
from cytoform.movies.extents import LabelExtents
from cytoform.movies.motion import Motion, Points, free_motions, own_motions, rest
from cytoform.movies.movie import Labels

# Steps in diameters of the cell, after the common motion is taken off. T cells at 4 s between frames reach 0.16, nuclei of a
# turning embryo several diameters before and 0.2 after it is taken off.
LOOK_STEP, LONG_STEP = 0.4, 1.0
# Another cell explains a place if it was nearer by this factor.
NEARER = 0.5
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
    DRIFT = "moves with all others to where others were"
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
    # LEAP and DRIFT: diameters and µm. MERGER and CHANGE: ratio of volumes.
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
        pair = _Pair(frame, labels, extents, before[1], before[2], np.array(self.spacing_zyx_um))
        self.n_compared += len(pair.lasting)
        drift_um = np.zeros(3)
        if pair.lasting and (pair.is_far(rest).any() or pair.has_changed.any()):
            self.steps += pair.steps()
            drift_um = np.median(pair.motion(pair.before_um) - pair.before_um, axis=0)
        for label in () if self.tracked else sorted(extents.keys() - before[2].keys()):
            other, share, _ = pair.place(label, drift_um)
            if share >= TAKEN:
                self.steps.append(Step(Oddity.BIRTH, frame, label, other))


class _Pair:
    """Two frames, and the labels that are in both."""

    def __init__(
        self,
        frame: int,
        labels: Labels,
        extents: LabelExtents,
        labels_before: Labels,
        extents_before: LabelExtents,
        spacing_um: Float[np.ndarray, " 3"],
    ) -> None:
        self.frame, self.spacing_um = frame, spacing_um
        self.labels, self.extents = labels, extents
        self.labels_before, self.extents_before = labels_before, extents_before
        self.lasting = [label for label in extents if label in extents_before]
        self.before_um, self.after_um = (self._centroids(self.lasting, of) for of in (extents_before, extents))
        n_before = np.array([extents_before[label].n_voxels for label in self.lasting], float)
        self.ratios = np.array([extents[label].n_voxels for label in self.lasting]) / n_before
        self.diameters_um = np.cbrt(6 / np.pi * n_before * np.prod(spacing_um))
        self.has_changed = (self.ratios > LOOK_RATIO) | (self.ratios < 1 / LOOK_RATIO)
        self.motion: Motion = rest

    def is_far(self, motion: Motion) -> Bool[np.ndarray, " labels"]:
        """Which labels are not where the motion would have brought them."""
        return self._off_um(motion) > LOOK_STEP * self.diameters_um

    def steps(self) -> list[Step]:
        """What is odd about the labels."""
        self.motion = self._own_motion()
        far, off_um = self.is_far(self.motion), self._off_um(self.motion)
        jumps, drifts = self._jumps(far)
        steps = drifts
        for n in map(int, np.flatnonzero(far | self.has_changed | np.isin(self.lasting, list(jumps)))):
            label, ratio, step = self.lasting[n], float(self.ratios[n]), float(off_um[n] / self.diameters_um[n])
            other, share, kept = self.place(label, np.zeros(3))
            if label in jumps:
                steps.append(Step(Oddity.JUMP, self.frame, label, jumps[label]))
            elif kept < LEFT and step > LONG_STEP:
                steps.append(Step(Oddity.LEAP, self.frame, label, 0, step, float(off_um[n])))
            elif ratio > LOOK_RATIO and share >= SWALLOWED and other not in self.extents:
                steps.append(Step(Oddity.MERGER, self.frame, label, other, ratio))
            elif not 1 / LARGE_RATIO <= ratio <= LARGE_RATIO:
                steps.append(Step(Oddity.CHANGE, self.frame, label, 0, ratio))
        return steps

    def place(self, label: int, moved_um: Float[np.ndarray, " 3"]) -> tuple[int, float, float]:
        """What was where a label came from: the other label with most voxels, its share, and the share of the label itself."""
        by = np.rint(moved_um / self.spacing_um).astype(int)
        box = self.extents[label].box_zyx
        lows = [max(side.start, d) for side, d in zip(box, by, strict=True)]
        highs = [min(side.stop, n + d) for side, d, n in zip(box, by, self.labels.shape, strict=True)]
        if any(low >= high for low, high in zip(lows, highs, strict=True)):
            return 0, 0.0, 0.0
        here = tuple(slice(low, high) for low, high in zip(lows, highs, strict=True))
        there = tuple(slice(low - d, high - d) for low, high, d in zip(lows, highs, by, strict=True))
        counts = np.bincount(self.labels_before[there][self.labels[here] == label], minlength=label + 1)
        own, counts[label], counts[0] = int(counts[label]), 0, 0
        other, n_voxels = int(counts.argmax()), self.extents[label].n_voxels
        smaller = min(n_voxels, self.extents_before[label].n_voxels) if label in self.extents_before else n_voxels
        return other if counts[other] else 0, float(counts[other] / n_voxels), own / smaller

    def _own_motion(self) -> Motion:
        """The common motion with which most labels keep their cells."""
        tolerance_um = LOOK_STEP * self.diameters_um
        motions = [rest, *own_motions(self.before_um, self.after_um, tolerance_um)]
        return min(motions, key=lambda motion: np.count_nonzero(self.is_far(motion)))

    def _jumps(self, far: Bool[np.ndarray, " labels"]) -> tuple[dict[int, int], list[Step]]:
        """The label whose cell each jumping label has taken over; and a notice if it cannot be told from a drift."""
        others = sorted(self.extents_before)
        others_um, every_um = self._centroids(others, self.extents_before), self._centroids(self.extents, self.extents)
        found = [self._partners(motion, others, others_um) for motion in free_motions(others_um, every_um)]
        best = max(found, key=lambda partners: partners.n_explained)
        n_own = int(np.count_nonzero(~far))
        if n_own > best.n_explained:
            # The labels follow the cells on the whole.
            candidates = self._partners(self.motion, others, others_um).candidates(far)
        else:
            candidates = best.candidates(np.ones_like(far))
        jumps = self._consistent(candidates, len(far) - n_own)
        taken = {} if jumps else found[0].candidates(~far & self.is_far(rest))
        return jumps, self._drift(taken) if 2 * len(taken) > n_own else []

    def _partners(self, motion: Motion, others: Sequence[int], others_um: Points) -> "_Partners":
        from scipy.spatial import cKDTree  # `prepare --help` must not wait for it

        distances_um, nearest = cKDTree(motion(others_um)).query(self.after_um)
        moved_um = motion(self.before_um) - self.before_um
        return _Partners(self, np.asarray(distances_um), np.array(others)[nearest], self._off_um(motion), moved_um)

    def _consistent(self, jumps: Mapping[int, int], n_far: int) -> dict[int, int]:
        """Jumps that fit together: cells that are numbered anew exchange their labels, or a label ends.

        A cell that really moves to where another one was leaves an empty place.
        """
        if 2 * len(jumps) > n_far:
            return dict(jumps)
        return {label: other for label, other in jumps.items() if self._is_closed(label, jumps)}

    def _is_closed(self, label: int, jumps: Mapping[int, int]) -> bool:
        seen: set[int] = set()
        while label in jumps and label not in seen:
            seen.add(label)
            label = jumps[label]
        return label in seen or label not in self.extents

    def _drift(self, jumps: Mapping[int, int]) -> list[Step]:
        label, other = next(iter(jumps.items()))
        n = self.lasting.index(label)
        step_um = float(self._off_um(rest)[n])
        return [Step(Oddity.DRIFT, self.frame, label, other, step_um / float(self.diameters_um[n]), step_um)]

    def _off_um(self, motion: Motion) -> Float[np.ndarray, " labels"]:
        return np.asarray(np.linalg.norm(motion(self.before_um) - self.after_um, axis=1))

    def _centroids(self, labels: Iterable[int], extents: LabelExtents) -> Points:
        places = [extents[label].centroid_voxels for label in labels]
        return np.array(places).reshape(-1, 3) * self.spacing_um


@dataclass(frozen=True)
class _Partners:
    """For each lasting label, which label of the frame before was nearest to its place, given a common motion."""

    pair: _Pair
    distances_um: Float[np.ndarray, " labels"]
    nearest: Int[np.ndarray, " labels"]
    own_um: Float[np.ndarray, " labels"]
    moved_um: Points

    @property
    def n_explained(self) -> int:
        """How many labels lie where some label was."""
        return int(np.count_nonzero(self.distances_um <= LOOK_STEP * self.pair.diameters_um))

    def candidates(self, looked_at: Bool[np.ndarray, " labels"]) -> dict[int, int]:
        """Labels that have left their place, and lie where another label was."""
        pair = self.pair
        near = (self.distances_um <= NEARER * self.own_um) & (self.distances_um <= LONG_STEP * pair.diameters_um)
        far = self.own_um > LOOK_STEP * pair.diameters_um
        found = {}
        for n in map(int, np.flatnonzero(looked_at & near & far)):
            label = pair.lasting[n]
            if pair.place(label, self.moved_um[n])[2] < LEFT:
                found[label] = int(self.nearest[n])
        return found
