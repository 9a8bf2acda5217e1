"""Labels split into their connected pieces, for masks in which many cells have one label."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import cc3d
import numpy as np

from cytoform.errors import InputError
from cytoform.movies.lineage import MAX_LABEL
from cytoform.movies.movie import LabelMovie, Labels

# Pieces with a smaller share of the largest one are specks.
SPECK_SHARE = 0.01


def split(movie: LabelMovie) -> LabelMovie:
    """The movie with a label for each 26-connected piece of a label, numbered anew in every frame; specks are dropped."""
    return replace(movie, read=SplitLabels(movie.read, movie.where), values=())


@dataclass(frozen=True)
class SplitLabels:
    """Reads labels and numbers their pieces. Raises InputError for more pieces than labels may have."""

    labels: Callable[[int], Labels]
    where: Callable[[int], str]

    def __call__(self, frame: int) -> Labels:
        pieces = cc3d.connected_components(self.labels(frame), connectivity=26)
        sizes = np.bincount(pieces.ravel())
        sizes[0] = 0
        kept = np.flatnonzero(sizes >= max(SPECK_SHARE * sizes.max(), 1))
        if len(kept) > MAX_LABEL:
            raise InputError(
                f"{self.where(frame)}: {len(kept)} pieces, no more than {MAX_LABEL} are allowed; smooth the mask"
            )
        numbers = np.zeros(len(sizes), np.uint16)
        numbers[kept] = np.arange(1, len(kept) + 1)
        return numbers[pieces]
