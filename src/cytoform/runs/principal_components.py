"""Principal components of grids and all their mirror images, which are even or odd along every axis.

So an octant of the grid holds a component, and the eigenvalue problem falls apart into eight small ones (of images, a
quadrant and four).
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.ndimage import convolve1d, spline_filter

from cytoform.errors import InputError
from cytoform.representations.linear.representation import PARITIES, Linear, Parity, folded, unfolded

MOST_FRAMES = 3000  # from which components are found; all frames get their weights


@dataclass(frozen=True)
class PrincipalComponents:
    """A mean and components of grids by their last octants; of unit length on the whole grid."""

    mean: Float[np.ndarray, "*half"]
    octants: Float[np.ndarray, "components ..."]
    odd: Int[np.ndarray, "components dims"]  # along z, y, x

    @property
    def n_dims(self) -> int:
        """Dimensions of the grids."""
        return self.mean.ndim

    @classmethod
    def of(cls, decoder: Linear) -> "PrincipalComponents":
        """The components of a representation, which keeps coefficients of splines."""
        odd = decoder.odd.cpu().numpy().astype(int)
        octants = [_at_nodes(o, parity_of(row)) for o, row in zip(decoder.components.cpu().numpy(), odd, strict=True)]
        return cls(_at_nodes(decoder.mean.cpu().numpy(), PARITIES[decoder.n_dims][0]), np.stack(octants), odd)

    def weights_of(self, grids: Float[np.ndarray, "frames ..."]) -> Float[np.ndarray, "frames components"]:
        """The weights of the components in every grid."""
        found = np.empty((len(grids), len(self.octants)))
        for row, grid in enumerate(grids):
            for parity in PARITIES[self.n_dims]:
                which = np.flatnonzero((self.odd == parity).all(axis=1))
                octant = folded(grid, parity) - (0 if any(parity) else self.mean)
                found[row, which] = 2**self.n_dims * np.tensordot(self.octants[which], octant, self.n_dims)
        return found

    def error(self, grids: Float[np.ndarray, "frames ..."], weights: Float[np.ndarray, "frames components"]) -> float:
        """Mean absolute error of grids that are put together from `weights`."""
        return float(np.mean([np.abs(self.grid(row) - grid).mean() for grid, row in zip(grids, weights, strict=True)]))

    def grid(self, weights: Float[np.ndarray, " components"]) -> Float[np.ndarray, "*n"]:
        """Distances at the nodes of a grid that is put together from `weights`."""
        whole = unfolded(torch.from_numpy(self.mean), PARITIES[self.n_dims][0]).numpy()
        for parity in PARITIES[self.n_dims]:
            which = np.flatnonzero((self.odd == parity).all(axis=1))
            octant = np.tensordot(weights[which], self.octants[which], 1)
            whole = whole + unfolded(torch.from_numpy(octant), parity).numpy()
        return np.asarray(whole)


def principal_components(grids: Float[np.ndarray, "frames ..."], most: int) -> PrincipalComponents:
    """The leading components of grids and all their mirror images, at most `most`. Raises InputError without any."""
    chosen = grids[:: -(-len(grids) // MOST_FRAMES)]
    found: list[tuple[float, Parity, np.ndarray]] = []
    mean = np.empty(0)
    n_dims = grids.ndim - 1
    for parity in PARITIES[n_dims]:
        octants = np.stack([folded(grid, parity) for grid in chosen]).reshape(len(chosen), -1).astype(float)
        if not any(parity):
            mean = octants.mean(axis=0)
            octants -= mean
        values, vectors = np.linalg.eigh(octants @ octants.T)
        for value, vector in zip(values[::-1][:most], vectors.T[::-1], strict=False):
            if value > 1e-6 * len(chosen) / len(grids):
                found.append((float(value), parity, octants.T @ vector / np.sqrt(2**n_dims * value)))
    if not found:
        raise InputError("all frames of all cells are the same: there is nothing to learn; prepare more of them")
    found.sort(key=lambda each: -each[0])
    half = grids.shape[1] // 2
    shape = (half,) * n_dims
    return PrincipalComponents(
        mean.reshape(shape),
        np.stack([octant.reshape(shape) for _, _, octant in found[:most]]),
        np.array([parity for _, parity, _ in found[:most]], int),
    )


def spline_coefficients(octant: Float[np.ndarray, "*half"], odd: Parity) -> Float[np.ndarray, "*half"]:
    """Coefficients of the cubic spline through distances at the nodes."""
    whole = unfolded(torch.from_numpy(octant), odd).numpy()
    half = len(octant)
    return np.asarray(spline_filter(whole, mode="mirror")[(slice(half, None),) * whole.ndim], np.float32)


def _at_nodes(coefficients: Float[np.ndarray, "*half"], odd: Parity) -> Float[np.ndarray, "*half"]:
    """Distances at the nodes, from the coefficients of the spline."""
    whole, half = unfolded(torch.from_numpy(coefficients), odd).numpy().astype(float), len(coefficients)
    for axis in range(coefficients.ndim):
        whole = convolve1d(whole, np.array([1, 4, 1]) / 6, axis=axis, mode="mirror")
    return np.asarray(whole[(slice(half, None),) * whole.ndim])


def parity_of(odd: Int[np.ndarray, " dims"]) -> Parity:
    return tuple(odd.astype(bool).tolist())
