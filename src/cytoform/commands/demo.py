"""`cytoform demo`: the whole path on simulated cells."""

from pathlib import Path

from cytoform.commands.common import Common


def demo(
    *,
    out: Path = Path("cytoform-demo"),
    cells: int = 6,
    frames: int = 12,
    grid: int = 96,
    epochs: int | None = None,
    common: Common = Common(),  # noqa: B008 (frozen)
) -> None:
    """Simulate dividing cells, learn them, generate new ones, and report on both: minutes on two CPU cores.

    Parameters
    ----------
    out
        Folder to write; the report is report/report.html in it.
    cells
        Simulated cell families, and generated ones.
    frames
        Frames of every movie.
    grid
        Voxels along a side of the cube.
    epochs
        Training epochs; by default as in the preset quick.
    """
    from cytoform.demo import DemoSize
    from cytoform.demo import demo as run_demo

    settings = () if epochs is None else (f"training.epochs={epochs}",)
    size = DemoSize(n_cells=cells, n_frames=frames, grid_size=grid, n_generated=cells, settings=settings)
    results = run_demo(out, size=size, seed=common.seed, overwrite=common.overwrite, progress=common.progress)
    jaccard = results.to_json()["jaccard"]
    common.say(f"reconstruction Jaccard index {jaccard['mean']:.3f} ± {jaccard['std']:.3f}")
    common.done(out / "report" / "report.html", next_command=f"cytoform info {out / 'run'}")
