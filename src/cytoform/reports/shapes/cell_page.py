"""The pages of single cells, and the gallery that leads to them, as HTML."""

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cytoform.assess.measures.descriptors import titled
from cytoform.assess.measures.kinds import Measures
from cytoform.assess.statistics.distributions import summarise
from cytoform.pictures.page import note, note_html, table
from cytoform.reports.shapes.cell_pictures import CellPictures
from cytoform.reports.shapes.cells import Cell, curves_of
from cytoform.reports.shapes.charts import Line, key_of_lines, line_chart
from cytoform.reports.shapes.failures import Failure


@dataclass(frozen=True)
class Nearest:
    """The original nearest to a cell."""

    original: Cell
    distance_um2: float

    @property
    def sentence(self) -> str:
        """Its name as a link, and the distance."""
        if math.isinf(self.distance_um2):
            return note("No original is near: a frame is empty here or there.")
        link = f'<a href="{link_to(self.original)}">{html.escape(self.original.name)}</a>'
        return note_html(f"Nearest original: {link}, at a Chamfer distance of {self.distance_um2:.3g} µm².")


def link_to(cell: Cell) -> str:
    """The address of a cell's page within the report."""
    return f"#{cell.element_id}"


def cell_page(
    cell: Cell,
    pictures: CellPictures,
    failures: Sequence[Failure],
    *,
    before: Cell | None,
    after: Cell | None,
    measures: Measures,
    nearest: Nearest | None = None,
) -> str:
    """The page of one cell; `nearest` is the nearest original of a cell that has no original itself."""
    sides = [strand.side for strand in cell.strands]
    parts = [
        f'<section class="cell" id="{cell.element_id}" aria-labelledby="title-{cell.element_id}">',
        _turn(before, after),
        f'<h2 id="title-{cell.element_id}" tabindex="-1">{html.escape(cell.name)}</h2>',
        f'<p class="lead">{html.escape(_lead(cell, measures))}</p>',
        "" if nearest is None else nearest.sentence,
        pictures.player,
    ]
    if failures:
        kind = "Worst frames" if cell.original is not None else "Least usual frames"
        drawn = "".join(
            f'<div class="failure">{tiles}<p>{html.escape(_caption(each, cell))}</p></div>'
            for each, tiles in zip(failures, pictures.failures, strict=True)
        )
        parts += [f"<h3>{kind}</h3>", f'<div class="failures">{drawn}</div>']
    parts += ["<h3>Over time</h3>", note("By frame, counted from 1."), key_of_lines(sides)]
    parts += [f'<div class="grid3">{"".join(_charts(cell, measures))}</div>', _dynamics(cell, measures)]
    parts += [_turn(before, after), "</section>"]
    return "\n".join(parts)


def _dynamics(cell: Cell, measures: Measures) -> str:
    """Measures of the whole sequence."""
    rows = [
        [html.escape(titled(measure)), *(_short(getattr(strand.sequence.dynamics, name)) for strand in cell.strands)]
        for name, measure in measures.dynamics.items()
    ]
    return "<h3>The whole sequence</h3>" + table(["", *(strand.side.label for strand in cell.strands)], rows)


def _short(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.4g}"


def _caption(failure: Failure, cell: Cell) -> str:
    several = f"{cell.strands[failure.strand].side.label}, " if len(cell.rebuilt) > 1 else ""
    return f"{several}frame {failure.frame + 1}: {failure.why}"


def failure_card(cell: Cell, failure: Failure, tiles: str) -> str:
    """A bad frame on the front page, with a link to its cell."""
    name = f'<a href="{link_to(cell)}">{html.escape(cell.name)}</a>'
    return f'<div class="failure">{tiles}<p>{name}, frame {failure.frame + 1}: {html.escape(failure.why)}</p></div>'


def gallery(cells: Sequence[Cell], pictures: Sequence[CellPictures]) -> str:
    """All cells as pictures with links to their pages."""
    items = [
        f'<li><a href="{link_to(cell)}">{drawn.thumbnails}<b>{html.escape(cell.name)}</b>'
        f"<span>{html.escape(_in_short(cell))}</span></a></li>"
        for cell, drawn in zip(cells, pictures, strict=True)
    ]
    return f'<ul class="gallery">{"".join(items)}</ul>'


def _in_short(cell: Cell) -> str:
    if cell.rebuilt:
        return ", ".join(f"J {summarise(strand.paired('jaccard')).mean:.3f}" for strand in cell.rebuilt)
    n_frames = len(cell.strands[0].sequence.frames)
    return f"{n_frames} frame{'s' * (n_frames != 1)}"


def _lead(cell: Cell, measures: Measures) -> str:
    first = cell.strands[0]
    n_frames = len(first.sequence.frames)
    said = f"{first.side.label}: {n_frames} frame{'s' * (n_frames != 1)}. "
    for strand in cell.rebuilt:
        jaccard, distance = strand.paired("jaccard"), summarise(strand.paired("assd_um"))
        said += f"{strand.side.label}: Jaccard index {np.mean(jaccard):.3f} in the mean, {np.min(jaccard):.3f} at worst"
        said += measures.worded(f"; surfaces {distance.mean:.2g} µm apart. ") if distance.n else ". "
    return said


def _charts(cell: Cell, measures: Measures) -> list[str]:
    style_of = {id(strand): style for style, strand in enumerate(cell.strands)}
    return [
        line_chart(
            title,
            [Line(curve.strand.side, curve.values, style_of[id(curve.strand)]) for curve in curves],
            counts=counts,
        )
        for title, curves, counts in curves_of(cell, measures)
    ]


def _turn(before: Cell | None, after: Cell | None) -> str:
    """Links to the neighbours and back to the gallery."""
    links = ['<a href="#cells">↑ All cells</a>']
    if before is not None:
        links.insert(0, f'<a href="{link_to(before)}" rel="prev">← {html.escape(before.name)}</a>')
    if after is not None:
        links.append(f'<a href="{link_to(after)}" rel="next">{html.escape(after.name)} →</a>')
    return f'<nav class="turn" aria-label="Other cells">{"".join(links)}</nav>'
