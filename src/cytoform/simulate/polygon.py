"""Closed polygons with exact signed distance: the bodies of simulated cells in images."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from cytoform.shapes.outline import Outline
from cytoform.simulate.polyhedron import SurfaceMap


@dataclass(frozen=True)
class Polygon:
    """A closed polygon without crossings. It is the exact shape, because `distance_um` is exact for it."""

    vertices_yx_um: Float[np.ndarray, "vertices 2"]

    @cached_property
    def outline(self) -> Outline:
        """The same as an outline in x, y."""
        vertices = np.arange(len(self.vertices_yx_um))
        outline = Outline(self.vertices_yx_um[:, ::-1], np.stack([vertices, np.roll(vertices, -1)], axis=1))
        return outline if outline.area_um2 > 0 else Outline(outline.vertices_xy_um, outline.segments[:, ::-1])

    @property
    def size(self) -> float:
        """Exact area in µm², as the size in any number of dimensions."""
        return self.outline.area_um2

    @property
    def bounds_zyx_um(self) -> Float[np.ndarray, "2 2"]:
        """Lowest and highest corner of the rectangle around the shape."""
        return np.stack([self.vertices_yx_um.min(axis=0), self.vertices_yx_um.max(axis=0)])

    def distance_um(self, points_yx_um: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, " n"]:
        """Exact signed distance, negative inside: where a ray along x crosses an odd number of edges."""
        start, along = self.vertices_yx_um, np.roll(self.vertices_yx_um, -1, axis=0) - self.vertices_yx_um
        away = points_yx_um[:, None] - start
        lengths = np.maximum((along**2).sum(axis=1), np.finfo(float).tiny)
        share = np.clip((away * along).sum(axis=2) / lengths, 0, 1)
        distance = np.linalg.norm(away - share[..., None] * along, axis=2).min(axis=1)
        crosses = (away[..., 0] >= 0) != (away[..., 0] >= along[:, 0])
        slope = np.divide(along[:, 1], along[:, 0], out=np.zeros(len(along)), where=along[:, 0] != 0)
        ahead = away[..., 1] < away[..., 0] * slope
        return np.where((crosses & ahead).sum(axis=1) % 2, -distance, distance)

    def placed(self, place: SurfaceMap) -> "Polygon":
        """The polygon whose vertices are where `place` takes those of this one."""
        return Polygon(place(self.vertices_yx_um))

    def resized(self, area_um2: float, centre_yx_um: Float[np.ndarray, " 2"]) -> "Polygon":
        """The same shape scaled about `centre_yx_um` to exactly this area."""
        scale = (area_um2 / self.size) ** (1 / 2)
        return Polygon(centre_yx_um + scale * (self.vertices_yx_um - centre_yx_um))


def mirror(
    heights: Float[np.ndarray, " rings"], radii: Float[np.ndarray, " rings"], axis: Float[np.ndarray, " 2"]
) -> Polygon:
    """The polygon with these half-widths at heights along an axis; both ends lie on the axis."""
    across = axis[::-1] * (1, -1)
    sides = [heights[:, None] * axis + side * radii[:, None] * across for side in (1, -1)]
    return Polygon(np.concatenate([sides[0], sides[1][-2:0:-1]]))
