"""Whether a training came to anything: its loss, and what its cells look like."""

from cytoform.runs.run import Run
from cytoform.shapes.remarks import remark_on
from cytoform.synthesis.cells import Cells
from cytoform.training.metrics import read_losses

REMEDY = "the run is untrained, or its training has diverged; train longer, or with a lower training.learning_rate"
# Mean error in half extents that no trained run has: guessing one distance for all points does better.
HOPELESS = 0.5
LOOKED_AT, GRID = 4, 32  # cells, each in the middle of its movie


def remark_on_training(cells: Cells) -> str:
    """A line on a loss above its start, and on learned cells that are empty or full; empty if all is well."""
    seen = [(name, [cells.field(name).render(0.0, GRID)]) for name in cells.names[:LOOKED_AT]]
    return remark_on(seen, n_dims=cells.run.learned.dimensions, remedy=REMEDY, before=remark_on_loss(cells.run))


def remark_on_loss(run: Run) -> str:
    """Words on a loss that ended above its start, or above any guess; empty if it did not. Raises InputError."""
    losses = read_losses(run.path)
    if not losses or (losses[-1] <= losses[0] and losses[-1] <= HOPELESS):
        return ""
    return f"the loss of {run.path.name} began at {losses[0]:.3g} and ended at {losses[-1]:.3g} half extents"
