"""Planes between known planes of a frame. Only the masks of the known planes are used, at their physical distance."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from cytoform.base.triples import Slices
from cytoform.completion.fields import MARGIN_VOXELS, Field, transform_voxels
from cytoform.completion.frames import Filled, as_distance
from cytoform.completion.gaps import gap_at
from cytoform.completion.mixture import Example, Mixture
from cytoform.completion.registration import SMOOTH, LucasKanade, halfway
from cytoform.completion.uncertainty import SURFACE_VOXELS, Calibration, rms
from cytoform.completion.ways import Between, mean
from cytoform.errors import InputError
from cytoform.shapes.box import bounding_box
from cytoform.shapes.distance import resample
from cytoform.shapes.level import level_of
from cytoform.shapes.sequence import ShapeSequence
from cytoform.shapes.store import ShapeStore


@dataclass(frozen=True, eq=False)
class Planes:
    """A frame of which every `every`-th plane is known, from the plane `first` on; `masks` are the known planes."""

    masks: Bool[np.ndarray, "known y x"]
    first: int
    every: int
    n_planes: int

    @classmethod
    def of(cls, mask: Bool[np.ndarray, "z y x"], every: int) -> "Planes":
        """The known planes of a whole mask."""
        first = every // 2
        return cls(mask[first::every], first, every, len(mask))

    @property
    def known(self) -> Bool[np.ndarray, " planes"]:
        """Whether each plane is known."""
        known = np.zeros(self.n_planes, bool)
        known[self.first :: self.every] = True
        return known

    @cached_property
    def distances(self) -> Field:
        """Signed distances in voxels within each known plane; in an empty one the distance to the next known plane."""
        outside = np.full(self.masks.shape[1:], self.every, np.float32)
        return np.stack([transform_voxels(mask) if mask.any() else outside for mask in self.masks])

    def thinned(self) -> "Planes":
        """Every second known plane hidden."""
        return replace(self, masks=self.masks[::2], every=2 * self.every)


def level(planes: Planes) -> Field:
    """The smooth surface behind thick slices: splines through distances in space (shapes/level.py)."""
    found = level_of(planes.masks, np.array([planes.every, 1.0, 1.0]))
    n_y, n_x = planes.masks.shape[1:]
    z = np.arange(planes.n_planes) - planes.first + planes.every / 2
    return resample(found, [z.astype(float), np.arange(n_y) + 0.5, np.arange(n_x) + 0.5])


def slicewise(planes: Planes, *, way: Callable[[Between], Field] = mean) -> Field:
    """Each plane from the distances in the two known planes beside it (Raya and Udupa 1990)."""
    field = np.full((planes.n_planes, *planes.masks.shape[1:]), planes.every, np.float32)
    known = [int(plane) for plane in np.flatnonzero(planes.known)]
    field[known] = planes.distances
    for plane in np.flatnonzero(~planes.known):
        gap = gap_at("", float(plane), known)
        if gap.is_between and planes.masks[[known.index(one) for one in gap.neighbours]].any():
            beside = tuple(planes.distances[known.index(one)] for one in gap.neighbours)
            field[plane] = way(Between(gap.position, tuple(map(float, gap.neighbours)), beside))
    return field


def _registered(between: Between, *, settings: LucasKanade) -> Field:
    """Registered planes; beside an empty plane there is nothing to register."""
    before, after = between.nearest
    if min(before.min(), after.min()) > 0 or max(before.min(), after.min()) > 0:
        return mean(between)
    return halfway(before, after, between.share, settings)


PLANE_WAYS: dict[str, Callable[[Planes], Field]] = {
    "slicewise": slicewise,
    "registered": partial(slicewise, way=partial(_registered, settings=SMOOTH)),
    "level": level,
}


def check_planes(store: ShapeStore, every: int) -> None:
    """Raise InputError for planes of images, which have none."""
    if every > 1 and "z" not in store.grid.axes:
        raise InputError(
            f"--every-plane {every}: {store.path} holds 2D cells, which have no planes along z; leave it out"
        )


def hide_planes(store: Path, name: str, frame: int, every: int) -> Example | None:
    """All ways at every second known plane of a frame; None where the cell is in these planes only, or in the others."""
    mask = ShapeStore.open(store)[name].mask(frame)
    planes = Planes.of(mask[_around(mask)], every)
    thinned, number = planes.thinned(), np.arange(1, len(planes.masks) - 1, 2)
    if not (thinned.masks.any() and planes.masks[number].any()):
        return None
    hidden = planes.first + number * every
    before, after = planes.distances[number - 1], planes.distances[number + 1]
    values = [way(thinned)[hidden] for way in PLANE_WAYS.values()]
    return Example.of(values, level(planes)[hidden], before=before, after=after, nearest=before, width=2 * every)


def fill_planes(sequence: ShapeSequence, frame: int, every: int, mixture: Mixture, calibration: Calibration) -> Filled:
    """The whole frame from its known planes. Known planes keep their distances."""
    sdf_um = sequence.sdf_um(frame)
    box = _around(sdf_um <= 0)
    planes = Planes.of(sdf_um[box] <= 0, every)
    if not planes.masks.any():
        raise InputError(
            f"{sequence.info.name}, frame {frame}: none of every {every} planes cuts the cell; use a smaller --every-plane"
        )
    field = mixture.field(PLANE_WAYS, planes)
    corner_zyx = (0, box[1].start, box[2].start)
    filled_um = as_distance(field, corner_zyx, sequence.grid)
    filled_um[planes.known] = sdf_um[planes.known]
    expected = calibration.expected(_change(planes, field), share=0.5, width=every)
    return Filled(filled_um, None if expected is None else expected * sequence.grid.spacing_um)


def _around(mask: Bool[np.ndarray, "z y x"]) -> Slices:
    """All planes, in the box around the cell with a margin."""
    _, y, x = (slice(max(side.start - MARGIN_VOXELS, 0), side.stop + MARGIN_VOXELS) for side in bounding_box(mask))
    return slice(None), y, x


def _change(planes: Planes, field: Field) -> float:
    """How far the outlines of neighbouring known planes lie apart at the surface between them: root mean square, voxels.

    Weighted by the place between them like the error of a Brownian bridge, which is 1 in the middle.
    """
    known = [int(plane) for plane in np.flatnonzero(planes.known)]
    found = [np.zeros(0, np.float32)]
    for before, after, first in zip(planes.distances, planes.distances[1:], known, strict=False):
        for plane in range(first + 1, first + planes.every):
            share = (plane - first) / planes.every
            on_surface = np.abs(field[plane]) < SURFACE_VOXELS
            found.append((before - after)[on_surface] * np.float32(2 * np.sqrt(share * (1 - share))))
    return rms(np.concatenate(found))
