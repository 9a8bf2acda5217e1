"""Dividing cells in images: exact areas and distances, one piece before a division and two after, files that are read back."""

from pathlib import Path

import numpy as np
import pytest

from cytoform.commands.demo import demo as demo_command
from cytoform.errors import InputError
from cytoform.movies.readers import open_movies
from cytoform.reports.simulation import measure_families, write_simulation_report
from cytoform.shapes.components import components
from cytoform.simulate import MitosisParameters, SimulatedFamily, population, simulate
from cytoform.simulate.polygon import Polygon, mirror

PIXEL_UM = 0.1
FLAT = MitosisParameters(dims=2)


def families(n_frames: int = 8) -> list[SimulatedFamily]:
    return population(FLAT, n_cells=2, n_frames=n_frames, seed=3, spacing_zyx_um=(9.0, PIXEL_UM, PIXEL_UM))


def test_distance_and_area_of_a_polygon() -> None:
    """A triangle, and an arrow with a corner that points inwards, against what is known of them."""
    triangle = Polygon(np.array([[0.0, 0.0], [0.0, 4.0], [3.0, 0.0]]))
    assert triangle.size == triangle.resized(24.0, np.zeros(2)).size / 4 == 6
    points = np.array([[1.0, 1.0], [-2.0, 1.0], [0.0, 2.0], [6.0, 0.0], [0.5, 2.0]])
    assert triangle.distance_um(points) == pytest.approx([-1, 2, 0, 3, -0.5], abs=1e-12)
    arrow = Polygon(np.array([[0.0, 0.0], [2.0, 2.0], [0.0, 4.0], [4.0, 2.0]]))
    assert arrow.distance_um(np.array([[1.0, 2.0], [3.0, 2.0]])) == pytest.approx([np.sqrt(0.5), -0.447214], abs=1e-6)


def test_a_profile_becomes_a_polygon_along_its_axis() -> None:
    angles = np.linspace(0, np.pi, 200)
    disc = mirror(-np.cos(angles), np.sin(angles), np.array([0.6, 0.8]))
    assert disc.size == pytest.approx(np.pi, rel=1e-3)
    assert disc.distance_um(np.array([[0.0, 0.0], [1.2, 1.6]])) == pytest.approx([-1, 1], abs=1e-3)


def test_areas_are_exact_and_a_division_keeps_them() -> None:
    for family in families():
        for frame in (0, 3.3, 7):
            parts = family.cell.parts(frame)
            assert sum(part.surface.size for part in parts) == pytest.approx(family.cell.volume_at(frame), rel=1e-9)
        assert (family.labels(5) > 0).sum() * PIXEL_UM**2 == pytest.approx(family.cell.volume_at(5), rel=0.01)
    # The middle of a ball with the mean volume of the family: π r².
    (mean,) = population(MitosisParameters(dims=2, size_spread=0), n_cells=1, n_frames=3, seed=0)
    assert mean.cell.volume_at(1) == pytest.approx(np.pi * (3 * 34.7 / (4 * np.pi)) ** (2 / 3))


def test_distances_grow_by_one_and_labels_are_where_they_are_not_positive() -> None:
    family, step = families()[1], 1e-4
    points = np.random.default_rng(0).uniform(0, 1, (500, 2)) * np.array(family.shape_zyx) * PIXEL_UM
    at = [family.distance_um(points + shift, 2.5) for shift in (0, [step, 0], [0, step])]
    slopes = np.hypot(at[1] - at[0], at[2] - at[0]) / step
    assert (np.abs(slopes - 1) < 0.02).mean() > 0.98
    centres = (np.argwhere(np.ones(family.shape_zyx, bool)) + 0.5) * PIXEL_UM
    assert np.array_equal(family.labels(2).ravel() > 0, family.distance_um(centres, 2) <= 0)


def test_families_have_as_many_pieces_as_cells() -> None:
    for family in families():
        for frame in range(family.n_frames):
            labels = family.labels(frame)
            alive = [track.label for track in family.lineage.tracks if track.first <= frame <= track.last]
            assert np.unique(labels).tolist() == [0, *alive]
            assert components(labels > 0).max() == len(alive)
        assert len(family.lineage.tracks) == 3


def test_movies_are_read_as_images_and_the_report_measures_outlines(tmp_path: Path) -> None:
    made = simulate(
        FLAT,
        tmp_path / "out",
        n_cells=2,
        n_frames=4,
        seed=1,
        spacing_zyx_um=(9.0, PIXEL_UM, PIXEL_UM),
        time_step_s=30.0,
        ome_zarr=True,
        report=lambda folder, families: write_simulation_report(folder, families, FLAT, time_step_s=30.0),
    )
    for source, n_movies in ((tmp_path / "out", 2), (tmp_path / "out" / "ome_zarr" / "01.zarr", 1)):
        movies = open_movies(source)
        assert len(movies) == n_movies
        assert movies[0].shape_zyx == (1, *made[0].shape_zyx)
        assert movies[0].spacing_zyx_um[1:] == (PIXEL_UM, PIXEL_UM)
        assert np.array_equal(movies[0].read(2)[0], made[0].labels(2))
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Circularity" in page
    assert "Paper" not in page
    areas, _, circularities = measure_families(made).T
    assert (areas > 3).all()
    assert (circularities < 1.01).all()


def test_filopodia_are_not_simulated_in_images(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="demo filopodia --dims 2: simulated in 3 dimensions"):
        demo_command("filopodia", dims=2, out=tmp_path / "demo")
