"""A cell's body joined with its protrusions by fillets: one labelled cell at one time, with its distance."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from jaxtyping import Float

from cytoform.simulate.analytic import smooth_union
from cytoform.simulate.polyhedron import Polyhedron

FILLET_UM = 0.25


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
        body = self.body.distance_um(points_zyx_um)
        nearest = nearest_um(self.protrusions, points_zyx_um, bound_um=body + FILLET_UM)
        return smooth_union(body, nearest, FILLET_UM)


def nearest_um(
    protrusions: Sequence[Protrusion], points_zyx_um: Float[np.ndarray, "n 3"], *, bound_um: Float[np.ndarray, " n"]
) -> Float[np.ndarray, " n"]:
    """Distance to the union of protrusions in µm, capped at `bound_um`."""
    best = bound_um.copy()
    for protrusion in protrusions:
        low, high = protrusion.bounds_zyx_um
        # The distance to the bounding box is a lower bound of the distance to the protrusion.
        outside = np.maximum(np.maximum(low - points_zyx_um, points_zyx_um - high), 0)
        near = np.einsum("ij,ij->i", outside, outside) <= np.maximum(best, 0) ** 2
        # Points inside the box are always compared, even if their bound is negative.
        chosen = np.flatnonzero(near)
        if len(chosen):
            best[chosen] = np.minimum(best[chosen], protrusion.distance_um(points_zyx_um[chosen]))
    return best
