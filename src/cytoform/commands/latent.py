"""`cytoform latent`: the latent space of a run."""

from pathlib import Path
from typing import Annotated

from cytoform.base.options import FRAMES, GRID, whole
from cytoform.commands.common import Common, Device


def latent(
    run: Path,
    /,
    *,
    out: Path,
    generated: Path | None = None,
    components: Annotated[int, whole(1, 100)] = 3,
    grid: Annotated[int, GRID] = 64,
    frames: Annotated[int, FRAMES] = 5,
    device: Device = "auto",
    common: Common = Common(),  # noqa: B008 (frozen)
) -> None:
    """Explore the latent space: principal components, a map of the cells, traversals, nearest neighbours.

    Parameters
    ----------
    run
        Run folder of 'cytoform train'.
    out
        Folder to write; index.html in it shows everything.
    generated
        Shape store of 'cytoform generate' with this run: adds its cells to the map and lists their nearest learned cells.
    components
        Number of principal components to traverse, from -2 to +2 standard deviations.
    grid
        Voxels along a side of the cube, for pictures and descriptors.
    frames
        Frames per sequence for descriptors, spread evenly over its time.
    """
    from cytoform.reports.latent.stage import LatentView, write_latent_report
    from cytoform.synthesis.cells import load

    write_latent_report(
        load(run, device=device),
        out,
        generated=generated,
        look=LatentView(grid, frames, components),
        seed=common.seed,
        overwrite=common.overwrite,
        progress=common.progress,
    )
    following = ("generate", run, "--out", "new.zarr", "-n", 6) if generated is None else ("info", generated)
    common.done(out / "index.html", *following)
