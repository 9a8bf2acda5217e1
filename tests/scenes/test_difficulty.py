"""Dials of difficulty: each changes images as its number says, and no mask."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from flat import ellipses
from scipy.ndimage import label

from cytoform.errors import InputError
from cytoform.imaging.optics.parameters import OpticsParameters
from cytoform.scenes.difficulty import OF_LABELS, OF_OPTICS, Moment, missing_frames
from cytoform.scenes.stage import benchmark
from scenes import challenge_scores, files_of, read_labels, request

MOMENT = Moment(0, 11, (1.0, 0.5, 0.5), 5.0, seed=4)
LAST = replace(MOMENT, frame=10)


def photons(optics: OpticsParameters) -> float:
    return optics.fluorophores.photons_per_pixel


def test_half_of_the_light_is_bleached_by_the_last_frame() -> None:
    fresh = OpticsParameters()
    seen = [photons(OF_OPTICS["bleaching"](fresh, 0.5, replace(MOMENT, frame=frame))) for frame in range(11)]
    assert seen[0] == photons(fresh)
    assert seen[10] == pytest.approx(photons(fresh) / 2)
    assert np.diff(np.log(seen)) == pytest.approx(np.log(0.5) / 10)


def test_blurs_add_up_as_variances_and_the_focus_leaves_evenly() -> None:
    once = OF_OPTICS["blur_um"](OpticsParameters(), 0.3, MOMENT)
    assert OF_OPTICS["blur_um"](once, 0.4, MOMENT).microscope.extra_blur_um == pytest.approx(0.5)
    away = [OF_OPTICS["focus_drift_um"](OpticsParameters(), 2.0, replace(MOMENT, frame=t)) for t in (0, 5, 10)]
    blurs = [optics.microscope.extra_blur_um for optics in away]
    assert blurs[0] == 0
    assert blurs[2] == pytest.approx(2 * blurs[1])
    # An aperture of 1.2 in water: rays of 64°.
    assert blurs[2] == pytest.approx(2.0 * np.tan(np.arcsin(1.2 / 1.333)) / 2)


def test_light_grows_with_the_square_of_the_signal_to_noise_ratio() -> None:
    brighter = OF_OPTICS["snr"](OpticsParameters(), 2.0, MOMENT)
    assert photons(brighter) == 4 * photons(OpticsParameters())
    assert brighter.background.photons_per_pixel == 4 * OpticsParameters().background.photons_per_pixel


def test_debris_lies_between_the_cells_and_stays_nearly_in_place() -> None:
    labels = np.zeros((1, 80, 80), np.uint16)
    labels[0, 20:60, 20:60] = 1
    first, last = (OF_LABELS["debris"](labels, 12, moment) for moment in (MOMENT, LAST))
    assert (first[labels > 0] == 1).all()
    assert 4 <= label(first[0] > 1)[1] <= 12  # others lie under the cell or beside one another
    assert (first != last).any()
    same = [n for n in np.unique(first[first > 1]) if (last == n).any()]
    moved = [np.argwhere(first[0] == n).mean(axis=0) - np.argwhere(last[0] == n).mean(axis=0) for n in same]
    assert np.median(np.abs(moved)) < 1
    assert labels.max() == 1


def test_missing_frames_are_a_share_between_the_first_and_the_last() -> None:
    missing = missing_frames(0.3, 20, 1)
    assert len(missing) == 6
    assert not missing & {0, 19}
    assert missing_frames(0.9, 4, 1) == {1, 2}
    assert not missing_frames(0.9, 2, 1)


def test_cells_keep_tracks_but_no_seg_mask_through_a_missing_frame(tmp_path: Path) -> None:
    cells, out = ellipses(tmp_path / "cells.zarr", n=2, n_frames=3), tmp_path / "out"
    small = {"size_zyx": (1, 64, 64), "voxel_size_zyx_um": (1.0, 0.4, 0.4), "frames": 5, "cells": 2}
    (made,) = benchmark(request(cells, texture="optics", missing=0.4, debris=3, **small), out)
    segmented = {int(path.stem[-3:]) for path in (out / "01_GT" / "SEG").iterdir()}
    assert len(segmented) == 3
    assert {0, 4} <= segmented
    assert [(track.first, track.last) for track in made.tracked.tracks] == [(0, 4), (0, 4)]
    for frame in range(5):
        labels, image = read_labels(out, frame), tifffile.imread(out / "01" / f"t{frame:03d}.tif").astype(float)
        assert set(np.unique(labels)) == {0, 1, 2}
        is_bright = image[labels > 0].mean() > 2 * np.median(image[labels == 0])
        assert is_bright == (frame in segmented)
    (tmp_path / "room").mkdir()
    assert challenge_scores(out, tmp_path / "room") == {"SEG": 1, "DET": 1, "TRA": 1}


def test_a_series_of_any_dial_has_the_same_masks(tmp_path: Path) -> None:
    cells = ellipses(tmp_path / "cells.zarr", n=2, n_frames=1)
    small = {"size_zyx": (1, 48, 48), "voxel_size_zyx_um": (1.0, 0.5, 0.5), "frames": 2, "cells": 2}
    for dial, values in {
        "debris": (0, 9),
        "blur": (0.0, 0.8),
        "focus-drift": (0.0, 3.0),
        "bleaching": (0.0, 0.5),
    }.items():
        made = benchmark(request(cells, texture="optics", series=(dial, values), **small), tmp_path / dial)
        easy, hard = (files_of(tmp_path / dial / one.name) for one in made)
        changed = {name for name in easy if easy[name] != hard[name]}
        assert changed
        assert all(name.startswith("01/t") for name in changed), (dial, changed)


REFUSED = {
    "no images": ({"debris": 3}, "--debris: only for images"),
    "a gap without contact": ({"series": ("gap", (0.0, 0.2))}, "--series gap: only with --contact"),
    "twice": ({"series": ("blur", (0.2, 0.2))}, "give different numbers"),
    "bleaching of all": ({"series": ("bleaching", (0.5, 1.0))}, "--bleaching 1"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_dials_that_cannot_be_turned_are_one_line(case: str, tmp_path: Path) -> None:
    options, words = REFUSED[case]
    cells = ellipses(tmp_path / "cells.zarr", n=1, n_frames=1)
    with pytest.raises(InputError, match=words):
        benchmark(request(cells, size_zyx=(1, 48, 48), **options), tmp_path / "out")
