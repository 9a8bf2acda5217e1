"""A GIF writer with constant memory; Pillow's keeps all pictures until the end."""

from fractions import Fraction
from typing import BinaryIO

import numpy as np
from jaxtyping import UInt8
from PIL import GifImagePlugin, Image

from cytoform.pictures.film.drawing import INKS, Pixels
from cytoform.pictures.film.style import MovieStyle
from cytoform.pictures.rendering import shades

Indices = UInt8[np.ndarray, "rows columns"]
GROUND = 0  # index of the background in the palette


class GifWriter:
    """Writes a looping GIF; of each picture, only the rectangle that has changed."""

    def __init__(self, file: BinaryIO, *, fps: Fraction, style: MovieStyle, n_sides: int, comment: str) -> None:
        self._file, self._fps, self._comment = file, fps, comment
        self._ground = np.array(INKS[style.background][0][:3], np.uint8)
        self._palette = palette_image(style, n_sides)
        # The last picture is written when its duration is known.
        self._shown: Indices | None = None
        self._box = (0, 0, 0, 0)
        self._n_pictures, self._written_cs = 0, 0

    def show(self, picture: Pixels) -> None:
        """Add a picture; an unchanged one only prolongs the last."""
        indices = self._indices(picture)
        if self._shown is None:
            for part in GifImagePlugin.getheader(self._image(indices), info={"loop": 0, "comment": self._comment})[0]:
                self._file.write(part)
            self._box = (0, 0, indices.shape[1], indices.shape[0])
        else:
            differs = indices != self._shown
            rows, columns = (np.flatnonzero(differs.any(axis=axis)) for axis in (1, 0))
            if not len(rows):
                self._n_pictures += 1
                return
            self._flush()
            self._box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
        self._shown = indices
        self._n_pictures += 1

    def close(self) -> None:
        """Write the last picture and the end of the file."""
        self._flush()
        self._file.write(b";")

    def _flush(self) -> None:
        if self._shown is None:
            return
        left, top, right, bottom = self._box
        # GIF has a resolution of 10 ms; rounding the end times prevents a drift.
        until_cs = round(100 * self._n_pictures / self._fps)
        part = self._image(self._shown[top:bottom, left:right])
        duration_ms = 10 * max(until_cs - self._written_cs, 1)
        for data in GifImagePlugin.getdata(part, (left, top), duration=duration_ms, disposal=1):
            self._file.write(data)
        self._written_cs = until_cs

    def _indices(self, picture: Pixels) -> Indices:
        rgb = np.ascontiguousarray(picture[..., :3])
        found = Image.fromarray(rgb).quantize(palette=self._palette, dither=Image.Dither.NONE)
        indices = np.array(found)
        # Pillow looks colours up in cubes of four values, which may turn the background into a similar shade.
        indices[(rgb == self._ground).all(axis=-1)] = GROUND
        return indices

    def _image(self, indices: Indices) -> Image.Image:
        image = Image.fromarray(np.ascontiguousarray(indices), "P")
        image.putpalette(self._palette.getpalette() or [])
        return image


def palette_image(style: MovieStyle, n_sides: int) -> Image.Image:
    """An image with the palette of a movie: background, greys of text, and all shades of the cells."""
    ground, *inks = (np.array(ink[:3], float) for ink in INKS[style.background])
    blends = [ground + share * (ink - ground) for ink in inks for share in np.linspace(0.2, 1, 5)]
    colours = [ground, *blends]
    lit = [shades(colour) for colour in style.side_colours[:n_sides]]
    edges = [ground + share * (shade[::7] - ground) for shade in lit for share in (0.25, 0.5, 0.75)]
    swatch = Image.fromarray(np.rint(np.concatenate([*lit, *edges]))[None].astype(np.uint8))
    # Not by frequency, which would leave too few entries for small highlights.
    fitted = swatch.quantize(256 - len(colours), method=Image.Quantize.MAXCOVERAGE).getpalette()
    palette = [round(float(value)) for colour in colours for value in colour] + (fitted or [])
    image = Image.new("P", (1, 1))
    image.putpalette((palette + [0] * 768)[:768])
    return image
