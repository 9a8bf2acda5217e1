"""Out-of-distribution score of a latent code with respect to the codes of a run.

A good network also describes shapes unlike any training cell, so a small error does not show that a cell is in the training
distribution. Its code does.
"""

import numpy as np
from jaxtyping import Float

FEWEST = 8  # learned codes needed for a relative score


def out_of_distribution_score(
    code: Float[np.ndarray, " code"], learned: Float[np.ndarray, "sequences code"], n_knots: int
) -> float:
    """Root mean square of the code's entries, as z-scores with respect to the learned codes.

    Each knot of a time-dependent code is compared with the knots of all times.
    """
    knots, others = code.reshape(n_knots, -1), learned.reshape(len(learned) * n_knots, -1)
    spread = np.maximum(others.std(axis=0), 1e-9)
    return float(np.sqrt((((knots - others.mean(axis=0)) / spread) ** 2).mean()))


def relative_out_of_distribution_score(
    code: Float[np.ndarray, " code"], learned: Float[np.ndarray, "sequences code"], n_knots: int
) -> float | None:
    """Score relative to the largest leave-one-out score of the learned codes; None for too few codes."""
    if len(learned) < FEWEST:
        return None
    among = [
        out_of_distribution_score(one, np.delete(learned, row, axis=0), n_knots) for row, one in enumerate(learned)
    ]
    return out_of_distribution_score(code, learned, n_knots) / max(among)
