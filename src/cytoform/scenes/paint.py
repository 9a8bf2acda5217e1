"""The work of one task: compose, render, write and measure one frame of a data set."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import RootModel

from cytoform.base.files import write_json
from cytoform.base.gate import read_json
from cytoform.imaging.inheritance import ALONE, Inheritance
from cytoform.scenes.bodies import ANEW
from cytoform.scenes.compose import Composed, Placement, Seen, compose
from cytoform.scenes.dataset import Dataset, write_meshes
from cytoform.scenes.difficulty import Moment, missing_frames
from cytoform.scenes.texture import TextureChoice


@dataclass(frozen=True)
class Measured:
    """Measures of a frame; `n_shared` counts voxels that belong to two cells, which must be 0."""

    frame: int
    n_cells: int
    n_shared: int
    inside_share: float
    # Mean grey value of the cells, mean and standard deviation of the background; None without images.
    signal: float | None
    background: float | None
    noise: float | None


class _MeasuredRecord(RootModel[Measured]):
    """The measures of a frame in a file."""


def census(placements: Sequence[Placement], dataset: Dataset, cells: Path) -> list[Seen]:
    """The visible part of each cell in a frame, needed to number the tracks."""
    return list(compose(placements, dataset.view, cells).seen)


def paint(
    moment: Moment,
    placements: Sequence[Placement],
    dataset: Dataset,
    choice: TextureChoice,
    cells: Path,
    record: Path,
    *,
    inherited: Inheritance = ALONE,
) -> Measured:
    """Write a frame of a data set and then its record, unless the record exists."""
    if record.exists():
        return read_json(record, _MeasuredRecord, remedy=ANEW).root
    frame, composed = moment.frame, compose(placements, dataset.view, cells)
    if composed.n_shared:
        raise RuntimeError(f"frame {frame}: {composed.n_shared} voxels belong to two cells")
    image = None
    if choice.paints:
        image = choice.render(composed.labels_zyx, moment, projection=dataset.view.projection, inherited=inherited)
    labels = composed.labels_zyx if composed.projected_yx is None else composed.projected_yx[None]
    is_missing = frame in missing_frames(choice.dials.get("missing", 0.0), moment.n_frames, moment.seed)
    # An image without cells cannot be segmented, but its cells can be tracked through it.
    dataset.write(frame, labels, image, segmentation=not is_missing)
    if dataset.meshes:
        write_meshes(placements, cells, dataset.folder / "meshes" / dataset.sequence, dataset.challenge.number(frame))
    measured = _measure(frame, labels, None if is_missing else image, composed)
    write_json(record, asdict(measured))
    return measured


def _measure(frame: int, labels: np.ndarray, image: np.ndarray | None, composed: Composed) -> Measured:
    inside = labels > 0
    grey: dict[str, Any] = {"signal": None, "background": None, "noise": None}
    if image is not None and inside.any() and not inside.all():
        behind = image[~inside]
        grey = {
            "signal": float(image[inside].mean(dtype=float)),
            "background": float(behind.mean(dtype=float)),
            "noise": float(behind.std(dtype=float)),
        }
    return Measured(frame, len(composed.seen), composed.n_shared, float(inside.mean()), **grey)
