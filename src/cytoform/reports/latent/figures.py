"""Pictures of the space of codes: cells on a map coloured by their descriptors, and what share of variance lies where."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cytoform.assess.measures.descriptors import Descriptor
from cytoform.pictures.figures import COLOURS, STYLE
from cytoform.reports.latent.neighbours import from_others
from cytoform.reports.latent.snapshots import CellSet, cell_descriptors
from cytoform.shapes.boundary import BALL_NAMES

COLOUR_MAP = "viridis"  # told apart by the colour-blind, and in print
UNDEFINED = "#cbd5e1"
NAME_POINTS, NAME_COLOUR = 7.0, "#334155"
# Where a name may stand beside its mark (right, up), the best first.
BESIDE = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))
MARKERS = {"learned": ("o", 46.0), "generated": ("D", 30.0)}


@dataclass(frozen=True)
class Map:
    """Places on a plane, of the cells of each set."""

    name: str  # of its files
    axis_titles: tuple[str, str]
    positions: Sequence[np.ndarray]  # (n, 2) each


def map_figure(sets: Sequence[CellSet], chart: Map, *, n_dims: int = 3) -> Figure:
    """The map once for each descriptor, in its colours; the learned cells bear their names where there is room."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10.4, 8.6), layout="constrained")
        axes: list[Axes] = figure.subplots(2, 2).ravel().tolist()
        for column, (panel, descriptor) in enumerate(zip(axes, cell_descriptors(n_dims).values(), strict=True)):
            _scatter(panel, sets, chart, column, f"{descriptor.title} {_unit(descriptor, n_dims)}")
            panel.margins(0.16)
            panel.set_aspect("equal", adjustable="datalim")
            panel.set(xlabel=chart.axis_titles[0], ylabel=chart.axis_titles[1], title=descriptor.title)
        if len(sets) > 1:
            _legend(figure, sets)
        # Names are placed in pixels, for which the layout has to stand.
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
        for panel in axes:
            _write_names(panel, sets[0].names, np.concatenate(chart.positions))
    return figure


def _scatter(panel: Axes, sets: Sequence[CellSet], chart: Map, column: int, label: str) -> None:
    every = np.concatenate([each.values[:, column] for each in sets])
    defined = every[np.isfinite(every)]
    low, high = (float(defined.min()), float(defined.max())) if len(defined) else (0.0, 1.0)
    if high - low < 1e-9 * max(abs(high), 1e-9):
        low, high = low - 0.5, high + 0.5
    colours = mpl.colormaps[COLOUR_MAP].with_extremes(bad=UNDEFINED)
    for each, positions in zip(sets, chart.positions, strict=True):
        marker, area = MARKERS[each.kind]
        drawn = panel.scatter(
            positions[:, 0],
            positions[:, 1],
            c=each.values[:, column],
            cmap=colours,
            vmin=low,
            vmax=high,
            marker=marker,
            s=area,
            edgecolors="#0f172a",
            linewidths=0.6,
            plotnonfinite=True,
        )
    panel.grid(color="#e2e8f0", linewidth=0.7)
    panel.set_axisbelow(True)
    figure: Any = panel.figure
    if len(defined):
        bar = figure.colorbar(drawn, ax=panel, fraction=0.05, pad=0.02)
        bar.set_label(label)
        bar.outline.set_visible(False)
    else:
        panel.text(0.5, 0.97, "not defined", transform=panel.transAxes, ha="center", va="top", color="#94a3b8")


def _unit(descriptor: Descriptor, n_dims: int) -> str:
    return f"[{descriptor.unit}]" if descriptor.unit else f"(1: {BALL_NAMES[n_dims]})"


def _legend(figure: Figure, sets: Sequence[CellSet]) -> None:
    handles = [
        mpl.lines.Line2D(
            [], [], linestyle="", marker=MARKERS[each.kind][0], markerfacecolor="white", markeredgecolor="#0f172a"
        )
        for each in sets
    ]
    labels = [f"{each.kind} ({len(each.names)})" for each in sets]
    figure.legend(handles, labels, loc="outside lower center", ncols=len(sets), frameon=False)


def _write_names(panel: Axes, names: Sequence[str], positions: Float[np.ndarray, "n 2"]) -> None:
    """Write names beside the first marks of all, outliers first; one that would cover a mark or a name is left out."""
    per_point = panel.figure.dpi / 72
    inside = panel.get_window_extent()
    marks = panel.transData.transform(positions)
    taken = [_around(x, y, 4 * per_point, 4 * per_point) for x, y in marks]
    to_others = from_others(np.linalg.norm(marks[:, None] - marks, axis=2)).min(axis=1)
    for index in np.argsort(-to_others[: len(names)], kind="stable"):
        name, (x, y) = names[index], marks[index]
        text = panel.text(0, 0, name, fontsize=NAME_POINTS, color=NAME_COLOUR, ha="center", va="center")
        extent = text.get_window_extent()
        for right, up in BESIDE:
            gap = (3.0 if right and up else 6.0) * per_point  # a name off the corner is soon taken for another's
            middle = x + right * (gap + extent.width / 2), y + up * (gap + extent.height / 2)
            box = _around(*middle, extent.width / 2, extent.height / 2)
            within = box[0] > inside.x0 and box[1] > inside.y0 and box[2] < inside.x1 and box[3] < inside.y1
            if within and not any(_overlap(box, other) for other in taken):
                x_data, y_data = panel.transData.inverted().transform(middle)
                text.set_position((x_data, y_data))
                taken.append(box)
                break
        else:
            text.remove()


Box = tuple[float, float, float, float]


def _around(x: float, y: float, half_width: float, half_height: float) -> Box:
    return x - half_width, y - half_height, x + half_width, y + half_height


def _overlap(a: Box, b: Box) -> bool:
    return bool(a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3])


def variance_figure(shares: Float[np.ndarray, " components"]) -> Figure:
    """Share of the variance of each component, and of all up to it."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9.6, 2.6), layout="constrained")
        axes = figure.subplots()
        numbers = np.arange(1, len(shares) + 1)
        axes.bar(numbers, 100 * shares, color=COLOURS[0], width=0.7, label="each")
        axes.plot(numbers, 100 * np.cumsum(shares), color=COLOURS[1], marker="o", markersize=3.5, label="all up to it")
        axes.set(xlabel="principal component", ylabel="share of variance [%]", ylim=(0, 104))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.grid(axis="y", color="#e2e8f0", linewidth=0.8)
        axes.set_axisbelow(True)
        axes.legend(frameon=False, loc="center right")
    return figure
