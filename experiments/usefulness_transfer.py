"""Images of synthetic masks from the pixels of a few real cells: each new cell wears a real one, stretched to its outline.

A pixel of a new cell lies in some direction from its middle, at some share of the way to its outline. It gets the grey value
of a randomly chosen real cell in the same direction and at the same share. So rims stay rims, and every grey value is real.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import edt
import numpy as np
from scipy.ndimage import distance_transform_edt, find_objects, gaussian_filter, gaussian_filter1d

from cytoform.movies.pairs.pairs import MaskedImage

N_ANGLES = 72
# A cell that the border of the image cuts is of use if its outline is seen in at least this share of all directions.
LEAST_SEEN = 0.25
# Width of the surroundings that come along with a real cell, and least number of whole cells; with fewer, cut ones serve too.
HALO_PX, FEWEST_WHOLE = 6, 4
# A background pixel is at least this far from every cell, where there are such pixels; shading is blurred by so much.
CLEAR_PX, SHADING_PX = 8, 10.0


@dataclass(frozen=True)
class Donor:
    """A real cell that gives its grey values."""

    plane: MaskedImage
    label: int
    middle_yx: np.ndarray
    radii_px: np.ndarray  # from the middle to the outline, by angle
    seen: tuple[float, float]  # first angle and width of the sector with the outline in the image
    nearest: np.ndarray  # (2, y, x) the cell's nearest pixel

    @classmethod
    def of(cls, plane: MaskedImage, label: int) -> "Donor":
        """Measure a cell."""
        inside = plane.labels_yx == label
        middle = np.argwhere(inside).mean(axis=0)
        radii = np.arange(0, np.hypot(*inside.shape), 0.5)
        directions = _unit(2 * np.pi * np.arange(N_ANGLES) / N_ANGLES)
        places = np.round(middle[:, None, None] + directions[:, :, None] * radii).astype(int)
        y, x = (np.clip(places[i], 0, n - 1) for i, n in enumerate(inside.shape))
        reached = np.where(inside[y, x], radii, 0).max(axis=1)
        ends = middle[:, None] + directions * (reached + 1)
        whole = np.all([(end >= 1) & (end <= n - 2) for end, n in zip(ends, inside.shape, strict=True)], axis=0)
        smooth = gaussian_filter1d(np.maximum(reached, 1.0), 1.0, mode="wrap")
        nearest = distance_transform_edt(~inside, return_distances=False, return_indices=True)
        return cls(plane, label, middle, smooth, _longest_sector(whole), nearest)

    def folded(self, angle: np.ndarray) -> np.ndarray:
        """Angles within the seen sector: beyond its ends they turn back."""
        first, width = self.seen
        if width >= 2 * np.pi:
            return angle
        return first + np.abs((angle - first + width) % (2 * width) - width)

    def radius_px(self, angle: np.ndarray) -> np.ndarray:
        """Distance of the outline from the middle in directions (radians)."""
        known = 2 * np.pi * np.arange(N_ANGLES + 1) / N_ANGLES
        return np.interp(angle % (2 * np.pi), known, [*self.radii_px, self.radii_px[0]])


@dataclass(frozen=True)
class Transfer:
    """Real cells and backgrounds of a few planes, which make images of any masks with cells of similar size."""

    donors: tuple[Donor, ...]
    planes: tuple[MaskedImage, ...]

    @classmethod
    def of(cls, planes: Sequence[MaskedImage]) -> "Transfer":
        """From all cells that the border does not cut; where these are too few, from the others too, most seen first."""
        cells = [Donor.of(plane, int(label)) for plane in planes for label in np.unique(plane.labels_yx) if label]
        seen = sorted(cells, key=lambda cell: -cell.seen[1])
        good = [cell for cell in seen if cell.seen[1] >= 2 * np.pi]
        if len(good) < FEWEST_WHOLE:
            good = [cell for cell in seen if cell.seen[1] >= LEAST_SEEN * 2 * np.pi] or seen[:1]
        return cls(tuple(good), tuple(planes))

    def image(self, labels_yx: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """An image of a mask; each cell wears a real one at random, turned or mirrored at random."""
        image = self._background(labels_yx.shape, rng)
        depth_px = edt.edt(np.ascontiguousarray(labels_yx))
        away_px, nearest = distance_transform_edt(labels_yx == 0, return_indices=True)
        owners = np.where(away_px <= HALO_PX, labels_yx[tuple(nearest)], 0)
        for number, window in enumerate(find_objects(owners), start=1):
            if window is not None:
                mine = owners[window] == number
                worn, share = self._worn(labels_yx[window] == number, depth_px[window], away_px[window], rng)
                share = np.where(mine, share, 0)
                image[window] = (1 - share) * image[window] + share * worn
        return image

    def _worn(
        self, inside: np.ndarray, depth_px: np.ndarray, away_px: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Grey values of a real cell in and around a new one, and how far they count."""
        donor = self.donors[rng.integers(len(self.donors))]
        offset = np.indices(inside.shape) - np.argwhere(inside).mean(axis=0)[:, None, None]
        distance = np.hypot(*offset)
        turned = np.arctan2(offset[0], offset[1]) * rng.choice([-1, 1]) + rng.uniform(0, 2 * np.pi)
        angle = donor.folded(turned)
        share_of_way = distance / np.maximum(distance + depth_px, 1e-6)
        radius = donor.radius_px(angle)
        source = donor.middle_yx[:, None, None] + _unit(angle) * np.where(
            inside, share_of_way * radius, radius + away_px
        )
        labels = donor.plane.labels_yx
        y, x = (np.clip(np.round(source[i]).astype(int), 0, n - 1) for i, n in enumerate(labels.shape))
        inner_y, inner_x = donor.nearest[:, y, x]
        values = np.where(inside, donor.plane.image_yx[inner_y, inner_x], donor.plane.image_yx[y, x])
        # Beside a real cell may be another one, which is no background.
        around = np.where(labels[y, x] == 0, 1 - away_px / (HALO_PX + 1), 0)
        return values.astype(np.float32), np.where(inside, 1, around)

    def _background(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """A real background; where real cells lie, its shading and its noise."""
        plane = self.planes[rng.integers(len(self.planes))]
        empty = plane.labels_yx == 0
        clear = distance_transform_edt(empty) > CLEAR_PX
        if not (clear if clear.any() else empty).any():
            return np.full(shape, np.median(plane.image_yx), np.float32)
        known = clear if clear.any() else empty
        image = plane.image_yx.astype(np.float32)
        nearest = distance_transform_edt(~known, return_distances=False, return_indices=True)
        shading = gaussian_filter(image[tuple(nearest)], SHADING_PX)
        noise = 1.48 * np.median(np.abs(image - shading)[known])  # of a normal distribution, without its outliers
        filled = np.where(known, image, shading + noise * rng.standard_normal(image.shape))
        filled = filled[:: rng.choice([-1, 1]), :: rng.choice([-1, 1])]
        pad = [(0, max(0, n - m)) for n, m in zip(shape, filled.shape, strict=True)]
        wide = np.pad(filled, pad, mode="symmetric")
        y, x = (int(rng.integers(m - n + 1)) for n, m in zip(shape, wide.shape, strict=True))
        return wide[y : y + shape[0], x : x + shape[1]].copy()


def _unit(angle: np.ndarray) -> np.ndarray:
    """Directions (y, x) of angles."""
    return np.stack([np.sin(angle), np.cos(angle)])


def _longest_sector(whole: np.ndarray) -> tuple[float, float]:
    """First angle and width of the longest run of true values around a circle."""
    step = 2 * np.pi / len(whole)
    if whole.all():
        return 0.0, 2 * np.pi
    best = (0.0, step)
    for first in range(len(whole)):
        run = np.roll(whole, -first)
        width = float((run.argmin() - 1) * step)
        if width > best[1]:
            best = (first * step, width)
    return best
