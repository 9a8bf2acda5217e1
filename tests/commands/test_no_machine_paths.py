"""What commands write names no folder of the machine, although every path that they are given is a whole one."""

from pathlib import Path

import pytest
from tiny import SMALL

from cytoform import cli
from cytoform.imaging.optics import OpticsParameters
from scenes import write_pairs


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Runs a command in an empty folder; its words that begin with @ are whole paths in another one."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "SECRET").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")

    def run(text: str) -> None:
        words = [str(tmp_path / "SECRET" / word[1:]) if word[0] == "@" else word for word in text.split()]
        assert cli.run(words) == 0, text

    return run


def tells(folder: Path) -> list[str]:
    """Files that name the folder."""
    return [
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and b"SECRET" in path.read_bytes()
    ]


@pytest.mark.long
def test_shapes_and_runs(call, balls: Path, tmp_path: Path) -> None:
    (tmp_path / "SECRET" / "balls.zarr").symlink_to(balls)
    settings = " ".join(f"--set {setting.replace(' ', '')}" for setting in SMALL)
    call(f"train @balls.zarr --out @run {settings} --set training.epochs=30 --workers 1")
    call("reconstruct @run --out @rebuilt.zarr")
    call("generate @run --out @new.zarr -n 2 --prior around")
    call("fit @run @balls.zarr --out @fitted.zarr --steps 5")
    call("fill @balls.zarr --out @filled.zarr --every-frame 3 --workers 1")
    call("interpolate @run --out @between.zarr --from a --to b --steps 3")
    call("latent @run --out @latent --generated @new.zarr --grid 16 --frames 2")
    call("evaluate @balls.zarr @rebuilt.zarr @new.zarr --out @report --run @run --workers 1")
    call("view @balls.zarr --out @view.html --against @rebuilt.zarr --workers 1")
    call("movie @balls.zarr --out @movie --size 160 120 --seconds 0.2 --workers 1")
    for name in ("masks", "meshes", "points", "ctc", "h5", "mat"):
        call(f"export @balls.zarr --out @{name} --to {name} --points 8")
    call("import @h5/a.h5 @h5/b.h5 --out @imported.zarr --workers 1")
    assert tells(tmp_path / "SECRET") == []


def test_movies_and_images(call, tmp_path: Path) -> None:
    write_pairs(tmp_path / "SECRET" / "pairs.zarr")
    (tmp_path / "SECRET" / "microscope.toml").write_text(OpticsParameters().to_toml())
    call("simulate mitosis --out @movies --cells 1 --frames 2 --voxel-size 0.6 0.6 0.6 --ome-zarr --workers 1")
    call(
        "benchmark @pairs.zarr --out @scene --cells 2 --frames 2 --size 16 48 48 --voxel-size 0.5 0.5 0.5 "
        "--texture @microscope.toml --workers 1"
    )
    call("texture render @microscope.toml @scene --out @images --workers 1")
    assert tells(tmp_path / "SECRET") == []
