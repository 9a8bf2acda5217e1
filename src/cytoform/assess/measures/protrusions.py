"""Number and lengths of a cell's protrusions, from the skeleton of its mask.

Each voxel of the Euclidean skeleton (DIPlib) has a depth, its distance to the surface. The body is the part with at
least half the largest depth of its component. Skeleton paths from the body are extracted farthest first, as in TEASAR
(Sato et al. 2000, Pacific Graphics), each starting at the paths already extracted. The length of a protrusion is the
distance of its tip beyond the ball inscribed at its root: the length of the filopodium for a ball with a filopodium, and
0 for a ball, an ellipsoid or a dumbbell.

scikit-image's skeleton loses whole branches of constant width (its issue 3757), so it is used only on processors for which
DIPlib has no wheel.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.spatial import cKDTree

from cytoform.assess.measures.dip import load_diplib
from cytoform.shapes.cleaning import SPECK_SHARE
from cytoform.shapes.components import components

BODY_SHARE = 0.5
# Shorter protrusions are roughness: at least this many voxels, and this share of the body's depth.
LEAST_VOXELS, LEAST_SHARE = 3, 0.2
# A path along voxels zigzags; chords over this many steps do not.
STRIDE = 4
# Thinning shortens thin branches; how far beyond their tips the mask is searched, in depths of the tip.
AHEAD = 4


def protrusion_lengths_um(mask: Bool[np.ndarray, "*zyx"], spacing_um: float) -> Float[np.ndarray, " protrusions"]:
    """Lengths of all protrusions in descending order, for a non-empty mask on an isotropic grid."""
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
    """Voxels of a skeleton, all lengths in voxels; `links` connect neighbours."""

    points_zyx: Int[np.ndarray, "n dims"]
    depths: Float[np.ndarray, " n"]
    body_depths: Float[np.ndarray, " n"]  # largest depth of the component that contains the voxel
    links: Int[np.ndarray, "links 2"]
    inside_zyx: Int[np.ndarray, "voxels dims"]  # all voxels of the mask

    def ahead(self, path: Int[np.ndarray, " path"]) -> float:
        """Extent of the mask beyond the ball around the tip of a path, in the direction of the path."""
        tip, before = self.points_zyx[path[0]], self.points_zyx[path[: STRIDE + 1][-1]]
        direction = (tip - before) / max(float(np.linalg.norm(tip - before)), 1)
        away = self.inside_zyx - tip
        close = np.linalg.norm(away, axis=1) <= AHEAD * (self.depths[path[0]] + 1)
        _, nearest = cKDTree(self.points_zyx).query(self.inside_zyx[close])
        beyond = (away[close] @ direction)[nearest == path[0]].max(initial=0)
        return max(float(beyond) + 0.5 - float(self.depths[path[0]]), 0.0)

    @classmethod
    def of(cls, mask: Bool[np.ndarray, "*zyx"]) -> "_Skeleton":
        import edt

        # DIPlib does not thin voxels at the border.
        padded = np.pad(mask, 2)
        pieces = components(padded)
        sizes = np.bincount(pieces.ravel())
        sizes[0] = 0
        padded &= (sizes >= SPECK_SHARE * sizes.sum())[pieces]
        thin = _thinned(padded)
        # To the face between the voxel and the background, not to the next voxel's centre.
        depths = edt.edt(padded.astype(np.uint8), parallel=1)[thin] - 0.5
        deepest = np.zeros(len(sizes))
        np.maximum.at(deepest, pieces[thin], depths)
        points = np.argwhere(thin)
        links = cKDTree(points).query_pairs(1.8, output_type="ndarray")
        return cls(points, depths.astype(float), deepest[pieces[thin]], links, np.argwhere(padded))


def _thinned(mask: Bool[np.ndarray, "*zyx"]) -> Bool[np.ndarray, "*zyx"]:
    """The skeleton of a mask without voxels at the border."""
    diplib = load_diplib()
    if diplib is None:
        from skimage.morphology import skeletonize

        return np.asarray(skeletonize(mask), bool)
    return np.asarray(diplib.EuclideanSkeleton(diplib.Image(mask), "natural"))


def _farthest(skeleton: _Skeleton, covered: Bool[np.ndarray, " n"]) -> tuple[Int[np.ndarray, " path"], float]:
    """The path to the voxel with the largest distance beyond the balls of the covered voxels, and this distance."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import dijkstra

    n, roots = len(skeleton.points_zyx), np.flatnonzero(covered)
    steps = np.linalg.norm(np.diff(skeleton.points_zyx[skeleton.links], axis=1)[:, 0], axis=1)
    # A virtual node next to all roots, closer to deeper ones: distances from it are distances beyond the roots' balls.
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


def _length(points: Int[np.ndarray, "n dims"]) -> float:
    return float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())
