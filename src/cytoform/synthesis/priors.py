"""The priors that a run can draw new cells from, by name."""

from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from jaxtyping import Float, Int

from cytoform.errors import InputError
from cytoform.priors.file import read_prior
from cytoform.priors.fitted import PRIORS, fit_prior
from cytoform.priors.prior import Prior
from cytoform.representations.linear.representation import Linear
from cytoform.synthesis.compose import Composed
from cytoform.synthesis.sized import Sized

if TYPE_CHECKING:
    from cytoform.synthesis.cells import Cells

# Of cells taken apart: whether the protrusions are new ones. `graft` puts learned ones, as they are, on learned bodies.
PARTS_PRIORS = {"compose": True, "graft": False}
MEASURED = 16  # learned cells by which volumes of new codes are compared
# Priors of the codes of bodies, the first that has enough learned codes.
BODIES = ("covariance", "between", "around")


def prior_names(cells: "Cells") -> tuple[str, ...]:
    """Names of the priors that apply to a run."""
    if cells.run.parts:
        return tuple(PARTS_PRIORS)
    return tuple(name for name in PRIORS if name != "gaussian" or not cells.run.has_scales)


def body_prior(n_codes: int) -> str:
    """The first of the priors of bodies that has enough learned codes."""
    return next(each for each in BODIES if n_codes >= PRIORS[each].fewest_codes)


def unmeasured_prior(cells: "Cells") -> str:
    """The prior of a run whose training compared none."""
    if cells.run.parts:
        return "compose"
    # Codes with sizes have no common unit, which `gaussian` would need.
    return body_prior(len(cells.names)) if cells.run.has_scales else "gaussian"


def prior_of(
    cells: "Cells", name: str, *, sigma: float | None = None, rows: Int[np.ndarray, " sequences"] | None = None
) -> Prior:
    """A prior of new cells, by default as stored with the run; with `rows`, as if only these sequences were learned.

    Raises InputError for a name that does not apply to the run, a sigma that does not fit, and too few sequences.
    """
    if cells.run.parts:
        return _of_parts(cells, name, sigma, np.arange(len(cells.names)) if rows is None else rows)
    if name in PARTS_PRIORS:
        raise InputError(
            f"--prior {name}: {cells.run.path} has learned whole cells; train with --set model.kind=parts, or choose one of "
            f"{', '.join(PRIORS)}"
        )
    if cells.run.has_scales:
        return _with_sizes(cells, name, sigma, np.arange(len(cells.names)) if rows is None else rows)
    if sigma is None and rows is None:
        return read_prior(cells.run.path, cells.flat_codes, name)
    return fit_prior(name, cells.flat_codes if rows is None else cells.flat_codes[rows], sigma=sigma)


def _with_sizes(cells: "Cells", name: str, sigma: float | None, rows: Int[np.ndarray, " sequences"]) -> Sized:
    """A prior of shapes, which knows the mirror images of learned ones, and of sizes."""
    if name not in prior_names(cells):
        raise InputError(
            f"--prior {name}: the codes of {cells.run.path} have no common unit; choose one of "
            f"{', '.join(prior_names(cells))}"
        )
    codes = cells.codes[rows]
    if name != "around":
        codes = cells.run.decoder.images(codes)
    shapes = fit_prior(name, codes.reshape(len(codes), -1), sigma=sigma)
    log_scales = np.log(cells.run.scales.numpy().astype(float)[rows])
    times = np.linspace(-1, 1, log_scales.shape[1])
    # Learned cells have one volume at all times; what is measured of it depends a little on the shape, such as a division.
    shared = np.exp(np.mean([np.log(_volumes(cells, code, times)) for code in cells.codes[rows[:MEASURED]]], axis=0))
    return Sized(shapes, log_scales, lambda code: _volumes(cells, code, times) / shared, cells.run.decoder.n_dims)


def _volumes(cells: "Cells", code: Float[np.ndarray, "..."], times: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Volumes that a code describes at the size all cells share, at least a hundredth of a cubed half extent each."""
    decoder = cast(Linear, cells.run.decoder)
    found = decoder.volumes(torch.tensor(code.reshape(decoder.code_shape), dtype=torch.float32), times)
    return np.maximum(found, 1e-2)


def _of_parts(cells: "Cells", name: str, sigma: float | None, rows: Int[np.ndarray, " sequences"]) -> Composed:
    if name not in PARTS_PRIORS:
        raise InputError(
            f"--prior {name}: {cells.run.path} has learned bodies with protrusions; choose one of {', '.join(PARTS_PRIORS)}"
        )
    codes = cells.flat_codes[rows]
    if PARTS_PRIORS[name]:
        kind = body_prior(len(codes))
        bodies = fit_prior(kind, codes, sigma=sigma if kind == "covariance" else None)
    else:
        if sigma is not None:
            raise InputError(f"--sigma {sigma}: the prior {name} has none to choose; leave it out")
        bodies = fit_prior("around", codes, sigma=0.0)
    learned = tuple(cells.run.parts[row] for row in rows.tolist())
    return Composed(bodies, cells.field, learned, mixed=PARTS_PRIORS[name], centred=cells.run.centred)
