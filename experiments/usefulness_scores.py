"""A fixed tracker, and the metrics SEG, DET and TRA of its result, by py-ctcmetrics."""

import contextlib
import io
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tifffile

from cytoform.assess.segmenter.segmenter import Segmenter
from cytoform.movies.lineage import Track
from cytoform.movies.pairs.pairs import MaskedImage
from usefulness_data import apart, write_tracks

Masks = Sequence[np.ndarray]


def scores(
    segmenter: Segmenter, planes: Sequence[MaskedImage], truth: Path, *, tracked: bool, most_px: float
) -> dict[str, float | None]:
    """SEG and DET of a movie, and TRA if its tracks are known; `most_px` is the largest movement per frame."""
    masks: Masks = [segmenter.labels(plane.image_yx) for plane in planes]
    if not any(labels.any() for labels in masks):
        return {"SEG": 0.0, "DET": 0.0, "TRA": 0.0 if tracked else None}  # py-ctcmetrics fails without tracks
    found, tracks = track(masks, most_px=most_px) if tracked else apart(masks)
    measured = ctc_scores(found, tracks, truth)
    return measured if tracked else {**measured, "TRA": None}


def track(masks: Masks, *, most_px: float) -> tuple[list[np.ndarray], list[Track]]:
    """Tracks by linear assignment (Jaqaman et al. 2008) of centroids at most `most_px` apart in consecutive frames.

    A new cell within this distance of a continuing cell is its sister. Gaps are not closed.
    """
    import pandas as pd
    from laptrack import LapTrack

    tracker = LapTrack(cutoff=most_px**2, gap_closing_cutoff=False, splitting_cutoff=most_px**2)
    rows = [(time, label, *middle) for time, labels in enumerate(masks) for label, middle in _middles(labels).items()]
    found, splits, _ = tracker.predict_dataframe(
        pd.DataFrame(rows, columns=["frame", "label", "y", "x"]), ["y", "x"], only_coordinate_cols=False
    )
    times, numbers = found["frame"].to_numpy(), found["track_id"].to_numpy().astype(int) + 1
    parents = dict(zip(splits["child_track_id"] + 1, splits["parent_track_id"] + 1, strict=True)) if len(splits) else {}
    named = [np.zeros_like(labels, np.uint16) for labels in masks]
    for time, label, number in zip(times, found["label"], numbers, strict=True):
        named[time][masks[time] == label] = number
    spans = [(int(number), times[numbers == number]) for number in np.unique(numbers)]
    return named, [Track(n, int(span.min()), int(span.max()), int(parents.get(n, 0))) for n, span in spans]


def _middles(labels: np.ndarray) -> dict[int, tuple[float, ...]]:
    from scipy.ndimage import center_of_mass

    names = np.unique(labels[labels > 0]).tolist()
    return dict(zip(names, center_of_mass(labels > 0, labels, names), strict=True))


def ctc_scores(
    masks: Masks, tracks: Sequence[Track], truth: Path, metrics: Sequence[str] = ("SEG", "DET", "TRA")
) -> dict[str, float | None]:
    """Metrics of label images and tracks, compared with a folder that has SEG and TRA; None where one is undefined."""
    from ctc_metrics.scripts.evaluate import evaluate_sequence

    with tempfile.TemporaryDirectory() as scratch, contextlib.redirect_stdout(io.StringIO()):
        folder = Path(scratch)
        for time, labels in enumerate(masks):
            tifffile.imwrite(folder / f"mask{time:03d}.tif", labels.astype(np.uint16))
        write_tracks(folder / "res_track.txt", tracks)
        measured = evaluate_sequence(str(folder), str(truth), ["Valid", *metrics], threads=1)
    assert measured["Valid"], "the tracker wrote tracks that are no result"
    # BC is several numbers: BC(0), BC(1), …
    asked = {name: value for name, value in measured.items() if name.partition("(")[0] in metrics}
    return {name: None if value is None else float(value) for name, value in asked.items()}
