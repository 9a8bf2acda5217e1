"""Reconstruct and generate: stores of the right size, the same bytes, the same voxels as the dense way."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from cytoform.errors import InputError
from cytoform.shapes.store import ShapeStore
from cytoform.synthesis.cells import Cells, load
from cytoform.synthesis.sequences import Rendering, generate, reconstruct


@pytest.fixture(scope="module")
def cells(trained: Path) -> Cells:
    return load(trained)


def digest(folder: Path) -> str:
    whole = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        whole.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return whole.hexdigest()


def test_reconstruction_overlaps_the_original(cells: Cells, balls: Path, tmp_path: Path) -> None:
    reconstruct(cells, tmp_path / "rec.zarr")
    original, rendered = ShapeStore.open(balls), ShapeStore.open(tmp_path / "rec.zarr")
    assert rendered.names == original.names
    for name in original.names:
        assert rendered[name].info.time_step_s == 10
        for frame in range(4):
            a, b = original[name].mask(frame), rendered[name].mask(frame)
            assert (a & b).sum() / (a | b).sum() > 0.85


@pytest.mark.parametrize("grid", [32, 50, 128])
def test_narrow_band_equals_dense(cells: Cells, tmp_path: Path, grid: int) -> None:
    for method in ("dense", "narrow-band"):
        rendering = Rendering(grid, 3, method)
        reconstruct(cells, tmp_path / f"{method}.zarr", names=["b"], rendering=rendering)
    dense, narrow = (ShapeStore.open(tmp_path / f"{method}.zarr")["b"] for method in ("dense", "narrow-band"))
    for frame in range(3):
        assert np.array_equal(dense.mask(frame), narrow.mask(frame))
        assert np.array_equal(dense.sdf_um(frame), narrow.sdf_um(frame))


def test_any_grid_and_frames(cells: Cells, tmp_path: Path) -> None:
    generate(cells, tmp_path / "new.zarr", 3, rendering=Rendering(40, 7), prior="around")
    store = ShapeStore.open(tmp_path / "new.zarr")
    assert store.names == ["new0000", "new0001", "new0002"]
    assert [sequence.info.n_frames for sequence in store] == [7, 7, 7]
    # Four frames 10 s apart span 30 s, which seven frames cut into 5 s.
    assert store["new0000"].info.time_step_s == pytest.approx(5)
    assert store.grid.size == 40
    assert store["new0001"].mask(6).any()


def test_same_seed_same_bytes(cells: Cells, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        generate(cells, tmp_path / name, 2, seed=seed, rendering=Rendering(32, 2))
    assert digest(tmp_path / "a") == digest(tmp_path / "b") != digest(tmp_path / "c")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "at least one"),
        ({"n": 1, "sigma": -1.0}, "--sigma"),
        ({"n": 1, "rendering": Rendering(grid_size=5000)}, "--grid 5000"),
        ({"n": 1, "rendering": Rendering(grid_size=0)}, "--grid 0"),
        ({"n": 1, "rendering": Rendering(n_frames=0)}, "--frames 0"),
        ({"n": 1, "rendering": Rendering(safety=-1.0)}, "--safety"),
    ],
)
def test_impossible_requests_write_nothing(
    cells: Cells, tmp_path: Path, arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message) as fault:
        generate(cells, tmp_path / "new.zarr", **arguments)  # type: ignore[arg-type]
    assert "\n" not in str(fault.value)
    assert list(tmp_path.iterdir()) == []


def test_unknown_sequence_and_existing_output(cells: Cells, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no sequence 'z'"):
        reconstruct(cells, tmp_path / "rec.zarr", names=["z"])
    (tmp_path / "rec.zarr").mkdir()
    (tmp_path / "rec.zarr" / "mine").touch()
    with pytest.raises(InputError, match="--overwrite"):
        reconstruct(cells, tmp_path / "rec.zarr")
