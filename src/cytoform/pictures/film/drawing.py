"""Draws pictures: cells, names, time and scale bar."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw
from scipy.sparse import csr_array

from cytoform.pictures.film.cast import MovieCell
from cytoform.pictures.film.font import font, shortened
from cytoform.pictures.film.page import Page, Panel, panel_note
from cytoform.pictures.rendering import Colour, Viewport, render_view
from cytoform.shapes.mesh import Mesh
from cytoform.shapes.store import ShapeStore

Pixels = UInt8[np.ndarray, "rows columns 4"]
Ink = tuple[int, int, int]

# Colours of background, text and secondary text.
INKS: dict[str, tuple[tuple[int, int, int, int], Ink, Ink]] = {
    "white": ((255, 255, 255, 255), (15, 23, 42), (100, 116, 139)),
    "black": ((0, 0, 0, 255), (241, 245, 249), (148, 163, 184)),
    # Antialiased text blends into its own colour on a transparent background.
    "transparent": ((15, 23, 42, 0), (15, 23, 42), (100, 116, 139)),
}
SMOOTHING_ROUNDS = 10

SurfaceCache = dict[tuple[MovieCell, int], Mesh | None]


def draw(pages: Sequence[Page]) -> list[Pixels]:
    """Draw pictures in order; consecutive pictures share surfaces."""
    pictures, surfaces = [], SurfaceCache()
    for page in pages:
        shown = {(panel.cell, panel.frame) for panel in page.panels if panel.frame is not None}
        surfaces = {key: surfaces[key] if key in surfaces else _surface(*key) for key in shown}
        pictures.append(_draw_page(page, surfaces))
    return pictures


def _draw_page(page: Page, surfaces: SurfaceCache) -> Pixels:
    ground, ink, soft = INKS[page.style.background]
    width, height = page.size_px
    canvas = np.empty((height, width, 4), np.uint8)
    canvas[:] = ground
    empty = []
    for panel in page.panels:
        if panel.frame is None:
            continue
        surface = surfaces[panel.cell, panel.frame]
        if surface is None:
            empty.append(panel)
        else:
            _draw_cell(canvas, page, panel, surface)
    image = Image.fromarray(canvas)
    pen = ImageDraw.Draw(image)
    if page.bar is not None:
        bar = page.bar
        pen.rectangle((bar.left, bar.top, bar.left + bar.width - 1, bar.top + bar.height - 1), fill=ink)
    notes = [panel_note(panel.box, "empty", page.text_px) for panel in empty] if page.style.labels else []
    for text in (*page.texts, *notes):
        colour = soft if text.soft else ink if text.side is None else _ink(page.style.side_colours[text.side])
        words = shortened(text.text, text.size_px, text.width)
        pen.text((text.x, text.y), words, fill=colour, font=font(text.size_px), anchor=f"{text.anchor}m")
    return np.asarray(image)


def _draw_cell(canvas: Pixels, page: Page, panel: Panel, surface: Mesh) -> None:
    box = panel.box
    view = Viewport((box.height, box.width), page.px_per_um, panel.camera)
    colour = page.style.side_colours[panel.cell.side]
    picture = render_view(surface, view, half_extent_um=0.0, colour=colour)
    under = canvas[box.top : box.top + box.height, box.left : box.left + box.width]
    if page.style.background == "transparent":
        under[picture[..., 3] > 0] = picture[picture[..., 3] > 0]
        return
    alpha = picture[..., 3:].astype(np.float32) / 255
    under[..., :3] = np.rint(picture[..., :3] * alpha + under[..., :3] * (1 - alpha))


def _surface(cell: MovieCell, frame: int) -> Mesh | None:
    """Smoothed surface of a cell, centred in the cube; None for an empty frame."""
    sequence = ShapeStore.open(cell.store)[cell.name]
    mesh = sequence.box(frame).mesh()
    return mesh and Mesh(smoothed(mesh).vertices_xyz_um - sequence.grid.half_extent_um, mesh.faces)


def smoothed(mesh: Mesh, rounds: int = SMOOTHING_ROUNDS) -> Mesh:
    """Remove the facets of voxels without shrinking the surface (Taubin 1995).

    Vertices move by a fraction of a voxel, which makes the shading smooth in close-ups.
    """
    n = len(mesh.vertices_xyz_um)
    start, end = mesh.faces.ravel(), np.roll(mesh.faces, -1, axis=1).ravel()
    beside = csr_array((np.ones(len(start), np.float32), (start, end)), shape=(n, n))
    share = 1 / np.maximum(beside.sum(axis=1), 1)[:, None]
    points = mesh.vertices_xyz_um.astype(np.float32)
    for _ in range(rounds):
        for step in (0.5, -0.53):
            points = points + np.float32(step) * ((beside @ points) * share.astype(np.float32) - points)
    return Mesh(points, mesh.faces)


def _ink(colour: Colour) -> Ink:
    red, green, blue = (round(255 * channel) for channel in colour)
    return red, green, blue
