"""The protrusions of a run's cells for a page: those of the learned cells, and of new cells that are drawn for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from jaxtyping import Float, Int8

from cytoform.protrusions.bulges import Bulges
from cytoform.protrusions.units import Units
from cytoform.representations.parts.representation import Parts
from cytoform.representations.representation import SCALE
from cytoform.synthesis.cells import Cells
from cytoform.synthesis.choice import default_choice

DRAWN, SEED = 24, 0
GRIDS, LIVES, TIMES = (64, 96, 128, 160), (48, 96), 3  # LIVES: for the first of GRIDS, and the others
# The array of distances on the nodes of all boxes: bytes, of which 127 is a quarter of the side of a box.
MOMENTS = "moments"
COARSE = 4  # a multiple of so many is kept of a distance where the page would be too large
RADII_A_VOXEL = 1.35  # of the usual protrusion, at most: larger voxels cut protrusions into pieces

Rows = Float[np.ndarray, "_ width"]


@dataclass(frozen=True)
class Detail:
    """Points along a side of the cube at first, and while a slider moves; times at which learned cells are measured."""

    grid: int
    live: int
    times: int


def parts_of(cells: Cells, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """What a page takes beside the bodies; adds protrusions, and of new cells codes, scales and offsets, to `arrays`.

    New cells come from the prior that `generate` draws from by default.
    """
    decoder = cast(Parts, cells.run.decoder)
    choice = default_choice(cells)
    drawn = cells.prior(choice.prior, sigma=choice.sigma).draw(DRAWN, np.random.default_rng(SEED))
    learned = [each.units.to_rows() for each in cells.run.parts], [each.bulges.to_rows() for each in cells.run.parts]
    n_dims = decoder.n_dims
    thick = drawn.variables.get("bulges", np.empty((DRAWN, 0, Bulges.width(n_dims))))
    new = (
        [Units.from_rows(rows, n_dims).to_rows() for rows in drawn.variables["protrusions"]],
        [Bulges.from_rows(rows, n_dims).to_rows() for rows in thick],
    )
    arrays |= {
        "rows": np.concatenate(learned[0]),
        "bulges": np.concatenate(learned[1]),
        MOMENTS: decoder.moments.values,
        "boxes": decoder.moments.boxes,
        "phases": decoder.moments.phases,
        "composedRows": np.concatenate(new[0]),
        "composedBulges": np.concatenate(new[1]),
        "composedCodes": drawn.codes,
        "composedScales": drawn.variables[SCALE],
        "composedOffsets": drawn.variables["offset"],
    }
    return {
        "learnedParts": {"rows": _starts(learned[0]), "bulges": _starts(learned[1])},
        "composed": {"prior": choice.prior, "rows": _starts(new[0]), "bulges": _starts(new[1])},
    }


def rounded_moments(values: Int8[np.ndarray, "..."]) -> Int8[np.ndarray, "..."]:
    """Multiples of COARSE next to the values, which take a third less to compress."""
    most = 127 // COARSE
    return (COARSE * np.clip(np.rint(values / COARSE), -most, most)).astype(np.int8)


def _starts(lists: Sequence[Rows]) -> list[int]:
    """The first row of each cell, and the end of the last."""
    return [0, *np.cumsum([len(rows) for rows in lists]).tolist()]


def detail_of(cells: Cells) -> Detail:
    """The detail at which protrusions of the usual radius are seen."""
    radii = np.concatenate([each.units.radii.ravel() for each in cells.run.parts])
    wanted = 2 / (RADII_A_VOXEL * float(np.median(radii))) if len(radii) else GRIDS[0]
    grid = next((size for size in GRIDS if size >= wanted), GRIDS[-1])
    return Detail(grid, LIVES[grid > GRIDS[0]], TIMES)
