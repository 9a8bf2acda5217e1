"""`cytoform interpolate`: cells between two learned cells."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from cytoform.base.options import whole
from cytoform.commands.common import Common, Device, export_of
from cytoform.synthesis.options import Rendering


def interpolate(
    run: Path,
    /,
    *,
    out: Path,
    start: Annotated[str, Parameter(name="--from")],
    end: Annotated[str, Parameter(name="--to")],
    steps: Annotated[int, whole(2, 10_000)] = 5,
    path: Literal["straight", "spherical"] = "straight",
    rendering: Rendering = Rendering(),  # noqa: B008 (frozen)
    device: Device = "auto",
    common: Common = Common(),  # noqa: B008 (frozen)
) -> None:
    """Render cells along a path between the codes of two learned cells.

    Parameters
    ----------
    run
        Run folder of 'cytoform train'.
    out
        Shape store to write, NAME.zarr: one sequence a step, step_000 first.
    start
        Name of the learned sequence where the path begins.
    end
        Name of the learned sequence where it ends.
    steps
        Number of cells along the path, both ends included.
    path
        straight: the line between the codes. spherical: rotates the direction of the code at constant length.
    """
    from cytoform.synthesis.cells import load
    from cytoform.synthesis.interpolation import interpolate as interpolate_cells
    from cytoform.synthesis.verdict import REMEDY

    interpolate_cells(
        load(run, device=device),
        out,
        start=start,
        end=end,
        steps=steps,
        path=path,
        rendering=rendering,
        seed=common.seed,
        overwrite=common.overwrite,
        progress=common.progress,
    )
    common.remark(out, remedy=REMEDY)
    common.done(out, *export_of(out))
