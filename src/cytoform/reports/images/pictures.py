"""Real and generated images side by side at the same contrast, and enlarged places with the contours of the masks."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

from cytoform.assess.images.frames import ImageFrame
from cytoform.assess.images.similarity import partners
from cytoform.pictures.page import figure, image, scrolling

VIEW_PX, ZOOM_PX, ZOOM = 512, 96, 3
VIEWS, ZOOMS = 2, 3
CONTOUR = (0, 158, 115)
# Shares of the pixels of real images that are shown as black and as white.
CLIPPED = (0.001, 0.998)


@dataclass(frozen=True)
class Column:
    """A set of images in a table of pictures."""

    label: str
    frames: Sequence[ImageFrame]

    def caption(self, frame: ImageFrame) -> str:
        """Of one of them."""
        several = len({each.movie for each in self.frames}) > 1
        return f"{self.label}, {frame.name if several else f'frame {frame.number}'}"


def contrast(frames: Sequence[ImageFrame]) -> tuple[float, float]:
    """The intensities shown as black and as white, for all sets."""
    ends = np.array([np.quantile(frame.image_yx, CLIPPED) for frame in frames])
    low, high = float(np.median(ends[:, 0])), float(np.median(ends[:, 1]))
    return (low, high) if high > low else (low, low + 1)


def side_by_side(columns: Sequence[Column]) -> str:
    """Frames of all sets: in each row those on the same mask, where there is one. The first column is of real ones."""
    limits = contrast(columns[0].frames)
    cells = []
    for row in _rows(columns, VIEWS):
        for column, frame in zip(columns, row, strict=True):
            at = _window(frame, VIEW_PX, 0)
            cells.append(_figure([_png(_grey(frame.image_yx[at], limits))], column.caption(frame)))
    return _table(cells, len(columns))


def enlarged(columns: Sequence[Column]) -> str:
    """The places with most cells, plain and with contours."""
    limits = contrast(columns[0].frames)
    cells = []
    for number, row in enumerate(_rows(columns, ZOOMS)):
        shown = [(column, frame, _window(frame, ZOOM_PX, number)) for column, frame in zip(columns, row, strict=True)]
        if all(frame.labels_yx.shape == row[0].labels_yx.shape for frame in row):
            shown = [(column, frame, shown[0][2]) for column, frame, _ in shown]
        for column, frame, at in shown:
            grey = _grey(frame.image_yx[at], limits).repeat(ZOOM, axis=0).repeat(ZOOM, axis=1)
            caption = f"{column.caption(frame)}, from row {at[0].start} and column {at[1].start}"
            cells.append(_figure([_png(grey), _png(_outlined(grey, frame.labels_yx[at]))], caption))
    return _table(cells, len(columns))


def _rows(columns: Sequence[Column], n: int) -> list[list[ImageFrame]]:
    """Frames to show: spread over the real ones, and for each set that on the same mask, or at the same share of its frames."""
    real = columns[0].frames
    pairs = [dict(partners(real, column.frames)) for column in columns[1:]]
    shown = np.unique(np.linspace(0, len(real) - 1, min(n, len(real))).round().astype(int)).tolist()
    shown += [shown[-1]] * (min(n, len(real)) - len(shown))
    rows = []
    for i in shown:
        share = i / max(len(real) - 1, 1)
        others = [
            column.frames[pair.get(i, round(share * (len(column.frames) - 1)))]
            for column, pair in zip(columns[1:], pairs, strict=True)
        ]
        rows.append([real[i], *others])
    return rows


def _window(frame: ImageFrame, side: int, rank: int) -> tuple[slice, slice]:
    """The square, of those on a grid, with most cells but for `rank` others; the whole of a smaller image."""
    y, x = frame.labels_yx.shape
    corners = [(a, b) for a in _starts(y, side) for b in _starts(x, side)]
    taken = [-np.count_nonzero(frame.labels_yx[a : a + side, b : b + side]) for a, b in corners]
    a, b = corners[np.argsort(taken, kind="stable")[min(rank, len(corners) - 1)]]
    return np.s_[a : a + side, b : b + side]


def _starts(length: int, side: int) -> list[int]:
    return np.unique(np.linspace(0, max(length - side, 0), -(-length // side)).astype(int)).tolist()


def _grey(values: np.ndarray, limits: tuple[float, float]) -> UInt8[np.ndarray, "y x"]:
    low, high = limits
    scaled: Float[np.ndarray, "y x"] = (values.astype(np.float64) - low) / (high - low)
    return np.round(255 * np.clip(scaled, 0, 1)).astype(np.uint8)


def _outlined(grey: UInt8[np.ndarray, "y x"], labels: np.ndarray) -> UInt8[np.ndarray, "y x 3"]:
    from skimage.segmentation import find_boundaries

    edges = find_boundaries(labels.repeat(ZOOM, axis=0).repeat(ZOOM, axis=1), mode="thick")
    colours = np.stack([grey] * 3, axis=-1)
    colours[edges] = CONTOUR
    return colours


def _png(pixels: np.ndarray) -> bytes:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format="png", optimize=True)
    return stream.getvalue()


def _figure(pngs: Sequence[bytes], caption: str) -> str:
    """A picture, or one and the same with contours beside it."""
    drawn = [image("png", png, caption if i == 0 else "with the contours of the mask") for i, png in enumerate(pngs)]
    return figure(f'<div class="row">{"".join(drawn)}</div>', caption)


def _table(cells: Sequence[str], columns: int) -> str:
    return scrolling(f'<div class="shots" style="--columns:{columns}">{"".join(cells)}</div>', "Pictures")
