"""Folders of cytoform as layers: values, scale, sliders, tracks."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cytoform
from balls import FRAMES, GRID, WAIT_MS, ball_um, write_balls
from cytoform.errors import InputError
from cytoform_napari import readers
from cytoform_napari.following import OWN
from cytoform_napari.layers import surface_layers
from cytoform_napari.sources import store_source
from cytoform_napari.tracks import body_tracks


@pytest.mark.parametrize("n_dims", [3, 2])
def test_a_store_is_masks_and_distances_with_a_slider(n_dims: int, stores: dict[int, Path]) -> None:
    read = readers.get_reader(str(stores[n_dims]))
    assert read is not None
    (distances, about_distances, image), (masks, about_masks, labels), (*_, tracks) = read(str(stores[n_dims]))
    assert (image, labels, tracks) == ("image", "labels", "tracks")
    assert masks.shape == distances.shape == (2, FRAMES, *(GRID,) * n_dims)
    store = cytoform.ShapeStore.open(stores[n_dims])
    np.testing.assert_array_equal(np.asarray(masks[1, 2]), 2 * store["ball1"].mask(2))
    np.testing.assert_array_equal(np.asarray(distances[0, 1]), store["ball0"].sdf_um(1))
    assert about_distances["contrast_limits"] == (-3.0, 3.0)
    assert about_masks["scale"] == (1, 1, *(1.0,) * n_dims)
    assert about_masks["translate"] == (0, 0, *(0.5,) * n_dims)
    assert about_masks["units"][2:] == ("um",) * n_dims
    assert about_masks["metadata"][OWN]["time_step_s"] == 60.0


def test_the_layers_of_a_store_open_in_the_viewer(make_napari_viewer: Any, stores: dict[int, Path]) -> None:
    viewer = make_napari_viewer()
    opened = viewer.open(stores[3], plugin="cytoform-napari")
    assert [layer.name for layer in opened] == ["balls3 distance (µm)", "balls3", "balls3 tracks"]
    assert viewer.dims.axis_labels == ("sequence", "t", "z", "y", "x")
    viewer.dims.ndisplay = 3
    viewer.dims.set_point(0, 1)


def dividing_store(path: Path) -> Path:
    """Two cells: one that stays whole and one that divides at the last frame."""
    store = cytoform.ShapeStore.open(write_balls(path, 3), writable=True)
    grid = store.grid
    halves = np.maximum(ball_um(grid, 5.0), 1.5 - np.abs(grid.points_zyx_um()[:, 0] - 8).reshape(grid.shape))
    store["ball1"].write(FRAMES - 1, halves.astype(np.float32))
    return path


def test_tracks_of_a_store_follow_the_slider(make_napari_viewer: Any, qtbot: Any, tmp_path: Path) -> None:
    viewer = make_napari_viewer()
    viewer.open(dividing_store(tmp_path / "dividing.zarr"), plugin="cytoform-napari")
    tracks = viewer.layers["dividing tracks"]
    assert (set(tracks.data[:, 0]), tracks.graph) == ({1}, {})
    viewer.dims.set_point(0, 1)
    qtbot.waitUntil(lambda: tracks.graph == {2: [1], 3: [1]}, timeout=WAIT_MS)
    assert set(tracks.data[:, 0]) == {1, 2, 3}
    viewer.dims.set_point(0, 0)
    qtbot.waitUntil(lambda: set(tracks.data[:, 0]) == {1}, timeout=WAIT_MS)


def test_a_sequence_has_tracks(stores: dict[int, Path]) -> None:
    layers = readers.read_folder(stores[3] / "ball0")
    assert [kind for *_, kind in layers] == ["image", "labels", "tracks"]
    np.testing.assert_allclose(layers[2][0], [(1, t, 8, 8, 8) for t in range(FRAMES)], atol=1e-6)


def test_a_run_shows_its_learned_cells(runs: dict[int, Path]) -> None:
    for n_dims, run in runs.items():
        masks = readers.read_folder(run)[1][0]
        assert masks.shape == (2, FRAMES, *(GRID,) * n_dims)
        expected = cytoform.load(run).field("ball1").render(1.0, GRID).mask()
        np.testing.assert_array_equal(np.asarray(masks[1, -1]) > 0, expected)


def test_surfaces_lie_around_the_masks(stores: dict[int, Path]) -> None:
    source = store_source(stores[3])
    ((vertices, faces), _, kind), *_ = surface_layers(source)
    assert kind == "surface"
    assert faces.max() == len(vertices) - 1
    first = vertices[(vertices[:, 0] == 0) & (vertices[:, 1] == 0), 2:]
    np.testing.assert_allclose(np.linalg.norm(first - 8, axis=1), 4.0, atol=0.1)
    (outlines, _, kind), *_ = surface_layers(store_source(stores[2]))
    assert kind == "shapes"
    assert len(outlines) == 2 * FRAMES
    np.testing.assert_allclose(np.linalg.norm(outlines[0][:, 2:] - 8, axis=1), 4.0, atol=0.1)


def test_daughters_know_their_mother(tmp_path: Path) -> None:
    sequence = cytoform.ShapeStore.open(dividing_store(tmp_path / "dividing.zarr"))["ball1"]
    tracks = body_tracks(sequence.boxes())
    assert tracks.graph == {2: [1], 3: [1]}
    assert [tuple(row[:2]) for row in tracks.rows] == [(1, 0), (1, 1), (2, 2), (3, 2)]


def test_other_folders_are_left_to_other_readers(tmp_path: Path) -> None:
    assert readers.get_reader(str(tmp_path)) is None
    (tmp_path / "image.tif").write_bytes(b"II*\0")
    assert readers.get_reader(str(tmp_path / "image.tif")) is None


def test_a_damaged_run_is_one_line(runs: dict[int, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "config.toml").write_bytes((runs[3] / "config.toml").read_bytes())
    said: list[str] = []
    monkeypatch.setattr(readers, "show_error", said.append)
    read = readers.get_reader(str(broken))
    assert read is not None
    assert read(str(broken)) == [(None,)]
    assert len(said) == 1
    assert str(broken) in said[0]
    assert "\n" not in said[0]


def write_protrusions(folder: Path, rows: list[str]) -> Path:
    """The table that `cytoform protrusions` writes, of so many rows."""
    columns = "sequence,frame,time_s,protrusion,parent,root_z_um,root_y_um,root_x_um,tip_z_um,tip_y_um,tip_x_um"
    folder.mkdir()
    (folder / "protrusions.csv").write_text("\n".join([f"{columns},length_um,radius_um,at_um", *rows]) + "\n")
    (folder / "provenance.json").write_text('{"command": "cytoform protrusions"}')
    return folder


def test_protrusions_are_tracks_of_tips_that_follow_the_slider(
    make_napari_viewer: Any, qtbot: Any, stores: dict[int, Path], tmp_path: Path
) -> None:
    rows = ["ball1,0,0,1,0,1,1,1,2,2,2,1.7,0.1,", "ball1,1,60,1,0,1,1,1,3,3,3,3.4,0.1,"]
    tips = write_protrusions(tmp_path / "tips", [*rows, "other,0,0,1,0,1,1,1,4,4,4,5,0.1,"])
    [(data, shown, kind)] = readers.read_folder(tips)
    assert (shown["name"], kind) == ("tips protrusions", "tracks")
    np.testing.assert_array_equal(data, [(1, 0, 2, 2, 2), (1, 1, 3, 3, 3)])
    assert shown["features"]["length_um"].tolist() == [1.7, 3.4]
    both = write_protrusions(tmp_path / "both", [*rows, "ball0,0,0,1,0,1,1,1,4,4,4,5,0.1,"])
    viewer = make_napari_viewer()
    viewer.open(stores[3], plugin="cytoform-napari")
    viewer.open(both, plugin="cytoform-napari")
    tracks = viewer.layers["both protrusions"]
    qtbot.waitUntil(lambda: tracks.data[0, 2] == 4, timeout=WAIT_MS)  # the slider is at the store's first, ball0
    assert tracks.features["length_um"].tolist() == [5]
    viewer.dims.set_point(0, 1)
    qtbot.waitUntil(lambda: len(tracks.data) == 2, timeout=WAIT_MS)


def test_no_protrusion_at_all_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no protrusion in any frame"):
        readers.read_folder(write_protrusions(tmp_path / "none", []))
