"""Whether cells are bodies with protrusions: a verdict in words, from the data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cytoform.protrusions.bulge_fit import is_thick
from cytoform.protrusions.decompose import take_apart
from cytoform.protrusions.lasting import window_of
from cytoform.protrusions.parts import PartsOfSequence
from cytoform.protrusions.pieces import Piece
from cytoform.protrusions.radius import OpeningCurve, opening_curve, spread
from cytoform.shapes.boundary import BALL_NAMES
from cytoform.shapes.grid import NAMES, Grid
from cytoform.shapes.records import DIMENSIONS
from cytoform.shapes.store import ShapeStore

SIZE_NAMES = {3: "volume", 2: "area"}
# Limits: change of the body over change of the cell; tracks that are seen in one frame only; protrusions a frame; share of
# the volume in protrusions.
UNSTEADINESS, ONCE, FEWEST, SMALLEST = 0.6, 0.35, 1.0, 0.005
# Thick protrusions: the share of them that is wider above its root than at it, by so much at least (at most 0.15 in any four
# T cells, at least 0.23 in any four cells with blebs). Their share of the volume does not tell these apart: a T cell may have
# one large lobe with a waist.
NECKED, NECK = 0.19, 0.8
MOST = 0.5  # share of the volume outside what lasts: a cell that wanders has no body that does
# Sequences that give the radius, sequences that are taken apart, and frames of each.
# For thick protrusions, of which a frame takes longer: sequences, and frames of each.
LASTING, QUICK_LASTING = (4, 10), (2, 4)
# Voxels along a side that tell thick protrusions: on 256 a frame takes half a minute, and no limit was found there.
ENOUGH_VOXELS = 128
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
    lasting: bool = False  # whether the body is what lasts of the cell, and not its opening by a ball
    necked: float = float("nan")  # of thick protrusions
    thick: float = float("nan")  # share of the tracks that are bulges rather than tubes
    n_dims: int = DIMENSIONS  # of space

    @property
    def applies(self) -> bool:
        """Whether cells are to be taken apart."""
        return not self.reasons

    @property
    def opening_um(self) -> float | None:
        """Radius of the ball that tells bodies from protrusions; None where no ball does."""
        return self.radius_um if self.applies and not self.lasting else None

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        if not self.applies:
            return f"not bodies with protrusions: {'; '.join(self.reasons)}"
        if self.lasting:
            return (
                f"bodies with thick protrusions: {self.number:.0f} a frame of {self.thickness_um:.2g} µm radius, which come "
                f"and go, hold {self.share:.1%} of the volume outside what lasts; {self.necked:.0%} of them are wider above "
                f"their root than at it; {self.once:.0%} of them are seen once only; {self.thick:.0%} of them are thick "
                "(distances in local frames), the others are tubes"
            )
        return (
            f"bodies with protrusions: {self.number:.0f} a frame of {self.thickness_um:.2g} µm radius hold "
            f"{self.share:.1%} of the {SIZE_NAMES[self.n_dims]}; without them a cell changes {self.unsteadiness:.0%} as "
            f"much from frame to frame; {self.once:.0%} of them are seen once only (opened by a "
            f"{BALL_NAMES[self.n_dims]} of {self.radius_um:.2g} µm)"
        )

    def to_json(self) -> dict[str, Any]:
        """For the record of a run or a report."""
        return {
            **{k: v for k, v in vars(self).items() if k not in {"reasons", "n_dims"}},
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
    few frames of few sequences. Where no ball tells protrusions from the body, thick ones are searched in whole movies: they
    come and go on a body that lasts. Thick protrusions are those of 3D cells.
    """
    verdict = _judge_thin(store, names=names, frames=frames, radius_um=radius_um, quick=quick, workers=workers)
    if verdict.applies or frames is not None or radius_um is not None or np.isnan(verdict.unsteadiness):
        return verdict
    if store.grid.n_dims != DIMENSIONS:  # thick protrusions of cells in images are not known
        return verdict
    thick = _judge_thick(store, names=names, quick=quick, workers=workers)
    return thick if thick is not None and thick.applies else verdict


def _judge_thin(
    store: ShapeStore,
    *,
    names: Sequence[str] | None,
    frames: Mapping[str, Sequence[int]] | None,
    radius_um: float | None,
    quick: bool,
    workers: int,
) -> Verdict:
    n_curve, n_sequences, n_frames = QUICK if quick else THOROUGH
    curve = opening_curve(store, names=names, frames=frames, n_sequences=n_curve, workers=workers)
    if curve is None:
        return Verdict(
            (
                f"the cells are too thin, or the {NAMES[store.grid.n_dims]} too coarse, for a body to be told from its "
                "protrusions",
            )
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
    return verdict_of(parts, curve, store.grid)


def _judge_thick(store: ShapeStore, *, names: Sequence[str] | None, quick: bool, workers: int) -> Verdict | None:
    """The verdict on thick protrusions; None where a movie is too short for one."""
    n_sequences, n_frames = QUICK_LASTING if quick else LASTING
    names = names or store.names
    if any(window_of(store[name].info.n_frames) is None for name in names):
        return None
    factor = max(store.grid.size // ENOUGH_VOXELS, 1)
    parts = take_apart(
        store,
        None,
        names=spread(names, n_sequences),
        n_frames=n_frames,
        coarser=1 if store.grid.size % factor else factor,
        workers=workers,
    )
    pieces = [piece for each in parts for frame in each.frames for piece in frame.curves if isinstance(piece, Piece)]
    number, share, once = _numbers(parts)
    necked = float(np.mean([piece.radii_um[0] < NECK * piece.radii_um.max() for piece in pieces])) if pieces else 0.0
    reasons = []
    if share > MOST or number < FEWEST or once > ONCE or necked < NECKED:
        reasons.append("no parts come and go that are wider above their roots")
    thickness = float(np.median([piece.radius_um for piece in pieces])) if pieces else float("nan")
    tracks = [track for each in parts for track in each.tracks]
    thick = float(np.mean([is_thick(track) for track in tracks])) if tracks else float("nan")
    return Verdict(
        tuple(reasons),
        once=once,
        number=number,
        share=share,
        thickness_um=thickness,
        lasting=True,
        necked=necked,
        thick=thick,
    )


def _numbers(parts: list[PartsOfSequence]) -> tuple[float, float, float]:
    """Protrusions a frame, their share of the volume, and the share of tracks that are seen in one frame only."""
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
    return number, share, float(np.mean(seen_once)) if seen_once else float("nan")


def verdict_of(parts: list[PartsOfSequence], curve: OpeningCurve, grid: Grid) -> Verdict:
    """The verdict from sequences that have been taken apart."""
    frames = [frame for sequence in parts for frame in sequence.frames]
    number, share, once = _numbers(parts)
    radii = [curve.radius_um for frame in frames for curve in frame.curves]
    thickness = float(np.median(radii)) if radii else float("nan")
    reasons = []
    if curve.unsteadiness > UNSTEADINESS:
        reasons.append(_unsteady(curve))
    if number < FEWEST or share < SMALLEST:
        reasons.append(f"only {number:.1f} protrusions a frame, with {share:.1%} of the {SIZE_NAMES[grid.n_dims]}")
    elif once > ONCE:
        reasons.append(f"{once:.0%} of the parts are seen in one frame only")
    elif thickness < grid.spacing_um / 2:
        voxel = f"{NAMES[grid.n_dims][:-1]} of {grid.spacing_um:.2g} µm"
        reasons.append(f"protrusions of {thickness:.2g} µm radius are thinner than a {voxel}")
    radius_um = (parts[0].radius_um if parts else None) or curve.radius_um
    return Verdict(tuple(reasons), radius_um, curve.unsteadiness, once, number, share, thickness, n_dims=grid.n_dims)


def _unsteady(curve: OpeningCurve) -> str:
    parts = f"parts thinner than {curve.radius_um:.2g} µm"
    return f"without its {parts} a cell changes {curve.unsteadiness:.0%} as much from frame to frame"
