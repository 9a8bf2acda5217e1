"""Every fault of a label movie that the design names, as a user meets it: status 2, one line, nothing written."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from refusals import assert_refused


def ball_frames() -> np.ndarray:
    """Label 1 in three frames, well inside the volume."""
    axis = np.arange(18) - 8.5
    ball = np.linalg.norm(np.stack(np.meshgrid(axis, axis, axis, indexing="ij")), axis=0) <= 5
    return np.repeat(ball[None].astype(np.uint16), 3, axis=0)


def movie(frames: np.ndarray) -> Path:
    tifffile.imwrite("movie.tif", frames, photometric="minisblack", metadata={"axes": "TZYX"[-frames.ndim :]}, ome=True)
    return Path("movie.tif")


def challenge(frames: np.ndarray, tracks: str) -> Path:
    folder = Path("data/01_GT/TRA")
    folder.mkdir(parents=True)
    for t, frame in enumerate(frames):
        tifffile.imwrite(folder / f"man_track{t:03d}.tif", frame)
    (folder / "man_track.txt").write_text(tracks)
    return Path("data")


def truncated() -> Path:
    path = movie(ball_frames())
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def without(frame: int) -> np.ndarray:
    frames = ball_frames()
    frames[frame] = 0
    return frames


FAULTS: dict[str, tuple[Callable[[], Path], str]] = {
    "truncated": (truncated, "movie.tif"),
    "two dimensions": (lambda: movie(ball_frames()[0, 0]), "movie.tif"),
    "no foreground at all": (lambda: movie(0 * ball_frames()), "movie.tif"),
    "a label missing in the middle": (lambda: challenge(without(1), "1 0 2 0\n"), "man_track001.tif"),
    "fractions as labels": (lambda: movie(ball_frames().astype(np.float32) / 2), "float32"),
    "too many labels": (lambda: movie(np.arange(1 << 17, dtype=np.uint32).reshape(2, 4, 128, 128)), "65535"),
    "a lineage with a cycle": (lambda: challenge(ball_frames(), "1 0 2 1\n"), "man_track.txt"),
    "a parent after its child": (lambda: challenge(ball_frames(), "1 0 2 2\n2 1 2 0\n"), "man_track.txt"),
    "a malformed row": (lambda: challenge(ball_frames(), "1 0 two 0\n"), "man_track.txt"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_one_line_and_nothing_written(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    make, words = FAULTS[fault]
    options = ["--voxel-size", "1", "1", "1", "--grid", "16", "--workers", "1"]
    assert_refused(["prepare", str(make()), "--out", "s.zarr", *options], words, capsys, folder=tmp_path)
