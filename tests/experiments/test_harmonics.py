"""The exact surfaces of the T cells, and their mean between two frames."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from stores import ball
from tcell_surfaces import mask_of as stored_mask

from cytoform.assess.measures.masks import jaccard
from cytoform.errors import InputError
from cytoform.shapes.grid import Grid
from cytoform.shapes.mesh import Mesh
from harmonics import Harmonics, basis, centroid_xyz_um, mask_of, matching_turn, sphere

GRID = Grid(48, 16.0)


def ellipsoid(turn: Rotation | None = None) -> np.ndarray:
    """Coefficients of an ellipsoid off the origin, of half axes 7, 5 and 3 µm, its parameters turned."""
    vertices = sphere(4).vertices_xyz
    points = (vertices if turn is None else turn.apply(vertices)) * (7, 5, 3) + (20, 30, 10)
    return np.linalg.lstsq(sphere(4).basis, points, rcond=None)[0]


def test_a_ball_is_voxelised_as_its_distance_says_wherever_it_lies() -> None:
    grid = Grid(32, 8.0)
    fine = sphere(4)
    mesh = Mesh(5 * fine.vertices_xyz + np.array((1.0, -20.0, 300.0)), fine.faces)
    np.testing.assert_allclose(centroid_xyz_um(mesh), (1.0, -20.0, 300.0), atol=1e-6)
    assert jaccard(mask_of(mesh, grid), ball(5.0, grid=grid) <= 0) > 0.985


@pytest.mark.parametrize("degrees", [0, 20, 180])
def test_the_turn_between_parameters_is_found(degrees: float) -> None:
    turn = Rotation.from_rotvec(math.radians(degrees) * np.array([0.36, 0.48, 0.8]))
    a, b = ellipsoid(), ellipsoid(turn)
    found = matching_turn(a, b)
    points = sphere(4).basis @ a
    again = basis(found.apply(sphere(4).vertices_xyz)) @ b
    # Up to a half turn of the ellipsoid about its axes, which moves no surface, points fall on themselves.
    assert np.linalg.norm(again - points, axis=1).mean() < 0.15


def test_missing_surfaces_are_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "sequences.csv").write_text("name,cell,first_frame,stride,split\na,1,1,2,train\n")
    with pytest.raises(InputError, match="--tcells"):
        Harmonics(tmp_path).coefficients("a", 0)


@pytest.mark.real
@pytest.mark.parametrize(("name", "frame"), [("seq00_cell01", 0), ("seq25_cell24", 6)])
def test_real_surfaces_are_those_of_the_masks_and_a_mean_lies_between(real_data: Path, name: str, frame: int) -> None:
    harmonics = Harmonics(real_data / "tcells")
    mask = stored_mask(real_data, name, "", frame)
    volume_um3 = mask.sum() * 0.25**3
    assert harmonics.surface(name, frame).volume_um3 == pytest.approx(volume_um3, rel=0.01)
    assert harmonics.stride(name) == 2
    truth = mask_of(harmonics.surface(name, frame + 0.5), GRID)
    means = mask_of(harmonics.halfway(name, frame, frame + 1), GRID)
    assert jaccard(means, truth) > jaccard(mask_of(harmonics.surface(name, frame), GRID), truth)


@pytest.mark.real
def test_the_mean_of_surfaces_keeps_its_volume_where_parameters_are_turned(real_data: Path) -> None:
    """As they are, the coefficients of these two frames average to a sliver."""
    harmonics = Harmonics(real_data / "tcells")
    around = [harmonics.coefficients("seq00_cell01", frame) for frame in (5, 6)]
    naive = Mesh(sphere(4).basis @ np.mean(around, axis=0), sphere(4).faces)
    volume_um3 = harmonics.surface("seq00_cell01", 5.5).volume_um3
    assert abs(naive.volume_um3) < 0.1 * volume_um3
    assert harmonics.halfway("seq00_cell01", 5, 6).volume_um3 == pytest.approx(volume_um3, rel=0.05)
