"""Timeline of a movie: frame of every cell and camera angle at each moment."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from cytoform.errors import InputError
from cytoform.pictures.film.cast import Subject
from cytoform.pictures.film.style import LONGEST_S, MAX_FPS, MovieFormat, MovieStyle
from cytoform.pictures.sheets import spread

FPS = 10.0  # frame rate of a time-lapse
SHORTEST_S, TURN_S = 3.0, 8.0
COLUMNS = 6  # columns of a sheet


@dataclass(frozen=True)
class Moment:
    """Clock ticks since the start, and the rotation of the camera."""

    tick: int
    turned_deg: float = 0.0


@dataclass(frozen=True)
class Clock:
    """Common clock of all cells: one tick is the shortest time step, or one frame if a time step is unknown."""

    step_s: float | None
    n_ticks: int

    def frame(self, subject: Subject, tick: int) -> int | None:
        """Frame of a subject's upper cell at a tick; None after its end."""
        ratio = 1.0 if self.step_s is None or not subject.time_step_s else self.step_s / subject.time_step_s
        frame = math.floor(tick * ratio + 1e-6)
        return frame if frame < subject.n_frames else None

    def text(self, tick: int) -> str:
        """Time of a tick as text, in the same unit for the whole movie."""
        if self.step_s is None:
            return f"frame {tick}"
        longest_s, now_s = (self.n_ticks - 1) * self.step_s, tick * self.step_s
        if longest_s <= 120:
            return f"{now_s:.{0 if self.step_s % 1 == 0 else 1}f} s"
        if longest_s < 7200:
            minutes, seconds = divmod(round(now_s), 60)
            return f"{minutes} min" if self.step_s % 60 == 0 else f"{minutes}:{seconds:02d} min"
        hours, minutes = divmod(round(now_s / 60), 60)
        return f"{hours}:{minutes:02d} h"


@dataclass(frozen=True)
class Timeline:
    """The moments of a movie, evenly spaced, or the columns of a sheet."""

    clock: Clock
    moments: Sequence[Moment]
    fps: Fraction
    turning: bool


def clock_of(subjects: Sequence[Subject]) -> Clock:
    """Clock for these cells; in seconds only if all have a time step."""
    steps = [subject.time_step_s for subject in subjects]
    known = [step for step in steps if step]
    if len(known) < len(steps):
        return Clock(None, max(subject.n_frames for subject in subjects))
    step = min(known)
    lasts = [
        math.floor((subject.n_frames - 1) * own / step + 1e-6) for subject, own in zip(subjects, known, strict=True)
    ]
    return Clock(step, max(lasts) + 1)


def matching_frame(subject: Subject, frame: int) -> int:
    """Frame of the lower cell shown with a frame of the upper one, at the same share of the duration."""
    share = frame / max(subject.n_frames - 1, 1)
    return round(share * (subject.cells[-1].n_frames - 1))


def timeline(subjects: Sequence[Subject], style: MovieStyle, chosen: MovieFormat) -> Timeline:
    """The timeline for a style and format. Raises InputError."""
    clock = clock_of(subjects)
    if style.frame is not None and len({subject.time_step_s for subject in subjects}) > 1:
        # Cells with different time steps are shown at the same frame number.
        clock = Clock(None, max(subject.n_frames for subject in subjects))
    if style.frame is not None and not 0 <= style.frame < clock.n_ticks:
        raise InputError(f"--frame {style.frame}: the cells shown have frames 0 to {clock.n_ticks - 1}")
    ticks = range(clock.n_ticks) if style.frame is None else range(style.frame, style.frame + 1)
    if chosen.name == "sheet":
        return Timeline(clock, _columns(ticks, style.turntable), Fraction(1), style.turntable)
    # A single frame is shown as a turntable.
    turning = style.turntable or len(ticks) == 1
    n, fps = _pace(len(ticks), turning, style, chosen)
    moments = [Moment(ticks[i * len(ticks) // n], 360 * i / n if turning else 0.0) for i in range(n)]
    return Timeline(clock, moments, fps, turning)


def _columns(ticks: range, turning: bool) -> list[Moment]:
    if not turning:
        return [Moment(ticks[index]) for index in spread(len(ticks), COLUMNS)]
    return [
        Moment(ticks[round(column * (len(ticks) - 1) / (COLUMNS - 1))], 360 * column / COLUMNS)
        for column in range(COLUMNS)
    ]


def _pace(n_ticks: int, turning: bool, style: MovieStyle, chosen: MovieFormat) -> tuple[int, Fraction]:
    """Number of pictures, and pictures per second."""
    if turning:
        fps = style.fps or chosen.fps_turning
        seconds = style.seconds or max(TURN_S, n_ticks / FPS)
    elif style.fps:
        fps, seconds = style.fps, style.seconds or n_ticks / style.fps
    else:
        seconds = style.seconds or max(SHORTEST_S, n_ticks / FPS)
        times_each = max(math.ceil(chosen.least_fps * seconds / n_ticks), 1)
        fps = n_ticks * times_each / seconds
        if fps > MAX_FPS:
            raise InputError(
                f"--seconds {seconds:g}: {n_ticks} frames are too many for that; allow more, or give --fps"
            )
    if seconds > LONGEST_S:
        raise InputError(f"a movie of {seconds:.0f} s is too long; set --seconds, at most {LONGEST_S:g}")
    return max(round(seconds * fps), 1), Fraction(fps).limit_denominator(1000)
