"""Encoders that write pictures one by one, with constant memory.

mp4      H.264 in 4:2:0 with the index at the front; plays in browsers, slides and on phones
gif      one palette for the whole movie, from the shades of the cells; loops forever
frames   0000.png, 0001.png, …
sheet    one PNG
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from cytoform.errors import InputError
from cytoform.pictures.film.drawing import Pixels
from cytoform.pictures.film.gif import GifWriter
from cytoform.pictures.film.style import MovieFormat, MovieStyle

# Appends a picture.
Show = Callable[[Pixels], None]
QUALITY = "16"  # constant rate factor of x264; 18 and less is visually lossless
BT709, LIMITED = 1, 1  # colour coding of HD video, in the numbers of ITU-T H.273


@dataclass(frozen=True)
class EncoderSettings:
    """Settings of an encoder; the comment is stored in the file."""

    size_px: tuple[int, int]
    fps: Fraction
    style: MovieStyle
    n_sides: int
    comment: str


def require_encoder(chosen: MovieFormat) -> None:
    """Raise InputError if the format needs a package that is not installed."""
    if chosen.name == "mp4":
        _h264()


def encoder(chosen: MovieFormat, path: Path, settings: EncoderSettings) -> contextlib.AbstractContextManager[Show]:
    """A context manager that gives a function to append pictures; the file is complete at its end."""
    return ENCODERS[chosen.name](path, settings)


def _h264() -> Any:
    try:
        import av
    except ImportError:
        raise InputError(
            "an .mp4 needs PyAV; install it with: pip install 'cytoform[movie]', or write a .gif"
        ) from None
    if "libx264" not in av.codecs_available:
        raise InputError("this PyAV has no H.264 encoder; install the one of PyPI (pip install av), or write a .gif")
    return av


@contextlib.contextmanager
def _mp4(path: Path, settings: EncoderSettings) -> Iterator[Show]:
    av = _h264()
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        container.metadata["comment"] = settings.comment
        # The same bytes each time: x264 divides its work by threads, and what it does fast on one processor
        # (the costs of its rate control) depends on the processor and on memory that nobody has written.
        options = {"crf": QUALITY, "preset": "medium", "threads": "1", "x264-params": "cpu-independent=1"}
        stream = container.add_stream("libx264", rate=settings.fps, options=options)
        stream.width, stream.height = settings.size_px
        stream.pix_fmt = "yuv420p"
        # Convert and label colours alike; without a label, players guess the coding from the size.
        context = stream.codec_context
        context.colorspace = context.color_primaries = context.color_trc = BT709
        context.color_range = LIMITED

        def show(picture: Pixels) -> None:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture[..., :3]), format="rgb24")
            container.mux(stream.encode(frame.reformat(format="yuv420p", dst_colorspace="ITU709")))

        yield show
        container.mux(stream.encode(None))


@contextlib.contextmanager
def _gif(path: Path, settings: EncoderSettings) -> Iterator[Show]:
    with path.open("wb") as file:
        writer = GifWriter(
            file, fps=settings.fps, style=settings.style, n_sides=settings.n_sides, comment=settings.comment
        )
        yield writer.show
        writer.close()


@contextlib.contextmanager
def _frames(folder: Path, settings: EncoderSettings) -> Iterator[Show]:
    n = 0

    def show(picture: Pixels) -> None:
        nonlocal n
        _write_png(picture, folder / f"{n:04d}.png", settings)
        n += 1

    yield show


@contextlib.contextmanager
def _sheet(path: Path, settings: EncoderSettings) -> Iterator[Show]:
    yield lambda picture: _write_png(picture, path, settings)


def _write_png(picture: Pixels, path: Path, settings: EncoderSettings) -> None:
    transparent = settings.style.background == "transparent"
    comment = PngInfo()
    comment.add_itxt("Comment", settings.comment)
    Image.fromarray(picture if transparent else np.ascontiguousarray(picture[..., :3])).save(path, pnginfo=comment)


ENCODERS: dict[str, Callable[[Path, EncoderSettings], contextlib.AbstractContextManager[Show]]] = {
    "mp4": _mp4,
    "gif": _gif,
    "frames": _frames,
    "sheet": _sheet,
}
