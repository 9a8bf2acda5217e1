"""The cells that a report has a page for, each with its measures on every side."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np

from cytoform.assess.measures.descriptors import titled
from cytoform.assess.measures.kinds import Measures
from cytoform.assess.measures.protrusion_tracks import FRAME_PROTRUSIONS
from cytoform.assess.measures.sequences import PAIR_MEASURES, MeasuredPair, MeasuredSequence
from cytoform.assess.measures.thin_parts import THIN_MEASURES
from cytoform.assess.results import Results
from cytoform.assess.statistics.distributions import Values
from cytoform.assess.store_contrasts import ROLES, Role, StoreContrasts
from cytoform.pictures.figures import Side
from cytoform.protrusions.tracks import Track

REFERENCE, OTHER = ROLES
COUNTS = {"protrusions", "protrusions_on_body", "protrusions_and_branches"}  # measures of frames that are whole numbers


@dataclass(frozen=True)
class Comparison:
    """A store of cells, called `label` on the page ("Reconstructed"), and its comparison with the reference."""

    label: str
    store: Path
    results: Results

    @property
    def stem(self) -> str:
        """The label as it begins the names of files."""
        return re.sub(r"\W+", "_", self.label.lower()).strip("_") or "other"


def columns_of(comparisons: Sequence[Comparison], labels: Sequence[str]) -> list[tuple[str, StoreContrasts, Role]]:
    """The columns of a report's tables: the reference, every store compared with it, and held-out cells if any.

    `labels` are those of the reference and of each comparison.
    """
    others = ((label, each.results, OTHER) for label, each in zip(labels[1:], comparisons, strict=True))
    beside = [each.results.held_out for each in comparisons if each.results.held_out is not None]
    held_out_cells = (("Held out", held_out.new, REFERENCE) for held_out in beside[:1])
    return [(labels[0], comparisons[0].results, REFERENCE), *others, *held_out_cells]


@dataclass(frozen=True)
class Strand:
    """One side of a cell: the store of its shapes, their measures, and the pairs of its frames with the original."""

    side: Side
    store: Path
    sequence: MeasuredSequence
    pairs: tuple[MeasuredPair, ...] | None = None
    is_original: bool = False

    def descriptor(self, name: str) -> Values:
        """A descriptor over the frames."""
        return np.array([getattr(frame.descriptors, name) for frame in self.sequence.frames], float)

    def paired(self, name: str) -> Values:
        """A measure of pairs over the frames; there are pairs."""
        return np.array([pair.value(name) for pair in self.pairs or ()], float)

    def protrusions(self, name: str) -> Values:
        """One of FRAME_PROTRUSIONS over the frames, which are taken apart."""
        tracked = self.sequence.protrusions
        return np.array([getattr(frame, name) for frame in (() if tracked is None else tracked.frames)], float)

    @property
    def tracks(self) -> tuple[Track, ...]:
        """The protrusions; none where cells are not taken apart."""
        return () if self.sequence.protrusions is None else self.sequence.protrusions.tracks

    @property
    def components(self) -> list[int]:
        """Pieces of the cell over the frames."""
        return [frame.topology.components for frame in self.sequence.frames]


@dataclass(frozen=True)
class Cell:
    """A cell with a page of its own: an original and its reconstructions, or a cell without an original."""

    key: str  # unique within a report
    strands: tuple[Strand, ...]

    @property
    def name(self) -> str:
        """Name of its sequence."""
        return self.strands[0].sequence.name

    @property
    def element_id(self) -> str:
        """HTML id and URL fragment of the cell's page, percent-encoded."""
        return f"cell={quote(self.key, safe='')}"

    @property
    def original(self) -> Strand | None:
        """The original strand, if there is one."""
        return self.strands[0] if self.strands[0].is_original else None

    @property
    def rebuilt(self) -> tuple[Strand, ...]:
        """The strands paired with the original."""
        return tuple(strand for strand in self.strands if strand.pairs is not None)


@dataclass(frozen=True)
class Curve:
    """A quantity over the frames of a strand."""

    strand: Strand
    values: Values


def cells_of(reference: Path, comparisons: Sequence[Comparison], sides: Sequence[Side]) -> tuple[Cell, ...]:
    """All cells of a report: originals first, in the order of their names, then those without an original.

    `sides` are the reference and one for each comparison.
    """
    strands: dict[str, list[Strand]] = {}
    for comparison in comparisons:
        for sequence in comparison.results.reference.sequences:
            strands.setdefault(sequence.name, [Strand(sides[0], reference.absolute(), sequence, is_original=True)])
    strands = {name: strands[name] for name in sorted(strands)}
    for comparison, side in zip(comparisons, sides[1:], strict=True):
        pairs = comparison.results.pairs
        for sequence in comparison.results.other.sequences:
            strand = Strand(
                side, comparison.store.absolute(), sequence, None if pairs is None else pairs[sequence.name]
            )
            if pairs is not None:
                strands[sequence.name].append(strand)
            else:
                strands[_free_key(sequence.name, side.label, strands)] = [strand]
    return tuple(Cell(key, tuple(each)) for key, each in strands.items())


def _free_key(name: str, label: str, taken: dict[str, list[Strand]]) -> str:
    """The name, with the label before it where another cell has that name."""
    key, n = name, 1
    while key in taken:
        key = f"{label} {name}" if n == 1 else f"{label} {name} ({n})"
        n += 1
    return key


def curves_of(cell: Cell, measures: Measures) -> list[tuple[str, list[Curve], bool]]:
    """The charts on the page of a cell: title, curves, and whether the values are counts.

    Measures of pairs come first, then descriptors, protrusions where cells are taken apart, and pieces.
    """
    taken_apart = all(strand.sequence.protrusions is not None for strand in cell.strands)
    found = [
        (measures.worded(titled(measure)), [Curve(strand, strand.paired(name)) for strand in cell.rebuilt], False)
        for name, measure in (PAIR_MEASURES | (THIN_MEASURES if taken_apart else {})).items()
        if cell.rebuilt
    ]
    found += [
        (titled(measure), [Curve(strand, strand.descriptor(name)) for strand in cell.strands], name in COUNTS)
        for name, measure in measures.descriptors.items()
    ]
    found += [
        (titled(measure), [Curve(strand, strand.protrusions(name)) for strand in cell.strands], name in COUNTS)
        for name, measure in FRAME_PROTRUSIONS.items()
        if taken_apart
    ]
    return [*found, ("Pieces", [Curve(strand, np.array(strand.components, float)) for strand in cell.strands], True)]
