"""Which learned cells a cell is most alike, by code and by shape."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

Measure = Literal["code", "shape"]
KEPT = 3


@dataclass(frozen=True)
class Neighbour:
    """A learned cell near a cell, which is itself `learned` or `generated`; the distance is between codes or shapes."""

    kind: str
    cell: str
    measure: Measure
    rank: int  # 1 is the nearest
    name: str
    distance: float


def nearest(
    kind: str,
    cells: Sequence[str],
    learned: Sequence[str],
    distances: Float[np.ndarray, "cells learned"],
    measure: Measure,
) -> list[Neighbour]:
    """The nearest learned cells of each cell, up to 3, the nearest first; one at infinite distance is none."""
    found = []
    for cell, row in zip(cells, distances, strict=True):
        order = [int(i) for i in np.argsort(row, kind="stable")[:KEPT] if np.isfinite(row[i])]
        found += [
            Neighbour(kind, cell, measure, rank, learned[i], float(row[i])) for rank, i in enumerate(order, start=1)
        ]
    return found


def from_others(distances: Float[np.ndarray, "n n"]) -> Float[np.ndarray, "n n"]:
    """Distances between cells of one set, in which no cell is near to itself."""
    return np.where(np.eye(len(distances), dtype=bool), np.inf, distances)
