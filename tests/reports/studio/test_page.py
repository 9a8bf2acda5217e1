"""The studio in a browser against Python: distances, surfaces, new cells, files; and what it refuses."""

import io
import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
import trimesh
from blebbing import blebbing_frames
from browser import Browser, Tab, chromium, inked, opened
from flat import ellipses
from pages import assert_self_contained
from parts_run import write_parts_run
from protruding import GRID as PROTRUDING
from refined_run import write_refined_run
from scipy.spatial import cKDTree
from stores import write_store
from tiny import write_balls

from cytoform.errors import InputError
from cytoform.protrusions.bulge_fit import bulges_of
from cytoform.protrusions.bulges import Bulges
from cytoform.protrusions.decompose import take_apart
from cytoform.protrusions.units import Units
from cytoform.reports.studio import parts
from cytoform.reports.studio.gaussian import blocks_of, prior_of_page
from cytoform.reports.studio.page import write_studio
from cytoform.runs.config import load_config
from cytoform.runs.stage import train
from cytoform.shapes.store import ShapeStore
from cytoform.synthesis.cells import Cells, load
from cytoform.synthesis.coded import read_code
from cytoform.synthesis.options import Rendering
from cytoform.synthesis.sequences import generate_coded
from cytoform.synthesis.sized import Sized

NAMES = ('a <b>"1"&', "b", "c", "d", "e")
POINTS, GRID, FINE = 10_000, 24, 48  # FINE: shows protrusions
KINDS = ("network", "linear", "refined", "flat", "parts", "thick")
STUDIO = "document.querySelector('cell-studio')"


@dataclass(frozen=True)
class Made:
    """A run, and its page."""

    cells: Cells
    page: Path


def made(run: Path) -> Made:
    cells = load(run)
    write_studio(cells, run.with_suffix(".html"))
    return Made(cells, run.with_suffix(".html"))


def linear(store: Path, run: Path) -> Path:
    settings = ["model.nodes=32", "model.components=12", "model.knots=4"]
    train(store, run, load_config(preset="linear", settings=settings))
    return run


class Runs(dict[str, Made]):
    """A network that knows two cells, components of five cells and of five images, a network in their frame, and bodies
    with thin and with thick protrusions: each made when a test asks for it."""

    def __init__(self, home: Path, trained: Callable[[], Path]) -> None:
        super().__init__()
        self.home, self.trained = home, trained

    def __missing__(self, kind: str) -> Made:
        self[kind] = getattr(self, f"_{kind}")()
        return self[kind]

    def _network(self) -> Made:
        shutil.copytree(self.trained(), self.home / "network")
        return made(self.home / "network")

    def _linear(self) -> Made:
        sizes = dict(zip(NAMES, (2.4, 2.9, 3.3, 3.8, 4.4), strict=True))
        return made(linear(write_balls(self.home / "balls.zarr", sizes, n_frames=4), self.home / "linear"))

    def _refined(self) -> Made:
        return made(write_refined_run(self.home / "refined"))

    def _flat(self) -> Made:
        return made(linear(ellipses(self.home / "flat.zarr", n=5), self.home / "flat"))

    def _parts(self) -> Made:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(parts, "DRAWN", 2)
            return made(write_parts_run(self.home / "parts", n=3))

    def _thick(self) -> Made:
        frames = {"a": blebbing_frames(), "b": blebbing_frames(1)}
        store = write_store(self.home / "blebs.zarr", frames, grid=PROTRUDING)
        bulges = bulges_of(take_apart(ShapeStore.open(store), None), PROTRUDING.half_extent_um)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(parts, "DRAWN", 2)
            return made(write_parts_run(self.home / "thick", n=3, bulges=bulges))


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return Runs(tmp_path_factory.mktemp("studio"), lambda: request.getfixturevalue("trained"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(params=KINDS)
def both(request: pytest.FixtureRequest, runs: Runs, browser: Browser) -> Iterator[tuple[Made, Tab]]:
    with studio(browser, runs[request.param]) as tab:
        yield runs[request.param], tab


class studio:  # noqa: N801 (a context)
    """An open studio that has drawn its first cell; no errors are left on the console."""

    def __init__(self, browser: Browser, made: Made, *, before: str = "", size: str = "wide") -> None:
        self.context = opened(browser, made.page, before=before, size=size)

    def __enter__(self) -> Tab:
        self.tab = self.context.__enter__()
        self.tab.page.wait_for_function(f"() => {STUDIO}?.figures?.size > 0")
        return self.tab

    def __exit__(self, *fault: Any) -> None:
        self.context.__exit__(*fault)
        if fault[0] is None:
            assert self.tab.faults == []


def code_of(tab: Tab) -> dict[str, Any]:
    return json.loads(tab.page.evaluate(f"() => {STUDIO}.json"))


def distances(tab: Tab, points: np.ndarray, time: float, *, plain: bool = False) -> np.ndarray:
    """Of the cell that is shown, at (x, y, z) in the cube."""
    script = f"""([points, n, time, plain]) => {{
      const {{ field, cell }} = {STUDIO}, kernel = field.kernel;
      if (plain) field.kernel = null;
      const found = field.frame(cell, time).distances(Float32Array.from(points), n);
      field.kernel = kernel;
      return [...found];
    }}"""
    return np.array(tab.page.evaluate(script, [points.T.ravel().tolist(), len(points), time, plain]))


def in_python(made: Made, tab: Tab) -> Any:
    """The field of the cell that is shown."""
    code = code_of(tab)
    variables = {name: np.array(code[name]) for name in ("scale", "protrusions", "bulges", "offset") if code.get(name)}
    return made.cells.field(np.array(code["code"]), variables=variables)


def move(tab: Tab, slider: int, value: float) -> None:
    script = "(input, value) => { input.value = value; input.oninput(); input.onchange(); }"
    tab.page.locator(".slider input").nth(slider).evaluate(script, value)


def test_distances_and_figures_are_those_of_python(both: tuple[Made, Tab]) -> None:
    made, tab = both
    dims = made.cells.run.decoder.n_dims
    points = np.random.default_rng(0).uniform(-1.1, 1.1, (POINTS, dims)).astype(np.float32)
    move(tab, 0, 0.7)
    field = in_python(made, tab)
    for time in (-1.0, 0.37):
        expected = field.at(time)(torch.tensor(points)).numpy()
        assert np.abs(distances(tab, points, time) - expected).max() < 1e-5
        assert np.abs(distances(tab, points[:2000], time, plain=True) - expected[:2000]).max() < 1e-5
    grid = FINE if made.cells.run.parts else GRID
    found = tab.page.evaluate(f"([grid]) => {STUDIO}.surface({STUDIO}.cell, {STUDIO}.data.frames - 1, grid)", [grid])
    box = field.render(1.0, grid)
    assert found["size"] == pytest.approx(box.boundary().size, rel=1e-3)
    assert found["extent"] == pytest.approx(box.boundary().extent, rel=2e-3)
    if dims == 3:
        points_um = np.array(found["points"]).reshape(-1, 3) + field.half_extent_um
        faces = np.array(found["faces"]).reshape(-1, 3)
        assert trimesh.Trimesh(points_um, faces, process=False).is_watertight
        ours, theirs = cKDTree(points_um), cKDTree(box.mesh().vertices_xyz_um)
        farthest = max(ours.query(theirs.data)[0].max(), theirs.query(ours.data)[0].max())
        assert farthest < 0.05 * box.grid.spacing_um


def test_a_cell_of_the_page_is_the_cell_of_the_command(runs: Runs, browser: Browser, tmp_path: Path) -> None:
    made = runs["linear"]
    with studio(browser, made) as tab:
        shown = code_of(tab)
        tab.page.get_by_text("New random cell").click()
        tab.page.keyboard.press("r")
        drawn = code_of(tab)
        assert drawn["name"] == "New cell 2"
        assert drawn["code"] != shown["code"]
        (tmp_path / "code.json").write_text(json.dumps(drawn))
        with tab.page.expect_download() as download:
            tab.page.get_by_text("Mesh, STL").click()
        stl = trimesh.load(io.BytesIO(Path(download.value.path()).read_bytes()), file_type="stl")
        with tab.page.expect_download() as download:
            tab.page.get_by_text("Mesh, GLB").click()
        glb = trimesh.load(io.BytesIO(Path(download.value.path()).read_bytes()), file_type="glb", force="mesh")
        with tab.page.expect_download() as download:
            tab.page.get_by_text("All times").click()
        with zipfile.ZipFile(download.value.path()) as archive:
            assert archive.testzip() is None
            assert archive.namelist() == [f"{frame:04d}.ply" for frame in range(4)]
            last = trimesh.load(io.BytesIO(archive.read("0003.ply")), file_type="ply")
    assert glb.is_watertight
    assert glb.volume == pytest.approx(stl.volume, rel=1e-5)
    x, y, z = stl.vertices.T  # glTF has y up
    assert np.allclose(glb.bounds[0], [x.min(), z.min(), -y.max()], atol=1e-5)
    generate_coded(made.cells, tmp_path / "code.json", tmp_path / "new.zarr", rendering=Rendering(64))
    [sequence] = ShapeStore.open(tmp_path / "new.zarr")
    meshes = list(sequence.meshes())
    # A store keeps distances in whole steps.
    assert stl.volume == pytest.approx(meshes[0].volume_um3, rel=0.02)
    assert last.volume == pytest.approx(meshes[-1].volume_um3, rel=0.02)
    assert np.abs(last.bounds[0] - meshes[-1].vertices_xyz_um.min(axis=0)).max() < 0.5 * sequence.grid.spacing_um


def protrusions(tab: Tab) -> Units:
    return Units.from_rows(np.array(code_of(tab)["protrusions"]))


def test_number_and_length_of_protrusions(runs: Runs, browser: Browser, tmp_path: Path) -> None:
    cells = runs["parts"].cells
    with studio(browser, runs["parts"]) as tab:
        before = protrusions(tab)
        n = len(list(before.families()))
        move(tab, -3, n + 2)
        assert len(list(protrusions(tab).families())) == n + 2
        move(tab, -3, 2)
        move(tab, -2, 1.0)
        after = protrusions(tab)
        assert len(list(after.families())) == 2
        assert set(np.round(after.length / 2, 5)) <= set(np.round(before.length, 5))
        (tmp_path / "code.json").write_text(json.dumps(code_of(tab)))
        assert len(read_code(tmp_path / "code.json", cells).variables["protrusions"]) == len(after)
        tab.page.get_by_label("Show a learned cell").select_option(label="cell1")
        assert np.allclose(protrusions(tab).to_rows(), cells.variables("cell1")["protrusions"])
        move(tab, -1, 0.5)
        learned = [Units.from_rows(cells.variables(name)["protrusions"]) for name in ("cell0", "cell1")]
        assert np.allclose(protrusions(tab).length, np.concatenate([units.length for units in learned]) / 2)


def test_thick_protrusions_are_counted_grown_and_saved(runs: Runs, browser: Browser, tmp_path: Path) -> None:
    cells = runs["thick"].cells

    def bulges(tab: Tab) -> Bulges:
        return Bulges.from_rows(np.array(code_of(tab)["bulges"]))

    with studio(browser, runs["thick"]) as tab:
        tab.page.get_by_label("Show a learned cell").select_option(label="cell1")
        before = bulges(tab)
        assert np.allclose(before.to_rows(), cells.variables("cell1")["bulges"])
        move(tab, -3, 2)
        move(tab, -2, 1.0)
        after = bulges(tab)
        assert len(after) == 2
        assert set(np.round(after.size[:, 0] / np.cbrt(2), 5)) <= set(np.round(before.size[:, 0], 5))
        (tmp_path / "code.json").write_text(json.dumps(code_of(tab)))
        assert tab.page.locator(".near").inner_text() == "This is the body of the learned cell cell1."
        tab.picture("cell-studio", "studio_thick")
    saved = read_code(tmp_path / "code.json", cells)
    assert np.allclose(saved.variables["bulges"], after.to_rows())
    larger, bare = (cells.field(saved.code, variables=each).render(0.0, 32) for each in (saved.variables, {}))
    assert larger.inside.sum() > bare.inside.sum()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"protrusions": None}, "lacks the protrusions"),
        ({"protrusions": [[0.0]]}, "95 numbers"),
        ({"protrusions": [[5.0] * 95]}, "impossible"),
        ({"offset": [[0.0]]}, "3 numbers"),
        ({"bulges": [[0.0]]}, "29 numbers"),
        ({"bulges": [[0.0] * 29]}, "bulges: a window of time, a size or a moment is impossible"),
    ],
)
def test_refuses_impossible_protrusions(runs: Runs, tmp_path: Path, change: dict[str, Any], words: str) -> None:
    cells = runs["parts"].cells
    good = {"format": "cytoform code", "weights_sha256": cells.weights_sha256, "name": "a", "protrusions": [],
            "code": cells.flat_codes[0].tolist()}  # fmt: skip
    (tmp_path / "code.json").write_text(json.dumps(good | change))
    with pytest.raises(InputError, match=words):
        read_code(tmp_path / "code.json", cells)


NO_H264 = """{ const configure = VideoEncoder.prototype.configure;
  VideoEncoder.prototype.configure = function (settings) {
    if (settings.codec.startsWith("avc")) throw new Error("no H.264");
    configure.call(this, settings);
  }; }"""


@pytest.mark.parametrize(("before", "ending", "codec"), [("", "mp4", "h264"), (NO_H264, "webm", "vp9")])
def test_a_video_shows_all_frames_at_their_times(
    before: str, ending: str, codec: str, runs: Runs, browser: Browser
) -> None:
    with studio(browser, runs["flat"], before=before) as tab:
        with tab.page.expect_download() as download:
            tab.page.get_by_text("Video, MP4").click()
        assert download.value.suggested_filename.endswith(f".{ending}")
        with av.open(download.value.path()) as video:
            assert video.streams.video[0].codec_context.name.endswith(codec)
            pictures = list(video.decode(video=0))
            length_s = float(video.duration) / av.time_base
        n_frames = tab.page.evaluate(f"() => {STUDIO}.data.frames")
    assert [picture.time for picture in pictures] == pytest.approx(np.arange(n_frames) / 6, abs=2e-3)
    assert length_s == pytest.approx(n_frames / 6, abs=2e-3)
    first, last = (inked(picture.to_ndarray(format="rgb24").astype(int)) for picture in (pictures[0], pictures[-1]))
    assert min(first, last) > 0.02


def test_learned_cells_paths_and_names(runs: Runs, browser: Browser) -> None:
    with studio(browser, runs["linear"]) as tab:
        tab.page.get_by_label("Show a learned cell").select_option(label=NAMES[0])
        assert tab.page.locator(".near").inner_text() == f"This is the learned cell {NAMES[0]}."
        assert code_of(tab)["code"] == runs["linear"].cells.flat_codes[0].tolist()
        move(tab, -1, 0.5)
        assert code_of(tab)["name"] == f"{NAMES[0]} to b, 50 %"
        between = runs["linear"].cells.flat_codes[:2].mean(axis=0)
        assert np.allclose(code_of(tab)["code"], between, atol=1e-6)


def test_a_phone_and_a_browser_without_simd_and_video(runs: Runs, browser: Browser) -> None:
    without = "delete globalThis.WebAssembly; delete globalThis.VideoEncoder;"
    with studio(browser, runs["network"], before=without, size="narrow") as tab:
        assert "no WebAssembly" in tab.page.locator("cell-studio").inner_text()
        assert not tab.overflows()
        assert tab.page.get_by_text("New random cell").is_disabled()
        assert tab.page.get_by_role("button", name="Video").is_disabled()
        assert "No video" in tab.page.locator("cell-studio").inner_text()


def test_the_page_is_one_file_and_small(runs: Runs) -> None:
    for kind in KINDS:
        page = runs[kind].page.read_text("utf-8")
        assert_self_contained(page)
        assert len(page) < 1e6
        assert "<b>" not in page.split("</head>")[1]


def test_new_codes_have_the_distribution_of_the_prior(runs: Runs) -> None:
    cells = runs["linear"].cells
    prior = prior_of_page(cells)
    assert isinstance(prior, Sized)
    shapes: Any = prior.shapes
    expected = shapes.axes.T @ shapes.covariances[0] @ shapes.axes
    found = np.zeros_like(expected)
    for block in blocks_of(cells, prior):
        spread = (cells.flat_codes[:, block.entries] - block.centre).T @ block.weights
        found[np.ix_(block.entries, block.entries)] = spread @ spread.T
        assert np.allclose(shapes.centre[block.entries], block.centre)
    assert np.allclose(found, expected, atol=1e-4 * np.abs(expected).max())


def test_a_page_that_is_too_large_rounds_distances_around_thick_protrusions(
    runs: Runs, browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact, page = runs["thick"], tmp_path / "studio.html"
    monkeypatch.setattr(parts, "DRAWN", 2)
    megabytes = (exact.page.stat().st_size - 2000) / 1e6
    with pytest.raises(InputError, match="raise --megabytes"):
        write_studio(exact.cells, page, megabytes=0.15)
    assert write_studio(exact.cells, page, megabytes=megabytes).rounded
    assert page.stat().st_size < 1e6 * megabytes
    rounded = Made(exact.cells, page)
    with studio(browser, rounded) as tab:
        move(tab, 0, 0.7)
        box = in_python(rounded, tab).render(1.0, FINE)
        found = tab.page.evaluate(
            f"([grid]) => {STUDIO}.surface({STUDIO}.cell, {STUDIO}.data.frames - 1, grid)", [FINE]
        )
        assert found["size"] == pytest.approx(box.boundary().size, rel=5e-3)


def test_refuses_what_a_page_cannot_show(runs: Runs, tmp_path: Path) -> None:
    cells = runs["linear"].cells
    with pytest.raises(InputError, match=r"ends in \.html"):
        write_studio(cells, tmp_path / "studio.pdf")
    with pytest.raises(InputError, match=r"MB instead of 0\.1; raise --megabytes"):
        write_studio(cells, tmp_path / "studio.html", megabytes=0.1)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"code": []}, "code"),
        ({"code": [0.0] * 3}, "3 numbers"),
        ({"code": [float("nan")]}, "code"),
        ({"scale": None}, "lacks the size"),
        ({"scale": [-1.0]}, "scale.0 = -1.0"),
        ({"weights_sha256": "0" * 64}, "another run"),
        ({"format": "other"}, "format"),
        ({"protrusions": []}, "its run knows none"),
        ({"name": "../x"}, "name"),
    ],
)
def test_refuses_files_of_no_code(runs: Runs, tmp_path: Path, change: dict[str, Any], words: str) -> None:
    cells = runs["linear"].cells
    good = {"format": "cytoform code", "weights_sha256": cells.weights_sha256, "name": "a", "scale": [1.0],
            "code": cells.flat_codes[0].tolist()}  # fmt: skip
    (tmp_path / "code.json").write_text(json.dumps(good | change))
    with pytest.raises(InputError, match=words):
        generate_coded(cells, tmp_path / "code.json", tmp_path / "new.zarr", rendering=Rendering(16, 1))
    assert [path.name for path in tmp_path.iterdir()] == ["code.json"]
