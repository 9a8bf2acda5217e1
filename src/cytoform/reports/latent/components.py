"""The space of codes along its principal components, and as a map."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

# Variation smaller than this share of the codes' own size is rounding.
ROUNDING = 1e-6
# Fewer points have no neighbourhoods that a UMAP could keep.
FEWEST_MAPPED = 6


@dataclass(frozen=True)
class Components:
    """The directions in which codes vary, most first; there are at most one fewer than codes, and none if all are equal."""

    mean: Float[np.ndarray, " code"]
    directions: Float[np.ndarray, "components code"]  # of length 1, at right angles
    sigmas: Float[np.ndarray, " components"]  # standard deviations of the codes along them

    @property
    def shares(self) -> Float[np.ndarray, " components"]:
        """Share of the variance of the codes along each direction."""
        variances = self.sigmas**2
        return np.asarray(variances / variances.sum()) if len(variances) else variances

    def coordinates(self, codes: Float[np.ndarray, "n code"]) -> Float[np.ndarray, "n components"]:
        """Where codes lie along the directions, from the mean."""
        return np.asarray((codes - self.mean) @ self.directions.T)

    def code(self, component: int, n_sigmas: float) -> Float[np.ndarray, " code"]:
        """The code so many standard deviations from the mean along one direction."""
        return np.asarray(self.mean + n_sigmas * self.sigmas[component] * self.directions[component])


def principal_components(codes: Float[np.ndarray, "n code"]) -> Components:
    """Principal components of codes, signed so that the largest entry of each direction is positive."""
    values = codes.astype(np.float64)
    mean = values.mean(axis=0)
    _, singular, directions = np.linalg.svd(values - mean, full_matrices=False)
    n = int((singular > ROUNDING * np.linalg.norm(values)).sum())
    directions, singular = directions[:n], singular[:n]
    largest = np.take_along_axis(directions, np.abs(directions).argmax(axis=1, keepdims=True), axis=1)
    return Components(mean, directions * np.sign(largest), singular / np.sqrt(max(len(codes) - 1, 1)))


def umap_positions(codes: Float[np.ndarray, "n code"], *, seed: int) -> Float[np.ndarray, "n 2"] | None:
    """Positions on a plane that keep neighbours together (UMAP, McInnes et al. 2018); None without umap-learn or for few codes.

    It is begun from the first two principal components, so that its large-scale layout is theirs where neighbours allow.
    """
    if len(codes) < FEWEST_MAPPED:
        return None
    try:
        from umap import UMAP
    except ImportError:
        return None
    components = principal_components(codes)
    begin = np.zeros((len(codes), 2))
    begin[:, : len(components.sigmas)] = components.coordinates(codes)[:, :2]
    # As wide as UMAP's own beginnings; equal codes must not begin at one place.
    begin *= 10 / max(float(np.abs(begin).max()), 1e-12)
    begin += np.random.default_rng(seed).normal(0, 1e-3, begin.shape)
    reducer = UMAP(
        n_neighbors=min(15, max(3, len(codes) // 4)), init=begin.astype(np.float32), random_state=seed, n_jobs=1
    )
    return np.asarray(reducer.fit_transform(codes), float)
