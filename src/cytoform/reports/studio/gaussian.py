"""The normal distribution of a run's new codes, as weights of its learned codes: a page needs no axes of its own."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from cytoform.errors import InputError
from cytoform.priors.fitted import PRIORS, Mixture
from cytoform.priors.prior import Prior
from cytoform.representations.linear.representation import Linear
from cytoform.synthesis.cells import Cells
from cytoform.synthesis.choice import default_choice
from cytoform.synthesis.sized import Sized

PRIOR = "covariance"
NEGLIGIBLE = 1e-9  # of the largest singular value


@dataclass(frozen=True)
class Block:
    """A part of the codes that is independent of the others: a new one is `centre` + (weights @ ε) @ (codes - centre)."""

    entries: Int[np.ndarray, " entries"]  # of a flat code
    centre: Float[np.ndarray, " entries"]
    weights: Float[np.ndarray, "sequences axes"]


def prior_of_page(cells: Cells) -> Prior | None:
    """The prior `covariance` of a run, with the σ that the run was measured with; None for too few learned cells."""
    choice = default_choice(cells)
    sigma = choice.sigma if choice.prior == PRIOR else None
    if len(cells.names) < PRIORS[PRIOR].fewest_codes:
        return None
    return cells.prior(PRIOR, sigma=sigma)


def blocks_of(cells: Cells, prior: Prior) -> list[Block]:
    """The distribution of a prior in blocks: one for each symmetry of the components where cells have mirror images.

    Raises InputError for a prior that is no normal distribution.
    """
    shapes = prior.shapes if isinstance(prior, Sized) else prior
    if not isinstance(shapes, Mixture) or len(shapes.covariances) != 1:
        raise InputError(f"{cells.run.path}: its prior {PRIOR} is no normal distribution; train the run anew")
    return [_block(cells.flat_codes, shapes, entries) for entries in _symmetries(cells)]


def _symmetries(cells: Cells) -> list[Int[np.ndarray, " entries"]]:
    """The entries of a flat code by the axes along which their components are odd."""
    decoder = cells.run.decoder
    if not isinstance(decoder, Linear):
        return [np.arange(cells.flat_codes.shape[1])]
    of_component = decoder.odd.cpu().numpy() @ (1 << np.arange(decoder.n_dims))
    of_entry = np.tile(of_component, decoder.code_shape[0])
    return [np.flatnonzero(of_entry == symmetry) for symmetry in np.unique(of_entry)]


def _block(codes: Float[np.ndarray, "n code"], shapes: Mixture, entries: Int[np.ndarray, " entries"]) -> Block:
    centre = shapes.centre[entries]
    left, singular, right = np.linalg.svd(codes[:, entries].astype(float) - centre, full_matrices=False)
    kept = singular > NEGLIGIBLE * max(singular.max(initial=0), 1e-30)
    along = right[kept] @ shapes.axes[:, entries].T
    variances, axes = np.linalg.eigh(along @ shapes.covariances[0] @ along.T)
    widths = axes * np.sqrt(variances.clip(0))
    return Block(entries, centre, left[:, kept] / singular[kept] @ widths)
