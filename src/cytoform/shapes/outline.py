"""Closed outlines of a cell in an image, in µm."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from cytoform.base.triples import Ints
from cytoform.errors import EmptyFrame


@dataclass(frozen=True)
class Outline:
    """Closed polygons, counter-clockwise around the cell; vertices are (x, y) in µm from the corner of the square."""

    vertices_xy_um: Float[np.ndarray, "vertices 2"]
    segments: Int[np.ndarray, "segments 2"]

    @property
    def vertices_um(self) -> Float[np.ndarray, "vertices 2"]:
        """The vertices, as of any boundary."""
        return self.vertices_xy_um

    @property
    def faces(self) -> Int[np.ndarray, "segments 2"]:
        """The segments, as the faces of any boundary."""
        return self.segments

    @property
    def area_um2(self) -> float:
        """Area inside (shoelace formula)."""
        return float(self._crosses.sum() / 2)

    @property
    def perimeter_um(self) -> float:
        """Length of all polygons."""
        start, end = self.ends
        return float(np.linalg.norm(end - start, axis=1).sum())

    @property
    def size(self) -> float:
        """Area inside in µm², as the size of any boundary."""
        return self.area_um2

    @property
    def extent(self) -> float:
        """Perimeter in µm, as the extent of any boundary."""
        return self.perimeter_um

    @property
    def centroid_um(self) -> Float[np.ndarray, " 2"]:
        """Centroid of the area inside: the mean of the triangles from the mean vertex to every segment."""
        middle = self.vertices_xy_um.mean(axis=0, dtype=float)
        about = Outline(self.vertices_xy_um.astype(float) - middle, self.segments)
        start, end = about.ends
        areas = about._crosses
        return np.asarray(middle + areas @ (start + end) / 3 / areas.sum())

    @property
    def ends(self) -> tuple[Float[np.ndarray, "segments 2"], Float[np.ndarray, "segments 2"]]:
        """First and last point of every segment."""
        start, end = (self.vertices_xy_um[self.segments[:, side]].astype(float) for side in (0, 1))
        return start, end

    def moved(self, shift_xy_um: Float[np.ndarray, " 2"]) -> "Outline":
        """The same outline elsewhere."""
        return Outline((self.vertices_xy_um + shift_xy_um).astype(np.float32), self.segments)

    def write(self, path: str | Path) -> None:
        """Write a CSV table: a row for every vertex, in the order of the polygons."""
        closing = np.diff(self.segments, axis=1)[:, 0] < 0
        polygons = np.cumsum(np.concatenate([[0], closing[:-1]]))
        with Path(path).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["polygon", "x_um", "y_um"])
            writer.writerows(
                [polygon, f"{x:.6g}", f"{y:.6g}"]
                for polygon, (x, y) in zip(polygons.tolist(), self.vertices_xy_um.tolist(), strict=True)
            )

    @property
    def _crosses(self) -> Float[np.ndarray, " segments"]:
        """Twice the signed area of the triangle from the corner of the square to each segment."""
        start, end = self.ends
        return np.asarray(start[:, 0] * end[:, 1] - start[:, 1] * end[:, 0])


def outline_from_distance(sdf_um: Float[np.ndarray, "y x"], spacing_um: float, *, corner_zyx: Ints = (0, 0)) -> Outline:
    """The zero level of the distances of an image by marching squares.

    The outline is closed even if the cell touches the border. `corner_zyx` is the index of the first pixel (y, x) in a
    larger grid. Raises EmptyFrame if no pixel is inside.
    """
    if not (sdf_um <= 0).any():
        raise EmptyFrame("no pixel is inside the cell, so there is no outline")
    outside = max(float(np.abs(sdf_um).max()), spacing_um)
    padded = np.pad(np.asarray(sdf_um, np.float32), 1, constant_values=outside)
    # A pixel of exactly 0 is inside, but segments would collapse onto it.
    padded[padded == 0] = -1e-6 * spacing_um
    vertices_yx, segments = zero_level(padded)
    vertices_xy_um = ((vertices_yx + corner_zyx - 0.5) * spacing_um)[:, ::-1].astype(np.float32)
    return Outline(np.ascontiguousarray(vertices_xy_um), segments)


def zero_level(
    values: Float[np.ndarray, "y x"],
) -> tuple[Float[np.ndarray, "vertices 2"], Int[np.ndarray, "segments 2"]]:
    """Vertices (y, x) in pixels from the centre of the first one, and segments of the zero level of an image.

    Inside pixels that touch at their corners are connected. The border has to be outside.
    """
    from skimage.measure import find_contours

    # The last point of a polygon is its first.
    polygons = [each[:-1] for each in find_contours(values, 0.0, fully_connected="low", positive_orientation="high")]
    first = np.cumsum([0, *map(len, polygons)])
    segments = [
        np.stack([np.arange(n), np.roll(np.arange(n), -1)], axis=1) + start
        for n, start in zip(map(len, polygons), first, strict=False)
    ]
    return np.concatenate(polygons), np.concatenate(segments)


def outline_points(outline: Outline, n_points: int, rng: np.random.Generator) -> Float[np.ndarray, "points 2"]:
    """Random points (x, y) in µm, uniform over the length of an outline."""
    start, end = outline.ends
    lengths = np.linalg.norm(end - start, axis=1)
    segment = rng.choice(len(lengths), n_points, p=lengths / lengths.sum())
    return start[segment] + rng.random(n_points)[:, None] * (end - start)[segment]
