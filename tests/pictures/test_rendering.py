"""Pictures of meshes: silhouettes, hiding, light, scale."""

import numpy as np
import pytest
from stores import GRID, ball

from cytoform.pictures.rendering import Camera, render_mesh
from cytoform.pictures.sheets import SheetRow, common_camera, contact_sheet, round_length, spread
from cytoform.shapes.mesh import Mesh, mesh_from_distance

BALL = mesh_from_distance(ball(4.0), GRID.spacing_um)


def picture(mesh: Mesh, **options: object) -> np.ndarray:
    return render_mesh(mesh, size_px=120, half_extent_um=8.0, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("elevation_deg", [0.0, 35.0, 90.0])
@pytest.mark.parametrize("zoom", [1.0, 1.6])
def test_a_ball_covers_a_disc_of_its_size_from_every_side(elevation_deg: float, zoom: float) -> None:
    alpha = picture(BALL, camera=Camera(elevation_deg=elevation_deg, zoom=zoom))[..., 3] / 255
    radius_px = 4.0 * 120 * zoom / 16
    assert alpha.sum() == pytest.approx(np.pi * radius_px**2, rel=0.02)
    rows, columns = np.indices(alpha.shape)
    assert (rows * alpha).sum() / alpha.sum() == pytest.approx(59.5, abs=0.3)
    assert (columns * alpha).sum() / alpha.sum() == pytest.approx(59.5, abs=0.3)


def test_no_hole_in_a_surface() -> None:
    alpha = picture(BALL)[..., 3]
    assert (alpha[50:70, 50:70] == 255).all()


def test_directions_of_the_picture() -> None:
    """From the front (along +y), x goes to the right and z up."""
    camera = Camera(azimuth_deg=-90, elevation_deg=0)
    for shift_zyx_um, (row, column) in {(3.0, 0, 0): (37.5, 60), (0, 0, 3.0): (60, 82.5)}.items():
        alpha = picture(mesh_from_distance(ball(2.0, shift_zyx_um=shift_zyx_um), GRID.spacing_um), camera=camera)[
            ..., 3
        ]
        centre = [np.average(index, weights=alpha) + 0.5 for index in np.indices(alpha.shape)]
        assert centre == pytest.approx([row, column], abs=0.5)


def test_the_nearer_ball_hides_the_farther_one() -> None:
    camera = Camera(azimuth_deg=-90, elevation_deg=0)
    near = mesh_from_distance(ball(3.0, shift_zyx_um=(0, -4, 0)), GRID.spacing_um)
    far = mesh_from_distance(ball(2.0, shift_zyx_um=(0, 4, 0)), GRID.spacing_um)
    for first, second in ((near, far), (far, near)):
        both = Mesh(
            np.concatenate([first.vertices_xyz_um, second.vertices_xyz_um]),
            np.concatenate([first.faces, second.faces + len(first.vertices_xyz_um)]),
        )
        difference = picture(both, camera=camera).astype(int) - picture(near, camera=camera)
        assert np.abs(difference).max() <= 1


def test_light_comes_from_above_and_colour_from_the_caller() -> None:
    rgba = picture(BALL, colour=(0.9, 0.2, 0.1)).astype(int)
    above, below = rgba[40, 60, :3], rgba[80, 60, :3]
    assert above.sum() > below.sum()
    assert above[0] > above[1] > above[2]


def test_same_bytes_each_time() -> None:
    assert picture(BALL).tobytes() == picture(BALL).tobytes()


def test_parts_outside_the_picture_are_cut_off() -> None:
    rgba = picture(BALL, camera=Camera(zoom=4.0))
    assert (rgba[..., 3] == 255).all()


def test_nothing_in_view_is_an_empty_picture() -> None:
    beside = Mesh(BALL.vertices_xyz_um + np.float32(100), BALL.faces)
    assert not picture(beside).any()


@pytest.mark.parametrize("axis", [1, 2])
def test_common_camera_shows_long_cells_whole_and_from_their_side(axis: int) -> None:
    shifts = [tuple(sign * 5.0 if i == axis else 0.0 for i in range(3)) for sign in (1, -1)]
    sdf_um = np.minimum(*(ball(2.0, shift_zyx_um=shift) for shift in shifts))  # type: ignore[arg-type]
    pair = mesh_from_distance(sdf_um, GRID.spacing_um)
    camera = common_camera([BALL, pair], 8.0)
    columns = picture(pair, camera=camera)[..., 3].any(axis=0).nonzero()[0]
    assert 0 < columns.min() < 8
    assert 111 < columns.max() < 119


def test_contact_sheet_places_each_row_and_marks_empty_frames() -> None:
    rows = [SheetRow("Original", "cell", (BALL, None, BALL), (0.3, 0.5, 0.8)) for _ in range(2)]
    figure = contact_sheet(rows, columns=["t0", "t1", "t2"], half_extent_um=8.0, tile_px=60)
    texts = [text.get_text() for text in figure.texts]
    assert texts.count("Original") == texts.count("empty") == 2
    assert {"t0", "t1", "t2"} <= set(texts)
    assert any(text.endswith("µm") for text in texts)
    sheet = np.asarray(figure.axes[0].images[0].get_array())
    ink = (sheet.min(axis=2) < 200).sum()
    tile = render_mesh(BALL, size_px=120, half_extent_um=8.0, camera=common_camera([BALL], 8.0))
    assert ink == pytest.approx(4 * (tile[..., 3] > 100).sum(), rel=0.05)


def test_round_lengths_and_even_spread() -> None:
    assert [round_length(x) for x in (0.7, 1.0, 4.9, 5.0, 37.0)] == [0.5, 1, 2, 5, 20]
    assert spread(10, 3) == [0, 4, 9]
    assert spread(2, 6) == [0, 1]
    assert spread(1, 6) == [0]
