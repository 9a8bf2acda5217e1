"""A label movie: frames of labelled cells, read one at a time, with their physical size and lineage."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Integer

from cytoform.movies.lineage import Lineage

Labels = Integer[np.ndarray, "z y x"]


@dataclass(frozen=True)
class LabelMovie:
    """Labelled frames that are read when asked for; 0 is background."""

    name: str
    source: str
    n_frames: int
    shape_zyx: tuple[int, int, int]
    spacing_zyx_um: tuple[float, float, float]
    time_step_s: float | None
    # None where nothing says who is whose daughter: then every label is a family of one.
    lineage: Lineage | None
    # Labels of frame t as a fresh array; must be picklable so that workers can read for themselves.
    read: Callable[[int], Labels]
