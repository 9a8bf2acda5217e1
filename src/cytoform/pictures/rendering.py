"""Shaded pictures of meshes in NumPy: no graphics card, no OpenGL, reproducible bytes.

A z-buffer finds the visible face of each sample (rasteriser.py). Normals are interpolated over the face (Phong 1975),
samples are averaged to pixels and shaded, and crevices are darkened by their depth below the surroundings (depth
darkening, Luft et al. 2006).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, UInt8
from scipy.ndimage import gaussian_filter

from cytoform.pictures.rasteriser import visible
from cytoform.shapes.mesh import Mesh

Picture = UInt8[np.ndarray, "rows columns 4"]
Colour = tuple[float, float, float]
VertexColours = Float[np.ndarray, "_ 3"]

SUPERSAMPLING = 2
# Directions are (right, up, toward the viewer): a soft key light from the upper left, a fill light from the right.
KEY, FILL = np.array([-0.45, 0.65, 0.62]), np.array([0.8, -0.1, 0.4])


@dataclass(frozen=True)
class Camera:
    """Orthographic camera: direction to the viewer, with z up; at `zoom` 1 the cube fills the picture's width."""

    azimuth_deg: float = -60.0
    elevation_deg: float = 25.0
    zoom: float = 1.0

    @property
    def axes(self) -> Float[np.ndarray, "3 3"]:
        """Rows: the picture's right, its up, and the direction to the viewer, as (x, y, z)."""
        azimuth, elevation = np.deg2rad([self.azimuth_deg, self.elevation_deg])
        toward = [np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)]
        right = np.array([-np.sin(azimuth), np.cos(azimuth), 0.0])
        return np.stack([right, np.cross(toward, right), toward])


CAMERA = Camera()
# By number of dimensions: cells of images are seen as images show them, x to the right and y down.
CAMERAS = {3: CAMERA, 2: Camera(azimuth_deg=-90.0, elevation_deg=-90.0)}


@dataclass(frozen=True)
class Viewport:
    """Rows and columns of a picture, its scale, and the camera; the camera's zoom is ignored."""

    shape_px: tuple[int, int]
    px_per_um: float
    camera: Camera


def render_mesh(
    mesh: Mesh,
    *,
    size_px: int,
    half_extent_um: float,
    camera: Camera = CAMERA,
    colour: Colour | VertexColours = (0.30, 0.52, 0.78),
) -> Picture:
    """Render a mesh as a square RGBA picture on a transparent background, with the cube's centre in the middle.

    `half_extent_um` is the half-width of the cube that contains the mesh, so that pictures of one store have the same
    scale: `size_px * camera.zoom / (2 * half_extent_um)` pixels per µm. `colour` is sRGB from 0 to 1, one for the mesh or
    one per vertex.
    """
    view = Viewport((size_px, size_px), size_px * camera.zoom / (2 * half_extent_um), camera)
    return render_view(mesh, view, half_extent_um=half_extent_um, colour=colour)


def render_view(mesh: Mesh, view: Viewport, *, half_extent_um: float, colour: Colour | VertexColours) -> Picture:
    """Render a mesh as an RGBA picture of any size and scale (see `render_mesh`)."""
    rows, columns = view.shape_px
    scale = view.px_per_um * SUPERSAMPLING
    seen = (mesh.vertices_xyz_um.astype(np.float64) - half_extent_um) @ view.camera.axes.T * scale
    points_px = np.array([columns, rows, 0]) * SUPERSAMPLING / 2 + seen * [1, -1, 1]
    found = visible(points_px, mesh.faces, (rows * SUPERSAMPLING, columns * SUPERSAMPLING))

    paint = np.asarray(colour, float)
    columns_of_vertices = [_vertex_normals(mesh) @ view.camera.axes.T, points_px[:, 2:]]
    if paint.ndim == 2:
        columns_of_vertices.append(paint)
    of_vertices = np.concatenate(columns_of_vertices, axis=1)
    of_samples = np.einsum("nk,nkc->nc", found.weights, of_vertices[mesh.faces[found.face]])
    pixel_of_sample = found.row // SUPERSAMPLING * columns + found.column // SUPERSAMPLING
    pixel, cover, mean = _averaged(pixel_of_sample, of_samples, rows * columns)
    normal = mean[:, :3] / np.maximum(np.linalg.norm(mean[:, :3], axis=1, keepdims=True), 1e-12)
    openness = _openness(np.divmod(pixel, columns), mean[:, 3] / SUPERSAMPLING, max(rows, columns))

    picture = np.zeros((rows * columns, 4), np.uint8)
    picture[pixel, :3] = np.rint(
        _encoded(_shade(normal, paint if paint.ndim == 1 else mean[:, 4:]) * openness[:, None])
    )
    picture[pixel, 3] = np.rint(255 * cover / SUPERSAMPLING**2)
    return picture.reshape(rows, columns, 4)


def _vertex_normals(mesh: Mesh) -> Float[np.ndarray, "vertices 3"]:
    """Sum of the area-weighted normals of the faces around each vertex; not normalised."""
    a, b, c = (mesh.vertices_xyz_um[mesh.faces[:, corner]].astype(np.float64) for corner in range(3))
    of_faces = np.cross(b - a, c - a)
    n = len(mesh.vertices_xyz_um)
    of_corners = np.repeat(of_faces, 3, axis=0)
    summed = [np.bincount(mesh.faces.ravel(), of_corners[:, axis], minlength=n) for axis in range(3)]
    return np.stack(summed, axis=1)


def _averaged(
    pixel: Int[np.ndarray, " n"], values: Float[np.ndarray, "n values"], n_pixels: int
) -> tuple[Int[np.ndarray, " p"], Int[np.ndarray, " p"], Float[np.ndarray, "p values"]]:
    """Pixels that contain samples, with their number of samples and the mean of the sample values."""
    count = np.bincount(pixel, minlength=n_pixels)
    some = np.flatnonzero(count)
    sums = [np.bincount(pixel, value, minlength=n_pixels)[some] for value in values.T]
    return some, count[some], np.stack(sums, axis=1) / count[some, None]


def _shade(normal: Float[np.ndarray, "p 3"], colour: Float[np.ndarray, "... 3"]) -> Float[np.ndarray, "p 3"]:
    """Linear colour of surface points by their normal: wrapped key light, fill light, sky, highlight, dark rim."""
    key, fill = KEY / np.linalg.norm(KEY), FILL / np.linalg.norm(FILL)
    # Wrapped light leaves no black side, similar to scattering in tissue.
    wrapped = np.clip((normal @ key + 0.35) / 1.35, 0, 1) ** 1.3
    sky = 0.5 + 0.5 * normal[:, 1]
    light = 0.22 + 0.16 * sky + 0.80 * wrapped + 0.14 * np.clip(normal @ fill, 0, 1)
    half = key + np.array([0, 0, 1])
    highlight = np.clip(normal @ (half / np.linalg.norm(half)), 0, 1) ** 40
    rim = 1 - 0.35 * (1 - np.clip(normal[:, 2], 0, 1)) ** 2
    return colour**2.2 * (light * rim)[:, None] + 0.10 * highlight[:, None]


def shades(colour: Colour) -> Float[np.ndarray, "n 3"]:
    """All shades of a surface of this colour, from 0 to 255: every normal, at several degrees of openness."""
    x, y = np.meshgrid(*[np.linspace(-1, 1, 41)] * 2)
    inside = x**2 + y**2 <= 1
    normal = np.stack([x[inside], y[inside], np.sqrt(np.maximum(1 - x[inside] ** 2 - y[inside] ** 2, 0))], axis=1)
    return np.concatenate(
        [_encoded(_shade(normal, np.array(colour)) * open_share) for open_share in (1.0, 0.85, 0.6, 0.35)]
    )


def _encoded(linear: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
    """Linear colours to sRGB from 0 to 255."""
    return 255 * np.clip(linear, 0, 1) ** (1 / 2.2)


def _openness(
    at: tuple[Int[np.ndarray, " p"], Int[np.ndarray, " p"]], depth_px: Float[np.ndarray, " p"], side_px: int
) -> Float[np.ndarray, " p"]:
    """1 on exposed surface, less in furrows and contacts, where the surroundings are nearer to the viewer."""
    row, column = (index - index.min(initial=side_px) for index in at)
    layers = np.zeros((2, row.max(initial=0) + 1, column.max(initial=0) + 1))
    layers[0, row, column], layers[1, row, column] = depth_px, 1
    open_share = np.ones(len(depth_px))
    for blur in (0.012, 0.04):
        sigma_px = blur * side_px
        # Normalised by the blurred coverage, so that the empty background has no weight.
        around, cover = _blurred(layers, sigma_px)[:, row, column]
        behind = (around / np.maximum(cover, 1e-6) - depth_px) / sigma_px
        # Silhouettes recede too; only greater depths are crevices.
        open_share *= 1 - 0.5 * np.clip(behind / 2 - 0.3, 0, 1)
    return open_share


def _blurred(layers: Float[np.ndarray, "2 rows columns"], sigma_px: float) -> Float[np.ndarray, "2 rows columns"]:
    """Layers blurred by a Gaussian; wide kernels are applied at lower resolution."""
    fewer = max(int(sigma_px / 3), 1)
    rows, columns = layers.shape[1:]
    padded = np.pad(layers, ((0, 0), (0, -rows % fewer), (0, -columns % fewer)))
    small = padded.reshape(2, padded.shape[1] // fewer, fewer, padded.shape[2] // fewer, fewer).mean(axis=(2, 4))
    sigma = sigma_px / fewer
    small = gaussian_filter(small, (0, sigma, sigma), truncate=2, mode="constant")
    for axis, n in ((1, rows), (2, columns)):
        small = _stretched(small, fewer, n, axis)
    return small


def _stretched(values: np.ndarray, times: int, n: int, axis: int) -> np.ndarray:
    """Linear interpolation along an axis to `n` pixels, `times` per value."""
    at = np.clip((np.arange(n) + 0.5) / times - 0.5, 0, values.shape[axis] - 1)
    before = at.astype(np.int64)
    after = np.minimum(before + 1, values.shape[axis] - 1)
    share = (at - before).reshape([-1 if i == axis else 1 for i in range(values.ndim)])
    return np.take(values, before, axis) * (1 - share) + np.take(values, after, axis) * share
