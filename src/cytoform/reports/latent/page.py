"""The page on the latent space of a run, with its pictures as files beside it."""

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from cytoform.pictures.figures import COLOURS
from cytoform.pictures.page import Drawer, Section, json_block, note, note_html, page, table
from cytoform.pictures.sheets import SheetRow, contact_sheet
from cytoform.reports.latent.figures import map_figure, variance_figure
from cytoform.reports.latent.files import SIGMAS, Frames, LatentSpace
from cytoform.reports.latent.neighbours import Measure, Neighbour
from cytoform.shapes.boundary import BOUNDARY_FILES
from cytoform.shapes.grid import EXPONENTS
from cytoform.shapes.mesh import Mesh

LEARNED, GENERATED, TRAVERSED = COLOURS[0], COLOURS[1], COLOURS[3]
MEASURES: tuple[Measure, ...] = ("code", "shape")
WHEN = {-1.0: "Start", 0.0: "Middle", 1.0: "End"}
MAP_NOTES = {
    "map": "Cells by the first two principal components of their codes. Distances on the map are distances between codes, as "
    "far as these two directions show them.",
    "umap": "The same cells by UMAP, which keeps neighbours together. Its axes, and how far apart groups lie, mean nothing.",
}


def write_page(folder: Path, space: LatentSpace, provenance: dict[str, Any], *, studio: str = "") -> Path:
    """Write index.html and its pictures into `folder`; return the page.

    `provenance` has to be fit for JSON; `studio` is a sentence on the studio of the run, as HTML.
    """
    drawer = Drawer(folder)
    sections = [
        Section("map", "Map of the cells", "Map", studio + _maps(space, drawer)),
        Section("components", "Principal components", "Components", _variance(space, drawer)),
        Section("traversals", "Along the components", "Traversals", _traversals(space, drawer)),
        Section("neighbours", "Nearest learned cells", "Neighbours", _neighbours(space, drawer)),
        Section("origin", "Provenance", "Provenance", json_block(provenance)),
    ]
    path = folder / "index.html"
    path.write_text(page(f"Latent space of {space.run}", _lead(space), sections), "utf-8")
    return path


def _lead(space: LatentSpace) -> str:
    n, spanned = len(space.sets[0].names), len(space.shares)
    said = f"{n} learned cell{'s' * (n != 1)}, each with a code of {space.code_dim} numbers. "
    if not spanned:
        said += "The codes do not differ, so there is no direction in which cells vary."
    else:
        said += f"The codes vary in {spanned} direction{'s' * (spanned != 1)}; the first holds "
        said += f"{_percent(space.shares[0])} of their variance."
    if len(space.sets) > 1:
        said += f" Generated cells among them: {len(space.sets[1].names)}."
    return said


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _maps(space: LatentSpace, drawer: Drawer) -> str:
    parts = []
    for chart in space.maps:
        text = f"{MAP_NOTES[chart.name]} Colours are means over the times looked at; growth is the last size over the first."
        parts += [
            note(text),
            drawer.plot(chart.name, map_figure(space.sets, chart, n_dims=space.grid.n_dims), "map of the codes"),
        ]
    return "\n".join(parts)


def _variance(space: LatentSpace, drawer: Drawer) -> str:
    if not len(space.shares):
        return ""
    text = (
        "How much of the variance of the learned codes lies along each. There is one fewer than codes, at most; where the "
        "bars fall slowly, no few directions stand for all."
    )
    return note(text) + drawer.plot("components", variance_figure(space.shares), "variance of the principal components")


def _traversals(space: LatentSpace, drawer: Drawer) -> str:
    if not space.traversals:
        return ""
    n_dims = space.grid.n_dims
    files = BOUNDARY_FILES[n_dims]
    parts = [
        note_html(
            "From left to right the mean of the learned codes is moved along one component, by standard deviations (σ) of "
            "the learned codes. The middle column is the mean code itself, which belongs to no cell: it is the same in all "
            "pictures. From top to bottom: times of the sequence, as far as the run has learned. "
            f'{files.title}: <a href="{files.folder}">{files.folder}</a>.'
        )
    ]
    for number, traversal in enumerate(space.traversals, start=1):
        share = _percent(space.shares[number - 1])
        parts += [
            f"<h3>Component {number}: {share} of the variance</h3>",
            drawer.picture(f"traversal_{number}", _traversal_sheet(space, traversal), f"along component {number}"),
            note("Mean size over the times shown: " + " → ".join(_mean_sizes(traversal)) + f" µm{EXPONENTS[n_dims]}."),
        ]
    return "\n".join(parts)


def _traversal_sheet(space: LatentSpace, traversal: Sequence[Frames]) -> Figure:
    rows = [
        SheetRow(WHEN.get(time, "Between"), f"time {time:.2g} of −1 to 1".replace("-", "−"), _meshes(row), TRAVERSED)
        for time, row in zip(space.traversal_times, traversal, strict=True)
    ]
    columns = [f"{sigma:+d} σ".replace("-", "−") if sigma else "mean code" for sigma in SIGMAS]
    grid = space.grid
    return contact_sheet(rows, columns=columns, half_extent_um=grid.half_extent_um, tile_px=170, n_dims=grid.n_dims)


def _meshes(frames: Frames) -> tuple[Mesh | None, ...]:
    return tuple(frame.mesh() for frame in frames)


def _mean_sizes(traversal: Sequence[Frames]) -> list[str]:
    boundaries = [[frame.boundary() for frame in row] for row in traversal]
    sizes = [[0.0 if each is None else each.size for each in row] for row in boundaries]
    return [f"{float(f'{size:.3g}'):g}" for size in np.mean(sizes, axis=0)]


def _neighbours(space: LatentSpace, drawer: Drawer) -> str:
    if not space.neighbours:
        return ""
    first = {(each.kind, each.cell, each.measure): each for each in space.neighbours if each.rank == 1}
    rows = []
    for cell in space.sets[1].names:
        near = [first["generated", cell, measure] for measure in MEASURES]
        rows.append([html.escape(cell), *(text for n in near for text in (html.escape(n.name), f"{n.distance:.3f}"))])
    text = (
        "Generated cells and the learned ones nearest to them, by the distance between codes, and by shape: 1 − Jaccard "
        "index at the same times, averaged over these. " + _between_learned(first)
    )
    sheet = _neighbour_sheet(space, first)
    return "\n".join(
        [
            note(text),
            drawer.picture("neighbours", sheet, "generated cells beside their nearest learned ones"),
            table(["Generated", "Nearest by code", "distance", "Nearest by shape", "1 − Jaccard"], rows),
        ]
    )


def _between_learned(first: dict[tuple[str, str, Measure], Neighbour]) -> str:
    """The usual distances between learned cells, for comparison."""
    code, shape = (
        [near.distance for (kind, _, by), near in first.items() if kind == "learned" and by == measure]
        for measure in MEASURES
    )
    if not code:
        return "There is one learned cell only."
    return (
        f"From learned cell to nearest learned cell it is {np.median(code):.3f} and {np.median(shape):.3f} in the median; "
        "a generated cell that is far nearer is a copy."
    )


def _neighbour_sheet(space: LatentSpace, first: dict[tuple[str, str, Measure], Neighbour]) -> Figure:
    rows = []
    for kind, cell in space.pictured:
        if kind != "generated":
            continue
        rows.append(SheetRow("Generated", cell, _meshes(space.pictured[kind, cell]), GENERATED, first_of_block=True))
        code, shape = (first["generated", cell, measure].name for measure in MEASURES)
        titles = {code: "Nearest by both"} if code == shape else {code: "Nearest by code", shape: "Nearest by shape"}
        rows += [
            SheetRow(title, name, _meshes(space.pictured["learned", name]), LEARNED) for name, title in titles.items()
        ]
    columns = [WHEN.get(time, "") for time in space.picture_times]
    grid = space.grid
    return contact_sheet(rows, columns=columns, half_extent_um=grid.half_extent_um, n_dims=grid.n_dims)
