"""Which frames of a cell went worst: least like their original, or, without one, least like any original."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from cytoform.assess.measures.kinds import Measures
from cytoform.assess.statistics.distributions import summarise
from cytoform.reports.shapes.cells import Cell, Strand

SHOWN_A_CELL = 3
# Of a cell's frames within this share of its duration only the worst is shown: neighbours look alike.
APART = 0.15


@dataclass(frozen=True)
class Failure:
    """A frame that went badly, of the strand with this index; `badness` orders those of one kind, `why` says it."""

    strand: int
    frame: int
    badness: float
    why: str


@dataclass(frozen=True)
class Norm:
    """What is usual among original frames."""

    measures: Measures
    means: dict[str, float]
    deviations: dict[str, float]
    most_pieces: int

    @classmethod
    def of(cls, strands: Iterable[Strand], measures: Measures) -> "Norm":
        """Of all frames of these."""
        strands = list(strands)
        found = {name: summarise(np.concatenate([s.descriptor(name) for s in strands])) for name in measures.main}
        return cls(
            measures,
            {name: summary.mean for name, summary in found.items()},
            {name: summary.std for name, summary in found.items()},
            max(max(strand.components) for strand in strands),
        )


def failures_of(cell: Cell, norm: Norm) -> tuple[Failure, ...]:
    """The worst frames of a cell, the worst first; none of an original that stands alone."""
    found: list[Failure] = []
    for index, strand in enumerate(cell.strands):
        if strand.pairs is not None:
            found += [_mismatch(cell, index, frame, norm.measures) for frame in range(len(strand.pairs))]
        elif not strand.is_original:
            found += [_oddity(strand, index, frame, norm) for frame in range(len(strand.sequence.frames))]
    return _apart(sorted(found, key=lambda each: (-each.badness, each.frame)), cell)


def worst_of_each(
    failures: dict[str, tuple[Failure, ...]], cells: Iterable[Cell], label: str, n: int
) -> list[tuple[Cell, int]]:
    """The cells whose worst frame of this label is worst of all, and which of their failures that is."""
    found = []
    for cell in cells:
        own = [i for i, each in enumerate(failures[cell.key]) if cell.strands[each.strand].side.label == label]
        if own:
            found.append((cell, own[0]))
    return sorted(found, key=lambda pair: -failures[pair[0].key][pair[1]].badness)[:n]


def _mismatch(cell: Cell, index: int, frame: int, measures: Measures) -> Failure:
    strand, original = cell.strands[index], cell.strands[0]
    pair = (strand.pairs or ())[frame]
    pieces, true_pieces = strand.components[frame], original.components[frame]
    why = [f"Jaccard index {pair.jaccard:.3f}"]
    if pieces == 0 or true_pieces == 0:
        sides = (strand, original) if pieces == 0 else (original, strand)
        why.append(
            "both are empty"
            if pieces == true_pieces
            else f"{sides[0].side.label.lower()} is empty, {sides[1].side.label.lower()} is not"
        )
    else:
        why.append(measures.worded(f"surfaces {pair.assd_um:.2g} µm apart"))
        if pieces != true_pieces:
            why.append(f"{pieces} piece{'s' * (pieces != 1)} instead of {true_pieces}")
    return Failure(index, frame, 1 - pair.jaccard, ", ".join(why))


def _oddity(strand: Strand, index: int, frame: int, norm: Norm) -> Failure:
    pieces = strand.components[frame]
    if pieces == 0:
        return Failure(index, frame, math.inf, "empty")
    away = {
        name: (float(strand.descriptor(name)[frame]) - norm.means[name]) / norm.deviations[name]
        for name in norm.measures.main
        if norm.deviations[name] > 0
    }
    worst = max(away, key=lambda name: abs(away[name]), default=None)
    why, badness = "nothing to compare with", 0.0
    if worst is not None:
        badness = abs(away[worst])
        word = "above" if away[worst] > 0 else "below"
        why = f"{norm.measures.descriptors[worst].title.lower()} {badness:.1f} standard deviations {word} the originals’ mean"
    if pieces > norm.most_pieces:
        # In more pieces than any original: worse than any figure.
        return Failure(index, frame, 1000.0 + pieces, f"{pieces} pieces; {why}")
    return Failure(index, frame, badness, why)


def _apart(ordered: list[Failure], cell: Cell) -> tuple[Failure, ...]:
    chosen: list[Failure] = []
    for each in ordered:
        n_frames = len(cell.strands[each.strand].sequence.frames)
        near = [
            other
            for other in chosen
            if other.strand == each.strand and abs(other.frame - each.frame) <= APART * n_frames
        ]
        if not near:
            chosen.append(each)
    return tuple(chosen[:SHOWN_A_CELL])
