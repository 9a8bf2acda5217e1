"""Tables of a report on images: on the page, and as CSV files."""

import csv
import html
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cytoform.assess.images.bootstrap import unit_of
from cytoform.assess.images.compare import IMAGE_MEASURES
from cytoform.assess.images.usefulness import SCORES, UsefulnessComparison
from cytoform.assess.measures.descriptors import titled
from cytoform.pictures.page import interval, note, table
from cytoform.reports.images.data import ImageReport


def figures_table(report: ImageReport) -> str:
    """Every figure of every set with its interval."""
    columns = [report.usual_found, *report.found]
    rows = [
        [titled(measure), *(interval(each.figures[name]) for each in columns)]
        for name, measure in IMAGE_MEASURES.items()
    ]
    text = (
        f"In brackets: 95 % intervals by drawing {unit_of(report.real.frames)}s again. Those over frames are too narrow, since "
        "frames of one movie are alike."
    )
    return table(["", *(each.label for each in columns)], rows) + note(text)


def learning_table(usefulness: UsefulnessComparison) -> str:
    """Scores by what the segmenter was trained on."""
    rows = [
        [html.escape(each.label), *(interval(found[name]) for name in SCORES), interval(share, ".0%")]
        for each, found, share in zip(usefulness.sets, usefulness.estimates, usefulness.shares, strict=True)
    ]
    return table(["Trained on", *(score.title for score in SCORES.values()), "SEG against real"], rows)


def write_csv(folder: Path, report: ImageReport) -> None:
    """figures.csv, frames.csv, and segmenter.csv where there was one."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "figures.csv", ("images", "measure", "unit", "value", "low", "high"), _figure_rows(report))
    _write(folder / "frames.csv", ("images", "movie", "frame", "measure", "value"), _frame_rows(report))
    if report.usefulness is not None:
        columns = ("trained_on", "score", "value", "low", "high")
        _write(folder / "segmenter.csv", columns, _usefulness_rows(report.usefulness))


def _figure_rows(report: ImageReport) -> Iterable[dict[str, Any]]:
    for found in (report.usual_found, *report.found):
        for name, figure in found.figures.items():
            yield {"images": found.label, "measure": name, "unit": IMAGE_MEASURES[name].unit} | asdict(figure)


def _frame_rows(report: ImageReport) -> Iterable[dict[str, Any]]:
    for images, found in zip((report.usual, *report.others), (report.usual_found, *report.found), strict=True):
        for name, values in found.per_frame.items():
            for frame, value in zip(images.frames, values, strict=True):
                place = {"images": found.label, "movie": frame.movie, "frame": frame.number}
                yield place | {"measure": name, "value": float(value)}


def _usefulness_rows(usefulness: UsefulnessComparison) -> Iterable[dict[str, Any]]:
    for each, found in zip(usefulness.sets, usefulness.estimates, strict=True):
        for name in SCORES:
            yield {"trained_on": each.label, "score": name} | asdict(found[name])


def _write(path: Path, columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_text(row[column]) for column in columns] for row in rows)


def _text(cell: object) -> str:
    if isinstance(cell, float):
        return f"{cell:.8g}" if math.isfinite(cell) else ""
    return str(cell)
