"""What a path holds, and what is said where another kind is needed."""

from pathlib import Path

import pytest
import zarr

from cytoform.base.kinds import Kind, kind_of, wrong_kind
from cytoform.imaging.networks.config import TextureConfig
from cytoform.runs.config import load_config
from cytoform.shapes.grid import Grid
from cytoform.shapes.store import SequenceInfo, ShapeStore


def written(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path.parent


@pytest.fixture
def store(tmp_path: Path) -> Path:
    store = ShapeStore.create(tmp_path / "s.zarr", Grid(16, 1.0), band_um=0.5, attributes={})
    store.add(SequenceInfo("cell", 1))
    return store.path


def test_stores_and_their_images(store: Path, tmp_path: Path) -> None:
    assert kind_of(store) is Kind.SHAPE_STORE
    assert kind_of(store / "cell") is Kind.OME_ZARR
    # A label image of `simulate` has attributes of ours too.
    zarr.create_group(tmp_path / "labels.zarr").attrs["cytoform"] = {"tracks": []}
    assert kind_of(tmp_path / "labels.zarr") is Kind.OME_ZARR


def test_runs_and_texture_models_differ_by_their_settings(tmp_path: Path) -> None:
    assert kind_of(written(tmp_path / "run" / "config.toml", load_config().to_toml())) is Kind.RUN
    settings = TextureConfig.load(preset="small").to_toml()
    assert kind_of(written(tmp_path / "texture" / "config.toml", settings)) is Kind.TEXTURE


@pytest.mark.parametrize("inner", ["", "01_GT", "01_GT/TRA", "01_ST/SEG", "02_RES"])
def test_challenge_folders_and_their_parts(inner: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("01_GT/TRA", "01_ST/SEG", "02_RES"):
        written(tmp_path / "set" / folder / "mask000.tif")
    written(tmp_path / "set" / "config.toml")
    assert kind_of(tmp_path / "set" / inner) is Kind.CHALLENGE
    monkeypatch.chdir(tmp_path / "set" / inner)
    assert kind_of(Path()) is Kind.CHALLENGE


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("a.TIF", Kind.TIFF),
        ("a.h5", Kind.PUBLISHED_SHAPES),
        ("a.mat", Kind.PUBLISHED_SHAPES),
        ("a.pth", Kind.PUBLISHED_CHECKPOINT),
        ("a.toml", Kind.SETTINGS),
        ("a.html", Kind.PAGE),
        ("a.gif", Kind.FILM),
        ("a.csv", Kind.OTHER),
    ],
)
def test_files_by_their_ending(file: str, kind: Kind, tmp_path: Path) -> None:
    written(tmp_path / file)
    assert kind_of(tmp_path / file) is kind
    (tmp_path / "folder" / file).mkdir(parents=True)
    assert kind_of(tmp_path / "folder" / file) is Kind.OTHER


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        ({"t000.tif": "", "results.json": ""}, Kind.TIFF_FOLDER),
        ({".t000.tif": ""}, Kind.OTHER),
        ({"results.json": "{}"}, Kind.REPORT),
        ({"results.json": "{}", "provenance.json": '{"command": "cytoform texture evaluate"}'}, Kind.IMAGE_REPORT),
        ({"codes.csv": ""}, Kind.LATENT_REPORT),
        ({"provenance.json": '{"command": "cytoform export"}'}, Kind.OUTPUT),
        ({"provenance.json": "damaged"}, Kind.OUTPUT),
    ],
)
def test_folders_by_the_files_in_them(files: dict[str, str], kind: Kind, tmp_path: Path) -> None:
    for name, text in files.items():
        written(tmp_path / "folder" / name, text)
    assert kind_of(tmp_path / "folder") is kind


def test_a_wrong_kind_is_named(tmp_path: Path) -> None:
    run = written(tmp_path / "run" / "config.toml")
    assert str(wrong_kind(run, Kind.SHAPE_STORE)) == (
        f"{run} is a run folder, not a shape store; give a shape store of 'cytoform prepare'"
    )
    both = wrong_kind(tmp_path, Kind.RUN, Kind.SHAPE_STORE)
    assert str(both).endswith(
        ": not a run folder or a shape store; give a run folder of 'cytoform train' or a shape store of 'cytoform prepare'"
    )
    assert "no such texture model; give a texture model of" in str(wrong_kind(tmp_path / "none", Kind.TEXTURE))
