"""Whether cells are bodies with protrusions: a verdict in words, from the data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cytoform.protrusions.decompose import PartsOfSequence, take_apart
from cytoform.protrusions.radius import OpeningCurve, opening_curve, spread
from cytoform.shapes.records import DIMENSIONS
from cytoform.shapes.store import ShapeStore

# Limits: change of the body over change of the cell; tracks that are seen in one frame only; protrusions a frame; share of
# the volume in protrusions.
UNSTEADINESS, ONCE, FEWEST, SMALLEST = 0.6, 0.35, 1.0, 0.005
# Sequences that give the radius, sequences that are taken apart, and frames of each.
THOROUGH: tuple[int, int, int | None] = (8, 4, None)
QUICK: tuple[int, int, int | None] = (2, 2, 8)


@dataclass(frozen=True)
class Verdict:
    """Does taking apart apply, and the figures that say so; lengths in µm."""

    reasons: tuple[str, ...]  # against it; empty: it applies
    radius_um: float = float("nan")
    unsteadiness: float = float("nan")
    once: float = float("nan")
    number: float = float("nan")
    share: float = float("nan")
    thickness_um: float = float("nan")  # median radius of protrusions

    @property
    def applies(self) -> bool:
        """Whether cells are to be taken apart."""
        return not self.reasons

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        if not self.applies:
            return f"not bodies with protrusions: {'; '.join(self.reasons)}"
        return (
            f"bodies with protrusions: {self.number:.0f} a frame of {self.thickness_um:.2g} µm radius hold "
            f"{self.share:.1%} of the volume; without them a cell changes {self.unsteadiness:.0%} as much from frame to "
            f"frame; {self.once:.0%} of them are seen once only (opened by a ball of {self.radius_um:.2g} µm)"
        )

    def to_json(self) -> dict[str, Any]:
        """For the record of a run or a report."""
        return {
            **{k: v for k, v in vars(self).items() if k != "reasons"},
            "reasons": list(self.reasons),
            "applies": self.applies,
            "sentence": self.sentence,
        }


def judge(
    store: ShapeStore,
    *,
    names: Sequence[str] | None = None,
    frames: Mapping[str, Sequence[int]] | None = None,
    radius_um: float | None = None,
    quick: bool = False,
    workers: int = 1,
) -> Verdict:
    """The verdict on the named sequences of a store, by default on all, from some of them.

    `frames` are those to look at, by name; by default all. `radius_um` replaces the radius that is found. With `quick`, from a
    few frames of few sequences.
    """
    if store.grid.n_dims != DIMENSIONS:
        return Verdict(("cells in images are not taken apart",))
    n_curve, n_sequences, n_frames = QUICK if quick else THOROUGH
    curve = opening_curve(store, names=names, frames=frames, n_sequences=n_curve, workers=workers)
    if curve is None:
        return Verdict(
            ("the cells are too thin, or the voxels too coarse, for a body to be told from its protrusions",)
        )
    if np.isnan(curve.cell_jaccard):
        return Verdict(
            ("cells are seen at one time only, so nothing tells lasting parts from chance ones",), curve.radius_um
        )
    if radius_um is None and curve.unsteadiness > UNSTEADINESS:
        return Verdict((_unsteady(curve),), curve.radius_um, curve.unsteadiness)
    parts = take_apart(
        store,
        radius_um or curve.radius_um,
        names=spread(names or store.names, n_sequences),
        frames=frames,
        n_frames=n_frames,
        workers=workers,
    )
    return verdict_of(parts, curve, store.grid.spacing_um)


def verdict_of(parts: list[PartsOfSequence], curve: OpeningCurve, spacing_um: float) -> Verdict:
    """The verdict from sequences that have been taken apart."""
    frames = [frame for sequence in parts for frame in sequence.frames]
    number = float(np.mean([len(frame.curves) for frame in frames]))
    share = 1 - sum(f.body_um3 for f in frames) / max(sum(f.cell_um3 for f in frames), 1e-12)
    seen_once = [
        len(track.curves) == 1
        for sequence in parts
        for track in sequence.tracks
        # The movie may have cut off a track that is seen in its first or last frame only.
        if track.parent is None and not (track.first == track.last and track.first in (0, sequence.n_frames - 1))
    ]
    once = float(np.mean(seen_once)) if seen_once else float("nan")
    radii = [curve.radius_um for frame in frames for curve in frame.curves]
    thickness = float(np.median(radii)) if radii else float("nan")
    reasons = []
    if curve.unsteadiness > UNSTEADINESS:
        reasons.append(_unsteady(curve))
    if number < FEWEST or share < SMALLEST:
        reasons.append(f"only {number:.1f} protrusions a frame, with {share:.1%} of the volume")
    elif once > ONCE:
        reasons.append(f"{once:.0%} of the parts are seen in one frame only")
    elif thickness < spacing_um / 2:
        reasons.append(f"protrusions of {thickness:.2g} µm radius are thinner than a voxel of {spacing_um:.2g} µm")
    radius = parts[0].radius_um if parts else curve.radius_um
    return Verdict(tuple(reasons), radius, curve.unsteadiness, once, number, share, thickness)


def _unsteady(curve: OpeningCurve) -> str:
    parts = f"parts thinner than {curve.radius_um:.2g} µm"
    return f"without its {parts} a cell changes {curve.unsteadiness:.0%} as much from frame to frame"
