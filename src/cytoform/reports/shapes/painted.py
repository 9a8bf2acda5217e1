"""Cells over time in the colours of their protrusions."""

from matplotlib.figure import Figure

from cytoform.pictures.figures import Side
from cytoform.pictures.painting import colours, painted
from cytoform.pictures.sheets import SheetRow, contact_sheet, spread, time_title
from cytoform.reports.shapes.cells import Cell, Strand
from cytoform.reports.shapes.data import Report
from cytoform.shapes.store import ShapeStore

CELLS_SHOWN, TIMES_SHOWN = 2, 6
# Neighbouring columns are so near in time, as a share of the movie, that most protrusions are in both.
STEP_SHARE = 1 / 15


def painted_sheet(report: Report) -> Figure:
    """A few cells of each side in the middle of their movies, every protrusion in its colour."""
    grid = report.comparisons[0].results.reference.grid
    strands = [strand for side in report.sides for strand in _chosen(report.cells, side)]
    step = max(round(STEP_SHARE * len(strands[0].sequence.frames)), 1)
    rows, last = [], ""
    for strand in strands:
        rows.append(_row(strand, step, first_of_block=strand.side.label != last))
        last = strand.side.label
    longest = max(strands, key=lambda strand: len(strand.sequence.frames)).sequence
    columns = [time_title(frame, longest.time_step_s) for frame in _frames(len(longest.frames), step)]
    return contact_sheet(rows, columns=columns, half_extent_um=grid.half_extent_um, n_dims=grid.n_dims)


def _chosen(cells: tuple[Cell, ...], side: Side) -> list[Strand]:
    own = [strand for cell in cells for strand in cell.strands if strand.side.label == side.label]
    return [own[at] for at in spread(len(own), CELLS_SHOWN)]


def _frames(n_frames: int, step: int) -> list[int]:
    """Frames around the middle of a movie; the last is repeated where it is too short."""
    first = max((n_frames - 1 - (TIMES_SHOWN - 1) * step) // 2, 0)
    return [min(first + column * step, n_frames - 1) for column in range(TIMES_SHOWN)]


def _row(strand: Strand, step: int, *, first_of_block: bool) -> SheetRow:
    sequence = ShapeStore.open(strand.store)[strand.sequence.name]
    frames = _frames(sequence.info.n_frames, step)
    meshes = tuple(sequence.box(frame).tight(margin=1).mesh() for frame in frames)
    paints = tuple(
        None if mesh is None else colours(painted(mesh, strand.tracks, frame))
        for mesh, frame in zip(meshes, frames, strict=True)
    )
    return SheetRow(strand.side.label, strand.sequence.name, meshes, strand.side.colour, first_of_block, paints)
