"""Scenes of cells in images: the challenge's own check, areas, dimensions of all files, and what they refuse."""

from pathlib import Path
from typing import Any

import geff
import numpy as np
import pytest
import tifffile
import zarr
from flat import FLAT, disc, ellipses, write_flat
from ome_zarr_models.v05.image import Image

from cytoform.errors import InputError
from cytoform.movies.lineage import read_lineage
from cytoform.movies.readers import open_movies
from cytoform.scenes.stage import Made, benchmark
from scenes import challenge_scores, read_labels, request, write_pairs

RADIUS_UM, PIXEL_UM = 2.2, 0.25


def dividing_discs(path: Path, n: int = 2, n_frames: int = 6) -> Path:
    """A store of discs that become two discs side by side."""
    frames = [
        np.minimum(*(disc(RADIUS_UM, shift_yx_um=(0, side * 0.6 * t)) for side in (-1, 1))) for t in range(n_frames)
    ]
    return write_flat(path, {f"cell{number}": frames for number in range(n)}, grid=FLAT)


def flat_request(*sources: Path, **options: Any) -> Any:
    small = {"size_zyx": (1, 110, 110), "voxel_size_zyx_um": (1.0, PIXEL_UM, PIXEL_UM), "frames": 7, "cells": 3}
    return request(*sources, **{**small, **options})


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Made]:
    """Three dividing families in a closed room, as images of the default optics."""
    home = tmp_path_factory.mktemp("scene")
    discs = dividing_discs(home / "discs.zarr")
    (made,) = benchmark(flat_request(discs, texture="optics", ome_zarr=True, geff=True), home / "out")
    return home / "out", made


def test_the_challenge_accepts_it(scene: tuple[Path, Made], tmp_path: Path) -> None:
    assert challenge_scores(scene[0], tmp_path) == {"SEG": 1, "DET": 1, "TRA": 1}


def test_families_divide_and_cells_keep_their_area(scene: tuple[Path, Made]) -> None:
    out, made = scene
    families = read_lineage(out / "01_GT" / "TRA" / "man_track.txt").families()
    assert [len(family.tracks) for family in families] == [3, 3, 3]
    areas = np.bincount(read_labels(out, 6).ravel())[1:] * PIXEL_UM**2
    assert areas[areas > 0] == pytest.approx(np.pi * RADIUS_UM**2, rel=0.03)
    assert sum(frame.n_shared for frame in made.measured) == 0


def test_all_files_are_images(scene: tuple[Path, Made]) -> None:
    out, _ = scene
    labels, image = read_labels(out, 3), tifffile.imread(out / "01" / "t003.tif")
    assert labels.shape == image.shape == (110, 110)
    assert image[labels > 0].mean() > 2 * image[labels == 0].mean()
    group = zarr.open_group(out / "01.ome.zarr", mode="r")
    assert [axis.name for axis in Image.from_zarr(group).attributes.ome.multiscales[0].axes] == ["t", "y", "x"]
    assert np.array_equal(group["labels/cells/0"][3], labels)
    assert np.array_equal(group["0"][3], image)
    (movie,) = open_movies(out)
    assert (movie.shape_zyx, movie.spacing_zyx_um[1:], movie.time_step_s) == ((1, 110, 110), (PIXEL_UM,) * 2, 60)


def test_nodes_of_the_graph_lie_in_the_images(scene: tuple[Path, Made]) -> None:
    out, _ = scene
    graph, metadata = geff.read(out / "01.geff")
    assert [axis.name for axis in metadata.axes] == ["t", "y", "x"]
    assert sum(graph.out_degree(node) == 2 for node in graph) == 3
    for _, values in graph.nodes(data=True):
        inside = np.argwhere(read_labels(out, int(values["t"])) == values["label"])
        place = np.array([values["y"], values["x"]]) / PIXEL_UM - 0.5
        assert place == pytest.approx(inside.mean(axis=0), abs=1e-6)
        assert values["size"] == pytest.approx(len(inside) * PIXEL_UM**2)


def test_cells_of_a_monolayer_touch(tmp_path: Path) -> None:
    """More than half of the image is inside cells, which share no pixel."""
    cells = ellipses(tmp_path / "cells.zarr", n=4, n_frames=1)
    (made,) = benchmark(flat_request(cells, cells=8, frames=1, size_zyx=(1, 68, 68)), tmp_path / "out")
    assert made.measured[0].inside_share > 0.5
    assert made.measured[0].n_shared == 0
    labels = read_labels(tmp_path / "out", 0).astype(int)
    beside = (labels[:, 1:] != labels[:, :-1]) & (labels[:, 1:] > 0) & (labels[:, :-1] > 0)
    assert beside.sum() > 5


REFUSED = {
    "volume": ({"size_zyx": (8, 64, 64)}, "a scene of them has one plane"),
    "thin": ({"size_zyx": (1, 2, 64)}, "at least 4 pixels a side"),
    "projection": ({"projection": True}, "--projection: only for 3D cells"),
    "meshes": ({"meshes": True}, "--meshes: only for 3D cells"),
    "crowd": ({"cells": 60}, "µm² each at most"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_one_line(case: str, tmp_path: Path) -> None:
    options, words = REFUSED[case]
    cells = ellipses(tmp_path / "cells.zarr", n=2, n_frames=1)
    with pytest.raises(InputError, match=words):
        benchmark(flat_request(cells, **{"frames": 1, **options}), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_2d_and_3d_cells_do_not_mix(tmp_path: Path) -> None:
    cells, volumes = ellipses(tmp_path / "cells.zarr", n=1, n_frames=1), write_pairs(tmp_path / "pairs.zarr", "a")
    with pytest.raises(InputError, match=r"pairs.zarr: its cells are 3D, those of .*cells.zarr 2D"):
        benchmark(flat_request(cells, volumes), tmp_path / "out")
    with pytest.raises(InputError, match=r"--motion .*pairs.zarr: its cells are 3D, those of the scene 2D"):
        benchmark(flat_request(cells, motion=str(volumes)), tmp_path / "out")
