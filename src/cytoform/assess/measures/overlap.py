"""How much two masks share: the Jaccard index and the Dice coefficient (method: occupancy is distance ≤ 0)."""

import numpy as np
from jaxtyping import Bool


def jaccard(a: Bool[np.ndarray, "..."], b: Bool[np.ndarray, "..."]) -> float:
    """|A∩B| / |A∪B|; two empty masks agree wholly: 1."""
    union = int(np.count_nonzero(a | b))
    return 1.0 if union == 0 else int(np.count_nonzero(a & b)) / union


def dice_of(jaccard_index: float) -> float:
    """Dice coefficient 2|A∩B| / (|A|+|B|) of a pair whose Jaccard index is known: 2J / (1+J)."""
    return 2 * jaccard_index / (1 + jaccard_index)
