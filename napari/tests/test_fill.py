"""Missing frames and planes of a labels layer come back on its own voxels."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cytoform.base.parallel import no_progress
from cytoform_napari.fill import FillPanel
from cytoform_napari.filling import Planes, fill_labels, missing_frames
from cytoform_napari.readers import read_folder

SIDE, N_FRAMES = 20, 5


def moving_balls(n_dims: int) -> np.ndarray:
    """A ball that grows and moves along x, with label 3."""
    axes = np.meshgrid(*[np.arange(SIDE)] * n_dims, indexing="ij")
    frames = []
    for t in range(N_FRAMES):
        centre = [SIDE / 2] * (n_dims - 1) + [8 + t]
        squared = sum((axis - middle) ** 2 for axis, middle in zip(axes, centre, strict=True))
        frames.append(3 * (squared <= (4 + 0.2 * t) ** 2))
    return np.stack(frames).astype(np.uint16)


def jaccard(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


@pytest.mark.parametrize(("n_dims", "axes"), [(3, "TZYX"), (2, "TYX")])
def test_a_missing_frame_is_filled(n_dims: int, axes: str, tmp_path: Path) -> None:
    whole = moving_balls(n_dims)
    movie = whole.copy()
    movie[2] = 0
    assert missing_frames(movie) == {3: [2]}
    np.save(tmp_path / "labels.npy", movie)
    fill_labels(
        tmp_path / "labels.npy",
        axes,
        (0.5,) * 3,
        tmp_path,
        grid=24,
        run=None,
        workers=1,
        progress=no_progress,
    )
    filled = np.load(tmp_path / "filled.npy")
    for t in (0, 1, 3, 4):
        np.testing.assert_array_equal(filled[t], movie[t])
    assert jaccard(filled[2] > 0, whole[2] > 0) > 0.9


def test_missing_planes_are_filled(tmp_path: Path) -> None:
    whole = moving_balls(3)[:1]
    movie = np.zeros_like(whole)
    movie[:, 1::2] = whole[:, 1::2]
    assert Planes.of(movie) == Planes(1, 2)
    np.save(tmp_path / "labels.npy", movie[0])
    fill_labels(
        tmp_path / "labels.npy", "ZYX", (0.5,) * 3, tmp_path, grid=24, run=None, workers=1, progress=no_progress
    )
    filled = np.load(tmp_path / "filled.npy")
    np.testing.assert_array_equal(filled[1::2], movie[0, 1::2])
    assert jaccard(filled > 0, whole[0] > 0) > 0.85


@pytest.mark.parametrize("n_dims", [3, 2])
def test_a_run_helps_to_fill(
    n_dims: int, runs: dict[int, Path], open_panel: Callable[..., Any], run_to_end: Callable[[Any], str]
) -> None:
    whole = moving_balls(n_dims)
    movie = whole.copy()
    movie[2] = 0
    placed = {"name": "cells", "scale": (1,) * (n_dims + 1), "units": ("pixel",) + ("um",) * n_dims}
    panel = open_panel(FillPanel, (movie, placed, "labels"), *read_folder(runs[n_dims]))
    panel.movie.value, panel.grid.value, panel.run.value = panel.viewer.layers["cells"], 24, str(runs[n_dims])
    assert run_to_end(panel).startswith("filled 1 frames, by ")
    assert panel.arguments["run"] == str(runs[n_dims])
    filled = panel.viewer.layers["cells filled"].data
    for t in (0, 1, 3, 4):
        np.testing.assert_array_equal(filled[t], movie[t])
    assert jaccard(filled[2] > 0, whole[2] > 0) > 0.9


def test_the_panel_adds_a_filled_copy(open_panel: Callable[..., Any], run_to_end: Callable[[Any], str]) -> None:
    movie = moving_balls(2)
    movie[1] = 0
    panel = open_panel(FillPanel, (movie, {"name": "cells", "scale": (1, 0.5, 0.5)}, "labels"))
    assert run_to_end(panel).startswith("filled 1 frames")
    filled = panel.viewer.layers["cells filled"]
    assert (filled.data[1] == 3).any()
    np.testing.assert_array_equal(filled.scale, (1, 0.5, 0.5))
    panel.movie.value = filled
    assert run_to_end(panel).startswith("labels: no frame is missing")
