"""Rendering of large images in overlapping, blended tiles without visible seams."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from cytoform.imaging.networks.conditions import Conditions

LARGEST_PX = 1024  # needs a few GB with a network of the published size
LEAST_BLEND_PX = 16
LEAST_STRIDES = 4
TileImage = Float32[np.ndarray, "y x"]


@dataclass(frozen=True)
class TileLayout:
    """Layout of tiles: squares of `side_px`, `step_px` apart, both multiples of the generator's stride.

    Within `margin_px` of a side shared with another tile, a tile has weight 0, because the generator lacked context
    there. Farther inside, its weight rises over `blend_px`.
    """

    side_px: int
    margin_px: int
    blend_px: int
    stride: int

    @classmethod
    def around(cls, *, reach_px: int, stride: int, side_px: int = LARGEST_PX) -> "TileLayout":
        """Layout for a generator with receptive field radius `reach_px`; the margin is at most a quarter of a tile."""
        margin = min(reach_px, side_px // 4)
        return cls(side_px // stride * stride, margin, LEAST_BLEND_PX, stride)

    @property
    def step_px(self) -> int:
        """Distance between neighbouring tiles."""
        step = (self.side_px - 2 * self.margin_px - self.blend_px) // self.stride * self.stride
        return max(step, self.stride)


def render_tiles(render: Callable[[Conditions], TileImage], seen: Conditions, layout: TileLayout) -> TileImage:
    """Apply `render` to condition channels of any size, tile by tile."""
    shape = seen.shape[1:]
    # Mirrored to whole strides, and at least LEAST_STRIDES: reflection padding inside a network needs a minimal size.
    wanted = [max(-(-length // layout.stride), LEAST_STRIDES) * layout.stride for length in shape]
    missing = [(0, side - length) for side, length in zip(wanted, shape, strict=True)]
    padded = np.pad(seen, [(0, 0), *missing], mode="symmetric")
    rows, columns = (_starts(length, layout) for length in padded.shape[1:])
    if len(rows) == len(columns) == 1:
        return render(padded)[: shape[0], : shape[1]]
    total, weights = (np.zeros(padded.shape[1:], np.float64) for _ in range(2))
    for y in rows:
        for x in columns:
            part = np.s_[y : y + layout.side_px, x : x + layout.side_px]
            tile = render(np.ascontiguousarray(padded[:, part[0], part[1]]))
            profiles = (
                _profile(start, length, whole, layout)
                for start, length, whole in zip((y, x), tile.shape, padded.shape[1:], strict=True)
            )
            weight = np.outer(*profiles)
            total[part] += weight * tile
            weights[part] += weight
    return (total / weights)[: shape[0], : shape[1]].astype(np.float32)


def _starts(length: int, layout: TileLayout) -> list[int]:
    """Start positions of tiles along an axis; the last tile ends at the border."""
    if length <= layout.side_px:
        return [0]
    last = length - layout.side_px
    return [*range(0, last, layout.step_px), last]


def _profile(start: int, length: int, whole: int, layout: TileLayout) -> np.ndarray:
    """Weights of a tile along an axis: 1 inside, almost 0 towards neighbouring tiles."""
    place = np.arange(length)
    before = place + 0.5 if start > 0 else np.full(length, np.inf)
    after = length - place - 0.5 if start + length < whole else np.full(length, np.inf)
    inside = (np.minimum(before, after) - layout.margin_px) / layout.blend_px
    # Never 0, because the margins of small tiles may overlap.
    return np.clip(inside, 1e-12, 1.0)
