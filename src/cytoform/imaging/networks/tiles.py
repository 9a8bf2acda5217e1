"""Images of any size in tiles that overlap and blend, so that no seam shows."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

LARGEST_PX = 1024  # what a network of the paper's size renders in a few GB
LEAST_BLEND_PX = 16
LEAST_STRIDES = 4
Conditions = Float32[np.ndarray, "channels y x"]
Grey = Float32[np.ndarray, "y x"]


@dataclass(frozen=True)
class Window:
    """How an image is cut: tiles of `side_px`, `step_px` apart, both multiples of the generator's stride.

    A tile counts nothing within `margin_px` of a side that another tile lies beyond: there the generator has missed
    what it should have seen. From there on its weight rises over `blend_px`.
    """

    side_px: int
    margin_px: int
    blend_px: int
    stride: int

    @classmethod
    def around(cls, *, reach_px: int, stride: int, side_px: int = LARGEST_PX) -> "Window":
        """For a generator that sees so far. One that sees further than a quarter of a tile has to do with that."""
        margin = min(reach_px, side_px // 4)
        return cls(side_px // stride * stride, margin, LEAST_BLEND_PX, stride)

    @property
    def step_px(self) -> int:
        """From one tile to the next."""
        step = (self.side_px - 2 * self.margin_px - self.blend_px) // self.stride * self.stride
        return max(step, self.stride)


def render_tiles(render: Callable[[Conditions], Grey], seen: Conditions, window: Window) -> Grey:
    """What `render` makes of conditions of any size."""
    shape = seen.shape[1:]
    # Mirrored up to whole strides, and to a few of them at least: a network mirrors its features, too, and needs some.
    wanted = [max(-(-length // window.stride), LEAST_STRIDES) * window.stride for length in shape]
    missing = [(0, side - length) for side, length in zip(wanted, shape, strict=True)]
    padded = np.pad(seen, [(0, 0), *missing], mode="symmetric")
    rows, columns = (_starts(length, window) for length in padded.shape[1:])
    if len(rows) == len(columns) == 1:
        return render(padded)[: shape[0], : shape[1]]
    total, weights = (np.zeros(padded.shape[1:], np.float64) for _ in range(2))
    for y in rows:
        for x in columns:
            part = np.s_[y : y + window.side_px, x : x + window.side_px]
            tile = render(np.ascontiguousarray(padded[:, part[0], part[1]]))
            profiles = (
                _profile(start, length, whole, window)
                for start, length, whole in zip((y, x), tile.shape, padded.shape[1:], strict=True)
            )
            weight = np.outer(*profiles)
            total[part] += weight * tile
            weights[part] += weight
    return (total / weights)[: shape[0], : shape[1]].astype(np.float32)


def _starts(length: int, window: Window) -> list[int]:
    """Where tiles begin along an axis; the last one ends with it."""
    if length <= window.side_px:
        return [0]
    last = length - window.side_px
    return [*range(0, last, window.step_px), last]


def _profile(start: int, length: int, whole: int, window: Window) -> np.ndarray:
    """Weights of a tile along an axis: 1 inside, falling to almost nothing towards its neighbours."""
    place = np.arange(length)
    before = place + 0.5 if start > 0 else np.full(length, np.inf)
    after = length - place - 0.5 if start + length < whole else np.full(length, np.inf)
    inside = (np.minimum(before, after) - window.margin_px) / window.blend_px
    # Never quite 0, for tiles so small that their margins meet.
    return np.clip(inside, 1e-12, 1.0)
