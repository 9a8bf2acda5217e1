"""Scores of trackers and their baselines, on bright discs of which one divides."""

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile

import tracking_baselines
import tracking_scores

N_FRAMES = 5
# Centre (y, x) in the first frame and step per frame, by label; 2 divides into 3 and 4 after two frames.
TRACKS = {1: (0, 4, 0), 2: (0, 1, 0), 3: (2, 4, 2), 4: (2, 4, 2)}
PLACES = {1: ((14, 14), (1, 0)), 2: ((40, 40), (0, 1)), 3: ((33, 42), (-1, 0)), 4: ((47, 42), (1, 0))}


@pytest.fixture
def data_set(tmp_path: Path) -> Path:
    """Images, masks and tracks, without noise."""
    out = tmp_path / "set"
    for inner in ("01", "01_GT/SEG", "01_GT/TRA"):
        (out / inner).mkdir(parents=True)
    y, x = np.indices((64, 64))
    for frame in range(N_FRAMES):
        mask = np.zeros((64, 64), np.uint16)
        for label, ((y0, x0), (dy, dx)) in PLACES.items():
            first, last, _ = TRACKS[label]
            if first <= frame <= last:
                mask[np.hypot(y - y0 - dy * (frame - first), x - x0 - dx * (frame - first)) < 6] = label
        tifffile.imwrite(out / "01" / f"t{frame:03d}.tif", np.where(mask > 0, 900, 100).astype(np.uint16))
        for name in (f"SEG/man_seg{frame:03d}.tif", f"TRA/man_track{frame:03d}.tif"):
            tifffile.imwrite(out / "01_GT" / name, mask)
    rows = "".join(f"{label} {' '.join(map(str, row))}\n" for label, row in TRACKS.items())
    (out / "01_GT" / "TRA" / "man_track.txt").write_text(rows)
    return out


def test_baselines_find_bright_discs_and_only_one_knows_of_divisions(
    data_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results, record = tmp_path / "results", tmp_path / "scores.json"
    assert tracking_baselines.main([str(data_set), "--out", str(results), "--trackers", "laptrack"]) == 0
    (found,) = (results / "masks-laptrack" / "res_track.txt").read_text().splitlines()[-1:]
    assert found.split()[3] != "0"
    names = sorted(path.name for path in results.iterdir())
    assert names == ["masks-laptrack", "otsu-watershed-laptrack"]
    arguments = [str(data_set), *(str(results / name) for name in names), "--json", str(record)]
    assert tracking_scores.main(arguments) == 0
    for name, one in json.loads(record.read_text())["scores"].items():
        # The threshold of smoothed discs may be off by the outermost pixels.
        off = 0.15 if name.startswith("otsu") else 0.0
        assert one["py-ctcmetrics"] == pytest.approx({"SEG": 1, "DET": 1, "TRA": 1}, abs=off)
        if one["traccuracy"]["DET"] is not None:
            assert one["traccuracy"]["divisions_f1"] == 1
    assert capsys.readouterr().out.count("\n") == 4


def test_a_result_that_misses_a_cell_scores_less(data_set: Path, tmp_path: Path) -> None:
    """Of eleven cells in frames one is missing: SEG and DET are 10/11."""
    result = tmp_path / "result"
    result.mkdir()
    for path in sorted((data_set / "01_GT" / "TRA").glob("*.tif")):
        mask = tifffile.imread(path)
        if path.stem == "man_track004":
            mask[mask == 1] = 0
        tifffile.imwrite(result / path.name.replace("man_track", "mask"), mask)
    rows = [f"{label} {a} {3 if label == 1 else b} {mother}\n" for label, (a, b, mother) in TRACKS.items()]
    (result / "res_track.txt").write_text("".join(rows))
    found = tracking_scores.scores(data_set, result)["py-ctcmetrics"]
    n = sum(last - first + 1 for first, last, _ in TRACKS.values())
    assert (found["SEG"], found["DET"]) == pytest.approx(((n - 1) / n, (n - 1) / n))


def test_folders_of_another_kind_are_refused_in_a_line(data_set: Path, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"no 01_GT/TRA/man_track.txt"):
        tracking_scores.scores(tmp_path, tmp_path)
    with pytest.raises(SystemExit, match=r"no res_track.txt"):
        tracking_scores.scores(data_set, tmp_path)
    with pytest.raises(SystemExit, match=r"exists"):
        tracking_baselines.main([str(data_set), "--out", str(tmp_path)])
