"""Codes of cells that never existed (paper section 3.2)."""

from typing import Literal

import numpy as np
from jaxtyping import Float

from cytoform.errors import InputError

Prior = Literal["gaussian", "around"]
# σ of the paper: 0.1 for the whole prior, 0.01 for noise around learned codes.
DEFAULT_SIGMA: dict[Prior, float] = {"gaussian": 0.1, "around": 0.01}


def draw_codes(
    learned: Float[np.ndarray, "sequences code"], n: int, *, prior: Prior, sigma: float, rng: np.random.Generator
) -> Float[np.ndarray, "n code"]:
    """`n` new codes: N(0, σ²), or learned codes, each in turn, plus N(0, σ²)."""
    if n < 1:
        raise InputError(f"-n {n}: at least one cell is to be generated")
    if not (np.isfinite(sigma) and sigma >= 0):
        raise InputError(f"--sigma {sigma}: must be a number of at least 0")
    noise = rng.normal(0, sigma, (n, learned.shape[1]))
    if prior == "gaussian":
        return noise
    order = np.concatenate([rng.permutation(len(learned)) for _ in range(-(-n // len(learned)))])[:n]
    return np.asarray(learned[order] + noise)
