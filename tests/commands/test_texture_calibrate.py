"""`cytoform texture calibrate` as users call it."""

from pathlib import Path

import pytest
from paired import write_movie, write_pairs
from refusals import assert_refused

from cytoform import cli
from cytoform.imaging.optics import read_parameters
from cytoform.imaging.texture import open_texture


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Eight noisy discs, of two brightnesses, in each of four frames; no movie of anything real."""
    import numpy as np

    rng = np.random.default_rng(0)
    y, x = np.indices((100, 160))
    labels = np.zeros((100, 160), np.uint16)
    for number in range(8):
        row, column = divmod(number, 4)
        labels[np.hypot(y - 30 - 40 * row, x - 25 - 37 * column) < 8] = number + 1
    light = np.where(labels > 0, 100 + 40 * labels, 0)
    images = [rng.poisson(light + 200).astype(np.uint16) for _ in range(4)]
    return write_pairs(tmp_path / "set", images, [labels] * 4)


def test_it_writes_a_file_that_renders(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "optics.toml"
    arguments = ["texture", "calibrate", str(source), "--out", str(out), "--voxel-size", "1", "0.5", "0.5"]
    assert cli.run([*arguments, "--parameters", "fluo-n2dl-hela"]) == 0
    found = read_parameters(out)
    assert found.microscope.numerical_aperture == 0.4  # given by the preset
    assert found.camera.gain_electrons_per_adu == pytest.approx(1, rel=0.4)
    assert open_texture(out).dtype == "uint16"
    said = capsys.readouterr().out
    assert f"wrote {out}" in said
    assert "taken as given" in said
    assert_refused(arguments, "exists; pass --overwrite", capsys, folder=tmp_path)


def test_what_cannot_be_used_is_refused_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_movie(tmp_path / "set")  # of cells so close that there is no background between them
    out = ["--out", str(tmp_path / "optics.toml")]
    scale = ["--voxel-size", "1", "0.5", "0.5"]
    for arguments, words in [
        ([str(folder), *out], "pass --voxel-size"),
        ([*out], "no SOURCE given"),
        ([str(tmp_path / "none"), *out, *scale], "none"),
        ([str(folder), *out, *scale, "--frames", "70", "80"], "no such frames"),
        ([str(folder), *out, *scale, "--parameters", "fluo-n3dh-c"], "fluo-n3dh-c"),
        ([str(folder), "--out", str(folder), *scale], "--out"),
    ]:
        assert_refused(["texture", "calibrate", *arguments], words, capsys, folder=tmp_path)
