"""`cytoform protrusions`: the protrusions of cells, followed over time, as tables and graphs."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cytoform.base.geff import NO_GRAPHS
from cytoform.base.options import LENGTH_UM
from cytoform.commands.common import Common, WorkerOptions


def protrusions(
    store: Path,
    /,
    *,
    out: Path,
    radius: Annotated[float | None, LENGTH_UM] = None,
    sequences: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    workers: WorkerOptions = WorkerOptions(),  # noqa: B008 (frozen)
    common: Common = Common(),  # noqa: B008 (frozen)
) -> None:
    """Take cells apart into body and protrusions, and write the protrusions over time: CSV tables and GEFF graphs.

    Parameters
    ----------
    store
        Shape store: prepared, reconstructed or generated.
    out
        Folder to write: protrusions.csv, protrusion_tracks.csv, and a graph NAME.geff for each sequence.
    radius
        Radius in µm of the ball (disc) that fits into the body and not into protrusions; by default found from the data.
    sequences
        Names of the sequences to take apart; by default all.
    """
    from cytoform.protrusions.stage import track_protrusions

    with workers.ready() as n_workers:
        found = track_protrusions(
            store,
            out,
            radius_um=radius,
            sequences=sequences,
            workers=n_workers,
            overwrite=common.overwrite,
            progress=common.progress,
        )
    common.say(f"{store}: {found.verdict.sentence}")
    common.say(f"{found.n_tracks} protrusions and branches, seen {found.n_sightings} times")
    if not found.has_graphs:
        common.say(NO_GRAPHS)
    common.done(out, "train", store, "--out", "run")
