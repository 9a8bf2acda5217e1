"""Contact sheets: rows of cells over time, with a common camera and scale and a scale bar."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from jaxtyping import Float, UInt8
from matplotlib.figure import Figure

from cytoform.pictures.rendering import CAMERA, CAMERAS, Camera, Colour, VertexColours, render_mesh
from cytoform.shapes.mesh import Mesh
from cytoform.shapes.store import ShapeSequence

# Layout at 100 pixels per inch, drawn at twice this resolution.
DPI, FINENESS = 100, 2
# Margins of a sheet in layout pixels.
LEFT_PX, TOP_PX, BOTTOM_PX, GAP_PX = 150, 34, 40, 18


@dataclass(frozen=True)
class SheetRow:
    """One sequence of a sheet; None is an empty frame. Space separates a row that is `first_of_block` from the previous one.

    Where a mesh is painted, each of its vertices has a colour of its own.
    """

    title: str
    subtitle: str
    meshes: tuple[Mesh | None, ...]
    colour: Colour
    first_of_block: bool = False
    painted: tuple[VertexColours | None, ...] | None = None

    @property
    def colours(self) -> tuple[Colour | VertexColours, ...]:
        """The colours of each mesh."""
        return tuple(self.colour if own is None else own for own in self.painted or (None,) * len(self.meshes))


def spread(n: int, wanted: int) -> list[int]:
    """Up to `wanted` evenly spaced indices of `n`, including the first and the last."""
    return sorted({round(i) for i in np.linspace(0, n - 1, min(n, wanted))})


def meshes_over_time(sequence: ShapeSequence, shares: Sequence[float]) -> tuple[Mesh | None, ...]:
    """Meshes of the frames nearest to the given shares (0 to 1) of a sequence's duration."""
    frames = [round(share * (sequence.info.n_frames - 1)) for share in shares]
    return tuple(sequence.box(frame).tight(margin=1).mesh() for frame in frames)


def contact_sheet(
    rows: Sequence[SheetRow], *, columns: Sequence[str], half_extent_um: float, tile_px: int = 150, n_dims: int = 3
) -> Figure:
    """A figure with one row per sequence and one column per time, titled by `columns`."""
    camera = common_camera([mesh for row in rows for mesh in row.meshes if mesh is not None], half_extent_um, n_dims)
    render = partial(render_mesh, size_px=tile_px * FINENESS, half_extent_um=half_extent_um, camera=camera)
    pictures = [
        [
            None if mesh is None else on_white(render(mesh, colour=colour))
            for mesh, colour in zip(row.meshes, row.colours, strict=True)
        ]
        for row in rows
    ]
    tall_px = _height_in_use(pictures, tile_px)
    tops = np.cumsum([tall_px + (GAP_PX if row.first_of_block and i else 0) for i, row in enumerate(rows)]) - tall_px
    tops += TOP_PX
    width, height = LEFT_PX + tile_px * len(columns), int(tops[-1]) + tall_px + BOTTOM_PX
    canvas = np.full((height * FINENESS, width * FINENESS, 3), 255, np.uint8)
    cut = slice((tile_px - tall_px) * FINENESS // 2, (tile_px + tall_px) * FINENESS // 2)
    for row_pictures, top in zip(pictures, tops * FINENESS, strict=True):
        for column, picture in enumerate(row_pictures):
            if picture is not None:
                left = (LEFT_PX + column * tile_px) * FINENESS
                canvas[top : top + tall_px * FINENESS, left : left + tile_px * FINENESS] = picture[cut]
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI * FINENESS)
    paper = figure.add_axes((0, 0, 1, 1))
    paper.imshow(canvas, interpolation="none", aspect="auto")
    paper.set_axis_off()
    _write_titles(figure, rows, columns, tops + tall_px / 2, tile_px)
    _draw_scale_bar(figure, px_per_um=tile_px * camera.zoom / (2 * half_extent_um), tile_px=tile_px)
    return figure


def time_title(frame: int, time_step_s: float | None) -> str:
    """The title of a column: the frame, counted from 1, and its time if the step is known."""
    if time_step_s is None:
        return f"frame {frame + 1}"
    seconds = frame * time_step_s
    return f"frame {frame + 1} · " + (f"{seconds / 60:.3g} min" if time_step_s >= 30 else f"{seconds:.3g} s")


def common_camera(meshes: Sequence[Mesh], half_extent_um: float, n_dims: int = 3) -> Camera:
    """A camera that fits all meshes at one scale, oriented to maximise their extent across the picture.

    Cells of images are seen from above.
    """
    if not meshes:
        return CAMERAS[n_dims]
    centred = [mesh.vertices_xyz_um.astype(np.float64) - half_extent_um for mesh in meshes]
    turned = [replace(CAMERA, azimuth_deg=float(azimuth)) for azimuth in range(-90, 90, 15)]
    views = turned if n_dims == 3 else [CAMERAS[n_dims]]
    best = max(views, key=lambda view: sum(float(np.var(points @ view.axes[0])) for points in centred))
    radius_um = max(float(np.abs(points @ best.axes[:2].T).max()) for points in centred)
    return replace(best, zoom=half_extent_um / (1.06 * radius_um))


def _height_in_use(pictures: Sequence[Sequence[np.ndarray | None]], tile_px: int) -> int:
    """Height in layout pixels that fits every cell with a small margin; at most `tile_px`."""
    inked = [np.flatnonzero((p < 255).any(axis=(1, 2))) for row in pictures for p in row if p is not None]
    farthest = max((float(np.abs(rows - tile_px * FINENESS / 2).max()) for rows in inked if rows.size), default=0.0)
    unused = int(tile_px / 2 - farthest / FINENESS - 8)
    return max(tile_px - 2 * max(unused, 0), 40)


def on_white(rgba: UInt8[np.ndarray, "rows columns 4"]) -> UInt8[np.ndarray, "rows columns 3"]:
    """Blend a transparent picture with a white background."""
    alpha: Float[np.ndarray, "rows columns 1"] = rgba[..., 3:] / 255
    return np.rint(rgba[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)


def _write_titles(
    figure: Figure, rows: Sequence[SheetRow], columns: Sequence[str], middles: np.ndarray, tile_px: int
) -> None:
    width, height = figure.get_size_inches() * DPI
    for column, text in enumerate(columns):
        x = (LEFT_PX + (column + 0.5) * tile_px) / width
        figure.text(x, 1 - 14 / height, text, ha="center", va="center", fontsize=9, color="#475569")
    for row, middle in zip(rows, middles, strict=True):
        y = 1 - middle / height
        colour = tuple(0.75 * channel for channel in row.colour)
        figure.text(12 / width, y + 8 / height, row.title, va="center", fontsize=10, weight="bold", color=colour)
        name = row.subtitle if len(row.subtitle) <= 22 else row.subtitle[:21] + "…"
        figure.text(12 / width, y - 9 / height, name, va="center", fontsize=8, color="#64748b")
        for column, mesh in enumerate(row.meshes):
            if mesh is None:
                x = (LEFT_PX + (column + 0.5) * tile_px) / width
                figure.text(x, y, "empty", ha="center", va="center", fontsize=8, color="#94a3b8")


def _draw_scale_bar(figure: Figure, *, px_per_um: float, tile_px: int) -> None:
    from matplotlib.lines import Line2D

    width, height = figure.get_size_inches() * DPI
    length_um = round_length(0.6 * tile_px / px_per_um)
    left, y = LEFT_PX + 0.2 * tile_px, 24 / height
    ends = [left / width, (left + length_um * px_per_um) / width]
    figure.add_artist(Line2D(ends, [y, y], color="#0f172a", linewidth=2.5, solid_capstyle="butt"))
    figure.text(sum(ends) / 2, y - 12 / height, f"{length_um:g} µm", ha="center", va="center", fontsize=8.5)


def round_length(at_most: float) -> float:
    """The largest number of the form 1, 2 or 5 times a power of ten that is at most `at_most`."""
    power = 10.0 ** np.floor(np.log10(at_most))
    return float(max(step * power for step in (1, 2, 5) if step * power <= at_most * (1 + 1e-9)))
