"""How far a code lies from those that a run has learned.

A network that describes shapes well describes many that no cell of the run has: a small error alone does not say that a
cell is like the learned ones. Its code does.
"""

import numpy as np
from jaxtyping import Float

FEWEST = 8  # learned codes by which another can be judged


def remoteness(code: Float[np.ndarray, " code"], learned: Float[np.ndarray, "sequences code"], n_knots: int) -> float:
    """Root mean square of the code's numbers, each in standard deviations from the mean of the learned ones.

    Codes that change over time are compared knot by knot with the knots of all times.
    """
    knots, others = code.reshape(n_knots, -1), learned.reshape(len(learned) * n_knots, -1)
    spread = np.maximum(others.std(axis=0), 1e-9)
    return float(np.sqrt((((knots - others.mean(axis=0)) / spread) ** 2).mean()))


def relative_remoteness(
    code: Float[np.ndarray, " code"], learned: Float[np.ndarray, "sequences code"], n_knots: int
) -> float | None:
    """Remoteness in units of that of the most remote learned code, left out from the others; None of too few codes."""
    if len(learned) < FEWEST:
        return None
    among = [remoteness(one, np.delete(learned, row, axis=0), n_knots) for row, one in enumerate(learned)]
    return remoteness(code, learned, n_knots) / max(among)
