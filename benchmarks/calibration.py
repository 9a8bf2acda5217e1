"""Compares the error expected by `cytoform fit` with the true error: on known frames, between them, and after the last.

    cytoform fit run all.zarr --out fitted.zarr --every-frame 2 --no-keep-known …
    cytoform evaluate all.zarr fitted.zarr --paired --out report …
    python benchmarks/calibration.py fitted.zarr report/results.json [EVERY_FRAME]

Both are root mean squares over the surface. The true error is converted from the mean surface distance (ASSD) by assuming a
normal distribution.
"""

import json
import math
import sys
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from cytoform.shapes.store import ShapeStore

RMS_OF_MEAN = math.sqrt(math.pi / 2)


def main(fitted: str, results: str, every_frame: str = "2") -> None:
    """Print a table."""
    fits = ShapeStore.open(Path(fitted)).attributes["fits"]
    measured = json.loads(Path(results).read_text())["surface_distance"]["assd_um"]["per_sequence"]
    expected_um = np.array([fits[name]["expected_error_um"] for name in measured], float)
    true_um = RMS_OF_MEAN * np.array([measured[name]["per_frame"] for name in measured], float)
    n_frames = expected_um.shape[1]
    known = np.arange(n_frames) % int(every_frame) == 0
    after = np.arange(n_frames) > np.flatnonzero(known)[-1]
    print("frames | number | expected, µm | true, µm | true / expected, median and 90 % of frames | rank correlation")
    for name, chosen in (("known", known), ("between known ones", ~known & ~after), ("after the last known", after)):
        if not chosen.any():
            continue
        expected, true = expected_um[:, chosen].ravel(), true_um[:, chosen].ravel()
        low, middle, high = np.quantile(true / expected, (0.05, 0.5, 0.95))
        print(
            f"{name} | {len(true)} | {expected.mean():.3f} | {true.mean():.3f} | {middle:.2f} ({low:.2f}–{high:.2f}) | "
            f"{spearmanr(expected, true).statistic:.2f}"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
