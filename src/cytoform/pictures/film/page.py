"""A picture before it is drawn: which cells, words and bar lie where."""

from dataclasses import dataclass, field

from cytoform.pictures.film.cast import Cell
from cytoform.pictures.film.style import MovieStyle
from cytoform.pictures.rendering import Camera


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels from the upper left corner."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True)
class Panel:
    """A cell at a frame, seen by a camera; None where there is no such frame."""

    box: Box
    cell: Cell
    frame: int | None
    camera: Camera


@dataclass(frozen=True)
class Text:
    """A line of text no wider than `width`; (x, y) is its left, middle (m) or right end and its mid-height."""

    x: float
    y: float
    text: str
    anchor: str
    width: float
    size_px: int
    soft: bool = False
    side: int | None = None  # written in the colour of this side


@dataclass(frozen=True)
class Page:
    """A picture before it is drawn."""

    size_px: tuple[int, int]
    px_per_um: float
    text_px: int
    panels: tuple[Panel, ...]
    texts: tuple[Text, ...] = ()
    bar: Box | None = None
    style: MovieStyle = field(default_factory=MovieStyle)


def panel_note(box: Box, words: str, text_px: int) -> Text:
    """Why there is no cell."""
    return Text(box.left + box.width / 2, box.top + box.height / 2, words, "m", box.width, text_px, soft=True)
