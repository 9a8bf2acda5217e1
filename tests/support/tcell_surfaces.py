"""Exact surfaces of the T-cell masks (../shared/data/README.md), and errors of distance fields with respect to them."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import igl
import numpy as np
import tifffile
from scipy.spatial import cKDTree

from cytoform.shapes.grid import Grid
from harmonics import sphere

SUBDIVISIONS = 6
SPACINGS_ZYX_UM = {"": (0.25, 0.25, 0.25), "_z5": (1.0, 0.2, 0.2), "_z11": (1.0, 0.09, 0.09)}
# The masks on thick slices start this far below the lowest point of the surface in all frames.
ROOM_UM, FRAMES = 2.0, 10
WITHIN_UM = 1.0

Triple = tuple[float, float, float]
Distance = Callable[[np.ndarray, Triple, Grid, Triple], np.ndarray]


@dataclass(frozen=True)
class Surface:
    """A fine triangle mesh of the harmonics: about 41 000 vertices, edges under 0.2 µm."""

    points_xyz_um: np.ndarray
    faces: np.ndarray

    def distance_um(self, points_xyz_um: np.ndarray) -> np.ndarray:
        """Signed distance, negative inside."""
        points = np.ascontiguousarray(points_xyz_um)
        kind = igl.SIGNED_DISTANCE_TYPE_FAST_WINDING_NUMBER
        return igl.signed_distance(points, self.points_xyz_um, self.faces, kind)[0]


@cache
def row_of(data: Path, name: str) -> dict[str, str]:
    """The row of sequences.csv for a sequence."""
    with (data / "tcells" / "sequences.csv").open(newline="") as file:
        return next(row for row in csv.DictReader(file) if row["name"] == name)


@cache
def exact_surface(data: Path, name: str, frame: int) -> Surface:
    """The surface from which a frame of a mask movie was made, in microscope coordinates."""
    row = row_of(data, name)
    stored = np.load(data / "tcells" / "surfaces_spharm_l15.npz")
    number = int(row["first_frame"]) + frame * int(row["stride"])
    (index,) = np.flatnonzero((stored["cell"] == int(row["cell"])) & (stored["frame"] == number))
    fine = sphere(SUBDIVISIONS)
    points, faces = fine.basis @ stored["coeffs_um_xyz"][index].astype(float), fine.faces
    a, b, c = (points[faces[:, corner]] for corner in range(3))
    outward = np.einsum("ij,ij->", a, np.cross(b, c)) > 0
    return Surface(points, faces if outward else np.ascontiguousarray(faces[:, ::-1]))


@cache
def origin_xyz_um(data: Path, name: str, kind: str) -> np.ndarray:
    """Corner of a mask movie in microscope coordinates; for thick slices it follows from the lowest surface point."""
    if not kind:
        row = row_of(data, name)
        return np.array([float(row[f"origin_{axis}_um"]) for axis in "xyz"])
    lowest = [exact_surface(data, name, frame).points_xyz_um.min(0) for frame in range(FRAMES)]
    return np.min(lowest, axis=0) - ROOM_UM


def mask_of(data: Path, name: str, kind: str, frame: int) -> np.ndarray:
    """One frame of a mask movie, (z, y, x)."""
    folder = "masks_anisotropic" if kind else "masks"
    return tifffile.imread(data / "tcells" / folder / f"{name}{kind}.ome.tif")[frame].astype(bool)


@dataclass(frozen=True)
class Case:
    """A mask, and the exact distance at voxel centres of the prepared cube within 1 µm of the surface."""

    mask: np.ndarray
    spacing_zyx_um: Triple
    grid: Grid
    centre_zyx_um: Triple
    near: np.ndarray
    exact_um: np.ndarray

    def mean_error_um(self, measure: Distance) -> float:
        """Mean absolute error of a method that computes distances."""
        found = measure(self.mask, self.spacing_zyx_um, self.grid, self.centre_zyx_um)
        return float(np.abs(found.ravel()[self.near] - self.exact_um).mean())


def real_case(data: Path, name: str, kind: str, *, frame: int, grid: Grid) -> Case:
    """One frame of a sequence on one of the voxel grids."""
    spacing = SPACINGS_ZYX_UM[kind]
    mask = mask_of(data, name, kind, frame)
    z, y, x = ((np.argwhere(mask).mean(0) + 0.5) * spacing).tolist()
    surface = exact_surface(data, name, frame)
    points = (grid.points_zyx_um() - grid.half_extent_um + (z, y, x))[:, ::-1] + origin_xyz_um(data, name, kind)
    to_vertex, _ = cKDTree(surface.points_xyz_um).query(points, distance_upper_bound=WITHIN_UM + 0.2)
    near = np.flatnonzero(np.isfinite(to_vertex))
    exact = surface.distance_um(points[near])
    within = np.abs(exact) <= WITHIN_UM
    return Case(mask, spacing, grid, (z, y, x), near[within], exact[within])
