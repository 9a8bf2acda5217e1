"""Flicker: change of the image of a cell from frame to frame, in the coordinates of the cell."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float, Integer

from cytoform.assess.images.bootstrap import FrameWeights
from cytoform.assess.images.frames import ImageFrame

CHANGES = ("mean_change", "texture_change")
# A cell that grows or moves more is another cell with the same label: silver truth does not always keep labels.
LARGEST_GROWTH, LARGEST_JUMP = 2.0, 2.0
FEWEST_CELL_PIXELS = 30


@dataclass(frozen=True)
class Flicker:
    """Changes of cells between consecutive frames, and the index of the earlier frame.

    `mean_change` is the absolute change of the mean intensity. `texture_change` is the root mean square change of the
    deviations from the mean, relative to unrelated textures: 0 for equal textures, 1 for unrelated ones.
    """

    mean_change: Float[np.ndarray, " n"]
    texture_change: Float[np.ndarray, " n"]
    frame: Integer[np.ndarray, " n"]

    def pooled(self, measure: str, weights: FrameWeights) -> float:
        """Weighted mean over cells and frames; NaN without any."""
        values, times = getattr(self, measure), weights[self.frame]
        known = np.isfinite(values)
        total = times[known].sum()
        return float(times[known] @ values[known] / total) if total else float("nan")


def flicker(frames: Sequence[ImageFrame]) -> Flicker:
    """Changes of every cell with the same label in two consecutive frames of a movie."""
    numbered = sorted(enumerate(frames), key=lambda each: (each[1].movie, each[1].number))
    found: list[tuple[float, float, int]] = []
    for (index, first), (_, second) in pairwise(numbered):
        if first.movie == second.movie and second.number == first.number + 1:
            found += [(*_changes(a, b), index) for a, b in _pairs(first, second)]
    means, textures, origin = np.array(found, float).reshape(-1, 3).T
    return Flicker(means, textures, origin.astype(int))


@dataclass(frozen=True)
class _Cell:
    """Crop of a cell: its pixels, its mask, and its corner in the image."""

    image: Float[np.ndarray, "h w"]
    mask: Bool[np.ndarray, "h w"]
    corner: Integer[np.ndarray, " 2"]

    @property
    def centroid(self) -> Float[np.ndarray, " 2"]:
        return self.corner + np.argwhere(self.mask).mean(axis=0)

    @property
    def area(self) -> int:
        return int(self.mask.sum())


def _pairs(first: ImageFrame, second: ImageFrame) -> Iterator[tuple[_Cell, _Cell]]:
    before, after = _cells(first), _cells(second)
    for label in sorted(before.keys() & after.keys()):
        a, b = before[label], after[label]
        small, large = sorted((a.area, b.area))
        diameter_px = 2 * np.sqrt(small / np.pi)
        jump_px = float(np.linalg.norm(a.centroid - b.centroid))
        if small >= FEWEST_CELL_PIXELS and large <= LARGEST_GROWTH * small and jump_px <= LARGEST_JUMP * diameter_px:
            yield a, b


def _cells(frame: ImageFrame) -> dict[int, _Cell]:
    """Cells that do not touch the border of the image, where the centroid would be wrong."""
    from scipy.ndimage import find_objects

    found = {}
    for label, box in enumerate(find_objects(frame.labels_yx), start=1):
        if box is None or any(s.start == 0 or s.stop == n for s, n in zip(box, frame.labels_yx.shape, strict=True)):
            continue
        corner = np.array([s.start for s in box])
        found[label] = _Cell(frame.image_yx[box].astype(np.float64), frame.labels_yx[box] == label, corner)
    return found


def _changes(a: _Cell, b: _Cell) -> tuple[float, float]:
    """Change of the mean, and of the texture in the overlap of the cells after aligning their centroids.

    Shifts are whole pixels, because interpolation would smooth the noise of one frame.
    """
    mean_change = abs(float(b.image[b.mask].mean() - a.image[a.mask].mean()))
    shift = np.round((b.centroid - b.corner) - (a.centroid - a.corner)).astype(int)
    low = np.maximum(0, -shift)
    high = np.minimum(a.mask.shape, b.mask.shape - shift)
    if (high <= low).any():
        return mean_change, float("nan")
    box_a = tuple(slice(l, h) for l, h in zip(low, high, strict=True))
    box_b = tuple(slice(l + s, h + s) for l, h, s in zip(low, high, shift, strict=True))
    both = a.mask[box_a] & b.mask[box_b]
    if both.sum() < FEWEST_CELL_PIXELS:
        return mean_change, float("nan")
    before, after = (c.image[box][both] - c.image[box][both].mean() for c, box in ((a, box_a), (b, box_b)))
    unrelated = float(np.sqrt(before.var() + after.var()))
    changed = float(np.sqrt(np.mean((after - before) ** 2)))
    return mean_change, changed / unrelated if unrelated else float("nan")
