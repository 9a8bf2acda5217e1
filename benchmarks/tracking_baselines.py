"""Results of public programs on a data set of `cytoform benchmark`, to compare others with.

python benchmarks/tracking_baselines.py DATA_SET --out RESULTS        # then benchmarks/tracking_scores.py DATA_SET RESULTS/*

Segmentation: Otsu's threshold and a watershed of the distance transform (scikit-image), told the median width of the cells.
Trackers: laptrack (linear assignment, with divisions) and trackpy (Crocker and Grier, without), each on that segmentation and,
as masks-…, on the true masks, so that only the tracking counts. Both are told how far a cell may move: its width a frame.
pip install laptrack trackpy
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import tifffile
from scipy.ndimage import binary_fill_holes, center_of_mass, distance_transform_edt, gaussian_filter

Masks = list[np.ndarray]
AXES = ("z", "y", "x")


def read(folder: Path, pattern: str) -> Masks:
    """All frames of a folder as (z, y, x). Raises SystemExit without any."""
    paths = sorted(folder.glob(pattern))
    if not paths:
        raise SystemExit(f"{folder}: no {pattern}; give a data set of 'cytoform benchmark'")
    return [frame if frame.ndim == 3 else frame[None] for frame in map(tifffile.imread, paths)]


def median_width_px(masks: Masks) -> float:
    """Diameter of the ball, or in 2D of the disc, of the median size."""
    sizes = np.concatenate([np.bincount(mask.ravel())[1:] for mask in masks])
    size = float(np.median(sizes[sizes > 0]))
    return 2 * (size / np.pi) ** 0.5 if masks[0].shape[0] == 1 else 2 * (size * 3 / (4 * np.pi)) ** (1 / 3)


def otsu_watershed(image_zyx: np.ndarray, width_px: float) -> np.ndarray:
    """Labels by a threshold on the square root, where shot noise is even, and a watershed of the depth.

    Its seeds are maxima at least a third of a width apart.
    """
    from skimage.feature import peak_local_max
    from skimage.filters import threshold_otsu
    from skimage.segmentation import watershed

    light = np.sqrt(gaussian_filter(image_zyx.squeeze().astype(np.float32), 1.0))
    inside = binary_fill_holes(light > threshold_otsu(light))
    depth = gaussian_filter(distance_transform_edt(inside).astype(np.float32), width_px / 12)
    middles = peak_local_max(depth, min_distance=max(1, round(width_px / 3)), labels=inside.astype(int))
    seeds = np.zeros(inside.shape, np.int32)
    seeds[tuple(middles.T)] = np.arange(1, len(middles) + 1)
    labels = watershed(-depth, seeds, mask=inside)
    small = np.bincount(labels.ravel()) < (width_px / 4) ** inside.ndim
    labels[small[labels]] = 0
    return labels.reshape(image_zyx.shape).astype(np.uint16)


def spots(masks: Masks) -> pd.DataFrame:
    """Frame, label and centroid of every cell."""
    rows = []
    for frame, mask in enumerate(masks):
        labels = np.unique(mask[mask > 0])
        middles = center_of_mass(mask > 0, mask, labels) if len(labels) else []
        rows += [(frame, int(label), *middle) for label, middle in zip(labels, middles, strict=True)]
    return pd.DataFrame(rows, columns=["frame", "label", *AXES])


def by_laptrack(found: pd.DataFrame, most_px: float) -> tuple[np.ndarray, dict[int, int]]:
    """The number of the track of every spot, from 1, and the mothers of tracks."""
    from laptrack import LapTrack

    tracker = LapTrack(cutoff=most_px**2, splitting_cutoff=most_px**2, gap_closing_cutoff=False)
    tracked, splits, _ = tracker.predict_dataframe(found, list(AXES), only_coordinate_cols=False)
    keys = zip(tracked["frame"], tracked["label"], strict=True)
    numbers = dict(zip(keys, tracked["track_id"].to_numpy(int) + 1, strict=True))
    mothers = {int(row.child_track_id) + 1: int(row.parent_track_id) + 1 for row in splits.itertuples()}
    return np.array([numbers[key] for key in zip(found["frame"], found["label"], strict=True)], int), mothers


def by_trackpy(found: pd.DataFrame, most_px: float) -> tuple[np.ndarray, dict[int, int]]:
    """As `by_laptrack`; no track has a mother."""
    import trackpy

    trackpy.quiet()
    # Where cells are close, a shorter way is tried, as its authors advise.
    linked = trackpy.link(
        found, most_px, pos_columns=list(AXES), t_column="frame", adaptive_stop=1.0, adaptive_step=0.9
    )
    return linked.sort_index()["particle"].to_numpy(int) + 1, {}


Tracker = Callable[[pd.DataFrame, float], tuple[np.ndarray, dict[int, int]]]
TRACKERS: dict[str, Tracker] = {"laptrack": by_laptrack, "trackpy": by_trackpy}


def write(masks: Masks, tracker: Tracker, most_px: float, out: Path) -> None:
    """Write masks with the numbers of their tracks, and the tracks."""
    found = spots(masks)
    numbers, mothers = tracker(found, most_px)
    out.mkdir(parents=True)
    for frame, mask in enumerate(masks):
        here = (found["frame"] == frame).to_numpy()
        names = np.zeros(int(mask.max()) + 1, np.uint16)
        names[found["label"].to_numpy(int)[here]] = numbers[here]
        tifffile.imwrite(out / f"mask{frame:03d}.tif", names[mask].squeeze())
    spans = found.assign(track=numbers).groupby("track")["frame"].agg(["min", "max"])
    rows = [f"{track} {span['min']} {span['max']} {mothers.get(int(track), 0)}\n" for track, span in spans.iterrows()]
    (out / "res_track.txt").write_text("".join(rows))


def main(arguments: Sequence[str]) -> int:
    """Write a result folder for each combination of masks and tracker."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data_set", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--trackers", nargs="+", choices=list(TRACKERS), default=list(TRACKERS))
    options = parser.parse_args(arguments)
    if options.out.exists():
        raise SystemExit(f"{options.out}: exists; give another --out")
    truth = read(options.data_set / "01_GT" / "TRA", "man_track*.tif")
    width = median_width_px(truth)
    segmented = [otsu_watershed(image, width) for image in read(options.data_set / "01", "t*.tif")]
    for name, masks in (("otsu-watershed", segmented), ("masks", truth)):
        for tracker in options.trackers:
            write(masks, TRACKERS[tracker], width, options.out / f"{name}-{tracker}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
