"""Contents of a picture before drawing: positions of cells, text and scale bar."""

from dataclasses import dataclass, field

from cytoform.pictures.film.cast import MovieCell
from cytoform.pictures.film.style import MovieStyle
from cytoform.pictures.rendering import Camera


@dataclass(frozen=True)
class Rectangle:
    """A rectangle in pixels from the upper left corner."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True)
class Panel:
    """A cell at a frame, seen by a camera; `frame` is None if the cell has no frame at this time."""

    box: Rectangle
    cell: MovieCell
    frame: int | None
    camera: Camera


@dataclass(frozen=True)
class Text:
    """A line of text, at most `width` wide; (x, y) is the left end, middle (m) or right end at mid-height."""

    x: float
    y: float
    text: str
    anchor: str
    width: float
    size_px: int
    soft: bool = False
    side: int | None = None  # side whose colour the text has


@dataclass(frozen=True)
class Page:
    """Contents of a picture before drawing."""

    size_px: tuple[int, int]
    px_per_um: float
    text_px: int
    panels: tuple[Panel, ...]
    texts: tuple[Text, ...] = ()
    bar: Rectangle | None = None
    style: MovieStyle = field(default_factory=MovieStyle)


def panel_note(box: Rectangle, words: str, text_px: int) -> Text:
    """A note in the place of a missing cell."""
    return Text(box.left + box.width / 2, box.top + box.height / 2, words, "m", box.width, text_px, soft=True)
