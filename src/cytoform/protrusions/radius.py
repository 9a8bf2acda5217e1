"""The radius of the ball that separates protrusions from the body, found from the data.

With growing radius an opening takes away protrusions first, then nothing for a while, then lobes of the body. The radius
lies in the middle of the range over which least is taken away (granulometry, Matheron 1975). Where there is no such
range, or where the body changes from frame to frame as much as the cell, the cells have no protrusions of this kind.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from cytoform.base.parallel import run_all
from cytoform.protrusions.body import body_of, depth_um
from cytoform.shapes.store import ShapeSequence, ShapeStore

N_SEQUENCES, N_RADII = 8, 8
# Smallest radius in voxels, and largest as a share of the radius of the largest ball inside a cell.
LEAST_VOXELS, LARGEST_SHARE = 2.0, 0.6
# Radii that a range without change spans, and by how much of itself the share that is taken away may grow over them.
RANGE, FLAT = 3, 0.1


@dataclass(frozen=True)
class OpeningCurve:
    """How much openings take away, and how steady the rest is; means over pairs of neighbouring frames."""

    radii_um: Float[np.ndarray, " radii"]
    removed: Float[np.ndarray, " radii"]  # share of the volume
    body_jaccard: Float[np.ndarray, " radii"]  # of the body in two neighbouring frames; NaN where there is one frame
    cell_jaccard: float  # of the cell

    @property
    def chosen(self) -> int:
        """Place of the radius in the middle of the range over which hardly anything more is taken away."""
        rise = (self.removed[RANGE - 1 :] - self.removed[: 1 - RANGE]) / (self.removed[: 1 - RANGE] + 0.01)
        flat = np.flatnonzero(rise <= max(float(rise.min()), FLAT))
        return int(np.mean(flat)) + RANGE // 2

    @property
    def radius_um(self) -> float:
        """The radius of the opening."""
        return float(self.radii_um[self.chosen])

    @property
    def unsteadiness(self) -> float:
        """Change of the body from frame to frame, as a share of the change of the cell (1 - Jaccard index)."""
        change = 1 - self.cell_jaccard
        return float((1 - self.body_jaccard[self.chosen]) / change) if change > 0 else float("nan")


def opening_curve(store: ShapeStore, *, workers: int = 1) -> OpeningCurve | None:
    """Measure openings on pairs of neighbouring frames of some sequences; None where cells are too thin for any ball."""
    names = store.names[:: max(len(store) // N_SEQUENCES, 1)][:N_SEQUENCES]
    largest_um = float(np.median([_inradius_um(store[name]) for name in names]))
    least_um = LEAST_VOXELS * store.grid.spacing_um
    if LARGEST_SHARE * largest_um < 1.5 * least_um:
        return None
    radii_um = np.geomspace(least_um, LARGEST_SHARE * largest_um, N_RADII)
    found = run_all(_measured, [(store.path.absolute(), name, radii_um) for name in names], workers=workers)
    removed, bodies, cells = (np.stack(values) for values in zip(*found, strict=True))
    return OpeningCurve(radii_um, removed.mean(axis=0), bodies.mean(axis=0), float(cells.mean()))


def _measured(
    path: Path, name: str, radii_um: Float[np.ndarray, " radii"]
) -> tuple[Float[np.ndarray, " radii"], Float[np.ndarray, " radii"], float]:
    """Share that is taken away, Jaccard indices of the bodies, and of the cell, for the middle pair of a sequence."""
    sequence = ShapeStore.open(path)[name]
    first, second = _pair(sequence)
    fields = [sequence.box(frame).tight(1) for frame in (first, second)]
    masks = [field.mask() for field in fields]
    removed, bodies = [], []
    for radius_um in radii_um:
        a, b = (body_of(field, float(radius_um)).mask() for field in fields)
        removed.append(1 - a.sum() / max(masks[0].sum(), 1))
        bodies.append(_jaccard(a, b) if first != second else np.nan)
    return np.array(removed), np.array(bodies), _jaccard(*masks) if first != second else float("nan")


def _pair(sequence: ShapeSequence) -> tuple[int, int]:
    middle = (sequence.info.n_frames - 1) // 2
    return middle, min(middle + 1, sequence.info.n_frames - 1)


def _inradius_um(sequence: ShapeSequence) -> float:
    field = sequence.box(_pair(sequence)[0])
    return 0.0 if field.is_empty else float(depth_um(field.tight(1)).max())


def _jaccard(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / max((a | b).sum(), 1))
