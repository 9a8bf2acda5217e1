"""What became of every movie, for the table at the end."""

import os
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cytoform.movies.families import LeftOut
from cytoform.movies.oddities import Cause
from cytoform.prepare.cells import Followed
from cytoform.prepare.failures import Failures
from cytoform.prepare.notices import Notices
from cytoform.shapes.grid import EXPONENTS

# Longer tables show only movies with something to say.
MOST_ROWS = 20
# Families of one movie and cause that are listed.
MOST_LINES = 5


@dataclass(frozen=True)
class MovieSummary:
    """Families of a movie, used and left out, and what looks wrong. `source` is its path."""

    source: str
    n_families: int
    n_frames: int
    left_out: tuple[LeftOut, ...]
    notices: tuple[str, ...]
    # Median volume (of images, area) of a family in a frame, before cleaning; not a number without families.
    median_size: float
    # Where its tracks come from, if they are not in its own folder.
    lineage: str = ""
    # The folder with its masks, if they may be tracking markers.
    markers: str = ""
    # Whether it has several labels over time and nothing says which belong together.
    untracked: bool = False
    n_dims: int = 3


def summaries(followed: Followed, notices: Notices, failures: Failures) -> list[MovieSummary]:
    """A summary of each movie that has not failed, and of each copy."""
    rows = []
    for movie, search in followed.found:
        if failures.has(movie):
            continue
        cells = [cell.family for cell in followed.cells if cell.movie.source == movie.source]
        sizes = [
            frame.n_voxels * float(np.prod(movie.spacing_zyx_um[-movie.n_dims :]))
            for cell in cells
            for frame in cell.frames
            if frame.labels
        ]
        median_size = statistics.median(sizes) if sizes else float("nan")
        # The tracks beside the masks need no word.
        lineage = movie.origin.lineage * (os.path.dirname(movie.origin.lineage) != os.path.abspath(movie.source))
        markers = movie.origin.shapes * movie.origin.markers
        untracked = movie.lineage is None and movie.n_frames > 1 and search.n_labels > 1
        told = notices.of(movie), median_size, lineage, markers, untracked, movie.n_dims
        row = MovieSummary(movie.source, len(cells), len(sizes), search.left_out, *told)
        rows.append(row)
    for copy in followed.copies:
        if copy.is_left_out and not failures.has(copy.movie):
            rows.append(MovieSummary(copy.movie.source, 0, 0, (), notices.of(copy.movie), float("nan")))
    return rows


def table(rows: Sequence[MovieSummary]) -> list[str]:
    """Lines of a table, one row a movie, with the families left out and the notices below it."""
    shown = rows if len(rows) <= MOST_ROWS else [row for row in rows if row.left_out or row.notices]
    cells: list[tuple[str, ...]] = [
        (
            "movie",
            "families",
            "frames",
            "left out",
            "notices",
            f"median µm{EXPONENTS[rows[0].n_dims]}",
        )
    ]
    for row in shown:
        size = "-" if np.isnan(row.median_size) else f"{row.median_size:.4g}"
        counts = (row.n_families, row.n_frames, len(row.left_out), len(row.notices))
        cells.append((row.source, *(str(count) for count in counts), size))
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    lines = [
        "  ".join([line[0].ljust(widths[0]), *(text.rjust(w) for text, w in zip(line[1:], widths[1:], strict=True))])
        for line in cells
    ]
    if len(shown) < len(rows):
        lines.append(f"and {len(rows) - len(shown)} movies of which nothing is left out")
    return lines + remarks(rows)


def remarks(rows: Sequence[MovieSummary]) -> list[str]:
    """Lines about families left out, stand-ins for shapes and tracks, and what looks wrong."""
    lines = [f"left out: {line}" for row in rows for line in left_out_lines(row.left_out)]
    lines += [f"shapes of {row.source}: {row.markers}, perhaps tracking markers" for row in rows if row.markers]
    lines += [f"tracks of {row.source}: {row.lineage}" for row in rows if row.lineage]
    if untracked := [row.source for row in rows if row.untracked]:
        more = f" and {len(untracked) - 1} more" if len(untracked) > 1 else ""
        lines.append(f"no lineage: every label of {untracked[0]}{more} counts as a cell of its own")
    return lines + [f"notice: {line}" for row in rows for line in row.notices]


def left_out_lines(left_out: Sequence[LeftOut]) -> list[str]:
    """Families that cannot be used, with reason, file and frame; the first of each cause, and the number of others."""
    lines = []
    for cause in Cause:
        lost = [one for one in left_out if one.cause is cause]
        lines += [f"{one.name}, {one.reason} ({one.where})" for one in lost[:MOST_LINES]]
        if len(lost) > MOST_LINES:
            lines.append(f"{len(lost) - MOST_LINES} more, {cause.value}")
    return lines
