"""What the simulators share: a cell is a set of labelled parts at any time, each with its signed distance."""

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from cytoform.base.triples import Triple
from cytoform.movies.lineage import Track

Spacing = Triple
# A whole frame or any time between two.
Time = float | int


@runtime_checkable
class Part(Protocol):
    """One labelled cell at one time."""

    @property
    def label(self) -> int:
        """Label of the track."""
        ...

    @property
    def bounds_zyx_um(self) -> Float[np.ndarray, "2 3"]:
        """A box that holds the part."""
        ...

    @property
    def lines_zyx_um(self) -> list[Float[np.ndarray, "_ 3"]]:
        """Lines inside the part that run through whatever is thin, so that masks of coarse voxels stay in one piece."""
        ...

    @property
    def steepness(self) -> float:
        """Upper bound of the gradient of the distance; 1 where it is exact."""
        ...

    def distance_um(self, points_zyx_um: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, " n"]:
        """Signed distance, negative inside."""
        ...


@runtime_checkable
class Cell(Protocol):
    """A cell family over time; `frame` is continuous in [0, n_frames - 1] and counts frames."""

    @property
    def n_frames(self) -> int:
        """Frames of the movie."""
        ...

    @property
    def tracks(self) -> tuple[Track, ...]:
        """Who lives from which frame to which, and whose daughter."""
        ...

    def parts(self, frame: Time) -> list[Part]:
        """All labelled cells at a time."""
        ...
