"""Coded meshes: decoded by another implementation, they are the same surface within half a step."""

import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from player_decoding import Decoded, decode
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation
from stores import GRID, ball, lopsided

from cytoform.pictures.decimation import decimated
from cytoform.pictures.player.coding import Lattice, encode_frames
from cytoform.shapes.mesh import Mesh, mesh_from_distance

LATTICE = Lattice(origin_um=0.5, step_um=0.01, largest_error_um=2.0)


def surface(sdf_um: np.ndarray) -> Mesh:
    return mesh_from_distance(sdf_um, GRID.spacing_um)


def torus() -> np.ndarray:
    z, y, x = (GRID.points_zyx_um() - GRID.half_extent_um).T
    return (np.hypot(np.hypot(y, x) - 4, z) - 1.5).reshape(GRID.shape).astype(np.float32)


SHAPES = {
    "ball": ball(3.0),
    "two balls": np.minimum(ball(2.0, shift_zyx_um=(0, 0, -3.5)), ball(2.5, shift_zyx_um=(0, 0, 3))),
    "torus": torus(),
    "hollow": np.maximum(ball(5.0), -ball(3.0)),
    "lobes": lopsided(Rotation.identity()),
}


def corners(points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """The triangles as (face, 9), each from its lowest corner on, in an order of their own."""
    triangles = points[faces]
    first = np.array([min(range(3), key=lambda k: tuple(t[k])) for t in triangles])
    turned = np.stack([np.roll(t, -k, axis=0) for t, k in zip(triangles, first, strict=True)]).reshape(-1, 9)
    return turned[np.lexsort(turned.T)]


def whole(mesh: Mesh) -> np.ndarray:
    return np.rint((mesh.vertices_xyz_um.astype(float) - LATTICE.origin_um) / LATTICE.step_um).astype(int)


def assert_same_triangles(mesh: Mesh, got: Decoded | None) -> None:
    assert got is not None
    steps = np.rint((got.points_um - LATTICE.origin_um) / LATTICE.step_um).astype(int)
    distinct = (mesh.faces != np.roll(mesh.faces, 1, axis=1)).all(axis=1)
    assert np.array_equal(corners(steps, got.faces), corners(whole(mesh), mesh.faces[distinct]))


def roundtrip(mesh: Mesh) -> Decoded | None:
    data = encode_frames([mesh], None, LATTICE)
    [got] = decode(data, 1, LATTICE.origin_um, LATTICE.step_um, None)
    return got


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n_faces", [100_000, 400])
def test_the_same_triangles_turned_the_same_way(shape: str, n_faces: int) -> None:
    mesh = decimated(surface(SHAPES[shape]), n_faces)
    assert_same_triangles(mesh, roundtrip(mesh))


def test_points_are_off_by_at_most_half_a_step() -> None:
    mesh = surface(SHAPES["lobes"])
    got = roundtrip(mesh)
    assert got is not None
    assert len(got.points_um) == len(mesh.vertices_xyz_um)
    found, meant = (np.sort(points, axis=0) for points in (got.points_um, mesh.vertices_xyz_um))
    assert np.abs(found - meant).max() <= LATTICE.step_um / 2 + 1e-6


def test_several_frames_empty_ones_and_errors() -> None:
    meshes = [None, surface(SHAPES["ball"]), None, surface(SHAPES["torus"])]
    # An error that can be told from where a point is; beyond the largest it is cut off.
    errors_um = [None if mesh is None else mesh.vertices_xyz_um[:, 0] - 8.0 for mesh in meshes]
    data = encode_frames(meshes, errors_um, LATTICE)
    frames = decode(data, 4, LATTICE.origin_um, LATTICE.step_um, LATTICE.largest_error_um)
    assert [frame is None for frame in frames] == [True, False, True, False]
    for mesh, got in zip(meshes, frames, strict=True):
        if mesh is not None and got is not None:
            assert_same_triangles(mesh, got)
            assert got.errors_um is not None
            meant = (got.points_um[:, 0] - 8.0).clip(-2, 2)
            assert np.abs(got.errors_um - meant).max() <= 1.0 / 127 + LATTICE.step_um


def test_paint_comes_back_beside_errors_and_without_them() -> None:
    meshes = [surface(SHAPES["torus"]), None, surface(SHAPES["ball"])]
    # Bands of colours along x, and one frame without paint.
    paint = [None if mesh is None else (mesh.vertices_xyz_um[:, 0] // 1.5).astype(int) % 12 for mesh in meshes]
    for errors_um, painted in ((None, paint), ([None] * 3, [paint[0], None, None])):
        data = encode_frames(meshes, errors_um, LATTICE, painted)
        largest_um = None if errors_um is None else LATTICE.largest_error_um
        frames = decode(data, 3, LATTICE.origin_um, LATTICE.step_um, largest_um, has_paint=True)
        for mesh, own, got in zip(meshes, painted, frames, strict=True):
            if mesh is not None and got is not None:
                assert_same_triangles(mesh, got)
                nearest = cKDTree(mesh.vertices_xyz_um).query(got.points_um)[1]
                assert np.array_equal(got.paint, np.zeros(len(nearest)) if own is None else own[nearest])


def test_frames_without_errors_among_others() -> None:
    meshes = [surface(SHAPES["ball"])] * 2
    data = encode_frames(meshes, [None, np.full(len(meshes[0].vertices_xyz_um), -0.5)], LATTICE)
    first, second = decode(data, 2, LATTICE.origin_um, LATTICE.step_um, LATTICE.largest_error_um)
    assert first is not None
    assert second is not None
    assert first.errors_um == pytest.approx(0)
    assert second.errors_um == pytest.approx(-0.5, abs=0.008)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(*[st.integers(0, 7)] * 3), min_size=1, max_size=30),
    st.lists(st.tuples(*[st.integers(-30, 30)] * 3), min_size=8, max_size=8, unique=True),
)
def test_any_triangles_whatsoever(faces: list[tuple[int, int, int]], places: list[tuple[int, int, int]]) -> None:
    """Open edges, edges of many faces, faces given twice, faces of no area: nothing is lost but the last."""
    mesh = Mesh((np.array(places) * LATTICE.step_um + LATTICE.origin_um).astype(np.float32), np.array(faces))
    if not (mesh.faces != np.roll(mesh.faces, 1, axis=1)).all(axis=1).any():
        return
    assert_same_triangles(mesh, roundtrip(mesh))


def test_a_mesh_without_area_is_an_empty_frame() -> None:
    assert roundtrip(Mesh(np.zeros((3, 3), np.float32), np.array([[0, 1, 1]]))) is None


def test_two_bytes_a_face() -> None:
    mesh = decimated(surface(SHAPES["lobes"]), 1500)
    lattice = Lattice(0.0, 16.0 / 2048)
    packed = zlib.compress(encode_frames([mesh] * 3, None, lattice), 9)
    assert len(packed) < 2 * 3 * 1500
