"""Shapes between two divisions: a daughter of one division grows into the mother of the next."""

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from jaxtyping import Float
from scipy import ndimage
from scipy.spatial.transform import Rotation

from cytoform.base.triples import Ints, ints
from cytoform.scenes.bodies import own_field
from cytoform.scenes.pieces import find_pieces
from cytoform.shapes.box import BoxedField
from cytoform.shapes.grid import Grid

# Of a cell that dies, at its end.
REMAINS = 0.3
# Volume of a ball of radius 1, and area of a disc.
BALLS = {3: 4 / 3 * np.pi, 2: np.pi}


def centroid_voxels(field: BoxedField) -> Float[np.ndarray, " dims"]:
    """Mean place of the inside voxels, in voxels of the grid; voxel k reaches from k to k + 1."""
    return np.argwhere(field.inside).mean(axis=0) + field.corner_zyx + 0.5


def scaled(field: BoxedField, factor: float) -> BoxedField:
    """The field of a cell `factor` times as long, in a cube that much larger, on the same voxels."""
    grid = Grid(field.grid.size, field.grid.half_extent_um * factor, field.grid.n_dims)
    return replace(field, grid=grid, box_sdf_um=field.box_sdf_um * np.float32(factor), band_um=field.band_um * factor)


def size_of(field: BoxedField) -> float:
    """Volume in µm³, or area in µm²."""
    return float(field.inside.sum()) * field.grid.spacing_um**field.grid.n_dims


def shortest_turn(young: BoxedField, old: BoxedField) -> Rotation:
    """The smallest rotation, of vectors (z, y, x), that lays the principal axes of `young` along those of `old`."""
    first, second = _principal_axes(young), _principal_axes(old)
    flips = [np.diag(signs) for signs in product((1, -1), repeat=3) if np.prod(signs) == 1]
    if old.grid.n_dims == 2:
        flips = [flip for flip in flips if flip[0, 0] == 1]
    turns = [Rotation.from_matrix(second @ flip @ first.T) for flip in flips]
    return min(turns, key=lambda turn: float(turn.magnitude()))


def _principal_axes(field: BoxedField) -> Float[np.ndarray, "3 3"]:
    """Directions (z, y, x) in columns, a right-handed system; of an image the first is out of its plane."""
    n_dims = field.grid.n_dims
    axes = np.eye(3)
    axes[3 - n_dims :, 3 - n_dims :] = np.linalg.eigh(np.cov(np.argwhere(field.inside), rowvar=False, bias=True))[1]
    axes[:, -1] *= np.linalg.det(axes)
    return axes


def grown(young: BoxedField, old: BoxedField, share: float, turn: Rotation) -> BoxedField:
    """A shape on the way from `young` to `old`, at the place of `old`; `share` of the way is behind it.

    The mean of both distances, at the level that holds as many voxels as a cell that grows exponentially. Their centroids
    are in one place, and both are turned into one direction, which goes from that of `young` to that of `old` with the
    `turn` from one to the other (`shortest_turn`): two long cells across each other would make a cross. One piece: any
    other than the largest is left out.
    """
    middle = centroid_voxels(old)
    turned = (turn**share).as_matrix(), (turn ** (share - 1)).as_matrix()
    placed = [
        _Placed(field, matrix[-old.grid.n_dims :, -old.grid.n_dims :], old.grid.spacing_um / field.grid.spacing_um)
        for field, matrix in zip((young, old), turned, strict=True)
    ]
    reaches = [each.reach for each in placed]
    low = np.floor(middle + np.min([each[0] for each in reaches], axis=0)).astype(int)
    high = np.ceil(middle + np.max([each[1] for each in reaches], axis=0)).astype(int)
    low, high = np.clip(low, 0, old.grid.size), np.clip(high, 0, old.grid.size)
    first, second = (each.sampled(low + 0.5 - middle, ints(high - low)) for each in placed)
    size = size_of(young) ** (1 - share) * size_of(old) ** share
    return _at_size((1 - share) * first + share * second, size, ints(low), old)


@dataclass(frozen=True)
class _Placed:
    """A field whose centroid is moved to the origin, and which is turned then, on voxels `finer` times as wide."""

    field: BoxedField
    matrix: Float[np.ndarray, "dims dims"]
    finer: float

    @property
    def _middle(self) -> Float[np.ndarray, " dims"]:
        return centroid_voxels(self.field) - self.field.corner_zyx

    @property
    def reach(self) -> tuple[Float[np.ndarray, " dims"], Float[np.ndarray, " dims"]]:
        """Lowest and highest corner of the turned box, in new voxels from the origin."""
        corners = np.array(list(product(*((0, n) for n in self.field.box_sdf_um.shape)))) - self._middle
        turned = corners @ self.matrix.T / self.finer
        return turned.min(axis=0), turned.max(axis=0)

    def sampled(self, first: Float[np.ndarray, " dims"], shape: Ints) -> Float[np.ndarray, "*shape"]:
        """Distances at new voxels, the first of which has its centre at `first`; far from the box, those at its border."""
        back = self.finer * self.matrix.T
        offset = self._middle - 0.5 + back @ first
        box = self.field.box_sdf_um.astype(np.float32)
        found: Float[np.ndarray, "*shape"] = ndimage.affine_transform(
            box, back, offset=offset, output_shape=shape, order=1, mode="constant", cval=self.field.band_um
        )
        return found


def shrunk(field: BoxedField, share: float) -> BoxedField:
    """A dying cell: `share` of the way to a ball of `REMAINS` of its size, at its place. One piece."""
    n_dims, n = field.grid.n_dims, int(field.inside.sum())
    radius = (n / BALLS[n_dims]) ** (1 / n_dims)
    margin = int(np.ceil(radius))
    low = np.maximum(np.subtract(field.corner_zyx, margin), 0)
    high = np.minimum(np.add(field.corner_zyx, field.box_sdf_um.shape) + margin, field.grid.size)
    wide = np.full(high - low, field.band_um, np.float32)
    inner = tuple(
        slice(c - l, c - l + k) for c, l, k in zip(field.corner_zyx, low, field.box_sdf_um.shape, strict=True)
    )
    wide[inner] = field.box_sdf_um
    places = np.stack(np.meshgrid(*(np.arange(l, h) + 0.5 for l, h in zip(low, high, strict=True)), indexing="ij"))
    middle = centroid_voxels(field).reshape(-1, *(1,) * n_dims)
    ball = (np.linalg.norm(places - middle, axis=0) - radius) * field.grid.spacing_um
    size = size_of(field) * (1 - (1 - REMAINS) * share)
    return _at_size((1 - share) * wide + share * ball, size, ints(low), field)


def _at_size(mixed_um: np.ndarray, size: float, corner_zyx: Ints, like: BoxedField) -> BoxedField:
    """The largest piece of a mean of distances, at the level that holds this size."""
    last = max(round(size / like.grid.spacing_um**like.grid.n_dims), 1) - 1
    level_um = np.partition(mixed_um, last, axis=None)[last]
    field = replace(like, corner_zyx=corner_zyx, box_sdf_um=(mixed_um - level_um).astype(np.float32))
    pieces = find_pieces(field)
    return own_field(field, pieces.labels == 1 + pieces.n_voxels.argmax()) if pieces.n > 1 else field
