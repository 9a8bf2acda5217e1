"""The ways to make an unknown field between known ones: a table. Add a way here.

A field is a frame between frames or a plane between planes, in any number of dimensions. `mean` is the baseline; a mixture
adds shares of the other ways' differences from it (mixture.py).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Float

from cytoform.completion.fields import Field
from cytoform.completion.registration import LOCAL, SMOOTH, LucasKanade, halfway
from cytoform.completion.tracked import PairOfFrames, parts_between


@dataclass(frozen=True, eq=False)
class Between:
    """An unknown field at a position between known ones: two, or with a further one on either side up to four.

    Positions ascend along time or z; fields are signed distances in voxels. `expected` are those of a model, if there is
    one: at the nearest position before, at this position, and at the nearest one after. `pair` are the two neighbours
    to be taken apart, where cells are bodies with protrusions.
    """

    position: float
    positions: tuple[float, ...]
    fields: tuple[Field, ...]
    expected: tuple[Field, ...] = ()
    pair: PairOfFrames | None = None

    @property
    def after(self) -> int:
        """Index of the first known field after the position."""
        return int(np.searchsorted(self.positions, self.position))

    @property
    def nearest(self) -> tuple[Field, Field]:
        """The known fields just before and just after."""
        return self.fields[self.after - 1], self.fields[self.after]

    @property
    def share(self) -> float:
        """The part of the way from the field before to the field after, 0 to 1."""
        low, high = self.positions[self.after - 1], self.positions[self.after]
        return (self.position - low) / (high - low)


def mean(between: Between) -> Field:
    """The mean of the two neighbours, weighted by their distance."""
    before, after = between.nearest
    return (1 - between.share) * before + between.share * after


def cubic(between: Between) -> Field:
    """The polynomial in the position through all known fields; with four of them a cubic."""
    weights = lagrange(between.positions, between.position)
    return np.asarray(sum(weight * field for weight, field in zip(weights, between.fields, strict=True)))


def registered(between: Between, *, settings: LucasKanade) -> Field:
    """Both neighbours carried to the position along the displacement between them, and averaged."""
    return halfway(*between.nearest, between.share, settings)


def model(between: Between) -> Field:
    """What the model expects."""
    return between.expected[1]


def change_of_model(between: Between) -> Field:
    """The mean of the neighbours, and how far the model at the position differs from its own mean of the neighbours."""
    before, here, after = between.expected
    return mean(between) + here - ((1 - between.share) * before + between.share * after)


def tracked(between: Between) -> Field:
    """The body by registration, and every protrusion as a curve between the curves that it has in both neighbours."""
    found = None if between.pair is None else parts_between(between.pair, between.share)
    return mean(between) if found is None else found


def lagrange(positions: Sequence[float], position: float) -> Float[np.ndarray, " n"]:
    """Weights of the values at `positions` in their polynomial at `position`."""
    nodes = np.array(positions, float)
    return np.array(
        [np.prod((position - np.delete(nodes, i)) / (nodes[i] - np.delete(nodes, i))) for i in range(len(nodes))],
        np.float32,
    )


WAYS: dict[str, Callable[[Between], Field]] = {
    "mean": mean,
    "cubic": cubic,
    "registered": partial(registered, settings=SMOOTH),
    "registered locally": partial(registered, settings=LOCAL),
}

# With a model, these as well.
WAYS_OF_A_MODEL: dict[str, Callable[[Between], Field]] = {"model": model, "change of model": change_of_model}

# Where cells are bodies with protrusions, this as well.
WAYS_OF_PROTRUSIONS: dict[str, Callable[[Between], Field]] = {"tracked protrusions": tracked}


def ways_with(*, model: bool, protrusions: bool) -> dict[str, Callable[[Between], Field]]:
    """The ways that can be mixed, with or without a model, and with or without protrusions."""
    return {**WAYS, **(WAYS_OF_PROTRUSIONS if protrusions else {}), **(WAYS_OF_A_MODEL if model else {})}
