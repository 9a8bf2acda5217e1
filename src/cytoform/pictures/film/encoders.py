"""Pictures to files, one after the other, so that memory does not grow with the length of a movie.

mp4      H.264 in 4:2:0, the index at the front: plays in browsers, in slides and on phones
gif      one palette for the whole movie, made of the shades that the cells may have; loops for ever
frames   0000.png and on
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
from cytoform.pictures.film.style import Format, MovieStyle

# Shows the next picture.
Show = Callable[[Pixels], None]
QUALITY = "16"  # of x264: at 18 and less no loss is seen
BT709, LIMITED = 1, 1  # how colours are coded, in the numbers of ITU-T H.273: as in every HD video


@dataclass(frozen=True)
class Reel:
    """What an encoder has to know; the comment goes into the file."""

    size_px: tuple[int, int]
    fps: Fraction
    style: MovieStyle
    n_sides: int
    comment: str


def require(chosen: Format) -> None:
    """Raise InputError where a format needs what is not installed."""
    if chosen.name == "mp4":
        _h264()


def encoder(chosen: Format, path: Path, reel: Reel) -> contextlib.AbstractContextManager[Show]:
    """A context that gives a call for each picture in its turn; what is written is whole when it ends."""
    return ENCODERS[chosen.name](path, reel)


def _h264() -> Any:
    try:
        import av
    except ImportError:
        raise InputError(
            "an .mp4 needs PyAV; install it with: pip install 'cytoform[movie]', or write a .gif"
        ) from None
    if "libx264" not in av.codecs_available:
        raise InputError("this PyAV has no H.264 encoder; install that of PyPI (pip install av), or write a .gif")
    return av


@contextlib.contextmanager
def _mp4(path: Path, reel: Reel) -> Iterator[Show]:
    av = _h264()
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        container.metadata["comment"] = reel.comment
        stream = container.add_stream("libx264", rate=reel.fps, options={"crf": QUALITY, "preset": "medium"})
        stream.width, stream.height = reel.size_px
        stream.pix_fmt = "yuv420p"
        # Said and done in the same way; left unsaid, players guess the colours by the size.
        context = stream.codec_context
        context.colorspace = context.color_primaries = context.color_trc = BT709
        context.color_range = LIMITED

        def show(picture: Pixels) -> None:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture[..., :3]), format="rgb24")
            container.mux(stream.encode(frame.reformat(format="yuv420p", dst_colorspace="ITU709")))

        yield show
        container.mux(stream.encode(None))


@contextlib.contextmanager
def _gif(path: Path, reel: Reel) -> Iterator[Show]:
    with path.open("wb") as file:
        writer = GifWriter(file, fps=reel.fps, style=reel.style, n_sides=reel.n_sides, comment=reel.comment)
        yield writer.show
        writer.close()


@contextlib.contextmanager
def _frames(folder: Path, reel: Reel) -> Iterator[Show]:
    n = 0

    def show(picture: Pixels) -> None:
        nonlocal n
        _write_png(picture, folder / f"{n:04d}.png", reel)
        n += 1

    yield show


@contextlib.contextmanager
def _sheet(path: Path, reel: Reel) -> Iterator[Show]:
    yield lambda picture: _write_png(picture, path, reel)


def _write_png(picture: Pixels, path: Path, reel: Reel) -> None:
    transparent = reel.style.background == "transparent"
    comment = PngInfo()
    comment.add_itxt("Comment", reel.comment)
    Image.fromarray(picture if transparent else np.ascontiguousarray(picture[..., :3])).save(path, pnginfo=comment)


ENCODERS: dict[str, Callable[[Path, Reel], contextlib.AbstractContextManager[Show]]] = {
    "mp4": _mp4,
    "gif": _gif,
    "frames": _frames,
    "sheet": _sheet,
}
