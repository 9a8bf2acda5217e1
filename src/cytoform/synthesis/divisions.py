"""Runs in which some cells divide and others do not: two groups, each with a prior of its own.

Between a cell that divides and one that does not lies none of either kind, so the groups are not mixed. Of new cells the
learned share divides.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from jaxtyping import Int

from cytoform.assess.measures.dynamics import Bodies
from cytoform.priors.fitted import PRIORS
from cytoform.priors.prior import Drawn, Given, Prior
from cytoform.shapes.store import ShapeStore
from cytoform.synthesis.priors import body_prior, prior_of

if TYPE_CHECKING:
    from cytoform.synthesis.cells import Cells

DIVIDES = "divides"  # a condition, and a variable of what is drawn: 1 or 0
DAUGHTER = 0.25  # least size of a daughter, as a share of her larger sister
MOST_FRAMES = 30  # of a sequence that are looked at


def has_daughters(bodies: Bodies) -> bool:
    """Whether the second largest body of a frame is at least a quarter of the largest."""
    sizes = np.sort(np.bincount(bodies.labels.ravel())[1:])[::-1]
    return len(sizes) > 1 and bool(sizes[1] >= DAUGHTER * sizes[0])


def divides(frames: Iterable[Bodies]) -> bool:
    """Whether a cell has daughters in some frame after one without them. They may touch in others."""
    was_whole = False
    for bodies in frames:
        if not has_daughters(bodies):
            was_whole |= bodies.n > 0
        elif was_whole:
            return True
    return False


def dividing_among(store: ShapeStore, names: Sequence[str]) -> tuple[str, ...]:
    """The named sequences that divide; none where all of them do, since these are one group."""
    found = []
    for name in names:
        sequence = store[name]
        n_frames = sequence.info.n_frames
        frames = np.unique(np.linspace(0, n_frames - 1, min(n_frames, MOST_FRAMES)).round().astype(int))
        if divides(Bodies.of(sequence.box(int(frame)).inside) for frame in frames):
            found.append(name)
    return () if len(found) == len(names) else tuple(found)


@dataclass(frozen=True)
class Grouped(Prior):
    """Cells that divide and cells that do not, of a prior each; `share` of them divide."""

    priors: Mapping[bool, Prior]  # by whether its cells divide
    share: float
    conditions: ClassVar[frozenset[str]] = frozenset({DIVIDES})

    def _draw(self, n: int, rng: np.random.Generator, given: Given) -> Drawn:
        """`n` cells in random order, with the variable `divides`; the share is kept but for rounding, which is random."""
        n_dividing = n * int(given[DIVIDES]) if DIVIDES in given else int(n * self.share + rng.random())
        which = rng.permutation(np.arange(n) < n_dividing)
        order = np.argsort(np.argsort(~which, kind="stable"))  # place of each cell where dividing ones come first
        numbers = {True: n_dividing, False: n - n_dividing}
        drawn = [self.priors[group].draw(number, rng) for group, number in numbers.items() if number]
        variables = {name: np.concatenate([each.variables[name] for each in drawn]) for name in drawn[0].variables}
        codes = np.concatenate([each.codes for each in drawn])
        return Drawn(codes[order], {**{k: v[order] for k, v in variables.items()}, DIVIDES: which.astype(float)})


def prior_by_division(
    cells: "Cells",
    name: str,
    dividing: Sequence[str],
    *,
    sigma: float | None = None,
    rows: Int[np.ndarray, " sequences"] | None = None,
) -> Prior:
    """A prior as by `prior_of`, or one for each group where some of its sequences are among those that divide.

    A group of few cells has the prior that they are enough for. Raises InputError as `prior_of` does.
    """
    learned = np.arange(len(cells.names)) if rows is None else rows
    is_dividing = np.isin(np.array(cells.names)[learned], list(dividing))
    if is_dividing.all() or not is_dividing.any():
        return prior_of(cells, name, sigma=sigma, rows=rows)
    return Grouped(
        {group: _of_group(cells, name, sigma, learned[is_dividing == group]) for group in (True, False)},
        float(is_dividing.mean()),
    )


def _of_group(cells: "Cells", name: str, sigma: float | None, rows: Int[np.ndarray, " sequences"]) -> Prior:
    if len(rows) < PRIORS[name].fewest_codes:
        name, sigma = body_prior(len(rows)), None
    return prior_of(cells, name, sigma=sigma, rows=rows)
