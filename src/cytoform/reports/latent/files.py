"""What is known of the space of codes of a run, and its tables and meshes as files."""

import csv
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from jaxtyping import Float

from cytoform.reports.latent.figures import Map
from cytoform.reports.latent.neighbours import Neighbour
from cytoform.reports.latent.snapshots import CellSet, cell_descriptors
from cytoform.shapes.boundary import BOUNDARY_FILES
from cytoform.shapes.box import BoxedField
from cytoform.shapes.grid import Grid

SIGMAS = (-2, -1, 0, 1, 2)  # where traversals stop, in standard deviations of the learned codes

Frames = tuple[BoxedField, ...]


@dataclass(frozen=True)
class LatentSpace:
    """What was found in the codes of a run; the first set are the learned cells, a second one generated ones."""

    run: str
    code_dim: int
    shares: Float[np.ndarray, " components"]  # of the variance
    sets: Sequence[CellSet]
    maps: Sequence[Map]
    traversals: Sequence[Sequence[Frames]]  # components, times, SIGMAS
    traversal_times: Sequence[float]
    neighbours: Sequence[Neighbour]
    pictured: dict[tuple[str, str], Frames]  # by kind and name: some generated cells, and what is nearest to them
    picture_times: Sequence[float]
    grid: Grid  # of all frames


def write_tables(folder: Path, space: LatentSpace) -> None:
    """components.csv, codes.csv, and neighbours.csv if there are any."""
    components = [f"pc{number}" for number in range(1, len(space.shares) + 1)]
    shares = zip(components, space.shares, np.cumsum(space.shares), strict=True)
    _write_csv(folder / "components.csv", ["component", "share_of_variance", "cumulative"], shares)
    rows = [
        [each.kind, name, *coordinates, *values]
        for each in space.sets
        for name, coordinates, values in zip(each.names, each.coordinates, each.values, strict=True)
    ]
    _write_csv(folder / "codes.csv", ["kind", "name", *components, *cell_descriptors(space.grid.n_dims)], rows)
    if space.neighbours:
        columns = [field.name for field in fields(Neighbour)]
        _write_csv(folder / "neighbours.csv", columns, (asdict(each).values() for each in space.neighbours))


def write_boundaries(folder: Path, space: LatentSpace) -> None:
    """A file for each frame of the traversals, meshes/traversal_N/sigma-2_time+0.ply; none where a frame is empty.

    Those of images are outlines: tables of vertices.
    """
    files = BOUNDARY_FILES[space.grid.n_dims]
    for number, traversal in enumerate(space.traversals, start=1):
        inside = folder / files.folder / f"traversal_{number}"
        inside.mkdir(parents=True)
        for time, row in zip(space.traversal_times, traversal, strict=True):
            for sigma, frame in zip(SIGMAS, row, strict=True):
                boundary = frame.boundary()
                if boundary is not None:
                    boundary.write(inside / f"sigma{sigma:+d}_time{time:+.2g}{files.ending}")


def _write_csv(path: Path, head: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    """A table of six significant digits; what is not defined stays empty."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        writer.writerows([_text(cell) for cell in row] for row in rows)


def _text(cell: object) -> str:
    if isinstance(cell, float | np.floating):
        return f"{float(cell):.6g}" if math.isfinite(cell) else ""
    return str(cell)
