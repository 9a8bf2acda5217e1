"""Requests on new cells, put together: parsed, the learned cells measured, and a way to measure new ones."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cytoform.assess.measures.sequence_descriptors import OF_SEQUENCES, describe_sequence
from cytoform.base.parallel import Progress, no_progress
from cytoform.priors.prior import Drawn, DrawnCell
from cytoform.representations.representation import SCALE
from cytoform.shapes.grid import Grid, frame_times
from cytoform.synthesis.cells import Cells
from cytoform.synthesis.conditional.request import parse_request
from cytoform.synthesis.conditional.search import Condition
from cytoform.synthesis.options import Rendering
from cytoform.synthesis.sequences import like_of_new

# Voxels a side of the grid on which cells are measured before it is worth rendering them as wanted.
COARSE_GRID = 64


def condition_on(
    cells: Cells,
    wanted: Sequence[str],
    *,
    rendering: Rendering = Rendering(),  # noqa: B008 (frozen)
    progress: Progress = no_progress,
) -> Condition:
    """The condition of requests such as "size_um3=40±5", for `generate`; measures the learned cells first.

    `rendering` says how new cells will be rendered. Raises InputError for requests that are not understood or cannot be met.
    """
    known = OF_SEQUENCES[cells.run.learned.dimensions]
    requests = tuple(parse_request(text, known) for text in wanted)
    learned = cells.run.learned
    grid = replace(learned.cube, size=rendering.size(learned.grid))
    coarse = replace(grid, size=min(grid.size, COARSE_GRID))

    def measure(cell: DrawnCell, n_frames: int, where: Grid) -> dict[str, float]:
        field = cells.field(cell.code, variables=cell.variables)
        frames = (
            field.render(float(time), where.size, method=rendering.method, safety=rendering.safety).box_sdf_um
            for time in frame_times(n_frames)
        )
        return describe_sequence(frames, where.spacing_um)

    def measure_new(cell: DrawnCell, number: int, as_wanted: bool) -> dict[str, float]:
        return measure(cell, rendering.frames(like_of_new(cells, number).n_frames), grid if as_wanted else coarse)

    codes, rows = cells.flat_codes, []
    with progress("measuring learned cells", len(codes)) as advance:
        for code, like in zip(codes, learned.sequences, strict=True):
            cell = DrawnCell(code, cells.variables(like.name))
            rows.append(measure(cell, rendering.frames(like.n_frames), coarse))
            advance()
    descriptors = {name: np.array([row[name] for row in rows]) for name in known}
    sizes = {SCALE: cells.run.scales.numpy()} if cells.run.has_scales else {}
    return Condition(requests, Drawn(codes, sizes), descriptors, measure_new)
