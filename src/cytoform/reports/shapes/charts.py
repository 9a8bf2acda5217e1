"""Small charts over time as SVG inside a page: sharp, light, readable at any width."""

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cytoform.assess.statistics.distributions import Values, summarise
from cytoform.pictures.figures import Side
from cytoform.pictures.slices import OUTLINE_DASHES, css

WIDTH, HEIGHT = 320.0, 150.0
LEFT, RIGHT, TOP, BOTTOM = 46.0, 8.0, 8.0, 24.0


@dataclass(frozen=True)
class Line:
    """Values over frames, NaN where there is none; lines of a chart differ by their `style`, counted from 0."""

    side: Side
    values: Values
    style: int


def line_chart(title: str, lines: Sequence[Line], *, counts: bool = False) -> str:
    """A chart of values by frame, counted from 1, with its title above; `counts` are whole numbers."""
    said = "; ".join(f"{line.side.label} {_range(line.values)}" for line in lines)
    bounds = _bounds(lines, counts)
    body = "".join([_axes(lines, bounds, counts), *(_line(line, lines, bounds) for line in lines)])
    return (
        f'<figure class="chart"><figcaption>{html.escape(title)}</figcaption>'
        f'<svg viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" role="img" aria-label="{html.escape(f"{title} by frame: {said}")}">'
        f"{body}</svg></figure>"
    )


def key_of_lines(sides: Sequence[Side]) -> str:
    """Which line is whose."""
    items = [
        f'<li><svg viewBox="0 0 34 10" aria-hidden="true">{_stroke("M2 5H32", side, style)}{_dots("M17 5h0", side, style)}'
        f"</svg>{html.escape(side.label)}</li>"
        for style, side in enumerate(sides)
    ]
    return f'<ul class="keys">{"".join(items)}</ul>'


def _range(values: Values) -> str:
    summary = summarise(values)
    if summary.n == 0:
        return "not defined"
    return f"from {summary.minimum:.4g} to {summary.maximum:.4g}"


def _bounds(lines: Sequence[Line], counts: bool) -> tuple[float, float]:
    every = np.concatenate([line.values for line in lines])
    defined = every[np.isfinite(every)]
    if not len(defined):
        return 0.0, 1.0
    low, high = float(defined.min()), float(defined.max())
    if counts:
        return low - 0.5, high + 0.5
    # A line that is flat but for rounding is drawn flat.
    least = max(0.02 * abs(high), 1e-9)
    if high - low < least:
        low, high = low - least / 2, high + least / 2
    return low - 0.06 * (high - low), high + 0.06 * (high - low)


def _place(
    frames: np.ndarray, values: Values, lines: Sequence[Line], bounds: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Where values lie in the drawing."""
    low, high = bounds
    longest = max(len(line.values) for line in lines)
    x = LEFT + (WIDTH - LEFT - RIGHT) * (frames / (longest - 1) if longest > 1 else np.full(len(frames), 0.5))
    y = HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (values - low) / (high - low)
    return x, y


def _line(line: Line, lines: Sequence[Line], bounds: tuple[float, float]) -> str:
    x, y = _place(np.arange(len(line.values)), line.values, lines, bounds)
    path, dots, drawing = [], [], False
    for right, down in zip(x, y, strict=True):
        if not math.isfinite(down):
            drawing = False
            continue
        path.append(f"{'L' if drawing else 'M'}{right:.1f} {down:.1f}")
        dots.append(f"M{right:.1f} {down:.1f}h0")
        drawing = True
    return _stroke("".join(path), line.side, line.style) + _dots("".join(dots), line.side, line.style)


def _stroke(path: str, side: Side, style: int) -> str:
    dashes = OUTLINE_DASHES[style % len(OUTLINE_DASHES)]
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<path d="{path}" fill="none" stroke="{css(side.colour)}" stroke-width="1.6"{dashed}/>'


def _dots(path: str, side: Side, style: int) -> str:
    """Strokes without length: round ends make discs, and square ones squares."""
    end = "square" if style % 2 else "round"
    width = 4 if style % 2 else 5
    return f'<path d="{path}" fill="none" stroke="{css(side.colour)}" stroke-width="{width}" stroke-linecap="{end}"/>'


def _axes(lines: Sequence[Line], bounds: tuple[float, float], counts: bool) -> str:
    from matplotlib.ticker import MaxNLocator

    low, high = bounds
    parts = []
    ticks = [
        tick
        for tick in MaxNLocator(nbins=4, integer=counts, min_n_ticks=1 if counts else 2).tick_values(low, high)
        if low <= tick <= high
    ]
    for tick, y in zip(ticks, _place(np.zeros(len(ticks)), np.array(ticks), lines, bounds)[1], strict=True):
        parts.append(f'<path d="M{LEFT:.0f} {y:.1f}H{WIDTH - RIGHT:.0f}" stroke="#e2e8f0"/>')
        parts.append(f'<text x="{LEFT - 5:.0f}" y="{y + 4:.1f}" text-anchor="end">{_number(tick)}</text>')
    longest = max(len(line.values) for line in lines)
    frames = np.unique(np.linspace(0, longest - 1, min(longest, 4)).round())
    for frame, x in zip(frames, _place(frames, np.zeros(len(frames)), lines, bounds)[0], strict=True):
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - 8:.0f}" text-anchor="middle">{frame + 1:.0f}</text>')
    return "".join(parts)


def _number(value: float) -> str:
    text = f"{value:.4g}" if abs(value) < 1e4 else f"{value / 1000:.4g}k"
    return ("0" if float(f"{value:.6g}") == 0 or abs(value) < 1e-12 else text).replace("-", "−")
