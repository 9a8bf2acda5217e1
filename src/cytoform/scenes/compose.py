"""One frame of a scene: the label of every voxel, and the visible part of every cell."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt16

from cytoform.base.triples import Floats, IntTriple, Slices, Triple
from cytoform.scenes.bodies import Shape, taken_by

# Cells with a smaller share of their voxels in view are left out.
LEAST_SHARE = 0.01


@dataclass(frozen=True)
class View:
    """The part of a scene that a data set shows: `families` families, every `every`-th frame and every `planes`-th plane.

    A scene of images (`n_dims` 2) has one plane.
    """

    shape_zyx: IntTriple
    spacing_zyx_um: Triple
    families: int
    every: int = 1
    planes: int = 1
    projection: bool = False
    n_dims: int = 3

    @property
    def is_flat(self) -> bool:
        """Whether its frames are images."""
        return self.projection or self.n_dims < 3

    @property
    def seen_voxel(self) -> float:
        """Volume of a voxel of its volumes in µm³, or area of a pixel of its images in µm²."""
        z_um, y_um, x_um = self.seen_spacing_zyx_um
        return y_um * x_um if self.is_flat else z_um * y_um * x_um

    @property
    def seen_shape_zyx(self) -> IntTriple:
        """Shape of its volumes, before projection."""
        n_z, n_y, n_x = self.shape_zyx
        return len(range(self.planes // 2, n_z, self.planes)), n_y, n_x

    @property
    def seen_spacing_zyx_um(self) -> Triple:
        """Voxel size of its volumes."""
        z_um, y_um, x_um = self.spacing_zyx_um
        return z_um * self.planes, y_um, x_um


@dataclass(frozen=True)
class Placement:
    """A cell in one frame; `number` is its index among the bodies of the scene, `label` its value in the mask."""

    number: int
    label: int
    shape: Shape
    centre_zyx_um: Floats


@dataclass(frozen=True)
class Seen:
    """The visible part of a cell in a frame: number of voxels (pixels in a projection) and centroid in µm."""

    number: int
    n_voxels: int
    centroid_zyx_um: Triple


@dataclass(frozen=True)
class Composed:
    """A composed frame: labels, their projection if the view is one, and the visible part of each cell."""

    labels_zyx: UInt16[np.ndarray, "z y x"]
    projected_yx: UInt16[np.ndarray, "y x"] | None
    seen: tuple[Seen, ...]
    # Voxels inside more than one cell.
    n_shared: int


def compose(placements: Sequence[Placement], view: View, folder: Path) -> Composed:
    """Draw labelled cells into a frame; cells with too little in view are left out.

    In a projection, a pixel belongs to the cell that is thickest along z there, or the first of equally thick ones.
    """
    labels = np.zeros(view.seen_shape_zyx, np.uint16)
    thickest = np.zeros(view.seen_shape_zyx[1:], np.uint16)
    front = np.zeros(view.seen_shape_zyx[1:], np.uint16)
    seen, n_shared = [], 0
    for placement in placements:
        box, inside = _inside(placement, view, folder)
        if not inside.any():
            continue
        part = labels[box]
        n_shared += int((part[inside] > 0).sum())
        part[inside] = placement.label
        thickness = inside.sum(axis=0, dtype=np.uint16)
        wins = thickness > thickest[box[1:]]
        front[box[1:]][wins] = placement.label
        thickest[box[1:]][wins] = thickness[wins]
        seen.append(_seen(placement.number, inside, box, view))
    if not view.projection:
        return Composed(labels, None, tuple(seen), n_shared)
    return Composed(labels, front, tuple(_in_front(placements, seen, front, view)), n_shared)


def _inside(placement: Placement, view: View, folder: Path) -> tuple[Slices, np.ndarray]:
    """The box of a cell among the visible planes, and its mask there."""
    taken = taken_by(
        folder,
        placement.shape,
        centre_zyx_um=np.array(placement.centre_zyx_um),
        spacing_zyx_um=view.spacing_zyx_um[-view.n_dims :],
    ).volume
    n_whole = int(taken.inside.sum())
    clipped = taken.clipped(view.shape_zyx)
    inside = clipped.inside
    if int(inside.sum()) < max(LEAST_SHARE * n_whole, 1):
        inside = np.zeros_like(inside)
    z, y, x = clipped.slices
    first = -(-(z.start - view.planes // 2) // view.planes)
    kept = inside[first * view.planes + view.planes // 2 - z.start :: view.planes]
    return (slice(first, first + len(kept)), y, x), kept


def _seen(number: int, inside: np.ndarray, box: Slices, view: View) -> Seen:
    middle = np.argwhere(inside).mean(axis=0) + [side.start + 0.5 for side in box]
    z_um, y_um, x_um = (float(value) for value in middle * view.seen_spacing_zyx_um)
    return Seen(number, int(inside.sum()), (z_um, y_um, x_um))


def _in_front(placements: Sequence[Placement], seen: Sequence[Seen], front: np.ndarray, view: View) -> list[Seen]:
    """The visible part of each cell in a projection."""
    labels = {placement.number: placement.label for placement in placements}
    left = []
    for one in seen:
        pixels = np.argwhere(front == labels[one.number])
        if len(pixels) < 1:
            continue
        y_um, x_um = (pixels.mean(axis=0) + 0.5) * view.seen_spacing_zyx_um[1:]
        left.append(Seen(one.number, len(pixels), (0.0, float(y_um), float(x_um))))
    return left
