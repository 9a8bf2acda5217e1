"""Thick protrusions as distances in frames of their own, over their lives, in components that all of them share.

A bulge is a protrusion that is not much longer than wide: a bleb, a ruffle, a necked lobe. Its frame has the root at its
origin and the normal of the body upwards, and a box around it that fits its largest extent; its distance is kept on nodes of
the box at equal phases of its window, as weights of components (Shapes). Points are (x, y, z) in the cube Ω = [-1, 1]³,
lengths in half extents, times in learned movies.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from jaxtyping import Float

from cytoform.protrusions.units import CUT, LARGEST, local_frame

# Phases of a window and nodes along each side of a box at which distances are kept; components of them.
PHASES, NODES, COMPONENTS = 9, 13, 96
SHAPES: dict[str, tuple[int, ...]] = {
    "window": (2,),
    "root": (2, 3),
    "axis": (2, 3),
    "across": (3,),
    "box": (3, 2),
    "volume": (PHASES,),
    "weights": (COMPONENTS,),
}
WIDTH = sum(int(np.prod(shape)) for shape in SHAPES.values())
BASIS_SHAPE = (1 + COMPONENTS, PHASES, NODES, NODES, NODES)
# Distances are kept up to this share of the size of a box: farther ones tell nothing about the shape.
FAR = 0.25


@dataclass(frozen=True)
class Bulges:
    """The thick protrusions of one cell."""

    window: Float[np.ndarray, "n 2"]  # it is born and gone; before 0 or after 1 where the movie cuts it off
    root: Float[np.ndarray, "n 2 3"]  # near the body's surface, at both ends of the window
    axis: Float[np.ndarray, "n 2 3"]  # unit vectors, the normal of the body
    across: Float[np.ndarray, "n 3"]  # unit vector, not along the axis: the long side of the root
    box: Float[np.ndarray, "n 3 2"]  # lowest and highest place along the axis, across, and at right angles to both
    volume: Float[np.ndarray, "n phases"]  # outside the body
    weights: Float[np.ndarray, "n components"]

    def __len__(self) -> int:
        return len(self.window)

    def __getitem__(self, rows: "slice | np.ndarray") -> "Bulges":
        """Some rows."""
        return Bulges(*(getattr(self, each.name)[rows] for each in fields(self)))

    @classmethod
    def none(cls) -> "Bulges":
        """No bulge."""
        return cls.from_rows(np.empty((0, WIDTH)))

    @classmethod
    def from_rows(cls, rows: Float[np.ndarray, "n width"]) -> "Bulges":
        """From the rows of `to_rows`; rows of NaN are left out."""
        rows = np.asarray(rows, float)
        rows = rows[np.isfinite(rows).all(axis=1)]
        sizes = [int(np.prod(shape)) for shape in SHAPES.values()]
        columns = np.split(rows, np.cumsum(sizes)[:-1], axis=1)
        return cls(*(c.reshape(len(rows), *shape) for c, shape in zip(columns, SHAPES.values(), strict=True)))

    def to_rows(self) -> Float[np.ndarray, "n width"]:
        """One row of numbers a bulge."""
        numbers = {name: int(np.prod(shape)) for name, shape in SHAPES.items()}
        return np.concatenate([getattr(self, name).reshape(len(self), n) for name, n in numbers.items()], axis=1)

    def are_sound(self) -> bool:
        """Whether the numbers can be those of bulges: windows that last, boxes with sides, volumes that are none."""
        return bool(
            (self.window[:, 0] < self.window[:, 1]).all()
            and (self.box[:, :, 0] < self.box[:, :, 1]).all()
            and (self.volume >= 0).all()
            and max(np.abs(getattr(self, each.name)).max(initial=0) for each in fields(self)) <= LARGEST
        )

    def rotated(self, matrix: Float[np.ndarray, "3 3"]) -> "Bulges":
        """The bulges in the pose that `matrix` turns points into."""
        return replace(self, root=self.root @ matrix.T, axis=self.axis @ matrix.T, across=self.across @ matrix.T)


def joined(parts: Sequence[Bulges]) -> Bulges:
    """Bulges of several lists as one."""
    return Bulges(
        *(np.concatenate([getattr(each, f.name) for each in [*parts, Bulges.none()]]) for f in fields(Bulges))
    )


def sizes(box: Float[np.ndarray, "n 3 2"]) -> Float[np.ndarray, " n"]:
    """The size of boxes, in which distances are counted: the geometric mean of their sides."""
    return np.asarray(np.cbrt(np.diff(box, axis=2)[:, :, 0].prod(axis=1)))


def nodes_of(box: Float[np.ndarray, "3 2"]) -> Float[np.ndarray, "nodes 3"]:
    """The nodes of a box, in the local frame."""
    axes = [np.linspace(low, high, NODES) for low, high in box]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)


def components_of(
    distances: Sequence[Float[np.ndarray, "phases nodes nodes nodes"]],
) -> tuple[Float[np.ndarray, "components_1 phases nodes nodes nodes"], Float[np.ndarray, "n components"]]:
    """Mean and principal components of distances, and the weights of each one; fewer are filled up with zeros.

    Each is learned together with its mirror images along the long side of its root and at right angles to it.
    """
    flat = np.stack([each.ravel() for each in distances]).astype(np.float32)
    grids = flat.reshape(-1, *BASIS_SHAPE[1:])
    images = (grids, grids[..., ::-1], grids[..., ::-1, :], grids[..., ::-1, ::-1])
    both = np.concatenate([each.reshape(flat.shape) for each in images])
    mean = both.mean(axis=0)
    values, vectors = np.linalg.eigh((both - mean) @ (both - mean).T)
    n = min(COMPONENTS, int((values > 1e-6 * max(float(values[-1]), 1e-12)).sum()))
    directions = np.zeros((COMPONENTS, flat.shape[1]), np.float32)
    if n:
        directions[:n] = (vectors[:, ::-1][:, :n] / np.sqrt(values[::-1][:n])).T @ (both - mean)
    basis = np.concatenate([mean[None], directions]).reshape(BASIS_SHAPE)
    return basis, np.asarray((flat - mean) @ directions.T, float)


def frame_at(bulges: Bulges, row: int, phase: float) -> Float[np.ndarray, "3 3"]:
    """The local frame of a bulge: rows are its axis, the part of `across` at right angles to it, and a third."""
    axis = (1 - phase) * bulges.axis[row, 0] + phase * bulges.axis[row, 1]
    return local_frame(axis[None], bulges.across[row][None])[0]


def life_of(frames: Sequence[int], n_frames: int) -> tuple[float, float]:
    """When a bulge that is seen in some frames is born and gone, in frames: half a frame beyond those, or the movie."""
    birth = frames[0] - 0.7 if frames[0] > 0 else -CUT
    end = frames[-1] + 0.7 if frames[-1] < n_frames - 1 else n_frames - 1 + CUT
    return birth, end
