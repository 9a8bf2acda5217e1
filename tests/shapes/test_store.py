"""The shape store: what is written is read, in any OME-Zarr reader, and damage is an InputError."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from ome_zarr_models.v05.image import Image
from ome_zarr_models.v05.image_label import ImageLabel
from stores import ball

from cytoform.errors import InputError
from cytoform.shapes.box import BoxedField
from cytoform.shapes.grid import Grid
from cytoform.shapes.store import SequenceInfo, ShapeStore

GRID = Grid(8, 2.0)
BAND_UM = 1.5
INFO = SequenceInfo("cell", 3, 12.5, "movie.tif", ((1.0, 2.0, 3.0), (1.5, 2.0, 3.0), (2.0, 2.0, 3.0)))


def new_store(path: Path, grid: Grid = GRID) -> ShapeStore:
    store = ShapeStore.create(path, grid, band_um=BAND_UM, attributes={"command": "test", "seed": 3})
    store.add(INFO)
    return store


@pytest.fixture
def store(tmp_path: Path) -> Path:
    sequence = new_store(tmp_path / "s.zarr")["cell"]
    for frame in range(3):
        sequence.write(frame, np.linspace(-2, 2, 512, dtype=np.float32).reshape(GRID.shape))
    return tmp_path / "s.zarr"


distances = st.floats(-3, 3, width=32) | st.sampled_from([0.0, -0.0, 1e-9, -1e-9, 1e-30, -1e-30])


@settings(max_examples=40, deadline=None)
@given(sdf_um=arrays(np.float32, GRID.shape, elements=distances), frame=st.integers(0, 2))
def test_round_trip(sdf_um: np.ndarray, frame: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("round") / "s.zarr"
    new_store(path)["cell"].write(frame, sdf_um)
    read = ShapeStore.open(path)["cell"]
    assert np.abs(read.sdf_um(frame) - sdf_um.clip(-BAND_UM, BAND_UM)).max() <= 1e-3
    assert np.array_equal(read.mask(frame), sdf_um <= 0)
    assert np.array_equal(read.sdf_um(frame) <= 0, sdf_um <= 0)
    others = [other for other in range(3) if other != frame]
    assert not any(read.mask(other).any() for other in others)
    assert all((read.sdf_um(other) == BAND_UM).all() for other in others)


def test_everything_known_of_a_sequence_is_read_back(store: Path) -> None:
    read = ShapeStore.open(store)
    assert read.names == ["cell"]
    assert (read.grid, read.band_um) == (GRID, BAND_UM)
    assert read["cell"].info == INFO
    assert (read.attributes["command"], read.attributes["seed"]) == ("test", 3)


@settings(max_examples=15, deadline=None)
@given(low=st.tuples(*[st.integers(0, 90)] * 3), size=st.tuples(*[st.integers(1, 40)] * 3))
def test_blocks_land_where_they_belong(
    low: tuple[int, int, int], size: tuple[int, int, int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """More than one chunk a side, and blocks that do not fit the chunks."""
    grid = Grid(100, 2.0)
    size = (min(size[0], 100 - low[0]), min(size[1], 100 - low[1]), min(size[2], 100 - low[2]))
    block = np.random.default_rng(0).uniform(-1, 1, size).astype(np.float32)
    sequence = new_store(tmp_path_factory.mktemp("blocks") / "s.zarr", grid)["cell"]
    sequence.write_box(1, BoxedField(grid, low, block, BAND_UM))
    expected = np.zeros(grid.shape, bool)
    expected[tuple(slice(a, a + n) for a, n in zip(low, size, strict=True))] = block <= 0
    assert np.array_equal(sequence.mask(1), expected)
    assert np.array_equal(sequence.box(1).sdf_um(), sequence.sdf_um(1))
    assert np.array_equal(sequence.box(1).mask(), expected)


def test_the_box_of_a_cell_is_its_chunks_alone(tmp_path: Path) -> None:
    grid = Grid(150, 2.0)
    sequence = new_store(tmp_path / "s.zarr", grid)["cell"]
    assert sequence.box(0).box_sdf_um.shape == (0, 0, 0)
    sequence.write_box(0, BoxedField(grid, (70, 130, 10), np.full((20, 10, 60), -1.0, np.float32), BAND_UM))
    box = sequence.box(0)
    assert (box.corner_zyx, box.box_sdf_um.shape) == ((64, 128, 0), (64, 22, 128))
    assert box.inside.sum() == 20 * 10 * 60


def test_meshes_of_a_sequence_are_none_where_a_frame_is_empty(tmp_path: Path) -> None:
    grid = Grid(16, 8.0)
    sequence = new_store(tmp_path / "s.zarr", grid)["cell"]
    sequence.write(1, ball(3.0, grid=grid))
    meshes = list(sequence.meshes())
    assert [mesh is None for mesh in meshes] == [frame != 1 for frame in range(sequence.info.n_frames)]
    assert meshes[1].volume_um3 == pytest.approx(4 / 3 * np.pi * 27, rel=0.1)


def test_every_sequence_is_a_valid_ome_zarr_image_with_labels(store: Path) -> None:
    image = Image.from_zarr(zarr.open_group(store / "cell", mode="r"))
    multiscale = image.attributes.ome.multiscales[0]
    assert [axis.name for axis in multiscale.axes] == ["t", "z", "y", "x"]
    assert [axis.unit for axis in multiscale.axes] == ["second", "micrometer", "micrometer", "micrometer"]
    assert multiscale.datasets[0].coordinateTransformations[0].scale == [12.5, 0.5, 0.5, 0.5]
    labels = ImageLabel.from_zarr(zarr.open_group(store / "cell" / "labels" / "mask", mode="r"))
    assert labels.attributes.ome.multiscales[0].datasets[0].path == "0"
    assert zarr.open_group(store / "cell" / "labels", mode="r").attrs["ome"]["labels"] == ["mask"]


def test_same_content_same_bytes(store: Path, tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    sequence = new_store(tmp_path / "again" / "s.zarr")["cell"]
    for frame in (2, 0, 1):
        sequence.write(frame, np.linspace(-2, 2, 512, dtype=np.float32).reshape(GRID.shape))
    first, second = ({p.relative_to(r): p.read_bytes() for p in r.rglob("*") if p.is_file()} for r in
                     (store, tmp_path / "again" / "s.zarr"))  # fmt: skip
    assert first == second


def test_what_is_no_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such shape store"):
        ShapeStore.open(tmp_path / "nothing.zarr")
    (tmp_path / "file.zarr").write_text("hello")
    (tmp_path / "empty.zarr").mkdir()
    zarr.create_group(tmp_path / "foreign.zarr")
    zarr.create_array(tmp_path / "array.zarr", shape=(2,), dtype="f4")
    for name in ("file", "empty", "foreign", "array"):
        with pytest.raises(InputError, match="not a shape store"):
            ShapeStore.open(tmp_path / f"{name}.zarr")


def change(path: Path, **values: object) -> None:
    document = json.loads(path.read_text())
    document["attributes"]["cytoform"].update(values)
    path.write_text(json.dumps(document))


@pytest.mark.parametrize(
    "values", [{"format": 99}, {"kind": "run"}, {"grid": "big"}, {"grid": 10**9}, {"half_extent_um": None}]
)
def test_a_changed_head_is_refused(store: Path, values: dict[str, object]) -> None:
    change(store / "zarr.json", **values)
    with pytest.raises(InputError):
        ShapeStore.open(store)


@pytest.mark.parametrize(
    "lost", ["cell/sdf", "cell/labels", "cell/labels/mask/0", "cell/sdf/zarr.json", "cell/labels/mask/0/zarr.json"]
)
def test_lost_parts_are_named(store: Path, lost: str) -> None:
    place = store / lost
    shutil.rmtree(place) if place.is_dir() else place.unlink()
    with pytest.raises(InputError, match=r"damaged|not an array"):
        ShapeStore.open(store)["cell"]


@pytest.mark.parametrize("values", [{"n_frames": 7}, {"n_frames": "many"}, {"offsets_zyx_um": [[1.0]]}])
def test_a_changed_sequence_is_refused(store: Path, values: dict[str, object]) -> None:
    change(store / "cell" / "zarr.json", **values)
    with pytest.raises(InputError, match="damaged"):
        ShapeStore.open(store)["cell"]


def test_truncated_files_are_input_errors(store: Path) -> None:
    """Cut every file of the store in the middle, one after the other; two are only for other readers."""
    others = {store / "cell/labels/zarr.json", store / "cell/labels/mask/zarr.json"}
    files = {path for path in store.rglob("*") if path.is_file()} - others
    assert len(files) == 4 + 2 * 3
    for file in sorted(files):
        whole = file.read_bytes()
        file.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(InputError):
            read_all(store)
        file.write_bytes(whole)
    read_all(store)


def read_all(path: Path) -> None:
    sequence = ShapeStore.open(path)["cell"]
    for frame in range(3):
        assert sequence.sdf_um(frame).shape == sequence.mask(frame).shape


def test_unknown_sequence_is_named(store: Path) -> None:
    with pytest.raises(InputError, match="no sequence 'other'"):
        ShapeStore.open(store)["other"]


@pytest.mark.parametrize("value", ["NaN", "-Infinity", "1e400"])
def test_attributes_that_are_no_json_are_refused(value: str, balls: Path, tmp_path: Path) -> None:
    """A training records them all."""
    store = Path(shutil.copytree(balls, tmp_path / "balls.zarr"))
    tree = json.loads((store / "zarr.json").read_text())
    tree["attributes"]["cytoform"]["version"] = ["VALUE"]
    (store / "zarr.json").write_text(json.dumps(tree).replace('"VALUE"', value))
    with pytest.raises(InputError, match=r"zarr.json: damaged shape store \(its attributes hold NaN or infinity\)"):
        ShapeStore.open(store)
