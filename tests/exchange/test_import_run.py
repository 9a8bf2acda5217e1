"""Published checkpoints against a plain decoder of the published layout, at random points and times."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from published import PublishedDecoder, published_place, write_checkpoint, write_codes
from refusals import assert_refused
from scipy.io import savemat

from cytoform import cli
from cytoform.exchange.import_run import Assumptions, import_run
from cytoform.representations.bounds import Bounds
from cytoform.shapes.grid import Grid
from cytoform.shapes.store import ShapeStore
from cytoform.synthesis.cells import load

GRID = Grid(24, 6.0)
CODES = np.random.default_rng(0).normal(0, 0.1, (3, 7)).astype(np.float32)


def plain(
    activation: str = "sine", widths: tuple[int, ...] = (16, 16, 16), skips: tuple[int, ...] = (2,), **more: Any
) -> PublishedDecoder:
    torch.manual_seed(5)
    decoder = PublishedDecoder(widths, code_dim=7, skips=skips, activation=activation, **more)
    with torch.no_grad():
        # Something like a distance, so that there is a surface: the output's own view of place and time counts.
        output = getattr(decoder, f"lin{len(widths)}")
        output.weight[:, -4:] = torch.tensor([[0.9, 0.4, -0.3, 0.2]])
    return decoder


def imported(folder: Path, decoder: PublishedDecoder, assumed: Assumptions, codes: np.ndarray = CODES) -> Path:
    import_run(
        write_checkpoint(folder / "model.pth", decoder),
        write_codes(folder / "lat_vecs.mat", codes),
        folder / "run",
        assumed=assumed,
    )
    return folder / "run"


def expected_um(
    decoder: PublishedDecoder, code: np.ndarray, points_zyx_um: np.ndarray, time: float, unit_um: float
) -> np.ndarray:
    place = published_place(points_zyx_um, GRID.size, GRID.spacing_um)
    place_time = torch.tensor(np.column_stack([place, np.full(len(place), time)]), dtype=torch.float64)
    with torch.no_grad():
        return decoder.double()(torch.tensor(code, dtype=torch.float64), place_time).numpy() * unit_um


@pytest.mark.parametrize("activation", ["sine", "relu"])
@pytest.mark.parametrize(
    ("widths", "skips"),
    [((16, 16, 16), (2,)), ((12,) * 10, (4, 7)), ((16, 16), ()), ((9,), ()), ((8, 20, 12, 16), (1, 3))],
)
def test_the_field_is_the_published_decoder(
    activation: str, widths: tuple[int, ...], skips: tuple[int, ...], tmp_path: Path
) -> None:
    """One half extent a unit, so that 1e-5 is one of the published output."""
    decoder = plain(activation, widths, skips)
    run = load(imported(tmp_path, decoder, Assumptions(GRID, activation, um_per_unit=GRID.half_extent_um)))  # type: ignore[arg-type]
    points = np.random.default_rng(1).uniform(0, 12, (400, 3))
    for number, code in enumerate(CODES):
        for time in (-1.0, 0.13, 1.0):
            there = run.field(f"seq{number:03d}")(points, time) / GRID.half_extent_um
            wanted = expected_um(decoder, code, points, time, 1.0)
            assert np.abs(wanted).max() > 0.5
            assert np.abs(there - wanted).max() < 1e-5


@pytest.fixture
def _no_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measuring how the field behaves takes half a minute for the published network."""
    monkeypatch.setattr("cytoform.exchange.import_run.measure_bounds", lambda *_, **__: Bounds.of_slope(1.0))


@pytest.mark.usefixtures("_no_bounds")
def test_size_of_the_published_network(tmp_path: Path) -> None:
    """dims 128 with 4 coordinates taken off, code 192 into layers 1, 5 and 8, ten hidden layers."""
    torch.manual_seed(0)
    decoder = PublishedDecoder((124,) * 10, code_dim=192, skips=(4, 7), activation="sine")
    assert decoder.lin4.weight.shape == (124, 320)
    assert decoder.lin10.weight.shape == (1, 128)
    codes = np.random.default_rng(0).normal(0, 0.01, (2, 192))
    run = load(imported(tmp_path, decoder, Assumptions(GRID), codes)).run
    model = run.config.model
    assert (model.depth, model.width, model.code_dim, model.code_layers) == (10, 125, 192, (1, 5, 8))
    assert run.config.training.epochs == 15000
    assert [(like.n_frames, like.time_step_s) for like in run.learned.sequences] == [(30, None)] * 2


@pytest.mark.parametrize("method", ["dense", "narrow-band"])
def test_reconstruct_gives_the_published_volume(method: str, tmp_path: Path) -> None:
    """Voxel by voxel, with the axes as `import` reads them from an array (t, y, x, z)."""
    decoder = plain(omega=4.0)
    run = imported(tmp_path, decoder, Assumptions(GRID, omega=4.0, n_frames=3, time_step_s=20.0, um_per_unit=3.0))
    out = tmp_path / "rec.zarr"
    assert cli.run(["reconstruct", str(run), "--out", str(out), "--method", method, "--quiet"]) == 0
    store = ShapeStore.open(out)
    assert store.grid == GRID
    assert store["seq001"].info.time_step_s == 20.0
    axis = torch.linspace(-1, 1, GRID.size, dtype=torch.float64)
    rows, columns, slices = torch.meshgrid(axis, axis, axis, indexing="ij")
    for frame, time in enumerate((-1.0, 0.0, 1.0)):
        place_time = torch.stack([rows, columns, slices, torch.full_like(rows, time)], dim=-1).reshape(-1, 4)
        with torch.no_grad():
            volume = decoder.double()(torch.tensor(CODES[1], dtype=torch.float64), place_time)
        volume_zyx = volume.reshape(rows.shape).numpy().transpose(2, 0, 1)
        assert 0.1 < (volume_zyx <= 0).mean() < 0.9
        assert np.array_equal(store["seq001"].mask(frame), volume_zyx <= 0)
        near = np.abs(3.0 * volume_zyx) < 0.9 * store.band_um
        assert near.any()
        assert store["seq001"].sdf_um(frame)[near] == pytest.approx(3.0 * volume_zyx[near], abs=5e-4)


def test_generate_uses_an_imported_run(tmp_path: Path) -> None:
    run = imported(tmp_path, plain(), Assumptions(GRID, n_frames=2))
    assert (
        cli.run(["generate", str(run), "--out", str(tmp_path / "new.zarr"), "-n", "2", "--grid", "16", "--quiet"]) == 0
    )
    assert len(ShapeStore.open(tmp_path / "new.zarr")) == 2


def test_what_is_assumed_is_said_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, codes = write_checkpoint(tmp_path / "model.pth", plain()), write_codes(tmp_path / "codes.mat", CODES)
    assert cli.run(["import", str(path), "--codes", str(codes), "--out", str(tmp_path / "run")]) == 0
    said = capsys.readouterr().out
    assert "sizes will be in voxels" in said
    assert "sine, omega 30, 30 frames, 256³ voxels of 1 µm, 32 µm in a unit of its output" in said
    provenance = json.loads((tmp_path / "run" / "provenance.json").read_text())
    assert provenance["assumed"]["um_per_unit"] == 32.0
    assert provenance["sources_sha256"]["model.pth"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert cli.run(["info", str(tmp_path / "run")]) == 0
    assert "learned 3 sequences: seq000" in capsys.readouterr().out


@pytest.mark.usefixtures("_no_bounds")
def test_codes_of_any_version_and_either_way_round(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "model.pth", plain())
    savemat(tmp_path / "columns.mat", {"lat_vecs": CODES.T})
    savemat(tmp_path / "one.mat", {"lat_vecs": CODES[0].astype(float)})
    savemat(tmp_path / "old.mat", {"lat_vecs": CODES.astype(float)}, format="4")
    with h5py.File(tmp_path / "new.mat", "w", userblock_size=512) as file:
        file["lat_vecs"] = CODES.T
    for name, n in (("columns", 3), ("one", 1), ("old", 3), ("new", 3)):
        import_run(checkpoint, tmp_path / f"{name}.mat", tmp_path / name, assumed=Assumptions(GRID))
        assert np.array_equal(load(tmp_path / name).codes, CODES[:n])


def test_a_square_table_keeps_its_rows(tmp_path: Path) -> None:
    square = np.random.default_rng(2).normal(0, 0.1, (7, 7)).astype(np.float32)
    assert np.array_equal(load(imported(tmp_path, plain(), Assumptions(GRID), square)).codes, square)


class _Foreign:
    """What a pickle may hold besides tensors."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return Path.touch, (Path("pwned"),)  # type: ignore[return-value]


def _changed(**changes: Any) -> dict[str, Any]:
    state = {f"module.{name}": tensor for name, tensor in plain().state_dict().items()}
    return {"epoch": 3, "model_state_dict": {**state, **changes}}


def _without(name: str) -> dict[str, Any]:
    saved = _changed()
    del saved["model_state_dict"][name]
    return saved


FAULTS: dict[str, tuple[Any, str]] = {
    "a state dict of something else": ({"weights": torch.zeros(3)}, "model_state_dict"),
    "a list": ([1, 2], "model_state_dict"),
    "a missing tensor": (_without("module.lin1.bias"), "lacks tensor lin1.bias"),
    "a missing layer": (_without("module.lin3.weight"), "lacks tensor lin3.weight"),
    "an unknown tensor": (_changed(**{"module.bn1.weight": torch.ones(3)}), "unknown tensor module.bn1.weight"),
    "NaN": (_changed(**{"module.lin1.bias": torch.full((16,), torch.nan)}), "lin1.bias holds NaN"),
    "integers": (_changed(**{"module.lin1.bias": torch.ones(16, dtype=torch.int64)}), "int64"),
    "not a tensor": (_changed(**{"module.lin1.bias": "words"}), "str"),
    "a wrong rank": (_changed(**{"module.lin1.weight": torch.ones(16)}), "shape (16,)"),
    "a size that does not follow": (_changed(**{"module.lin2.weight": torch.ones(16, 22)}), "lin2"),
    "biases of another number": (_changed(**{"module.lin2.bias": torch.ones(15)}), "15 biases"),
    "a size beyond all reason": (
        _changed(**{"module.lin1.weight": torch.ones(1).expand(10**7, 10**7)}),
        "shape (10000000, 10000000)",
    ),
    "objects": ({"epoch": 1, "model_state_dict": _Foreign()}, "Python objects"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_foreign_checkpoint_is_one_line(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    saved, words = FAULTS[fault]
    torch.save(saved, "model.pth")
    write_codes(tmp_path / "codes.mat", CODES)
    assert_refused(["import", "model.pth", "--codes", "codes.mat", "--out", "run"], words, capsys, folder=tmp_path)
    assert not Path("pwned").exists()
    assert not Path("run").exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 nonsense", b"\x80\x02}q\x00.", b"words\n" * 50])
def test_a_damaged_checkpoint_is_one_line(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("model.pth").write_bytes(content)
    write_codes(tmp_path / "codes.mat", CODES)
    assert_refused(
        ["import", "model.pth", "--codes", "codes.mat", "--out", "run"], "model.pth", capsys, folder=tmp_path
    )


def test_a_truncated_checkpoint_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_checkpoint(tmp_path / "model.pth", plain())
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    codes = write_codes(tmp_path / "codes.mat", CODES)
    assert_refused(
        ["import", str(path), "--codes", str(codes), "--out", str(tmp_path / "run")],
        "model.pth",
        capsys,
        folder=tmp_path,
    )


@pytest.mark.parametrize(
    ("codes", "words"),
    [
        ({"lat_vecs": CODES[:, :5]}, "codes of 7 numbers"),
        ({"lat_vecs": np.full((2, 7), np.nan)}, "NaN"),
        ({"lat_vecs": np.ones((2, 7), np.int32)}, "int32"),
        ({"other": CODES}, "no array 'lat_vecs'; it holds other"),
        ({"lat_vecs": np.zeros((0, 7))}, "shape (0, 7)"),
        ({"lat_vecs": {"a": 1.0}}, "lat_vecs"),
    ],
)
def test_codes_that_do_not_fit_are_one_line(
    codes: dict[str, Any], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_checkpoint(tmp_path / "model.pth", plain())
    savemat(tmp_path / "codes.mat", codes)
    arguments = ["import", str(path), "--codes", str(tmp_path / "codes.mat"), "--out", str(tmp_path / "run")]
    assert_refused(arguments, words, capsys, folder=tmp_path)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--frames", "0"], "--frames 0"),
        (["--omega", "-3"], "omega"),
        (["--unit", "nan"], "--unit nan"),
        (["--grid", "4"], "--grid 4"),
        (["--voxel-size", "0"], "--voxel-size 0"),
        (["--half-extent", "-1"], "--half-extent -1"),
        (["--half-extent", "1", "--voxel-size", "1"], "give one"),
        (["--time-step", "0"], "--time-step 0"),
    ],
)
def test_impossible_options_are_one_line(
    options: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, codes = write_checkpoint(tmp_path / "model.pth", plain()), write_codes(tmp_path / "codes.mat", CODES)
    assert_refused(
        ["import", str(path), "--codes", str(codes), "--out", str(tmp_path / "run"), *options],
        words,
        capsys,
        folder=tmp_path,
    )
