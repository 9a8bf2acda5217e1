"""How many protrusions a cell has and how long they are, from the skeleton of its mask.

The skeleton is DIPlib's Euclidean one. Every voxel of it has a depth, its distance to the surface; the body is where
the depth is at least half the greatest of the piece. Paths from the body along the skeleton are followed farthest
first, as TEASAR does (Sato et al. 2000, Pacific Graphics), each from what is covered by those before. A protrusion's
length is what its tip reaches beyond the ball inscribed at its root: for a ball with a filopodium the filopodium's
length, for a ball, an ellipsoid or a dumbbell nothing.

scikit-image's skeleton would not do: it loses whole branches of an even width (its issue 3757).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.spatial import cKDTree

from cytoform.shapes.cleaning import SPECK_SHARE

BODY_SHARE = 0.5
# Shorter ones are the roughness of voxels, or of the cell: at least this many voxels, and this share of the body's depth.
LEAST_VOXELS, LEAST_SHARE = 3, 0.2
# A path along voxels zigzags; the straight line over so many steps does not.
STRIDE = 4
# Thinning shortens thin branches; how far ahead of their tips the mask is looked at, in depths of the tip.
AHEAD = 4


def protrusion_lengths_um(mask: Bool[np.ndarray, "z y x"], spacing_um: float) -> Float[np.ndarray, " protrusions"]:
    """Length of every protrusion, the longest first, of a mask that is not empty, on an isotropic grid."""
    skeleton = _Skeleton.of(mask)
    covered = skeleton.depths >= BODY_SHARE * skeleton.body_depths
    lengths = []
    while not covered.all():
        path, excess = _farthest(skeleton, covered)
        if excess < max(LEAST_VOXELS, LEAST_SHARE * skeleton.body_depths[path[0]]):
            break
        points = skeleton.points_zyx[path]
        straight = _length(points[[*range(0, len(points) - 1, STRIDE), -1]])
        lengths.append(excess - _length(points) + straight + skeleton.ahead(path))
        covered[path] = True
    return np.sort(np.array(lengths))[::-1] * spacing_um


@dataclass(frozen=True)
class _Skeleton:
    """Voxels of a skeleton, all lengths in voxels; `links` join neighbours."""

    points_zyx: Int[np.ndarray, "n 3"]
    depths: Float[np.ndarray, " n"]
    body_depths: Float[np.ndarray, " n"]  # the greatest of the piece that the voxel belongs to
    links: Int[np.ndarray, "links 2"]
    inside_zyx: Int[np.ndarray, "voxels 3"]  # all of the mask

    def ahead(self, path: Int[np.ndarray, " path"]) -> float:
        """How far the mask goes on beyond the ball around the tip of a path, in the direction of the path."""
        tip, before = self.points_zyx[path[0]], self.points_zyx[path[: STRIDE + 1][-1]]
        direction = (tip - before) / max(float(np.linalg.norm(tip - before)), 1)
        away = self.inside_zyx - tip
        close = np.linalg.norm(away, axis=1) <= AHEAD * (self.depths[path[0]] + 1)
        _, nearest = cKDTree(self.points_zyx).query(self.inside_zyx[close])
        beyond = (away[close] @ direction)[nearest == path[0]].max(initial=0)
        return max(float(beyond) + 0.5 - float(self.depths[path[0]]), 0.0)

    @classmethod
    def of(cls, mask: Bool[np.ndarray, "z y x"]) -> "_Skeleton":
        import cc3d
        import diplib
        import edt

        # DIPlib leaves the voxels of the border alone.
        padded = np.pad(mask, 2)
        pieces = cc3d.connected_components(padded, connectivity=26)
        sizes = np.bincount(pieces.ravel())
        sizes[0] = 0
        padded &= (sizes >= SPECK_SHARE * sizes.sum())[pieces]
        thin = np.asarray(diplib.EuclideanSkeleton(diplib.Image(padded), "natural"))
        # From the voxel's centre to the face between it and the background, not to the next centre.
        depths = edt.edt(padded.astype(np.uint8), parallel=1)[thin] - 0.5
        deepest = np.zeros(len(sizes))
        np.maximum.at(deepest, pieces[thin], depths)
        points = np.argwhere(thin)
        links = cKDTree(points).query_pairs(1.8, output_type="ndarray")
        return cls(points, depths.astype(float), deepest[pieces[thin]], links, np.argwhere(padded))


def _farthest(skeleton: _Skeleton, covered: Bool[np.ndarray, " n"]) -> tuple[Int[np.ndarray, " path"], float]:
    """The path from the voxel whose ball reaches farthest beyond the balls of the covered ones, and how far that is."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import dijkstra

    n, roots = len(skeleton.points_zyx), np.flatnonzero(covered)
    steps = np.linalg.norm(np.diff(skeleton.points_zyx[skeleton.links], axis=1)[:, 0], axis=1)
    # A node beside all roots, the nearer the deeper the root: distances from there are those beyond the roots' balls.
    offset = float(skeleton.depths.max()) + 1
    weights = np.concatenate([steps, offset - skeleton.depths[roots]])
    starts = np.concatenate([skeleton.links[:, 0], np.full(len(roots), n)])
    ends = np.concatenate([skeleton.links[:, 1], roots])
    graph = coo_array((weights, (starts, ends)), shape=(n + 1, n + 1)).tocsr()
    distances, before = (found[0] for found in dijkstra(graph, directed=False, indices=[n], return_predecessors=True))
    excess = distances[:n] - offset + skeleton.depths
    excess[covered | ~np.isfinite(excess)] = -np.inf
    path = [int(excess.argmax())]
    while np.isfinite(excess[path[0]]) and before[path[-1]] < n:
        path.append(int(before[path[-1]]))
    return np.array(path), float(excess[path[0]])


def _length(points: Int[np.ndarray, "n 3"]) -> float:
    return float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())
