"""Cells painted by their protrusions: each has a colour that it keeps as long as it lasts, the body is grey."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import KDTree

from cytoform.pictures.rendering import Colour
from cytoform.protrusions.curves import Curve
from cytoform.protrusions.tracks import Track
from cytoform.shapes.mesh import Mesh

Paint = Int[np.ndarray, " vertices"]  # for every vertex the place of its colour in PALETTE; 0 is the body
# The body, then colours of Okabe and Ito (2008) and of Tol (2021, "muted"), neighbours unlike each other.
PALETTE: tuple[Colour, ...] = (
    (0.80, 0.81, 0.83),
    (0.84, 0.37, 0.00),
    (0.00, 0.45, 0.70),
    (0.07, 0.47, 0.20),
    (0.67, 0.27, 0.60),
    (0.90, 0.62, 0.00),
    (0.34, 0.71, 0.91),
    (0.53, 0.13, 0.33),
    (0.60, 0.60, 0.20),
    (0.20, 0.13, 0.53),
    (0.80, 0.40, 0.47),
    (0.00, 0.62, 0.45),
)
# A vertex belongs to a centre line that is so near, in radii of the protrusion there and beyond that in µm.
REACH_RADII, REACH_UM = 1.4, 0.1


def painted(mesh: Mesh, tracks: Sequence[Track], frame: int) -> Paint:
    """The paint of a mesh, whose points are in µm from the corner of the cube, by the protrusions of its frame."""
    shown = [(track.label, track.curves[frame]) for track in tracks if frame in track.curves]
    if not shown:
        return np.zeros(len(mesh.vertices_xyz_um), np.int64)
    places = np.concatenate([curve.line_zyx_um for _, curve in shown])[:, ::-1]
    # Of cells in images, the plate is painted through.
    vertices = mesh.vertices_xyz_um[:, : places.shape[1]]
    radii = np.concatenate([curve.radii_um for _, curve in shown])
    paints = np.concatenate([_along(curve, colour_of(label)) for label, curve in shown])
    distances, nearest = KDTree(places).query(vertices)
    return np.where(distances <= REACH_RADII * radii[nearest] + REACH_UM, paints[nearest], 0)


def _along(curve: Curve, colour: int) -> Int[np.ndarray, " n"]:
    """The colour at the places of a centre line; the surface around a root on the body belongs to the body."""
    paint = np.full(len(curve.radii_um), colour)
    if curve.parent is None:
        paint[0] = 0
    return paint


def colour_of(label: int) -> int:
    """The place in PALETTE of a track, by its label from 1 on."""
    return 1 + (label - 1) % (len(PALETTE) - 1)


def colours(paint: Paint) -> Float[np.ndarray, "vertices 3"]:
    """The colour of every vertex, for `render_mesh`."""
    return np.array(PALETTE)[paint]
