"""One frame of a scene: which voxel belongs to which cell, and what is seen of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt16

from cytoform.base.triples import IntTriple, Slices, Triple
from cytoform.scenes.bodies import Shape, taken_by

# A cell of which less than this share is in view is not in the picture.
LEAST_SHARE = 0.01


@dataclass(frozen=True)
class View:
    """What of a scene a data set shows: how many families, which frames and planes, and whether as projections."""

    shape_zyx: IntTriple
    spacing_zyx_um: Triple
    families: int
    every: int = 1
    planes: int = 1
    projection: bool = False

    @property
    def seen_shape_zyx(self) -> IntTriple:
        """Voxels of its volumes, without regard to projection."""
        n_z, n_y, n_x = self.shape_zyx
        return len(range(self.planes // 2, n_z, self.planes)), n_y, n_x

    @property
    def seen_spacing_zyx_um(self) -> Triple:
        """Their size."""
        z_um, y_um, x_um = self.spacing_zyx_um
        return z_um * self.planes, y_um, x_um


@dataclass(frozen=True)
class Placement:
    """A cell in one frame; `number` is its place among the bodies of the scene, `label` what it is called there."""

    number: int
    label: int
    shape: Shape
    centre_zyx_um: Triple


@dataclass(frozen=True)
class Seen:
    """What is seen of a cell in a frame: voxels, or pixels of a projection; the centroid in µm."""

    number: int
    n_voxels: int
    centroid_zyx_um: Triple


@dataclass(frozen=True)
class Composed:
    """A frame: labels (z, y, x), in a projection the labels in front and one plane, and what is seen of each cell."""

    labels_zyx: UInt16[np.ndarray, "z y x"]
    projected_yx: UInt16[np.ndarray, "y x"] | None
    seen: tuple[Seen, ...]
    # Voxels that more than one cell claims.
    n_shared: int


def compose(placements: Sequence[Placement], view: View, folder: Path) -> Composed:
    """Put cells into a frame, each under its label, unless too little of it is in view.

    In a projection, a pixel belongs to the cell that is thickest along z there; of equally thick ones, to the first.
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
    """The box of the seen planes that a cell is in, and which of its voxels are inside."""
    taken = taken_by(
        folder,
        placement.shape,
        centre_zyx_um=np.array(placement.centre_zyx_um),
        spacing_zyx_um=view.spacing_zyx_um,
    )
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
    """What a projection leaves of each cell."""
    labels = {placement.number: placement.label for placement in placements}
    left = []
    for one in seen:
        pixels = np.argwhere(front == labels[one.number])
        if len(pixels) < 1:
            continue
        y_um, x_um = (pixels.mean(axis=0) + 0.5) * view.seen_spacing_zyx_um[1:]
        left.append(Seen(one.number, len(pixels), (0.0, float(y_um), float(x_um))))
    return left
