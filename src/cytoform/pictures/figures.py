"""Figures of an assessment: box plots and QQ plots as in figure 3 of the paper, and overlap over time."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cytoform.assess.measures.descriptors import titled
from cytoform.assess.results import Results
from cytoform.assess.statistics.distributions import Values, qq_quantiles, summarise
from cytoform.pictures.rendering import Colour

# Distinguishable with colour blindness (Okabe and Ito 2008): blue, orange, green, purple.
COLOURS: tuple[Colour, ...] = ((0.00, 0.45, 0.70), (0.90, 0.62, 0.00), (0.00, 0.62, 0.45), (0.80, 0.47, 0.65))
STYLE: dict[Any, Any] = {
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#94a3b8",
    "axes.titlesize": 10.0,
    "axes.titleweight": "bold",
    "xtick.color": "#475569",
    "ytick.color": "#475569",
    "axes.labelcolor": "#334155",
    # Makes SVG files reproducible.
    "svg.hashsalt": "cytoform",
}

_BELOW_TITLE: Any = {"ha": "center", "va": "bottom", "fontsize": 8, "color": "#334155"}


@dataclass(frozen=True)
class Side:
    """A set of cells in a figure."""

    label: str
    colour: Colour


def as_png(figure: Figure) -> bytes:
    """A figure as PNG."""
    return _saved(figure, format="png", dpi=200, metadata={"Software": None})


def as_svg(figure: Figure) -> bytes:
    """A figure as SVG, without a date."""
    return _saved(figure, format="svg", metadata={"Date": None, "Creator": None})


def _saved(figure: Figure, **options: Any) -> bytes:
    stream = io.BytesIO()
    with mpl.rc_context(STYLE):
        figure.savefig(stream, **options)
    return stream.getvalue()


def descriptor_figure(results: Results, reference: Side, other: Side, *, names: Sequence[str] | None = None) -> Figure:
    """QQ plots with the identity line and KS p-values above box plots, for the paper's three descriptors or others."""
    names = names or results.measures.main
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(3.2 * len(names), 5.6), layout="constrained")
        axes: Any = figure.subplots(2, len(names), gridspec_kw={"height_ratios": (1.35, 1)}, squeeze=False)
        for (top, bottom), name in zip(axes.T, names, strict=True):
            values = results.descriptor("reference", name), results.descriptor("other", name)
            _qq(top, *values, reference, other)
            _write_p(top, results, name)
            top.set_title(titled(results.measures.descriptors[name]), pad=32)
            draw_boxes(bottom, [_extremes(np.concatenate(side)) for side in values], (reference, other))
            bottom.set_xlabel(titled(results.measures.descriptors[name]))
    return figure


def overlap_figure(results: Results, colour: Colour) -> Figure:
    """Jaccard index of every sequence over its frames, with mean and standard deviation over sequences."""
    curves = list(results.paired("jaccard").values())
    longest = max(len(curve) for curve in curves)
    table = np.full((len(curves), longest), np.nan)
    for row, curve in zip(table, curves, strict=True):
        row[: len(curve)] = curve
    by_frame = [summarise(column) for column in table.T]
    mean, std = (np.array([getattr(summary, key) for summary in by_frame]) for key in ("mean", "std"))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9.6, 2.9), layout="constrained")
        axes = figure.subplots()
        frames = np.arange(1, longest + 1)
        for curve in curves:
            axes.plot(frames[: len(curve)], curve, color="#94a3b8", linewidth=0.7, alpha=0.7)
        axes.fill_between(frames, mean - std, np.minimum(mean + std, 1), color=colour, alpha=0.25, linewidth=0)
        axes.plot(frames, mean, color=colour, linewidth=2, marker="o", markersize=3)
        axes.set(xlabel="frame", ylabel="Jaccard index", xlim=(0.5, longest + 0.5))
        axes.set_ylim(max(0.0, min(0.9, float(np.nanmin(table)) - 0.02)), 1.0)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(axis="y", color="#e2e8f0", linewidth=0.8)
    return figure


def _qq(
    axes: Axes,
    reference: Sequence[Values],
    other: Sequence[Values],
    side_a: Side,
    side_b: Side,
) -> None:
    a, b = np.concatenate(reference), np.concatenate(other)
    quantiles = qq_quantiles(a, b)
    if quantiles.size:
        low, high = float(quantiles.min()), float(quantiles.max())
        margin = 0.04 * (high - low) or 1.0
        ends = [low - margin, high + margin]
        axes.plot(ends, ends, color="#64748b", linewidth=1, zorder=1)
        axes.set(xlim=ends, ylim=ends)
    axes.scatter(quantiles[0], quantiles[1], s=9, color=side_b.colour, alpha=0.85, linewidth=0, zorder=2)
    axes.set_aspect("equal")
    axes.set(xlabel=f"{side_a.label} quantiles", ylabel=f"{side_b.label} quantiles")


def _write_p(axes: Axes, results: Results, name: str) -> None:
    """Write the p-values over frames (the paper's, and with sequences permuted) and over sequences (raw and corrected)."""
    frames, sequences = results.over_frames[name], results.over_sequences[name]
    permuted = float("nan") if frames.permuted is None else frames.permuted.p
    over_frames = _p_pair("frames", frames.ks.p, "permuted", permuted)
    over_sequences = _p_pair("sequences", sequences.ks.p, "corrected", sequences.ks_p_corrected)
    for height, text in ((1.03, over_frames), (1.115, over_sequences)):
        axes.text(0.5, height, text, **_BELOW_TITLE, transform=axes.transAxes)


def _p_pair(unit: str, p: float, how: str, other_p: float) -> str:
    text = f"KS over {unit}: {p_text(p)}"
    return text if np.isnan(p) else f"{text}, {how} {p_text(other_p).removeprefix('p = ').removeprefix('p ')}"


def _extremes(values: Values) -> dict[str, float]:
    """Statistics for `draw_boxes`, with whiskers from minimum to maximum."""
    s = summarise(values)
    return {"whislo": s.minimum, "q1": s.lower_quartile, "med": s.median, "q3": s.upper_quartile, "whishi": s.maximum}


def draw_boxes(axes: Axes, boxes: Sequence[dict[str, float]], sides: Sequence[Side]) -> None:
    """Horizontal boxes over the interquartile range with a line at the median, one below the other; keys as in `Axes.bxp`."""
    drawn = axes.bxp(
        [{**box, "label": side.label} for box, side in zip(boxes, sides, strict=True)],
        positions=list(range(len(boxes), 0, -1)),
        orientation="horizontal",
        widths=0.5,
        showfliers=False,
        patch_artist=True,
        medianprops={"color": "#0f172a", "linewidth": 1.4},
    )
    for patch, side in zip(drawn["boxes"], sides, strict=True):
        patch.set(facecolor=(*side.colour, 0.55), edgecolor=tuple(0.7 * c for c in side.colour))


def p_text(p: float) -> str:
    """Format a p-value."""
    if np.isnan(p):
        return "not defined"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
