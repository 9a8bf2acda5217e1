"""Interface of the simulators: a cell is a set of labelled parts at any time, each with a signed distance."""

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from cytoform.base.triples import Floats
from cytoform.movies.lineage import Track

Spacing = Floats
# In frames; fractions are times between two frames.
Time = float | int


@runtime_checkable
class Part(Protocol):
    """One labelled cell at one time."""

    @property
    def label(self) -> int:
        """Label of the track."""
        ...

    @property
    def bounds_zyx_um(self) -> Float[np.ndarray, "2 dims"]:
        """Bounding box: lowest and highest corner."""
        ...

    @property
    def lines_zyx_um(self) -> list[Float[np.ndarray, "_ dims"]]:
        """Centre lines of thin structures, so that masks of coarse voxels stay connected."""
        ...

    @property
    def max_slope(self) -> float:
        """Upper bound of the gradient of the distance; 1 for exact distances."""
        ...

    def distance_um(self, points_zyx_um: Float[np.ndarray, "n dims"]) -> Float[np.ndarray, " n"]:
        """Signed distance, negative inside."""
        ...


@runtime_checkable
class SimulatedCell(Protocol):
    """A cell family over time; `frame` is continuous in [0, n_frames - 1]."""

    @property
    def n_frames(self) -> int:
        """Frames of the movie."""
        ...

    @property
    def tracks(self) -> tuple[Track, ...]:
        """Label, first and last frame, and parent of every cell."""
        ...

    def parts(self, frame: Time) -> list[Part]:
        """All labelled cells at a time."""
        ...
