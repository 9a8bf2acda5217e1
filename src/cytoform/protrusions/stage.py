"""`protrusions`: the protrusions of a store, followed over time, as tables and graphs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cytoform.base.files import write_json
from cytoform.base.geff import has_geff
from cytoform.base.output import Output
from cytoform.base.parallel import Progress, no_progress
from cytoform.base.provenance import recorded_names, software_versions
from cytoform.errors import InputError
from cytoform.protrusions.decompose import n_tasks, take_apart
from cytoform.protrusions.parts import PartsOfSequence
from cytoform.protrusions.tables import write_graph, write_tables
from cytoform.protrusions.verdict import Verdict, judge
from cytoform.shapes.store import ShapeStore


@dataclass(frozen=True)
class ProtrusionTables:
    """The sequences taken apart, the verdict on the whole store, and whether graphs were written."""

    sequences: list[PartsOfSequence]
    verdict: Verdict
    has_graphs: bool

    @property
    def n_tracks(self) -> int:
        """Number of protrusions, branches included."""
        return sum(len(parts.tracks) for parts in self.sequences)

    @property
    def n_sightings(self) -> int:
        """Number of protrusions of all frames."""
        return sum(len(track.curves) for parts in self.sequences for track in parts.tracks)


def judged_and_taken_apart(
    shapes: ShapeStore,
    names: list[str],
    *,
    radius_um: float | None = None,
    remedy: str,
    workers: int,
    progress: Progress,
) -> tuple[Verdict, list[PartsOfSequence]]:
    """The verdict on a store, and the parts of the named sequences.

    Raises InputError with the `remedy` where the cells are not bodies with protrusions, unless `radius_um` is given.
    """
    verdict = judge(shapes, radius_um=radius_um, workers=workers)
    if radius_um is None and not verdict.applies:
        raise InputError(f"{shapes.path}: {verdict.sentence}; {remedy}")
    radius = None if verdict.lasting else radius_um or verdict.radius_um
    with progress("taking cells apart", n_tasks(shapes, names, lasting=radius is None)) as advance:
        parts = take_apart(shapes, radius, names=names, workers=workers, done=lambda: advance(1))
    return verdict, parts


def track_protrusions(
    store: Path,
    out: Path,
    *,
    radius_um: float | None = None,
    sequences: Sequence[str] | None = None,
    workers: int = 1,
    overwrite: bool = False,
    progress: Progress = no_progress,
) -> ProtrusionTables:
    """Take the cells of a shape store apart and write their protrusions into the folder `out` (see tables.py).

    The body is the opening of the cell by a ball (a disc) of `radius_um`, by default found from the data. Graphs (GEFF)
    need the package geff; without it there are tables only. Raises InputError where the cells are not bodies with protrusions,
    unless `radius_um` is given.
    """
    output = Output.at(out, inputs=[store], overwrite=overwrite)
    output.check()
    if radius_um is not None and not (math.isfinite(radius_um) and radius_um > 0):
        raise InputError(f"--radius {radius_um:g}: choose a positive number of µm, larger than the protrusions' radius")
    shapes = ShapeStore.open(store)
    names = sorted(set(sequences)) if sequences else shapes.names
    for name in names:
        shapes[name]
    remedy = "--radius UM takes the cells apart all the same"
    verdict, parts = judged_and_taken_apart(
        shapes, names, radius_um=radius_um, remedy=remedy, workers=workers, progress=progress
    )
    with output.staged() as folder:
        write_tables(folder, parts, n_dims=shapes.grid.n_dims)
        if has_geff():
            for each in parts:
                write_graph(folder / f"{each.name}.geff", each, n_dims=shapes.grid.n_dims)
        provenance = {
            "command": "cytoform protrusions",
            "store": recorded_names([store])[0],
            "sequences": names,
            "opening_radius_um": None if verdict.lasting else radius_um or verdict.radius_um,
            "verdict": verdict.sentence,
            "versions": software_versions(),
        }
        write_json(folder / "provenance.json", provenance)
    return ProtrusionTables(parts, verdict, has_geff())
