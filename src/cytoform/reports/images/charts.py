"""Curves and distributions of images, drawn with Matplotlib."""

from collections.abc import Callable, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cytoform.assess.images.compare import IMAGE_MEASURES, ImageComparison
from cytoform.assess.images.fooling import TESTS, USUAL
from cytoform.assess.images.histograms import PARTS
from cytoform.assess.images.sets import ImageSet
from cytoform.assess.images.spectra import decibels, ring_of_frequency
from cytoform.assess.images.usefulness import SCORES, UsefulnessComparison
from cytoform.assess.measures.descriptors import titled
from cytoform.pictures.figures import STYLE, Side, draw_boxes

TITLES = {"foreground": "inside cells", "background": "outside cells"}
DASHES = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (5, 2, 1.5, 2)))
COLUMNS_SHOWN = 160
DISTANCES = ("histogram_foreground", "histogram_background", "spectrum_db", "noise_ratio")
CHANGES = {"mean_change": "change of the mean intensity", "texture_change": "change of the texture (1: unrelated)"}

Sets = Sequence[tuple[Side, ImageSet]]


@mpl.rc_context(STYLE)
def histogram_figure(sets: Sets) -> Figure:
    """Share of the pixels at each intensity, inside cells and outside."""
    figure, axes = _figure(2, 3.0)
    for axis, part in zip(axes, PARTS, strict=True):
        whole = [(side, images, images.histograms.pooled(part, np.ones(len(images.frames)))) for side, images in sets]
        bins = whole[0][1].histograms.bins
        shown = np.flatnonzero(np.max([np.nan_to_num(share) for *_, share in whole], axis=0) > 1e-6)
        if not len(shown):
            continue
        step = max(1, -(-(shown[-1] + 1 - shown[0]) // COLUMNS_SHOWN))
        n = (shown[-1] + 1 - shown[0]) // step * step
        at = slice(shown[0], shown[0] + n)
        middles = bins.middles[at].reshape(-1, step).mean(axis=1)
        for style, (side, _, share) in enumerate(whole):
            density = share[at].reshape(-1, step).mean(axis=1) / bins.width
            axis.plot(middles, np.where(density > 0, density, np.nan), **_line(side, style))
        axis.set_yscale("log")
        axis.set(title=f"Intensities {TITLES[part]}", xlabel="intensity", ylabel="share of pixels per unit")
    axes[0].legend(frameon=False, fontsize=8)
    return figure


@mpl.rc_context(STYLE)
def spectrum_figure(sets: Sets, side_px: int) -> Figure:
    """Mean power of structures of each size, with 90 % of the frames of the first set."""
    figure, axes = _figure(1, 3.0)
    _, frequencies = ring_of_frequency(side_px)
    _curves(axes[0], sets, frequencies, lambda images, weights: decibels(images.spectrum(weights)))
    axes[0].set_xscale("log", base=2)
    ticks = [2.0**-k for k in range(1, 7) if 2.0**-k >= frequencies[0] / 1.2]
    axes[0].set_xticks(ticks, [f"1/{1 / tick:g}" for tick in ticks])
    axes[0].set(title="Power spectrum of squares with cells", xlabel="cycles per pixel", ylabel="power [dB]")
    return figure


@mpl.rc_context(STYLE)
def noise_figure(sets: Sets) -> Figure:
    """Standard deviation of the noise at each intensity, likewise."""
    figure, axes = _figure(1, 3.0)
    _curves(axes[0], sets, sets[0][1].noise.middles, lambda images, weights: images.noise.pooled(weights))
    axes[0].set(
        title="Noise against intensity", xlabel="local mean intensity", ylabel="standard deviation of the noise"
    )
    axes[0].set_ylim(bottom=0)
    return figure


@mpl.rc_context(STYLE)
def flicker_figure(sets: Sets) -> Figure:
    """How much every cell changes from frame to frame: boxes over the quartiles, whiskers over 90 %."""
    figure, axes = _figure(2, 0.9 + 0.42 * len(sets))
    for axis, (change, title) in zip(axes, CHANGES.items(), strict=True):
        values = [getattr(images.flicker, change) for _, images in sets]
        draw_boxes(axis, [_box(v[np.isfinite(v)]) for v in values], [side for side, _ in sets])
        axis.set_xlabel(title)
        axis.set_xlim(left=0)
    axes[1].set_yticklabels([])
    return figure


@mpl.rc_context(STYLE)
def distance_figure(found: Sequence[tuple[Side, ImageComparison]]) -> Figure:
    """The distance of every frame to all real ones."""
    figure, axes = _figure(2, 2 * (0.9 + 0.36 * len(found)), rows=2)
    for axis, name in zip(axes, DISTANCES, strict=True):
        for row, (side, comparison) in enumerate(reversed(found)):
            values = comparison.per_frame[name]
            axis.scatter(values, np.full(len(values), row), s=16, color=side.colour, alpha=0.6, linewidth=0)
            whole = comparison.figures[name].value
            axis.plot([whole] * 2, [row - 0.3, row + 0.3], color="#0f172a", linewidth=1.6)
        axis.set_yticks(range(len(found)), [side.label for side, _ in reversed(found)])
        axis.set_ylim(-0.6, len(found) - 0.4)
        axis.set(xlabel=titled(IMAGE_MEASURES[name]))
    for axis in axes[1::2]:
        axis.set_yticklabels([])
    return figure


@mpl.rc_context(STYLE)
def fooling_figure(found: Sequence[tuple[Side, ImageComparison]]) -> Figure:
    """Shares of the squares that pass for real ones."""
    estimates = [[each.figures[f"fooling_{test}"] for test in TESTS] for _, each in found]
    figure, axes = _figure(1, 2.8)
    names = ["by the histogram", "by the spectrum", "by both together"]
    _bars(axes[0], [side for side, _ in found], estimates, names)
    axes[0].axhline(USUAL, color="#64748b", linewidth=1, linestyle=(0, (4, 3)))
    axes[0].set(ylabel="share of squares", ylim=(0, 1.02))
    return figure


@mpl.rc_context(STYLE)
def learning_figure(sides: Sequence[Side], usefulness: UsefulnessComparison) -> Figure:
    """Scores on real images of a segmenter trained on each set."""
    estimates = [[found[name] for name in SCORES] for found in usefulness.estimates]
    figure, axes = _figure(1, 2.8)
    _bars(axes[0], sides, estimates, [each.title for each in SCORES.values()])
    axes[0].set(ylabel="score on real images", ylim=(0, 1.02))
    return figure


def _figure(n: int, height: float, *, rows: int = 1) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(9.6 if n > 1 else 6.4, height), layout="constrained")
    axes = figure.subplots(rows, n, squeeze=False)
    return figure, list(axes.ravel())


def _line(side: Side, style: int) -> dict[str, Any]:
    return {"color": side.colour, "linestyle": DASHES[style % len(DASHES)], "linewidth": 1.6, "label": side.label}


def _curves(
    axis: Axes,
    sets: Sets,
    places: Float[np.ndarray, " n"],
    curve: Callable[[ImageSet, np.ndarray], Float[np.ndarray, " n"]],
) -> None:
    for style, (side, images) in enumerate(sets):
        n = len(images.frames)
        if style == 0 and n > 1:
            each = np.array([curve(images, weights) for weights in np.eye(n)])
            known = np.isfinite(each).any(axis=0)
            low, high = np.nanquantile(each[:, known], [0.05, 0.95], axis=0)
            axis.fill_between(places[known], low, high, color=side.colour, alpha=0.18, linewidth=0)
        axis.plot(places, curve(images, np.ones(n)), **_line(side, style))
    axis.legend(frameon=False, fontsize=8)


def _box(values: np.ndarray) -> dict[str, float]:
    """Whiskers over nine tenths of the values."""
    found = np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95]) if len(values) else np.full(5, np.nan)
    return dict(zip(("whislo", "q1", "med", "q3", "whishi"), found.tolist(), strict=True))


def _bars(axis: Axes, sides: Sequence[Side], estimates: Sequence[Sequence[Any]], names: Sequence[str]) -> None:
    width = 0.8 / len(sides)
    for number, (side, found) in enumerate(zip(sides, estimates, strict=True)):
        places = np.arange(len(names)) + (number - (len(sides) - 1) / 2) * width
        values = np.nan_to_num([each.value for each in found])
        axis.bar(places, values, 0.9 * width, color=(*side.colour, 0.75), label=side.label)
        ends = np.nan_to_num([[each.value - each.low, each.high - each.value] for each in found]).T
        axis.errorbar(places, values, yerr=np.maximum(ends, 0), fmt="none", ecolor="#0f172a", elinewidth=1, capsize=2)
    axis.set_xticks(range(len(names)), names)
    axis.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
