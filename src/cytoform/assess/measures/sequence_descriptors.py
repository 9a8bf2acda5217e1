"""Descriptors of a whole sequence: means over time, growth, longest protrusion, division, number of components."""

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from jaxtyping import Bool, Float

from cytoform.assess.measures.descriptors import Descriptor, sphericity
from cytoform.assess.measures.dynamics import division_frame
from cytoform.assess.measures.flat import circularity
from cytoform.shapes.boundary import Boundary, ball_radius, boundary_from_distance, cones
from cytoform.shapes.cleaning import SPECK_SHARE
from cytoform.shapes.components import components

SEQUENCE_DESCRIPTORS = {
    "size_um3": Descriptor("Mean size", "µm³"),
    "surface_um2": Descriptor("Mean surface area", "µm²"),
    "sphericity": Descriptor("Mean sphericity", ""),
    "growth": Descriptor("Last over first size", ""),
    "longest_protrusion_um": Descriptor("Longest reach", "µm"),
    "division_frame": Descriptor("Frame of division", ""),
    "pieces": Descriptor("Most pieces", ""),
}
FLAT_SEQUENCE_DESCRIPTORS = {
    "area_um2": Descriptor("Mean area", "µm²"),
    "perimeter_um": Descriptor("Mean perimeter", "µm"),
    "circularity": Descriptor("Mean circularity", ""),
    **{name: SEQUENCE_DESCRIPTORS[name] for name in ("growth", "longest_protrusion_um", "division_frame", "pieces")},
}
OF_SEQUENCES = {3: SEQUENCE_DESCRIPTORS, 2: FLAT_SEQUENCE_DESCRIPTORS}
ROUNDNESS = {3: sphericity, 2: circularity}
# A component with a smaller share of its frame's voxels is a fragment, not a daughter.
DAUGHTER_SHARE = 0.1


def describe_sequence(frames_sdf_um: Iterable[Float[np.ndarray, "*zyx"]], spacing_um: float) -> dict[str, float]:
    """Compute all of `OF_SEQUENCES`. A frame is the signed distance in the cube or in a box that contains the cell.

    Means are over non-empty frames, the longest protrusion is the maximum over frames. The frame of division, counted
    from 0, is the first from which the cell has several components until the end. For `pieces` see `most_pieces`.
    Undefined values are NaN, such as the division of a cell that does not divide, or growth from an empty first frame.
    """
    frames = list(frames_sdf_um)
    rows = [_describe(sdf_um, spacing_um) for sdf_um in frames]
    size, surface, roundness, *_ = OF_SEQUENCES[frames[0].ndim]
    sizes, surfaces, sphericities, protrusions = np.array([row[:4] for row in rows]).T
    return {
        size: _over_defined(np.mean, sizes[sizes > 0]),
        surface: _over_defined(np.mean, surfaces[sizes > 0]),
        roundness: _over_defined(np.mean, sphericities),
        "growth": float(sizes[-1] / sizes[0]) if sizes[0] > 0 else math.nan,
        "longest_protrusion_um": _over_defined(np.max, protrusions),
        "division_frame": division_frame([row[4] for row in rows]),
        "pieces": most_pieces([row[5] for row in rows]),
    }


def most_pieces(shares: Sequence[Float[np.ndarray, " _pieces"]]) -> float:
    """Largest number of components of any frame, given their shares of its voxels; 1 for a cell that never breaks.

    After a division, all daughters count as one. A division is the first frame, other than the start, from which at least
    two components are large enough for daughters until the end. NaN if a frame is empty.
    """
    if not all(map(len, shares)):
        return math.nan
    daughters = [int((frame >= DAUGHTER_SHARE).sum()) for frame in shares]
    division = division_frame(daughters)
    joined = [n - 1 if number >= division > 0 else 0 for number, n in enumerate(daughters)]
    return float(max(len(frame) - n for frame, n in zip(shares, joined, strict=True)))


def longest_protrusion_um(boundary: Boundary) -> float:
    """Largest distance of the surface from the centroid, minus the radius of a ball of equal volume; maximum over bodies.

    The peak of the centroid distance, a classical shape signature (Zhang and Lu 2004, Pattern Recognition 37, 1-19). It
    is 0 for a ball, the length of the filopodium for a ball with a thin filopodium, and continuous in the shape; an
    elongated cell counts as one with two blunt protrusions.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    vertices, n_dims = boundary.vertices_um.astype(float), boundary.vertices_um.shape[1]
    starts, ends = boundary.faces.ravel(), np.roll(boundary.faces, -1, axis=1).ravel()
    linked = coo_array((np.ones(len(starts), bool), (starts, ends)), shape=(len(vertices),) * 2)
    n_pieces, piece_of = connected_components(linked, directed=False)
    corners, volumes = cones(boundary, np.zeros(n_dims))
    piece_of_face = piece_of[boundary.faces[:, 0]]
    piece_volumes = np.bincount(piece_of_face, volumes, n_pieces)
    centres = corners.sum(axis=1) / (n_dims + 1)
    moments = [np.bincount(piece_of_face, volumes * axis, n_pieces) for axis in centres.T]
    bodies = piece_volumes >= SPECK_SHARE * piece_volumes.sum()
    sizes = np.where(bodies, piece_volumes, 1.0)
    centroids = np.stack(moments, axis=1) / sizes[:, None]
    reaches_um = np.zeros(n_pieces)
    np.maximum.at(reaches_um, piece_of, np.linalg.norm(vertices - centroids[piece_of], axis=1))
    radii_um = np.array([ball_radius(size, n_dims) for size in sizes])
    return float((reaches_um - radii_um)[bodies].max())


def _describe(
    sdf_um: Float[np.ndarray, "*zyx"], spacing_um: float
) -> tuple[float, float, float, float, int, Float[np.ndarray, " pieces"]]:
    """Size, surface, sphericity, longest protrusion, number of bodies and component shares of a frame."""
    mask = sdf_um <= 0
    if not mask.any():
        return 0.0, 0.0, math.nan, math.nan, 0, np.empty(0)
    boundary = boundary_from_distance(sdf_um, spacing_um)
    size = float(mask.sum()) * spacing_um**sdf_um.ndim
    round_ = ROUNDNESS[sdf_um.ndim](boundary.extent, boundary.size)
    shares = shares_of_pieces(mask)
    n_bodies = int((shares >= SPECK_SHARE).sum())
    return size, boundary.extent, round_, longest_protrusion_um(boundary), n_bodies, shares


def shares_of_pieces(mask: Bool[np.ndarray, "*zyx"]) -> Float[np.ndarray, " pieces"]:
    """Share of the voxels in each connected component (26 or 8 neighbours)."""
    sizes = np.bincount(components(mask).ravel())[1:]
    return np.asarray(sizes / max(sizes.sum(), 1))


def _over_defined(summary: Callable[[np.ndarray], np.floating], values: Float[np.ndarray, " n"]) -> float:
    defined = values[np.isfinite(values)]
    return float(summary(defined)) if len(defined) else math.nan
