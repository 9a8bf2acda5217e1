"""What is written about a scene beside its data: README.md and index.html of every data set, and of a series."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import tifffile
from jaxtyping import Float
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from skimage.segmentation import find_boundaries

from cytoform.base.lines import encodable
from cytoform.pictures.figures import STYLE, as_png, as_svg
from cytoform.pictures.page import Section, image, note, page
from cytoform.pictures.page import facts as facts_table
from cytoform.pictures.sheets import round_length, spread
from cytoform.reports.scenes.beside import note_of_frames, summary
from cytoform.reports.scenes.card import card, figures, parameters, protrusion_figures, series_card
from cytoform.reports.scenes.facts import Facts, facts
from cytoform.scenes.scene import Scene
from cytoform.scenes.stage import Made

FRAMES_SHOWN, TRACKS_SHOWN = 6, 150
# What is shown of a frame, with images or without, by the dimensions of the cells.
VIEWS = {
    (True, 3): "largest intensity along z",
    (False, 3): "labels in front",
    (True, 2): "images",
    (False, 2): "labels",
}


def write_scene_report(folder: Path, scene: Scene, made: Sequence[Made]) -> list[Facts]:
    """Write the card and the page of every data set into its folder, and those of a series into `folder`.

    Returns the facts of every data set.
    """
    found = [facts(scene, one) for one in made]
    for one, measured in zip(made, found, strict=True):
        (one.dataset.folder / "README.md").write_text(encodable(card(scene, one, measured)), "utf-8")
        (one.dataset.folder / "index.html").write_text(_page(scene, one, measured), "utf-8")
    if made[0].name:
        (folder / "README.md").write_text(encodable(series_card(made, found)), "utf-8")
    return found


def _page(scene: Scene, made: Made, found: Facts) -> str:
    known = protrusion_figures(found.protrusions) if found.protrusions else []
    views = VIEWS[made.texture.paints, made.dataset.view.n_dims]
    sections = [
        Section(
            "frames",
            "Frames",
            "Frames",
            note(f"The {views}, with the outlines of the labels.")
            + image("png", as_png(contact_sheet(made)), "frames of the movie with outlines"),
        ),
        Section("figures", "Figures", "Figures", facts_table(figures(scene, made, found) + known)),
        Section(
            "lineage",
            "Lineage",
            "Lineage",
            image("svg+xml", as_svg(lineage_tree(made)), "tracks over time, with their divisions"),
        ),
        Section(
            "trajectories",
            "Trajectories",
            "Trajectories",
            image("svg+xml", as_svg(trajectories(made)), "trajectories of the cells seen along z"),
        ),
        *_likeness(scene, made, found),
        Section("parameters", "How it was made", "Parameters", facts_table(parameters(scene, made))),
    ]
    lead = f"{found.families} families of cells, {found.tracks} tracks, {found.divisions} divisions, {len(made.frames)} frames."
    return page(made.name or "Benchmark data set", lead, sections)


def _likeness(scene: Scene, made: Made, found: Facts) -> list[Section]:
    """Statistics beside the movie that the scene resembles, if any."""
    if scene.likeness is None:
        return []
    name = scene.likeness.name
    rows = [(row.cells[0], "{}, real {} ({}), within: {}".format(*row.cells[1:])) for row in found.beside]
    said = note(f"{summary(found.beside, name)}, which are in brackets.{note_of_frames(scene, made)}")
    taken = facts_table([("", sentence) for sentence in scene.likeness.sentences])
    return [Section("likeness", f"Beside {name}", "Likeness", said + facts_table(rows) + taken)]


def contact_sheet(made: Made, tile_inches: float = 3.2) -> Figure:
    """Frames spread over the movie, with a scale bar in the first."""
    chosen = spread(len(made.frames), FRAMES_SHOWN)
    columns = min(3, len(chosen))
    rows = -(-len(chosen) // columns)
    _, n_y, n_x = made.dataset.shape_zyx
    with mpl.rc_context(STYLE):
        size = (tile_inches * columns, (tile_inches * n_y / n_x + 0.3) * rows)
        figure = Figure(figsize=size, layout="constrained")
        axes: Any = figure.subplots(rows, columns, squeeze=False)
        for tile in axes.flat:
            tile.set_axis_off()
        pictures = [_read(made, frame) for frame in chosen]
        grey = [picture[0] for picture in pictures]
        low, high = np.percentile(np.concatenate([plane.ravel() for plane in grey]), (1, 99.8))
        for tile, frame, (plane, labels) in zip(axes.flat, chosen, pictures, strict=False):
            tile.imshow(_outlined(plane, labels, low, max(high, low + 1)), interpolation="nearest")
            tile.set_title(f"frame {frame}", fontsize=8, fontweight="normal")
        _scale_bar(axes.flat[0], made)
    return figure


def lineage_tree(made: Made) -> Figure:
    """A line for every track over its frames; mothers joined to daughters."""
    tracks = {track.label: track for track in made.tracked.tracks}
    daughters: dict[int, list[int]] = {}
    for track in tracks.values():
        daughters.setdefault(track.parent, []).append(track.label)
    heights: dict[int, float] = {}

    def place(label: int) -> float:
        below = [place(daughter) for daughter in daughters.get(label, [])]
        heights[label] = float(np.mean(below)) if below else float(sum(not daughters.get(one) for one in heights))
        return heights[label]

    for root in daughters.get(0, [])[:TRACKS_SHOWN]:
        place(root)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9.6, 0.8 + 0.11 * max(len(heights), 8)), layout="constrained")
        axes = figure.subplots()
        for label, height in heights.items():
            track = tracks[label]
            colour = _colour(label)
            axes.plot([track.first - 0.4, track.last + 0.4], [height, height], color=colour, linewidth=2)
            if track.parent:
                axes.plot([track.first - 0.5] * 2, [heights[track.parent], height], color="#64748b", linewidth=1)
        axes.set(xlabel="frame", yticks=[], xlim=(-0.6, len(made.frames) - 0.4), ylim=(len(heights), -1))
        axes.set_ylim(max(heights.values(), default=0) + 1, -1)
        axes.spines["left"].set_visible(False)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def trajectories(made: Made) -> Figure:
    """The centroids of all tracks, from a dot at the first frame on."""
    ways: dict[int, list[tuple[float, float]]] = {track.label: [] for track in made.tracked.tracks}
    for frame, cells in enumerate(made.seen):
        labels = made.tracked.labels_in(frame)
        for cell in cells:
            ways[labels[cell.number]].append((cell.centroid_zyx_um[2], cell.centroid_zyx_um[1]))
    _, n_y, n_x = made.dataset.shape_zyx
    _, y_um, x_um = made.dataset.view.seen_spacing_zyx_um
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.4, max(1.5, 6.0 * n_y * y_um / (n_x * x_um))), layout="constrained")
        axes = figure.subplots()
        colours = [_colour(label) for label in ways]
        axes.add_collection(LineCollection(list(ways.values()), colors=colours, linewidths=1.2))
        starts = np.array([way[0] for way in ways.values()]).reshape(-1, 2)
        axes.scatter(starts[:, 0], starts[:, 1], s=8, c=colours or None, linewidths=0)
        axes.set(xlabel="x (µm)", ylabel="y (µm)", xlim=(0, n_x * x_um), ylim=(n_y * y_um, 0), aspect="equal")
    return figure


def _read(made: Made, frame: int) -> tuple[Float[np.ndarray, "y x"], np.ndarray]:
    """The image or the largest intensity along z, and the labels or those in front."""
    number = made.dataset.challenge.number(frame)
    truth = made.dataset.folder / f"{made.dataset.sequence}_GT" / "TRA" / f"man_track{number}.tif"
    labels, is_flat = tifffile.imread(truth), made.dataset.view.is_flat
    front = labels if is_flat else _front(labels)
    if not made.texture.paints:
        return (front > 0).astype(float), front
    picture = tifffile.imread(made.dataset.folder / made.dataset.sequence / f"t{number}.tif")
    return (picture if is_flat else picture.max(axis=0)).astype(float), front


def _front(labels: np.ndarray) -> np.ndarray:
    """The first label along z at every pixel."""
    first = (labels > 0).argmax(axis=0)
    return np.take_along_axis(labels, first[None], axis=0)[0]


def _outlined(plane: np.ndarray, labels: np.ndarray, low: float, high: float) -> Float[np.ndarray, "y x 3"]:
    picture = np.repeat(((plane - low) / (high - low)).clip(0, 1)[..., None], 3, axis=2)
    edge = find_boundaries(labels, mode="inner")
    palette = np.array([_colour(label) for label in range(PALETTE)])
    picture[edge] = palette[labels[edge] % PALETTE]
    return picture


PALETTE = 360


def _colour(label: int) -> tuple[float, float, float]:
    """Labels that follow each other look different: hues a golden ratio apart."""
    hue = (label % PALETTE) * 0.61803398875 % 1
    red, green, blue = mpl.colors.hsv_to_rgb((hue, 0.75, 0.95))
    return float(red), float(green), float(blue)


def _scale_bar(axes: Any, made: Made) -> None:
    _, n_y, n_x = made.dataset.shape_zyx
    x_um = made.dataset.view.seen_spacing_zyx_um[2]
    length_um = round_length(0.3 * n_x * x_um)
    axes.plot([0.04 * n_x, 0.04 * n_x + length_um / x_um], [0.95 * n_y] * 2, color="white", linewidth=2.5)
    axes.text(0.04 * n_x, 0.92 * n_y, f"{length_um:g} µm", color="white", fontsize=7, va="bottom")
