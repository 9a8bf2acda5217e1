"""Exact surfaces of the T-cell masks: spherical harmonics to degree 15 (README.md of the data)."""

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import igl
import numpy as np
import trimesh
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation
from scipy.special import sph_harm_y

from cytoform.errors import InputError
from cytoform.shapes.grid import Grid
from cytoform.shapes.mesh import Mesh
from data_sets import sequence_rows

DEGREE = 15
# Subdivisions of the parameter sphere: 5 gives vertices about 0.4 µm apart on a T cell; 4 suffices to match two surfaces.
FINE, COARSE = 5, 4


def basis(points_xyz: np.ndarray) -> np.ndarray:
    """Values of the 256 basis functions at points of the unit sphere, in the order of `coeffs_um_xyz`."""
    x, y, z = points_xyz.T
    theta, phi = np.arccos(np.clip(z, -1, 1)), np.arctan2(y, x)
    values = np.zeros((len(x), (DEGREE + 1) ** 2))
    for degree in range(DEGREE + 1):
        values[:, degree**2] = sph_harm_y(degree, 0, theta, phi).real
        for order in range(1, degree + 1):
            value = sph_harm_y(degree, order, theta, phi)
            values[:, degree**2 + 2 * order - 1], values[:, degree**2 + 2 * order] = value.real, value.imag
    return values


@dataclass(frozen=True)
class Sphere:
    """A triangulated unit sphere with the basis functions at its vertices."""

    vertices_xyz: np.ndarray
    faces: np.ndarray
    basis: np.ndarray


@cache
def sphere(subdivisions: int) -> Sphere:
    """A sphere with 20·4^subdivisions triangles."""
    found = trimesh.creation.icosphere(subdivisions=subdivisions)
    vertices = np.asarray(found.vertices, float)
    return Sphere(vertices, np.asarray(found.faces, np.int64), basis(vertices))


@dataclass(frozen=True)
class Harmonics:
    """Surfaces of all frames of the T cells, including frames that the masks skip with a stride of 2.

    Frames are numbered as in the masks; with a stride of 2, there is a frame 0.5.
    """

    folder: Path

    @cached_property
    def _stored(self) -> tuple[dict[tuple[int, int], int], np.ndarray]:
        path = self.folder / "surfaces_spharm_l15.npz"
        try:
            stored = np.load(path)
            keys = zip(stored["cell"].tolist(), stored["frame"].tolist(), strict=True)
            return {key: row for row, key in enumerate(keys)}, stored["coeffs_um_xyz"].astype(float)
        except (OSError, KeyError, ValueError):
            raise InputError(f"{path}: missing or not the surfaces of the T cells; see --tcells") from None

    def stride(self, name: str) -> int:
        """Number of microscope frames per frame of the masks."""
        return int(sequence_rows(self.folder)[name]["stride"])

    def coefficients(self, name: str, frame: float) -> np.ndarray:
        """Coefficients (256, xyz) of a frame, in µm in microscope coordinates."""
        row, (rows, values) = sequence_rows(self.folder)[name], self._stored
        number = int(row["first_frame"]) + round(frame * int(row["stride"]))
        return np.asarray(values[rows[int(row["cell"]), number]])

    def surface(self, name: str, frame: float) -> Mesh:
        """The surface of a frame."""
        fine = sphere(FINE)
        return _mesh(fine.basis @ self.coefficients(name, frame))

    def halfway(self, name: str, before: float, after: float) -> Mesh:
        """Mean of two surfaces: of points with equal parameters, after the parametrisations are aligned."""
        fine, a, b = sphere(FINE), self.coefficients(name, before), self.coefficients(name, after)
        turned = matching_turn(a, b).apply(fine.vertices_xyz)
        return _mesh((fine.basis @ a + basis(turned) @ b) / 2)


def matching_turn(a: np.ndarray, b: np.ndarray) -> Rotation:
    """Rotation from the parametrisation of surface `a` to the one of `b`.

    Each surface has its own parametrisation, often rotated by half a turn between frames, so that the mean of unaligned
    coefficients would not be a cell. The rotation is the best one (Kabsch 1976) that gives equal parameters to nearest
    points of the centred surfaces.
    """
    coarse = sphere(COARSE)
    points_a, points_b = (points - points.mean(axis=0) for points in (coarse.basis @ a, coarse.basis @ b))
    _, nearest = cKDTree(points_b).query(points_a)
    turn, _ = Rotation.align_vectors(coarse.vertices_xyz[nearest], coarse.vertices_xyz)
    return turn


def _mesh(points_xyz_um: np.ndarray) -> Mesh:
    faces = sphere(FINE).faces
    mesh = Mesh(points_xyz_um, faces)
    return mesh if mesh.volume_um3 > 0 else Mesh(points_xyz_um, np.ascontiguousarray(faces[:, ::-1]))


def mask_of(mesh: Mesh, grid: Grid) -> np.ndarray:
    """Voxels (z, y, x) of `grid` with their centre inside a mesh, after moving its centroid to the middle of the cube."""
    vertices = mesh.vertices_xyz_um - centroid_xyz_um(mesh) + grid.half_extent_um
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    span = [slice(*np.searchsorted(grid.centres_um, (l, h))) for l, h in zip(low, high, strict=True)]
    x, y, z = (grid.centres_um[side] for side in span)
    points_zyx = np.stack(np.meshgrid(z, y, x, indexing="ij"), axis=-1).reshape(-1, 3)
    winding = igl.fast_winding_number(vertices, mesh.faces, np.ascontiguousarray(points_zyx[:, ::-1]))
    mask = np.zeros(grid.shape, bool)
    mask[span[2], span[1], span[0]] = (winding > 0.5).reshape(len(z), len(y), len(x))
    return mask


def centroid_xyz_um(mesh: Mesh) -> np.ndarray:
    """Centroid of the volume inside a closed mesh."""
    a, b, c = (mesh.vertices_xyz_um[mesh.faces[:, corner]].astype(float) for corner in range(3))
    volumes = np.einsum("ij,ij->i", a, np.cross(b, c))
    return np.asarray(volumes @ (a + b + c) / (4 * volumes.sum()))
