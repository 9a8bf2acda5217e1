"""Which face is seen where, against asking every sample about every triangle."""

import numpy as np
import pytest

from cytoform.pictures.rasteriser import visible

SHAPE = (23, 31)


def slow(points_px: np.ndarray, faces: np.ndarray) -> dict[tuple[int, int], float]:
    """The nearest depth of every covered sample, by solving for the weights of each triangle's corners."""
    nearest: dict[tuple[int, int], float] = {}
    for face in faces:
        corners = points_px[face]
        system = np.vstack([corners[:, :2].T, np.ones(3)])
        (bx, by), (cx, cy) = (corners[1:, :2] - corners[0, :2]).tolist()
        if bx * cy - by * cx > -1e-9:
            continue
        for row in range(SHAPE[0]):
            for column in range(SHAPE[1]):
                weights = np.linalg.solve(system, [column + 0.5, row + 0.5, 1])
                if (weights >= -1e-9).all():
                    depth = float(weights @ corners[:, 2])
                    nearest[row, column] = max(depth, nearest.get((row, column), -np.inf))
    return nearest


@pytest.mark.parametrize("seed", [0, 1])
def test_random_triangles_some_of_them_beyond_the_border(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points = rng.uniform([-8, -8, -5], [SHAPE[1] + 8, SHAPE[0] + 8, 5], (24, 3))
    faces = np.arange(24).reshape(-1, 3)
    found = visible(points, faces, SHAPE)
    expected = slow(points, faces)
    assert expected
    depth = np.einsum("nk,nk->n", found.weights, points[faces[found.face], 2])
    got = {(int(row), int(column)): float(d) for row, column, d in zip(found.row, found.column, depth, strict=True)}
    assert got.keys() == expected.keys()
    assert [got[key] for key in expected] == pytest.approx(list(expected.values()), abs=1e-6)


def test_no_sample_is_missed_along_shared_edges() -> None:
    """A square of two triangles, its diagonal and border through the middles of samples."""
    points = np.array([[0.5, 0.5, 0], [0.5, 10.5, 0], [10.5, 10.5, 0], [10.5, 0.5, 0]])
    found = visible(points, np.array([[0, 1, 2], [0, 2, 3]]), SHAPE)
    seen = np.zeros(SHAPE, int)
    np.add.at(seen, (found.row, found.column), 1)
    assert (seen[:11, :11] == 1).all()
    assert seen.sum() == 121


def test_faces_without_area_are_not_seen() -> None:
    points = np.array([[1.0, 1, 0], [5, 5, 0], [9, 9, 0], [1, 1, 0]])
    assert not len(visible(points, np.array([[0, 1, 2], [0, 3, 1]]), SHAPE).row)
