"""Shaded pictures of meshes with NumPy alone: no graphics card, no OpenGL, the same bytes everywhere.

An orthographic z-buffer: every triangle that faces the camera is tested against the pixels of its bounding box, the
nearest fragment of a pixel wins, normals are interpolated over the triangle (Phong 1975), and crevices are darkened
by how far they lie behind their surroundings (depth darkening, Luft et al. 2006).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, UInt8
from scipy.ndimage import gaussian_filter

from cytoform.shapes.mesh import Mesh

Pixels = Float[np.ndarray, "rows columns"]
Colour = tuple[float, float, float]

SUPERSAMPLING = 2
# Directions are (right, up, toward the viewer): a large soft key light from the upper left, a cool fill from the right.
KEY, FILL = np.array([-0.45, 0.65, 0.62]), np.array([0.8, -0.1, 0.4])


@dataclass(frozen=True)
class Camera:
    """Where from an orthographic picture is taken: angles of the viewer, z up; `zoom` 1 shows the whole cube's width."""

    azimuth_deg: float = -60.0
    elevation_deg: float = 25.0
    zoom: float = 1.0

    @property
    def axes(self) -> Float[np.ndarray, "3 3"]:
        """Rows: the picture's right, its up, and the direction to the viewer, in (x, y, z)."""
        azimuth, elevation = np.deg2rad([self.azimuth_deg, self.elevation_deg])
        toward = [np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)]
        right = np.array([-np.sin(azimuth), np.cos(azimuth), 0.0])
        return np.stack([right, np.cross(toward, right), toward])


CAMERA = Camera()


def render_mesh(
    mesh: Mesh,
    *,
    size_px: int,
    half_extent_um: float,
    camera: Camera = CAMERA,
    colour: Colour = (0.30, 0.52, 0.78),
) -> UInt8[np.ndarray, "rows columns 4"]:
    """A square RGBA picture of a mesh on transparent ground; the cube's centre is in the middle.

    `half_extent_um` is the half-width of the cube the mesh lies in, so pictures of one store share centre and scale:
    a micrometre is `size_px * camera.zoom / (2 * half_extent_um)` pixels. `colour` is sRGB, 0 to 1.
    """
    side = size_px * SUPERSAMPLING
    scale = side * camera.zoom / (2 * half_extent_um)
    seen = (mesh.vertices_xyz_um.astype(np.float64) - half_extent_um) @ camera.axes.T * scale
    points_px = np.stack([side / 2 + seen[:, 0], side / 2 - seen[:, 1], seen[:, 2]], axis=1)
    normals = _vertex_normals(mesh) @ camera.axes.T

    pixel, face, weights = _visible(points_px, mesh.faces, side)
    corners = mesh.faces[face]
    normal = np.einsum("pc,pcd->pd", weights, normals[corners])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    depth = np.einsum("pc,pc->p", weights, points_px[corners, 2])

    picture = np.zeros((side * side, 4))
    picture[pixel, :3] = _shade(normal, colour) * _openness(pixel, depth, side)[:, None]
    picture[pixel, 3] = 1
    return _to_bytes(picture.reshape(size_px, SUPERSAMPLING, size_px, SUPERSAMPLING, 4).mean(axis=(1, 3)))


def _vertex_normals(mesh: Mesh) -> Float[np.ndarray, "vertices 3"]:
    """Sum of the normals of the faces around each vertex, weighted by their area; not normalised."""
    a, b, c = (mesh.vertices_xyz_um[mesh.faces[:, corner]].astype(np.float64) for corner in range(3))
    of_faces = np.cross(b - a, c - a)
    n = len(mesh.vertices_xyz_um)
    of_corners = np.repeat(of_faces, 3, axis=0)
    summed = [np.bincount(mesh.faces.ravel(), of_corners[:, axis], minlength=n) for axis in range(3)]
    return np.stack(summed, axis=1)


def _visible(
    points_px: Float[np.ndarray, "vertices 3"], faces: Int[np.ndarray, "faces 3"], side: int
) -> tuple[Int[np.ndarray, " p"], Int[np.ndarray, " p"], Float[np.ndarray, "p 3"]]:
    """The nearest face in every covered pixel, as flat pixel index, face and barycentric weights."""
    xy = points_px[faces, :2]
    # Twice the signed area in pixels; rows grow downward, so outward faces toward the viewer are negative.
    area = _cross(xy[:, 1] - xy[:, 0], xy[:, 2] - xy[:, 0])
    low = np.maximum(np.ceil(xy.min(axis=1) - 0.5), 0).astype(np.int64)
    high = np.minimum(np.floor(xy.max(axis=1) - 0.5), side - 1).astype(np.int64)
    width, height = np.maximum(high - low + 1, 0).T
    front = np.flatnonzero((area < -1e-9) & (width * height > 0))

    # One fragment for each pixel of each front face's bounding box.
    count = (width * height)[front]
    face = np.repeat(front, count)
    step = np.arange(len(face)) - np.repeat(np.cumsum(count) - count, count)
    column, row = low[face, 0] + step % width[face], low[face, 1] + step // width[face]
    weights = _barycentric(xy[face], np.stack([column, row], axis=1) + 0.5, area[face])
    inside = (weights >= -1e-9).all(axis=1)
    face, pixel, weights = face[inside], (row * side + column)[inside], weights[inside]

    depth = np.einsum("pc,pc->p", weights, points_px[faces[face], 2])
    nearest = np.full(side * side, -np.inf)
    np.maximum.at(nearest, pixel, depth)
    # Where two faces share an edge through a pixel's centre both win; the last one is kept.
    winner = np.full(side * side, -1)
    won = np.flatnonzero(depth == nearest[pixel])
    winner[pixel[won]] = won
    chosen = winner[winner >= 0]
    return pixel[chosen], face[chosen], weights[chosen]


def _barycentric(
    corners: Float[np.ndarray, "p 3 2"], at: Float[np.ndarray, "p 2"], area: Float[np.ndarray, " p"]
) -> Float[np.ndarray, "p 3"]:
    """Weights of a triangle's corners at a point; `area` is twice its signed area."""
    a, b, c = (corners[:, i] - at for i in range(3))
    return np.stack([_cross(b, c), _cross(c, a), _cross(a, b)], axis=1) / area[:, None]


def _cross(p: Float[np.ndarray, "n 2"], q: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, " n"]:
    return p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]


def _shade(normal: Float[np.ndarray, "p 3"], colour: Colour) -> Float[np.ndarray, "p 3"]:
    """Linear colour of surface points by their normal: wrapped key and fill light, sky, highlight, dark rim."""
    key, fill = KEY / np.linalg.norm(KEY), FILL / np.linalg.norm(FILL)
    # Light that wraps around the body leaves no black side, as in tissue.
    wrapped = np.clip((normal @ key + 0.35) / 1.35, 0, 1) ** 1.3
    sky = 0.5 + 0.5 * normal[:, 1]
    light = 0.22 + 0.16 * sky + 0.80 * wrapped + 0.14 * np.clip(normal @ fill, 0, 1)
    half = key + np.array([0, 0, 1])
    highlight = np.clip(normal @ (half / np.linalg.norm(half)), 0, 1) ** 40
    rim = 1 - 0.35 * (1 - np.clip(normal[:, 2], 0, 1)) ** 2
    return np.array(colour) ** 2.2 * (light * rim)[:, None] + 0.10 * highlight[:, None]


def _openness(pixel: Int[np.ndarray, " p"], depth: Float[np.ndarray, " p"], side: int) -> Float[np.ndarray, " p"]:
    """1 on open surface, less where the surroundings lie nearer to the viewer: furrows and contacts grow dark."""
    row, column = np.divmod(pixel, side)
    row, column = row - row.min(initial=side), column - column.min(initial=side)
    layers = np.zeros((2, row.max(initial=0) + 1, column.max(initial=0) + 1), np.float32)
    layers[0, row, column], layers[1, row, column] = depth, 1
    open_share = np.ones(len(pixel))
    for blur in (0.012, 0.04):
        sigma = blur * side
        # Blurred by its own cover, so that the empty ground around the cell counts for nothing.
        around, cover = gaussian_filter(layers, (0, sigma, sigma), truncate=2, mode="constant")[:, row, column]
        behind = (around / np.maximum(cover, 1e-6) - depth) / sigma
        # A silhouette falls away too; only what lies deeper than that is a crevice.
        open_share *= 1 - 0.5 * np.clip(behind / 2 - 0.3, 0, 1)
    return open_share


def _to_bytes(linear: Float[np.ndarray, "rows columns 4"]) -> UInt8[np.ndarray, "rows columns 4"]:
    """sRGB bytes with straight alpha from linear colours that are already multiplied by alpha."""
    alpha = linear[..., 3:]
    colour = np.clip(linear[..., :3] / np.maximum(alpha, 1e-6), 0, 1) ** (1 / 2.2)
    return np.rint(np.concatenate([colour, alpha], axis=-1) * 255).astype(np.uint8)
