"""`cytoform generate`: new cells from random codes."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from cytoform.base.options import real, whole
from cytoform.commands.common import Common, Device, export_of
from cytoform.errors import InputError
from cytoform.synthesis.options import Rendering

if TYPE_CHECKING:
    from cytoform.synthesis.cells import Cells
    from cytoform.synthesis.conditional.search import Condition


def generate(
    run: Path,
    /,
    *,
    out: Path,
    n: Annotated[int, Parameter(name=["-n", "--number"]), whole(1, 100_000)] = 1,
    prior: str | None = None,
    sigma: Annotated[float | None, real(0, 1e6)] = None,
    span: Annotated[float, real(1e-3, 20)] = 1.0,
    where: Annotated[list[str] | None, Parameter(negative=())] = None,
    code: Path | None = None,
    pose: Literal["random", "canonical"] | None = None,
    rendering: Rendering = Rendering(),  # noqa: B008 (frozen)
    device: Device = "auto",
    common: Common = Common(),  # noqa: B008 (frozen)
) -> None:
    """Render new cells from codes drawn at random.

    Parameters
    ----------
    run
        Run folder of 'cytoform train'.
    out
        Shape store to write, NAME.zarr.
    n
        How many cells.
    prior
        Distribution of the new cells; by default the one that was the best by measurement at the end of training.
        compose: new bodies with new protrusions; graft: learned ones with learned protrusions at other places; both for
        cells taken apart. gaussian: N(0, σ²). around: learned codes plus N(0, σ²). between: between a learned code and a
        near one. covariance, mixture: one or several normal distributions fitted to the learned codes.
    sigma
        σ of gaussian (by default 0.1, as in the paper) and around (0.01, as in the paper). For covariance and mixture, a
        factor on the distance from the mean (by default 1). between takes none.
    span
        Length of the new movies in learned movies, for cells taken apart.
    where
        A condition on every cell, in quotes, for example "size_um3=40±5", "growth=1.5..2" or
        "longest_protrusion_um>8"; may be repeated.
    code
        Instead of drawing, render the cell of a file that the page of 'cytoform studio' has saved.
    pose
        random: turn every cell by a uniform rotation; the default for runs trained with --align or --rotations.
        canonical: keep the pose of the decoder; the default with --code.
    """
    from cytoform.synthesis.cells import load
    from cytoform.synthesis.choice import default_choice
    from cytoform.synthesis.sequences import generate as generate_sequences
    from cytoform.synthesis.sequences import generate_coded
    from cytoform.synthesis.verdict import REMEDY

    cells = load(run, device=device)
    options: Any = {
        "pose": pose,
        "rendering": rendering,
        "seed": common.seed,
        "overwrite": common.overwrite,
        "progress": common.progress,
    }
    if code is not None:
        if n != 1 or prior or sigma is not None or span != 1 or where:
            raise InputError(f"--code {code}: it holds one cell; leave -n, --prior, --sigma, --span and --where out")
        generate_coded(cells, code, out, **options)
        common.done(out, *export_of(out))
        return
    condition = _condition(cells, where, rendering, common) if where else None
    if prior is None:
        common.say(f"prior: {default_choice(cells).sentence}")
    n_again = generate_sequences(
        cells,
        out,
        n,
        prior=prior,
        sigma=sigma,
        span=span,
        condition=condition,
        **options,
    )
    if n_again:
        common.say(
            f"{n_again} of {n} cells were drawn again, because the run's cube held the first in no pose; with a larger "
            "'cytoform prepare --half-extent' it holds larger cells"
        )
    common.remark(out, remedy=REMEDY)
    common.done(out, *export_of(out))


def _condition(cells: "Cells", where: list[str], rendering: Rendering, common: Common) -> "Condition":
    """The parsed conditions. Prints how well codes predict each descriptor."""
    from cytoform.assess.measures.sequence_descriptors import OF_SEQUENCES
    from cytoform.synthesis.conditional.stage import condition_on

    condition = condition_on(cells, where, rendering=rendering, progress=common.progress)
    for name, found in condition.regressions.items():
        unit = OF_SEQUENCES[cells.run.learned.dimensions][name].unit
        with_unit = f" {unit}" if unit else ""
        if found.lowest == found.highest:
            common.say(
                f"{name}: {found.lowest:.4g}{with_unit} in all {found.n_cells} learned cells, nothing to predict it from"
            )
            continue
        common.say(
            f"{name}: predicted to ±{found.rmse:.3g}{with_unit} "
            f"(leave one out of {found.n_cells} cells, R² {found.r2:.2f})"
        )
    return condition
