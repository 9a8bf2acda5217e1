"""A map of the codes that cells were rendered from; its points open the cells."""

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from cytoform.pictures.figures import STYLE, Side
from cytoform.pictures.slices import css

SIDE, MARGIN = 560.0, 46.0
# Marks of the first set and the ones after: as SVG around (0, 0), and as matplotlib calls them.
MARKS = (
    ('<circle class="mark" r="7"', "o"),
    ('<path class="mark" d="M0-9L9 0L0 9L-9 0Z"', "D"),
    ('<path class="mark" d="M0-8L8 6H-8Z"', "^"),
    ('<path class="mark" d="M-6-6H6V6H-6Z"', "s"),
)
# More names than these would cover each other; they appear when pointed at.
MOST_NAMED = 12


@dataclass(frozen=True)
class CodeSet:
    """Cells of one label ("Generated"), and where their codes lie."""

    label: str
    names: tuple[str, ...]
    positions: Float[np.ndarray, "n 2"]


@dataclass(frozen=True)
class CodeMap:
    """Codes on the plane of two directions, in which distances are those of the codes as far as these show them."""

    axis_titles: tuple[str, str]
    sets: tuple[CodeSet, ...]


def map_element(chart: CodeMap, colour_of: Callable[[str], Side], link_of: Callable[[str, str], str | None]) -> str:
    """The map as SVG with a legend; `link_of` says where a label and a name lead to."""
    to_px = _scale(np.concatenate([each.positions for each in chart.sets]))
    parts = []
    for mark, each in enumerate(chart.sets):
        for name, position in zip(each.names, each.positions, strict=True):
            x, y = to_px(position)
            parts.append(_point(name, x, y, _mark(mark, colour_of(each.label)), link_of(each.label, name)))
    n_points = sum(len(each.names) for each in chart.sets)
    title_x, title_y = (html.escape(title) for title in chart.axis_titles)
    named = " named" if n_points <= MOST_NAMED else ""
    return (
        f'{_legend(chart, colour_of)}<div class="map{named}"><svg viewBox="0 0 {SIDE:.0f} {SIDE:.0f}" role="group" '
        f'aria-label="Map of {n_points} codes">'
        f'<rect x="1" y="1" width="{SIDE - 2:.0f}" height="{SIDE - 30:.0f}" fill="#f8fafc" stroke="#e2e8f0"/>'
        f'<text x="{SIDE / 2:.0f}" y="{SIDE - 8:.0f}" text-anchor="middle">{title_x} →</text>'
        f'<text transform="translate(18 {SIDE / 2 - 15:.0f}) rotate(-90)" text-anchor="middle">{title_y} →</text>'
        f"{''.join(parts)}</svg></div>"
    )


def map_figure(chart: CodeMap, colour_of: Callable[[str], Side]) -> Figure:
    """The same map as a figure."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.4, 6.0), layout="constrained")
        axes = figure.subplots()
        for mark, each in enumerate(chart.sets):
            axes.scatter(
                each.positions[:, 0],
                each.positions[:, 1],
                marker=MARKS[mark % len(MARKS)][1],
                color=colour_of(each.label).colour,
                edgecolors="#0f172a",
                linewidths=0.6,
                s=46,
                label=f"{each.label} ({len(each.names)})",
            )
        axes.set_aspect("equal", adjustable="datalim")
        axes.margins(0.1)
        axes.grid(color="#e2e8f0", linewidth=0.7)
        axes.set_axisbelow(True)
        axes.set(xlabel=chart.axis_titles[0], ylabel=chart.axis_titles[1])
        figure.legend(loc="outside lower center", ncols=len(chart.sets), frameon=False)
    return figure


def _scale(positions: Float[np.ndarray, "n 2"]) -> Callable[[np.ndarray], tuple[float, float]]:
    """One scale for both axes, so that distances can be seen."""
    middle = (positions.min(axis=0) + positions.max(axis=0)) / 2
    reach = float(np.abs(positions - middle).max()) or 1.0
    per_unit = (SIDE - 30 - 2 * MARGIN) / 2 / reach

    def to_px(position: np.ndarray) -> tuple[float, float]:
        x, y = (position - middle) * per_unit
        return SIDE / 2 + float(x), (SIDE - 30) / 2 - float(y)

    return to_px


def _mark(number: int, side: Side) -> str:
    return f'{MARKS[number % len(MARKS)][0]} fill="{css(side.colour)}" stroke="#0f172a"/>'


def _point(name: str, x: float, y: float, mark: str, link: str | None) -> str:
    shown = html.escape(name)
    anchor = "start" if x < SIDE * 0.7 else "end"
    text = f'<text x="{12 if anchor == "start" else -12}" y="4" text-anchor="{anchor}">{shown}</text>'
    inside = f"<title>{shown}</title>{mark}{text}"
    place = f'<g transform="translate({x:.1f} {y:.1f})">'
    if link is None:
        return f"{place}{inside}</g>"
    return f'{place}<a href="{html.escape(link)}" aria-label="{shown}">{inside}</a></g>'


def _legend(chart: CodeMap, colour_of: Callable[[str], Side]) -> str:
    items = [
        f'<li><svg viewBox="-17 -10 34 20" style="height:20px" aria-hidden="true">{_mark(number, colour_of(each.label))}'
        f"</svg>{html.escape(each.label)} ({len(each.names)})</li>"
        for number, each in enumerate(chart.sets)
    ]
    return f'<ul class="keys">{"".join(items)}</ul>'


def sides_by_label(sides: Sequence[Side]) -> Callable[[str], Side]:
    """The side of a label; a label that is none is that of the reference, which the codes were learned from."""
    known = {side.label: side for side in sides}
    return lambda label: known.get(label, sides[0])
