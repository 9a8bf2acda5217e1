"""The out-of-distribution score of a code: how unusual it is among the learned codes.

A network that describes shapes well also describes many shapes that no learned cell has. So a small error alone does not
say that a cell is like the learned ones; its code does.
"""

import numpy as np
from jaxtyping import Float

FEWEST = 8  # learned codes that a score needs


def score(code: Float[np.ndarray, "1 knots values"], learned: Float[np.ndarray, "n knots values"]) -> float:
    """Root mean square of the code's numbers, each in standard deviations from the mean of the learned codes.

    Codes with knots in time are compared knot by knot with the learned knots of all times.
    """
    others = learned.reshape(-1, learned.shape[2])
    spread = np.maximum(others.std(axis=0), 1e-9)
    return float(np.sqrt((((code - others.mean(axis=0)) / spread) ** 2).mean()))


def relative_score(
    code: Float[np.ndarray, "1 knots values"], learned: Float[np.ndarray, "n knots values"]
) -> float | None:
    """The score over the largest leave-one-out score of a learned code; None for fewer than `FEWEST` learned codes."""
    if len(learned) < FEWEST:
        return None
    among = [score(learned[row : row + 1], np.delete(learned, row, axis=0)) for row in range(len(learned))]
    return score(code, learned) / max(among)
