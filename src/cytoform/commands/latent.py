"""`cytoform latent`: a look at the space of codes."""

from pathlib import Path

from cytoform.commands.common import Common, Device


def latent(
    run: Path,
    /,
    *,
    out: Path,
    generated: Path | None = None,
    components: int = 3,
    grid: int = 64,
    frames: int = 5,
    device: Device = "auto",
    common: Common = Common(),  # noqa: B008 (frozen)
) -> None:
    """Look at the space of codes: principal components, a map of the cells, traversals, nearest neighbours.

    Parameters
    ----------
    run
        Run folder of 'cytoform train'.
    out
        Folder to write; index.html in it shows everything.
    generated
        Shape store of 'cytoform generate' with this run: its cells are mapped too, beside the learned ones nearest to them.
    components
        Principal components to go along, from -2 to +2 standard deviations.
    grid
        Voxels along a side of the cube, for pictures and descriptors.
    frames
        Frames spread evenly over each sequence's time that its descriptors are taken from.
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
    following = f"cytoform generate {run} --out new.zarr -n 6" if generated is None else f"cytoform info {generated}"
    common.done(out / "index.html", next_command=following)
