"""The radius of the ball, in images the disc, that separates protrusions from the body, found from the data.

With growing radius an opening takes away protrusions first, then nothing for a while, then lobes of the body. The radius
lies in the middle of the range over which least is taken away (granulometry, Matheron 1975). Where there is no such
range, or where the body changes from frame to frame as much as the cell, the cells have no protrusions of this kind.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from cytoform.base.parallel import run_all
from cytoform.protrusions.body import body_of, depth_um, shares
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


def opening_curve(
    store: ShapeStore,
    *,
    names: Sequence[str] | None = None,
    frames: Mapping[str, Sequence[int]] | None = None,
    n_sequences: int = N_SEQUENCES,
    workers: int = 1,
) -> OpeningCurve | None:
    """Measure openings on the middle pair of frames of up to `n_sequences` of the named sequences, by default of all.

    `frames` are those to look at, by name; by default all. None where cells are too thin for any ball, or where there are none.
    """
    names = spread(names or store.names, n_sequences)
    pairs = {name: _pair(range(store[name].info.n_frames) if frames is None else frames[name]) for name in names}
    inradii_um = [um for name in names if (um := _inradius_um(store[name], pairs[name][0])) > 0]
    largest_um = float(np.median(inradii_um)) if inradii_um else 0.0
    least_um = LEAST_VOXELS * store.grid.spacing_um
    if LARGEST_SHARE * largest_um < 1.5 * least_um:
        return None
    radii_um = np.geomspace(least_um, LARGEST_SHARE * largest_um, N_RADII)
    tasks = [(store.path.absolute(), name, pairs[name], radii_um) for name in names]
    found = [each for each in run_all(_measured, tasks, workers=workers) if each is not None]
    if not found:
        return None
    removed, bodies, cells = (np.stack(values) for values in zip(*found, strict=True))
    is_pair = np.isfinite(cells)
    if not is_pair.any():
        return OpeningCurve(radii_um, removed.mean(axis=0), np.full(N_RADII, np.nan), float("nan"))
    return OpeningCurve(radii_um, removed.mean(axis=0), bodies[is_pair].mean(axis=0), float(cells[is_pair].mean()))


def spread(names: Sequence[str], n: int) -> list[str]:
    """Up to `n` of the names, at equal distances."""
    return list(names[:: max(len(names) // n, 1)][:n])


def _measured(
    path: Path, name: str, pair: tuple[int, int], radii_um: Float[np.ndarray, " radii"]
) -> tuple[Float[np.ndarray, " radii"], Float[np.ndarray, " radii"], float] | None:
    """Share that is taken away, Jaccard indices of the bodies, and of the cell, for the middle pair of a sequence.

    None where a frame of the pair is empty; NaN for the Jaccard indices of a single frame.
    """
    sequence = ShapeStore.open(path)[name]
    first, second = pair
    fields = [sequence.box(frame).tight(1) for frame in (first, second)]
    if any(field.is_empty for field in fields):
        return None
    # Both on one box.
    box = tuple(
        slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(*(f.slices for f in fields), strict=True)
    )
    cells = [shares(field.sdf_um()[box], field.grid.spacing_um) for field in fields]
    removed, bodies = [], []
    for radius_um in radii_um:
        opened = (body_of(field, float(radius_um)).sdf_um()[box] for field in fields)
        a, b = (shares(sdf_um, sequence.grid.spacing_um) for sdf_um in opened)
        removed.append(1 - a.sum() / cells[0].sum())
        bodies.append(_jaccard(a, b) if first != second else np.nan)
    return np.array(removed), np.array(bodies), _jaccard(*cells) if first != second else float("nan")


def _pair(frames: Sequence[int]) -> tuple[int, int]:
    middle = (len(frames) - 1) // 2
    return frames[middle], frames[min(middle + 1, len(frames) - 1)]


def _inradius_um(sequence: ShapeSequence, frame: int) -> float:
    field = sequence.box(frame)
    return 0.0 if field.is_empty else float(depth_um(field.tight(1)).max())


def _jaccard(a: Float[np.ndarray, "*zyx"], b: Float[np.ndarray, "*zyx"]) -> float:
    """Jaccard index of shares of voxels (Ružička similarity)."""
    return float(np.minimum(a, b).sum() / max(np.maximum(a, b).sum(), 1e-9))
