"""A cell's body joined with its protrusions by fillets: one labelled cell at one time, with its distance."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

from cytoform.shapes.tubes import smooth_union, union_distance
from cytoform.simulate.polyhedron import Polyhedron

FILLET_UM = 0.25
MEASURING_UM = 0.25  # spacing of the points that measure volume


@runtime_checkable
class Protrusion(Protocol):
    """A solid that sticks out of a body."""

    @property
    def bounds_zyx_um(self) -> Float[np.ndarray, "2 3"]:
        """Lowest and highest corner of the box around the solid."""
        ...

    @property
    def lines_zyx_um(self) -> list[Float[np.ndarray, "_ 3"]]:
        """Centre lines that masks of coarse voxels cover; none for a solid thicker than any allowed voxel."""
        ...

    def distance_um(self, points_zyx_um: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, " n"]:
        """Signed distance in µm, negative inside."""
        ...


@dataclass(frozen=True)
class ProtrudingBody:
    """A cell with its protrusions at one time: a polyhedron and solids joined by fillets."""

    body: Polyhedron
    protrusions: Sequence[Protrusion]
    label: int = 1
    max_slope: float = 1.25

    @cached_property
    def bounds_zyx_um(self) -> Float[np.ndarray, "2 3"]:
        """Bounding box of body and protrusions."""
        boxes = [self.body.bounds_zyx_um, *(protrusion.bounds_zyx_um for protrusion in self.protrusions)]
        return np.stack([np.min([b[0] for b in boxes], axis=0), np.max([b[1] for b in boxes], axis=0)])

    @property
    def lines_zyx_um(self) -> list[Float[np.ndarray, "_ 3"]]:
        """Centre lines of the protrusions."""
        return [line for protrusion in self.protrusions for line in protrusion.lines_zyx_um]

    def distance_um(self, points_zyx_um: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, " n"]:
        """Signed distance to body and protrusions in µm, exact outside except at the fillets."""
        return self._joined_um(points_zyx_um, self.body.distance_um(points_zyx_um))

    def volume_outside_um3(self) -> float:
        """Volume outside the body in µm³, fillets included, measured on a grid of 0.25 µm.

        A point counts by how far it lies inside, up to half the spacing: exact for flat surfaces on average, and without
        jumps as they move.
        """
        reach = FILLET_UM + MEASURING_UM
        near = [np.zeros((0, 3), dtype=int)]
        for protrusion in self.protrusions:
            indices = _grid_in(protrusion.bounds_zyx_um, margin_um=reach)
            near.append(indices[protrusion.distance_um(indices * MEASURING_UM) < reach])
        points = np.unique(np.concatenate(near), axis=0) * MEASURING_UM
        body = self.body.distance_um(points)
        whole, own = (np.clip(0.5 - d / MEASURING_UM, 0, 1) for d in (self._joined_um(points, body), body))
        return float((whole - own).sum() * MEASURING_UM**3)

    def _joined_um(
        self, points_zyx_um: Float[np.ndarray, "n 3"], body_um: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        solids = [(protrusion.bounds_zyx_um, protrusion.distance_um) for protrusion in self.protrusions]
        nearest = union_distance(solids, points_zyx_um, bound=body_um + FILLET_UM)
        return smooth_union(body_um, nearest, FILLET_UM)


def _grid_in(box_zyx_um: Float[np.ndarray, "2 3"], *, margin_um: float) -> Int[np.ndarray, "n 3"]:
    """Indices of the points of a grid of MEASURING_UM in a box with a margin."""
    low = np.floor((box_zyx_um[0] - margin_um) / MEASURING_UM).astype(int)
    high = np.ceil((box_zyx_um[1] + margin_um) / MEASURING_UM).astype(int)
    axes = [np.arange(a, b + 1) for a, b in zip(low, high, strict=True)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
