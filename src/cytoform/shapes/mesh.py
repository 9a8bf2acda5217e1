"""Closed triangle meshes of a cell's surface, in µm."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from cytoform.base.triples import IntTriple
from cytoform.errors import EmptyFrame, InputError

MESH_FORMATS = ("ply", "stl", "glb", "obj")


@dataclass(frozen=True)
class Mesh:
    """A closed surface with outward faces; vertices are (x, y, z) in µm from the corner of the cube."""

    vertices_xyz_um: Float[np.ndarray, "vertices 3"]
    faces: Int[np.ndarray, "faces 3"]

    @property
    def vertices_um(self) -> Float[np.ndarray, "vertices 3"]:
        """The vertices, as of any boundary."""
        return self.vertices_xyz_um

    @property
    def size(self) -> float:
        """Volume inside in µm³, as the size of any boundary."""
        return self.volume_um3

    @property
    def extent(self) -> float:
        """Surface area in µm², as the extent of any boundary."""
        return self.area_um2

    @property
    def volume_um3(self) -> float:
        """Volume inside, positive for outward faces (divergence theorem)."""
        a, b, c = (self.vertices_xyz_um[self.faces[:, corner]].astype(float) for corner in range(3))
        return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)

    @property
    def centroid_xyz_um(self) -> Float[np.ndarray, " 3"]:
        """Centroid of the volume inside: the mean of the tetrahedra from the mean vertex to every face."""
        middle = self.vertices_xyz_um.mean(axis=0, dtype=float)
        a, b, c = (self.vertices_xyz_um[self.faces[:, corner]].astype(float) - middle for corner in range(3))
        volumes = np.einsum("ij,ij->i", a, np.cross(b, c))
        return np.asarray(middle + volumes @ (a + b + c) / 4 / volumes.sum())

    @property
    def centroid_um(self) -> Float[np.ndarray, " 3"]:
        """Centroid of the volume inside, as of any boundary."""
        return self.centroid_xyz_um

    @property
    def area_um2(self) -> float:
        """Surface area."""
        a, b, c = (self.vertices_xyz_um[self.faces[:, corner]].astype(float) for corner in range(3))
        return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)

    def moved(self, shift_xyz_um: Float[np.ndarray, " 3"]) -> "Mesh":
        """The same surface elsewhere."""
        return Mesh((self.vertices_xyz_um + shift_xyz_um).astype(np.float32), self.faces)

    def write(self, path: str | Path) -> None:
        """Write PLY, STL, GLB or OBJ, by the ending of `path`."""
        import trimesh

        path = Path(path)
        if path.suffix[1:].lower() not in MESH_FORMATS:
            raise InputError(f"{path}: unknown mesh format; use one of {', '.join(MESH_FORMATS)}")
        trimesh.Trimesh(self.vertices_xyz_um, self.faces, process=False).export(path)


def mesh_from_distance(
    sdf_um: Float[np.ndarray, "z y x"], spacing_um: float, *, corner_zyx: IntTriple = (0, 0, 0)
) -> Mesh:
    """The zero level of a distance volume by marching cubes (Lorensen and Cline 1987).

    The surface is closed even if the cell touches the border. `corner_zyx` is the index of the volume's first voxel in a
    larger grid. Raises EmptyFrame if no voxel is inside.
    """
    from skimage.measure import marching_cubes

    if not (sdf_um <= 0).any():
        raise EmptyFrame("no voxel is inside the cell, so there is no surface to mesh")
    outside = max(float(np.abs(sdf_um).max()), spacing_um)
    padded = np.pad(np.asarray(sdf_um, np.float32), 1, constant_values=outside)
    # A voxel of exactly 0 is inside, but marching cubes would collapse triangles onto it.
    padded[padded == 0] = -1e-6 * spacing_um
    vertices_zyx, faces, _, _ = marching_cubes(padded, level=0.0, gradient_direction="ascent")
    vertices_xyz_um = ((vertices_zyx + corner_zyx - 0.5) * spacing_um)[:, ::-1].astype(np.float32)
    mesh = Mesh(vertices_xyz_um, np.ascontiguousarray(faces))
    return mesh if mesh.volume_um3 > 0 else Mesh(vertices_xyz_um, np.ascontiguousarray(faces[:, ::-1]))


def surface_points(mesh: Mesh, n_points: int, rng: np.random.Generator) -> Float[np.ndarray, "points 3"]:
    """Random points (x, y, z) in µm, uniform over the area of a mesh."""
    a, b, c = (mesh.vertices_xyz_um[mesh.faces[:, corner]].astype(np.float64) for corner in range(3))
    areas = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    face = rng.choice(len(areas), n_points, p=areas / areas.sum())
    # The square root makes points uniform on a triangle (Osada et al. 2002).
    root, share = np.sqrt(rng.random(n_points))[:, None], rng.random(n_points)[:, None]
    return (1 - root) * a[face] + root * (1 - share) * b[face] + root * share * c[face]
