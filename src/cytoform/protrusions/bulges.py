"""Thick protrusions as distances in frames of their own, over their lives.

A bulge is a protrusion that is not much longer than wide: a bleb, a ruffle, a necked lobe. Its frame has the root at its
origin and the normal of the body upwards. At every frame in which it is seen there is a box around it, and its distance is kept
on nodes of the box (`Moments`). Between frames box and distances change evenly. Points are (x, y, z) in the cube
Ω = [-1, 1]³, lengths in half extents, times in learned movies.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Float, Int

from cytoform.protrusions.rows import Rows
from cytoform.protrusions.units import CUT, LARGEST, local_frame

# Phases of a window at which volumes are kept, and nodes along each side of a box at which distances are.
PHASES, NODES = 9, 17
# Distances are kept up to this share of the size of a box, in so many steps: farther ones tell nothing about the shape.
FAR, STEPS = 0.25, 127


@dataclass(frozen=True)
class Moments:
    """Distances of bulges at moments of their windows; the moments of a bulge are consecutive rows."""

    values: Int[np.ndarray, "moments nodes nodes nodes"]  # int8: distances in sizes of the box, in steps of FAR / STEPS
    boxes: Float[
        np.ndarray, "moments 3 2"
    ]  # lowest and highest place along the axis, across, and at right angles to both
    phases: Float[np.ndarray, " moments"]  # of the window, ascending

    def __len__(self) -> int:
        return len(self.values)

    @classmethod
    def none(cls) -> "Moments":
        """No moment."""
        return cls(np.empty((0, NODES, NODES, NODES), np.int8), np.empty((0, 3, 2)), np.empty(0))

    @classmethod
    def joined(cls, parts: "Sequence[Moments]") -> "Moments":
        """Moments of several lists as one."""
        both = [cls.none(), *parts]
        return cls(*(np.concatenate([getattr(each, f.name) for each in both]) for f in fields(cls)))

    @classmethod
    def of(
        cls,
        distances: Float[np.ndarray, "moments nodes nodes nodes"],
        boxes: Float[np.ndarray, "moments 3 2"],
        phases: Float[np.ndarray, " moments"],
    ) -> "Moments":
        """From distances in sizes of the box."""
        steps = np.round(np.clip(distances, -FAR, FAR) * (STEPS / FAR))
        return cls(steps.astype(np.int8), np.asarray(boxes, float), np.asarray(phases, float))

    def are_sound(self) -> bool:
        """Whether all boxes have a positive size, and no number is too large."""
        return bool((self.boxes[:, :, 0] < self.boxes[:, :, 1]).all() and np.abs(self.boxes).max(initial=0) <= LARGEST)

    def at(
        self, rows: Float[np.ndarray, " 2"], phase: float
    ) -> tuple[Float[np.ndarray, "3 2"], Float[np.ndarray, "nodes nodes nodes"]]:
        """Box and distances on its nodes at a phase, of the bulge with these rows (the first, and their number).

        They are linear between the moments, and those of the nearest one before the first and after the last.
        """
        first, number = (int(each) for each in rows)
        place = float(np.interp(phase, self.phases[first : first + number], np.arange(number)))
        low = int(place)
        high = min(low + 1, number - 1)
        share = place - low
        box = (1 - share) * self.boxes[first + low] + share * self.boxes[first + high]
        between = (1 - share) * self.values[first + low] + share * self.values[first + high]
        return box, between * (size_of(box) * FAR / STEPS)


@dataclass(frozen=True)
class Bulges(Rows):
    """The thick protrusions of one cell. Cells in images have none."""

    window: Float[np.ndarray, "n 2"]  # it is born and gone; before 0 or after 1 where the movie cuts it off
    root: Float[np.ndarray, "n 2 dims"]  # near the body's surface, at both ends of the window
    axis: Float[np.ndarray, "n 2 dims"]  # unit vectors, the normal of the body
    across: Float[np.ndarray, "n dims"]  # unit vector, not along the axis: the long side of the root
    size: Float[np.ndarray, "n 1"]  # relative to the bulge whose moments it has
    volume: Float[np.ndarray, "n phases"]  # outside the body
    moments: Float[np.ndarray, "n 2"]  # the first of its rows in the moments of all bulges, and their number

    @classmethod
    def shapes(cls, n_dims: int) -> dict[str, tuple[int, ...]]:
        return {
            "window": (2,),
            "root": (2, n_dims),
            "axis": (2, n_dims),
            "across": (n_dims,),
            "size": (1,),
            "volume": (PHASES,),
            "moments": (2,),
        }

    def are_sound(self, n_moments: int) -> bool:
        """Whether windows have a length, sizes and volumes a right sign, and moments are among the `n_moments`."""
        return bool(
            (self.window[:, 0] < self.window[:, 1]).all()
            and (self.size > 0).all()
            and (self.volume >= 0).all()
            and (self.moments == self.moments.round()).all()
            and (self.moments >= (0, 1)).all()
            and (self.moments.sum(axis=1) <= n_moments).all()
            and max(
                np.abs(getattr(self, name)).max(initial=0) for name in self.shapes(self.n_dims) if name != "moments"
            )
            <= LARGEST
        )


def joined(parts: Sequence[Bulges], n_dims: int = 3) -> Bulges:
    """Bulges of several lists as one."""
    return Bulges(
        *(np.concatenate([getattr(each, f.name) for each in [*parts, Bulges.none(n_dims)]]) for f in fields(Bulges))
    )


def size_of(box: Float[np.ndarray, "3 2"]) -> float:
    """The size of a box, in which distances are counted: the geometric mean of its sides."""
    return float(np.cbrt(np.diff(box, axis=1).prod()))


def nodes_of(box: Float[np.ndarray, "3 2"]) -> Float[np.ndarray, "nodes 3"]:
    """The nodes of a box, in the local frame."""
    axes = [np.linspace(low, high, NODES) for low, high in box]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)


def frame_at(bulges: Bulges, row: int, phase: float) -> Float[np.ndarray, "3 3"]:
    """The local frame of a bulge: rows are its axis, the part of `across` at right angles to it, and a third."""
    axis = (1 - phase) * bulges.axis[row, 0] + phase * bulges.axis[row, 1]
    return local_frame(axis[None], bulges.across[row][None])[0]


def life_of(frames: Sequence[int], n_frames: int) -> tuple[float, float]:
    """When a bulge that is seen in some frames is born and gone, in frames: half a frame beyond those, or the movie."""
    birth = frames[0] - 0.7 if frames[0] > 0 else -CUT
    end = frames[-1] + 0.7 if frames[-1] < n_frames - 1 else n_frames - 1 + CUT
    return birth, end
