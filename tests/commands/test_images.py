"""Cells in images, from a movie to a report, as a user makes them; and what 2D does not do yet."""

import csv
import json
import re
from importlib.util import find_spec
from pathlib import Path

import h5py
import numpy as np
import pytest
import trimesh
from flat import ellipses, write_movie
from jaxtyping import Bool
from refusals import assert_refused
from scipy.io import loadmat
from scipy.ndimage import map_coordinates
from tiny import SMALL, write_balls

from cytoform import cli
from cytoform.assess.results import evaluate
from cytoform.movies.readers import open_movies
from cytoform.priors.file import write_priors
from cytoform.reports.contents import info
from cytoform.runs.config import load_config
from cytoform.runs.stage import train
from cytoform.shapes.store import ShapeStore


def call(*words: object) -> None:
    assert cli.run([*map(str, words), "--quiet"]) == 0


def learn(shapes: Path, out: Path, preset: str, *settings: str) -> None:
    """A run without a comparison of priors, which takes its time."""
    train(shapes, out, load_config(preset=preset, settings=list(settings)), device="cpu", at_end=write_priors)


def _jaccard(one: Bool[np.ndarray, "y x"], other: Bool[np.ndarray, "y x"]) -> float:
    return float((one & other).sum() / (one | other).sum())


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ellipses that grow, components learned from them, and their reconstruction."""
    home = tmp_path_factory.mktemp("images")
    ellipses(home / "shapes.zarr", n=4, n_frames=3)
    learn(home / "shapes.zarr", home / "run", "linear")
    call("reconstruct", home / "run", "--out", home / "rec.zarr")
    return home


def test_components(home: Path) -> None:
    said = " ".join(info(home / "run"))
    assert "components of distances on 64² nodes" in said
    assert info(home / "shapes.zarr")[0] == "shape store: 4 sequences, 64² pixels of 0.25 µm"
    found = evaluate(home / "shapes.zarr", home / "rec.zarr", paired=True)
    assert found.pair_summary("jaccard").mean > 0.97
    assert found.topology("other").components == {1: 12}


def test_missing_frames(home: Path, tmp_path: Path) -> None:
    """Known frames come back exactly; the others, with a run and without, are near the truth."""
    shapes = home / "shapes.zarr"
    call("fill", shapes, "--every-frame", 2, "--out", tmp_path / "filled.zarr", "--workers", 1)
    call("fit", home / "run", shapes, "--every-frame", 2, "--out", tmp_path / "fitted.zarr")
    call("reconstruct", home / "run", "--known", shapes, "--frames", 5, "--out", tmp_path / "finer.zarr")
    true = ShapeStore.open(shapes)["cell1"]
    for out in ("filled", "fitted"):
        found = ShapeStore.open(tmp_path / f"{out}.zarr")["cell1"]
        assert found.sdf_um(2).tobytes() == true.sdf_um(2).tobytes()
        assert _jaccard(found.mask(1), true.mask(1)) > 0.95
    assert ShapeStore.open(tmp_path / "finer.zarr")["cell1"].sdf_um(4).tobytes() == true.sdf_um(2).tobytes()
    call("fit", home / "run", shapes, "--no-keep-known", "--out", tmp_path / "described.zarr", "--sequences", "cell1")
    assert _jaccard(ShapeStore.open(tmp_path / "described.zarr")["cell1"].mask(1), true.mask(1)) > 0.95


def test_latent(home: Path, tmp_path: Path) -> None:
    call("latent", home / "run", "--out", tmp_path / "codes", "--grid", 32, "--frames", 3, "--components", 1)
    with (tmp_path / "codes" / "codes.csv").open() as file:
        [row, *_] = csv.DictReader(file)
    # The mean over ellipses whose longer half axis grows.
    assert 14 < float(row["area_um2"]) < 45
    assert 0.7 < float(row["circularity"]) < 1
    page = (tmp_path / "codes" / "index.html").read_text()
    assert 'Outlines: <a href="outlines">' in page
    assert "µm³" not in page
    with (tmp_path / "codes" / "outlines" / "traversal_1" / "sigma+0_time+0.csv").open() as file:
        vertices = np.array([[float(each[f"{axis}_um"]) for axis in "xy"] for each in csv.DictReader(file)])
    assert vertices.mean(axis=0) == pytest.approx(8, abs=0.3)


def test_new_cells(home: Path, tmp_path: Path) -> None:
    for prior in ("covariance", "around"):
        call("generate", home / "run", "--out", tmp_path / f"{prior}.zarr", "-n", 2, "--prior", prior)
        store = ShapeStore.open(tmp_path / f"{prior}.zarr")
        areas = [sequence.mask(0).sum() * store.grid.spacing_um**2 for sequence in store]
        assert len(areas) == 2
        assert all(10 < area < 40 for area in areas)
        # Random poses: one angle.
        assert all(sequence.info.rotation_wxyz[1:3] == (0, 0) for sequence in store if sequence.info.rotation_wxyz)
    wanted = ["--where", "area_um2>15", "--grid", "32"]
    call("generate", home / "run", "--out", tmp_path / "large.zarr", "-n", 1, "--prior", "covariance", *wanted)
    steps = ["--from", "cell0", "--to", "cell1", "--steps", 2]
    call("interpolate", home / "run", "--out", tmp_path / "mix.zarr", *steps)


def test_a_report(tmp_path: Path) -> None:
    """Pairs and sets of single images: nothing says NaN."""
    true, other = (ellipses(tmp_path / f"{name}.zarr", n=2, n_frames=1) for name in ("true", "other"))
    evaluate(true, other, paired=False).write(tmp_path / "sets.json")
    call("evaluate", true, other, "--paired", "--out", tmp_path / "paired", "--workers", 1)
    page = (tmp_path / "paired" / "report.html").read_text()
    assert "Circularity" in page
    assert "Sphericity" not in page
    assert "Outlines lie" in page
    assert "of a pixel’s width" in page
    said = re.sub(r"<style.*?</style>|<script.*?</script>|src=\"data[^\"]*\"", "", page, flags=re.DOTALL)
    assert not re.search(r"voxel|surface|\bball|\bcube|volume|3D player", said, re.IGNORECASE)
    assert ">nan" not in page
    for path in (tmp_path / "sets.json", tmp_path / "paired" / "results.json"):
        found = json.loads(path.read_text())
        assert {"area_um2", "perimeter_um", "circularity", "elongation", "solidity"} <= set(found["descriptors"])
        assert "NaN" not in path.read_text()


def test_a_network(home: Path, tmp_path: Path) -> None:
    settings = [*SMALL, "training.epochs=60", "data.mirrored=true", "data.align=principal"]
    learn(home / "shapes.zarr", tmp_path / "net", "quick", *settings)
    call("reconstruct", tmp_path / "net", "--out", tmp_path / "rec.zarr")
    call("reconstruct", tmp_path / "net", "--out", tmp_path / "dense.zarr", "--method", "dense")
    stores = [ShapeStore.open(path) for path in (home / "shapes.zarr", tmp_path / "rec.zarr", tmp_path / "dense.zarr")]
    for name in stores[0].names[:2]:
        true, found, dense = (store[name].mask(1) for store in stores)
        assert np.array_equal(found, dense)
        assert _jaccard(found, true) > 0.8
    call(
        "fit",
        tmp_path / "net",
        home / "shapes.zarr",
        "--steps",
        60,
        "--sequences",
        "cell1",
        "--out",
        tmp_path / "fit.zarr",
    )
    assert _jaccard(ShapeStore.open(tmp_path / "fit.zarr")["cell1"].mask(1), stores[0]["cell1"].mask(1)) > 0.8
    if find_spec("onnx"):
        call("export", tmp_path / "net", "--to", "onnx", "--out", tmp_path / "net.onnx")


def test_words_for_images(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A label that loses most of its area, and a hollow one."""
    frames = np.zeros((2, 48, 48), np.uint16)
    frames[0, 4:24, 4:24] = frames[1, 4:12, 4:12] = 1
    frames[:, 28:44, 28:44] = 2
    frames[:, 30:42, 30:42] = 0
    movie = write_movie(tmp_path / "odd.tif", frames)
    assert cli.run(["prepare", str(movie), "--out", str(tmp_path / "odd.zarr"), "--workers", "1"]) == 0
    said = capsys.readouterr().out
    assert "label 1 has 0.16 times its area of frame 0" in said
    assert "of its area was filled in" in said
    assert "volume" not in said
    assert "square of" in said


def test_static_cells(tmp_path: Path) -> None:
    """One frame a cell."""
    ellipses(tmp_path / "static.zarr", n=4, n_frames=1)
    learn(tmp_path / "static.zarr", tmp_path / "run", "linear")
    call("generate", tmp_path / "run", "--out", tmp_path / "new.zarr", "-n", 2, "--prior", "between")
    assert [sequence.info.n_frames for sequence in ShapeStore.open(tmp_path / "new.zarr")] == [1, 1]


def test_export(home: Path, tmp_path: Path) -> None:
    """Masks and Challenge folders are read again as the movies that they are."""
    call("export", home / "shapes.zarr", "--to", "masks", "--out", tmp_path / "masks", "--sequences", "cell0")
    call("export", home / "shapes.zarr", "--to", "ctc", "--out", tmp_path / "ctc", "--sequences", "cell0")
    mask = ShapeStore.open(home / "shapes.zarr")["cell0"].mask(2)
    for source in (tmp_path / "masks" / "cell0.ome.tif", tmp_path / "ctc"):
        [movie] = open_movies(source)
        assert (movie.n_frames, movie.shape_zyx, movie.spacing_zyx_um[1:]) == (3, (1, 64, 64), (0.25, 0.25))
        assert np.array_equal(movie.read(2)[0] > 0, mask)


def test_export_of_outlines_and_distances(home: Path, tmp_path: Path) -> None:
    """Points lie on the outline; HDF5 and Matlab have the axes (x, y, t) and (t, y, x)."""
    cell = ["--sequences", "cell0"]
    for to in ("points", "h5", "mat"):
        call("export", home / "shapes.zarr", "--to", to, "--out", tmp_path / to, *cell)
    true = ShapeStore.open(home / "shapes.zarr")["cell0"]
    clouds_yx_um = np.load(tmp_path / "points" / "cell0.npy")
    assert clouds_yx_um.shape == (3, 2048, 2)
    distances_um = map_coordinates(true.sdf_um(2), clouds_yx_um[2].T / 0.25 - 0.5, order=1)
    assert np.abs(distances_um).max() < 0.05
    assert set(np.asarray(trimesh.load(tmp_path / "points" / "cell0" / "t002.ply").vertices)[:, 2]) == {0}
    with h5py.File(tmp_path / "h5" / "cell0.h5") as file:
        assert file["sdf_vid"].attrs["axes"] == "x y t"
        assert pytest.approx(true.sdf_um(2), abs=1e-5) == file["sdf_vid"][..., 2].T * 8.0
    assert loadmat(tmp_path / "mat" / "cell0.mat")["sdf_vid"][2] * 8.0 == pytest.approx(true.sdf_um(2), abs=1e-5)


def test_images_are_refused_by_a_run_of_volumes(
    home: Path, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shapes, out = home / "shapes.zarr", tmp_path / "out"
    refused = {
        ("fit", trained, shapes): f"{shapes}: cells are 2D, and those of {trained} are 3D",
        ("reconstruct", trained, "--known", shapes): f"{shapes}: cells are 2D, and those of {trained} are 3D",
        ("fill", shapes, "--run", trained, "--every-frame", 2): f"cells are 2D, and those of {trained} are 3D",
    }
    for words, message in refused.items():
        assert_refused([*map(str, words), "--out", str(out)], message, capsys, folder=tmp_path)


def test_what_images_do_not_do_yet(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, shapes, out = home / "run", home / "shapes.zarr", tmp_path / "out"
    balls = write_balls(tmp_path / "balls.zarr")
    refused = {
        ("fill", shapes, "--every-plane", 2): f"--every-plane 2: {shapes} holds 2D cells, which have no planes along z",
        ("fit", run, shapes, "--every-plane", 2): "which have no planes along z",
        ("fit", run, balls): f"{balls}: cells are 3D, and those of {run} are 2D",
        ("reconstruct", run, "--known", balls): f"{balls}: cells are 3D, and those of {run} are 2D",
        ("fill", balls, "--run", run, "--every-frame", 2): f"cells are 3D, and those of {run} are 2D",
        ("export", shapes, "--to", "meshes"): "its cells are 2D, and have outlines but no surfaces to mesh",
        ("train", shapes, "--preset", "parts", "--set", "model.body=lasting"): "'lasting' knows 3D cells only",
        ("evaluate", shapes, balls): f"{balls} is 3D and {shapes} is 2D, so their cells cannot be compared",
        ("evaluate", balls, shapes, "--paired"): f"{shapes} is 2D and {balls} is 3D",
    }
    for words, message in refused.items():
        assert_refused([*map(str, words), "--out", str(out)], message, capsys, folder=tmp_path)
