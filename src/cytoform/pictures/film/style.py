"""Settings and formats of movies."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from cytoform.base.options import FLAG, check_ranges, real, whole
from cytoform.errors import InputError

Rgb = tuple[float, float, float]
MovieBackground = Literal["white", "black", "transparent"]
SIZES_PX = 64, 8192
MAX_FPS = 120.0
LONGEST_S = 3600.0


@dataclass(frozen=True)
class MovieFormat:
    """An output format with its default size and frame rate."""

    name: Literal["mp4", "gif", "sheet", "frames"]
    size_px: tuple[int, int] | None
    fps_turning: float
    least_fps: float  # for smooth playback; frames of cells are repeated to reach it


# Keyed by the suffix of the output; without a suffix it is a folder of numbered pictures.
FORMATS = {
    ".mp4": MovieFormat("mp4", (1280, 720), 25.0, 10.0),
    ".gif": MovieFormat("gif", (640, 360), 12.5, 0.0),
    ".png": MovieFormat("sheet", None, 0.0, 0.0),
    "": MovieFormat("frames", (1280, 720), 25.0, 0.0),
}


@Parameter(name="*")
@dataclass(frozen=True)
class MovieStyle:
    """Appearance and motion of a movie; None selects a default for the format and the cells."""

    turntable: Annotated[bool, FLAG] = False
    """Turn the cells once around while time runs, or at one --frame."""
    frame: Annotated[int | None, whole(0, 10_000)] = None
    """Show only this frame, counted from 0; a movie turns around it."""
    seconds: Annotated[float | None, real(1e-3, LONGEST_S)] = None
    """Length; by default a tenth of a second a frame, at least 3 s, and 8 s for a turn."""
    fps: Annotated[float | None, real(1e-3, MAX_FPS)] = None
    """Pictures a second; a time-lapse shows each frame once unless --seconds is given."""
    size_px: Annotated[tuple[int, int] | None, Parameter("--size", negative=()), whole(*SIZES_PX)] = None
    """Width and height in pixels; by default 1280 720, for a .gif 640 360."""
    background: MovieBackground = "white"
    """transparent: only for PNG."""
    colours: Annotated[
        tuple[str, ...], Parameter("--colour", negative=(), consume_multiple=True, show_default=False)
    ] = ()
    """Colour of the cells, and one for the cells of --against, by name or as #rrggbb: teal, #1b9e77."""
    view_deg: Annotated[tuple[float, float] | None, Parameter("--view", negative=()), real(-3600, 3600)] = None
    """Azimuth and elevation of the viewer in degrees; by default the side that shows most."""
    labels: bool = True
    """Names, time and scale bar."""

    @property
    def side_colours(self) -> tuple[Rgb, Rgb]:
        """Colours of both sides, sRGB from 0 to 1."""
        from cytoform.pictures.figures import COLOURS

        given = [_colour(text) for text in self.colours]
        first, second = (given + list(COLOURS[len(given) : 2]))[:2]
        return first, second


def format_of(out: Path) -> MovieFormat:
    """Format of an output file by its suffix. Raises InputError."""
    if out.suffix.lower() not in FORMATS:
        raise InputError(
            f"{out}: a movie ends in .mp4 or .gif, a sheet of times in .png, and a folder of numbered pictures in nothing"
        )
    return FORMATS[out.suffix.lower()]


def check(style: MovieStyle, chosen: MovieFormat) -> None:
    """Raise InputError for settings that the format does not support."""
    check_ranges(style)
    width, height = style.size_px or chosen.size_px or (SIZES_PX[0], SIZES_PX[0])
    where = f"--size {width} {height}"
    if chosen.name == "mp4" and (width % 2 or height % 2):
        raise InputError(f"{where}: width and height of an .mp4 are even; use {width // 2 * 2} {height // 2 * 2}")
    if style.background == "transparent" and chosen.name in ("mp4", "gif"):
        raise InputError(f"--background transparent: an .{chosen.name} has none; write numbered pictures or a .png")
    for option, value in (("seconds", style.seconds), ("fps", style.fps)):
        if value is not None and chosen.name == "sheet":
            raise InputError(f"--{option}: a .png does not move; leave it out, or write an .mp4 or .gif")
    if len(style.colours) > 2:
        raise InputError("--colour: give one, or two with --against")
    style.side_colours  # noqa: B018 (raises for an unknown colour)


def _colour(text: str) -> Rgb:
    from PIL import ImageColor

    try:
        red, green, blue = ImageColor.getrgb(text)[:3]
    except ValueError:
        raise InputError(f"--colour {text}: not a colour; use a name such as teal, or #rrggbb") from None
    return red / 255, green / 255, blue / 255
