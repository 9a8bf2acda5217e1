"""Voxels and meshes of distance functions, evaluated near the surface only."""

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import binary_dilation

from cytoform.base.triples import Ints, floats, in_volume, ints
from cytoform.shapes.box import PLATE_VOXELS
from cytoform.shapes.mesh import Mesh, mesh_from_distance
from cytoform.simulate.cell import Part, Spacing


def inside_voxels(
    part: Part, *, shape: Ints, spacing_zyx_um: Spacing, corner_zyx_um: Float[np.ndarray, " dims"]
) -> Bool[np.ndarray, "*zyx"]:
    """Voxels with their centre inside `part` (distance ≤ 0).

    Exact, at a cost proportional to surface area: a block is halved only if the distance at its centre is at most half
    its diagonal times the maximum slope of the distance.
    """
    spacing = np.array(spacing_zyx_um)
    # Blocks are roughly cubic in µm, also for thick slices.
    edge = np.maximum(1, 2 ** np.floor(np.log2(8 * spacing.min() / spacing))).astype(int)
    padded = np.ceil(np.array(shape) / edge).astype(int)
    corners = np.stack(np.meshgrid(*(np.arange(n) for n in padded), indexing="ij"), axis=-1)
    corners = corners.reshape(-1, len(shape)) * edge
    result = np.zeros(padded * edge, dtype=bool)
    while True:
        distances = part.distance_um(corner_zyx_um + (corners + edge / 2) * spacing)
        if (edge == 1).all():
            result[tuple(corners[distances <= 0].T)] = True
            return result[tuple(slice(n) for n in shape)]
        near = np.abs(distances) <= part.max_slope * np.linalg.norm(edge * spacing) / 2
        _fill(result, corners[~near & (distances < 0)], edge)
        corners, edge = _split(corners[near], edge)


def _fill(result: Bool[np.ndarray, "*zyx"], corners: np.ndarray, edge: np.ndarray) -> None:
    for low in corners:
        result[tuple(slice(start, start + n) for start, n in zip(low, edge, strict=True))] = True


def _split(corners: np.ndarray, edge: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    half = np.maximum(edge // 2, 1)
    steps = np.stack(np.meshgrid(*(np.arange(0, e, h) for e, h in zip(edge, half, strict=True)), indexing="ij"), -1)
    return (corners[:, None] + steps.reshape(1, -1, len(edge))).reshape(-1, len(edge)), half


def line_voxels(
    lines_zyx_um: list[Float[np.ndarray, "_ dims"]],
    *,
    spacing_zyx_um: Spacing,
    corner_zyx_um: Float[np.ndarray, " dims"],
) -> np.ndarray:
    """Indices of voxels along lines, sampled at a quarter of the finest voxel: connected chains."""
    spacing = np.array(spacing_zyx_um)
    found = [np.zeros((0, len(spacing)), dtype=int)]
    for line in lines_zyx_um:
        lengths = np.linalg.norm(np.diff(line, axis=0), axis=1)
        along = np.concatenate([[0], np.cumsum(lengths)])
        n = int(np.ceil(along[-1] / (0.25 * spacing.min()))) + 1
        stops = np.linspace(0, along[-1], n)
        points = np.stack([np.interp(stops, along, line[:, axis]) for axis in range(len(spacing))], axis=1)
        found.append(np.floor((points - corner_zyx_um) / spacing).astype(int))
    return np.unique(np.concatenate(found), axis=0)


def mesh_of_part(part: Part, *, spacing_um: float) -> Mesh:
    """Surface mesh of a part by marching cubes, in the coordinates of the family.

    Evaluates only voxels next to the surface, because marching cubes reads no others. For pictures, a cell of an image is
    a plate.
    """
    low, high = part.bounds_zyx_um
    corner = low - 2 * spacing_um
    n_dims, shape = len(low), ints(np.ceil((high - low) / spacing_um) + 4)
    spacing = (spacing_um,) * n_dims
    inside = inside_voxels(part, shape=shape, spacing_zyx_um=spacing, corner_zyx_um=corner)
    cube = np.ones((3,) * n_dims, dtype=bool)
    voxels = np.argwhere(binary_dilation(inside, cube) & binary_dilation(~inside, cube))
    sdf = np.where(inside, -spacing_um, spacing_um).astype(np.float32)
    sdf[tuple(voxels.T)] = part.distance_um(corner + (voxels + 0.5) * spacing_um)
    plate = np.broadcast_to(sdf, (PLATE_VOXELS,) * (3 - n_dims) + shape)
    mesh = mesh_from_distance(plate, spacing_um)
    return Mesh((mesh.vertices_xyz_um + in_volume(floats(corner), 0.0)[::-1]).astype(np.float32), mesh.faces)
