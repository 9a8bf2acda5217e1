"""The part of a report on frames that `fill` made: the expected error of their surfaces, beside the one that is found."""

import html
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import matplotlib as mpl
import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from pydantic import Field

from cytoform.base.gate import Record, parse_json
from cytoform.errors import InputError
from cytoform.pictures.figures import STYLE, Side
from cytoform.pictures.page import Drawer, note, table
from cytoform.reports.shapes.cells import Comparison
from cytoform.shapes.store import ShapeStore

REMEDY = "make the store anew with 'cytoform fill'"
NOTE = (
    "Expected: root mean square distance between the filled surface and the true one, calibrated by hiding known frames. It "
    "tells where to look first. Frames beyond the known ones may have none."
)
PAIRED_NOTE = " Grey: mean distance between the filled surface and the original, which is less than a root mean square."


class _Sequence(Record):
    expected_error_um: list[Annotated[float, Field(ge=0)] | None]


class _Fill(Record):
    """What `fill` records of a store: the way in words and the expected errors, by sequence; 0 is a known frame."""

    ways: dict[str, str]
    sequences: dict[str, _Sequence]


def filled_parts(comparisons: Sequence[Comparison], sides: Sequence[Side], drawer: Drawer) -> str:
    """A figure and a table for every store that `fill` made; empty without any. `sides` are those of the comparisons."""
    parts = []
    for comparison, side in zip(comparisons, sides, strict=True):
        fill = _read(comparison.store)
        expected = {name: errors for name, errors in _expected(fill, comparison).items() if (errors > 0).any()}
        if fill is None or not expected:
            continue
        figure = _figure(expected, comparison, side)
        parts += [
            f"<h3>{html.escape(comparison.label)}</h3>",
            note(comparison.results.measures.worded(NOTE + PAIRED_NOTE * bool(comparison.results.pairs))),
            drawer.plot(f"{comparison.stem}_expected_error", figure, "expected error by frame", wide=True),
            _table(expected, fill, comparison),
        ]
    return "\n".join(parts)


def _read(store: Path) -> _Fill | None:
    recorded = ShapeStore.open(store).attributes.get("fill")
    return None if recorded is None else parse_json(json.dumps(recorded), _Fill, where=f"{store}: fill", remedy=REMEDY)


def _expected(fill: _Fill | None, comparison: Comparison) -> dict[str, Float[np.ndarray, " frames"]]:
    """Expected errors in µm of the sequences that are compared; 0 for known frames, NaN where nothing tells."""
    if fill is None:
        return {}
    store, found = ShapeStore.open(comparison.store), {}
    for name in comparison.results.other.names:
        if name in fill.sequences:
            found[name] = np.array(fill.sequences[name].expected_error_um, float)
            if len(found[name]) != (n_frames := store[name].info.n_frames):
                raise InputError(
                    f"{comparison.store}: {name}: {len(found[name])} expected errors of {n_frames} frames; {REMEDY}"
                )
    return found


def _found(name: str, comparison: Comparison) -> Float[np.ndarray, " frames"] | None:
    """Mean distance in µm between both surfaces; None where the stores are not paired."""
    return comparison.results.paired("assd_um").get(name)


def _figure(expected: dict[str, Float[np.ndarray, " frames"]], comparison: Comparison, side: Side) -> Figure:
    longest = max(map(len, expected.values()))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9.6, 2.9), layout="constrained")
        axes = figure.subplots()
        for name, errors in expected.items():
            made = np.flatnonzero(errors > 0)
            if (found := _found(name, comparison)) is not None:
                axes.plot(made + 1, found[made], color="#94a3b8", linewidth=0.7, marker="o", markersize=3)
            axes.plot(made + 1, errors[made], color=side.colour, linewidth=1, marker="o", markersize=4)
        axes.set(
            xlabel="frame",
            ylabel=comparison.results.measures.worded("distance of surfaces, µm"),
            xlim=(0.5, longest + 0.5),
        )
        axes.set_ylim(bottom=0)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(axis="y", color="#e2e8f0", linewidth=0.8)
    return figure


def _table(expected: dict[str, Float[np.ndarray, " frames"]], fill: _Fill, comparison: Comparison) -> str:
    head = ["", "way", "frames filled", "expected, µm", "largest"]
    rows = []
    for name, errors in expected.items():
        made, worst = errors[errors > 0], int(np.nanargmax(errors))
        rows.append(
            [
                html.escape(name),
                html.escape(fill.ways.get(name, "")),
                str(int((errors != 0).sum())),
                f"{np.median(made):.3f}",
                f"{errors[worst]:.3f} in frame {worst + 1}",
            ]
        )
        if (found := _found(name, comparison)) is not None:
            rows[-1].append(f"{np.median(found[errors > 0]):.3f}")
    return table([*head, "found, µm"] if comparison.results.pairs else head, rows)
