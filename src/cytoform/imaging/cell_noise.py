"""Random noise attached to a cell: it moves with the cell and does not depend on other frames."""

import numpy as np
from jaxtyping import Float, Float32, Integer, UInt64
from scipy.ndimage import find_objects
from scipy.sparse import csr_array
from scipy.special import ndtri

from cytoform.base.triples import Triple
from cytoform.imaging.inheritance import ALONE, Inheritance

# Splitmix64 (Steele et al. 2014): increment and finaliser of its generator, used as a hash of a counter.
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
LARGEST_SEED = 0xFFFFFFFFFFFFFFFF
# Beyond four standard deviations, the weights of the kernel are below the precision of 32-bit grey values.
KERNEL_REACH_SIGMA = 4

Hashes = UInt64[np.ndarray, "..."]


def cell_noise(
    labels_zyx: Integer[np.ndarray, "z y x"],
    *,
    spacing_zyx_um: Triple,
    correlation_um: float,
    seed: int,
    inherited: Inheritance = ALONE,
) -> Float32[np.ndarray, "z y x"]:
    """Normal noise of unit variance inside cells, 0 outside; depends only on label, position in the cell and seed.

    Position is the offset from the centroid of the label. With `correlation_um` 0 the noise is white and follows the
    centroid in whole voxels, without interpolation. Otherwise it is a smooth field that follows the centroid exactly;
    its correlation at distance d is exp(-(d / correlation)²). With `inherited`, a daughter has part of her mother's noise.
    """
    noise = np.zeros(labels_zyx.shape, np.float32)
    spacing = np.asarray(spacing_zyx_um)
    for label, box in enumerate(find_objects(labels_zyx), start=1):
        if box is None:
            continue
        inside = labels_zyx[box] == label
        offsets = _offsets(inside)
        field = np.zeros(inside.shape)
        for ancestor, weight in inherited.line(label):
            key = _hash(np.array([seed & LARGEST_SEED], np.uint64), np.array([ancestor]))
            if correlation_um > 0:
                places_um = [axis * size for axis, size in zip(offsets, spacing, strict=True)]
                field += weight * _smooth(key, places_um, correlation_um)
            else:
                whole = [np.floor(axis).astype(np.int64) for axis in offsets]
                field[inside] += weight * _normal(_on_lattice(key, whole)[inside])
        noise[box][inside] = field[inside]
    return noise


def _offsets(inside: np.ndarray) -> list[Float[np.ndarray, " _"]]:
    """Offsets of the voxels of a box from the centroid of a mask, along each axis, in voxels."""
    offsets = []
    for axis in range(3):
        profile = np.count_nonzero(inside, axis=tuple({0, 1, 2} - {axis}))
        index = np.arange(len(profile))
        offsets.append(index - (index * profile).sum() / profile.sum())
    return offsets


def _on_lattice(key: Hashes, places_zyx: list[np.ndarray]) -> Hashes:
    """Hashes of all points of a lattice, given as the coordinates of its three axes."""
    z, y, x = places_zyx
    return _hash(_hash(_hash(key, z)[:, None], y)[..., None], x)


def _hash(key: Hashes, counter: np.ndarray) -> Hashes:
    with np.errstate(over="ignore"):  # arithmetic modulo 2^64
        bits = key + (counter.astype(np.uint64) + np.uint64(1)) * GOLDEN
        bits = (bits ^ (bits >> np.uint64(30))) * MIX[0]
        bits = (bits ^ (bits >> np.uint64(27))) * MIX[1]
        return bits ^ (bits >> np.uint64(31))


def _normal(bits: Hashes) -> Float[np.ndarray, "..."]:
    # The upper 53 bits plus half a step: 0 and 1 have no quantile.
    return ndtri(((bits >> np.uint64(11)).astype(np.float64) + 0.5) / 2**53)


def _smooth(
    key: Hashes, offsets_um: list[Float[np.ndarray, " _"]], correlation_um: float
) -> Float[np.ndarray, "z y x"]:
    """White noise on a lattice in the coordinates of the cell, smoothed by a separable Gaussian kernel."""
    sigma_um = correlation_um / 2  # a kernel of standard deviation σ gives a correlation of exp(-d² / 4σ²)
    nodes, weights = zip(*(_kernel(axis / sigma_um) for axis in offsets_um), strict=True)
    field = _normal(_on_lattice(key, list(nodes)))
    for axis, weight in enumerate(weights):
        moved = np.moveaxis(field, axis, 0)
        # Sparse, because it sums in a fixed order; BLAS rounds differently with other numbers of threads.
        applied = weight @ moved.reshape(len(moved), -1)
        field = np.moveaxis(applied.reshape(-1, *moved.shape[1:]), 0, axis)
    return field


def _kernel(places: Float[np.ndarray, " n"]) -> tuple[np.ndarray, csr_array]:
    """Lattice points around `places` (both in σ) and their weights; squared weights sum to 1, which keeps unit variance."""
    around = np.arange(-KERNEL_REACH_SIGMA, KERNEL_REACH_SIGMA + 1)
    nearest = np.rint(places).astype(np.int64)
    columns = nearest[:, None] + around
    weights = np.exp(-0.5 * (columns - places[:, None]) ** 2)
    weights /= np.sqrt((weights**2).sum(axis=1, keepdims=True))
    first, last = int(columns.min()), int(columns.max())
    rows = np.arange(0, columns.size + 1, len(around))
    shape = (len(places), last - first + 1)
    return np.arange(first, last + 1), csr_array((weights.ravel(), (columns - first).ravel(), rows), shape=shape)
