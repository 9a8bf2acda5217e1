"""`cytoform demo`: the whole path on simulated cells."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

from cytoform.base.options import FRAMES, GRID, whole
from cytoform.commands.common import Common


def demo(
    kind: Literal["mitosis", "filopodia"] = "mitosis",
    /,
    *,
    out: Path = Path("cytoform-demo"),
    dims: Literal[3, 2] = 3,
    cells: Annotated[int | None, whole(1, 999)] = None,
    frames: Annotated[int, FRAMES] = 12,
    grid: Annotated[int | None, GRID] = None,
    epochs: Annotated[int | None, whole(1, 1_000_000)] = None,
    common: Common = Common(),  # noqa: B008 (frozen)
) -> None:
    """Simulate cells, learn them, generate new ones, and report on both: minutes on two CPU cores.

    Parameters
    ----------
    kind
        mitosis: dividing cells. filopodia: cells with filopodia, which are taken apart into body and protrusions.
    out
        Folder to write; the report is report/report.html in it.
    dims
        Dimensions of space: 3, or 2 for cells in images (mitosis).
    cells
        Simulated cell families, and generated ones; by default 10 and 6 (mitosis), 8 and 6 (filopodia, and mitosis in
        images).
    frames
        Frames of every movie.
    grid
        Voxels along a side of the cube; by default 96 (mitosis), 64 (mitosis in images), 160 (filopodia).
    epochs
        Training epochs; by default as in the preset that fits the data.
    """
    from cytoform.demo import demo as run_demo
    from cytoform.demo import size_of

    size = replace(size_of(kind, dims), n_frames=frames)
    if cells is not None:
        size = replace(size, n_cells=cells, n_generated=cells)
    if grid is not None:
        size = replace(size, grid_size=grid)
    if epochs is not None:
        size = replace(size, settings=(f"training.epochs={epochs}",))
    results = run_demo(
        out, kind, dims=dims, size=size, seed=common.seed, overwrite=common.overwrite, progress=common.progress
    )
    jaccard = results.to_json()["jaccard"]
    common.say(f"reconstruction Jaccard index {jaccard['mean']:.3f} ± {jaccard['std']:.3f}")
    common.done(out / "report" / "report.html", "info", out / "run")
