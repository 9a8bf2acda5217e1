"""Meshes: closed, outward, of the right size."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays

from cytoform.errors import EmptyFrame, InputError
from cytoform.shapes.grid import Grid
from cytoform.shapes.mesh import MESH_FORMATS, Mesh, mesh_from_distance
from cytoform.simulate.analytic import Ball

GRID = Grid(48, 6.0)


def ball_mesh(radius_um: float, centre_zyx_um: tuple[float, float, float] = (6.0, 6.0, 6.0)) -> Mesh:
    sdf = Ball(radius_um, centre_zyx_um=centre_zyx_um).distance_um(GRID.points_zyx_um()).reshape(GRID.shape)
    return mesh_from_distance(sdf, GRID.spacing_um)


def is_closed(mesh: Mesh) -> bool:
    """Every edge is walked as often one way as the other: no hole, and no face turned the wrong way."""
    walked = Counter((int(a), int(b)) for face in mesh.faces for a, b in zip(face, np.roll(face, -1), strict=True))
    return all(walked[b, a] == n for (a, b), n in walked.items())


def test_ball_has_its_volume_area_and_place() -> None:
    ball, mesh = Ball(4.0), ball_mesh(4.0, (5.5, 6.0, 6.5))
    assert mesh.volume_um3 == pytest.approx(ball.volume_um3(), rel=0.01)
    assert mesh.area_um2 == pytest.approx(ball.area_um2(), rel=0.01)
    assert mesh.vertices_xyz_um.mean(0) == pytest.approx([6.5, 6.0, 5.5], abs=0.02)
    assert is_closed(mesh)


def test_mesh_that_touches_the_border_is_closed() -> None:
    mesh = ball_mesh(4.0, (1.0, 6.0, 11.0))
    assert is_closed(mesh)
    assert 0 < mesh.volume_um3 < Ball(4.0).volume_um3()


@settings(max_examples=30, deadline=None)
@given(arrays(bool, (4, 5, 6)))
def test_any_mask_gives_a_closed_outward_mesh(mask: np.ndarray) -> None:
    sdf = np.where(mask, -1.0, 1.0).astype(np.float32)
    if not mask.any():
        with pytest.raises(EmptyFrame):
            mesh_from_distance(sdf, 1.0)
        return
    mesh = mesh_from_distance(sdf, 1.0)
    assert is_closed(mesh)
    assert mesh.volume_um3 > 0


def test_distance_of_zero_counts_as_inside() -> None:
    sdf = np.ones((5, 5, 5), np.float32)
    sdf[2, 2, 2] = 0
    assert is_closed(mesh_from_distance(sdf, 0.1))


@pytest.mark.parametrize("ending", MESH_FORMATS)
def test_files_hold_the_same_surface(ending: str, tmp_path: Path) -> None:
    mesh = ball_mesh(3.0)
    mesh.write(tmp_path / f"cell.{ending}")
    read = trimesh.load(tmp_path / f"cell.{ending}", force="mesh")
    assert read.volume == pytest.approx(mesh.volume_um3, rel=1e-4)
    assert read.is_watertight


def test_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="ply"):
        ball_mesh(3.0).write(tmp_path / "cell.docx")
