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
from cytoform.reports.latent.snapshots import CELL_DESCRIPTORS, CellSet
from cytoform.shapes.mesh import Mesh

SIGMAS = (-2, -1, 0, 1, 2)  # where traversals stop, in standard deviations of the learned codes

Surfaces = tuple[Mesh | None, ...]  # None: empty


@dataclass(frozen=True)
class LatentSpace:
    """What was found in the codes of a run; the first set are the learned cells, a second one generated ones."""

    run: str
    code_dim: int
    shares: Float[np.ndarray, " components"]  # of the variance
    sets: Sequence[CellSet]
    maps: Sequence[Map]
    traversals: Sequence[Sequence[Surfaces]]  # components, times, SIGMAS
    traversal_times: Sequence[float]
    neighbours: Sequence[Neighbour]
    pictured: dict[tuple[str, str], Surfaces]  # by kind and name: some generated cells, and what is nearest to them
    picture_times: Sequence[float]
    half_extent_um: float


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
    _write_csv(folder / "codes.csv", ["kind", "name", *components, *CELL_DESCRIPTORS], rows)
    if space.neighbours:
        columns = [field.name for field in fields(Neighbour)]
        _write_csv(folder / "neighbours.csv", columns, (asdict(each).values() for each in space.neighbours))


def write_meshes(folder: Path, space: LatentSpace) -> None:
    """One PLY for each surface of the traversals, traversal_N/sigma-2_time+0.ply; none where a frame is empty."""
    for number, surfaces in enumerate(space.traversals, start=1):
        inside = folder / f"traversal_{number}"
        inside.mkdir(parents=True)
        for time, row in zip(space.traversal_times, surfaces, strict=True):
            for sigma, mesh in zip(SIGMAS, row, strict=True):
                if mesh is not None:
                    mesh.write(inside / f"sigma{sigma:+d}_time{time:+.2g}.ply")


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
