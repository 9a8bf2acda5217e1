"""The prior that a run draws from by default, as recorded in RUN/choice.json, and drawing whole cells from it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import AfterValidator, Field

from cytoform.assess.results_json import null_nan
from cytoform.base.files import write_json
from cytoform.base.gate import Name, Record, read_json
from cytoform.errors import InputError
from cytoform.priors.fitted import PRIORS
from cytoform.priors.prior import DrawnCell, Prior
from cytoform.shapes.components import components
from cytoform.shapes.grid import frame_times
from cytoform.synthesis.cells import Cells
from cytoform.synthesis.divisions import DIVIDES, divides, prior_by_division
from cytoform.synthesis.field import CodeField
from cytoform.synthesis.priors import PARTS_PRIORS, unmeasured_prior

CHOICE = "choice.json"
# A cell that falls apart is drawn again, so often at most; seen on this grid, but for tubes, which a coarse one tears.
TRIES, TRIAL_GRID = 20, 96
# At so many times. Cells put together from parts are in one piece by construction.
TIMES, TIMES_OF_PARTS = 30, 6


@dataclass(frozen=True)
class Candidate:
    """A prior that was tried."""

    prior: str
    sigma: float | None
    score: float  # 0 to 1, the mean over folds
    novelty_ratio: float  # to held-out cells
    one_nna: float
    p: dict[str, float]  # over sequences: the smallest over folds
    distance: float = np.nan  # largest Kolmogorov-Smirnov statistic over sequences, each the mean over folds
    told_by: tuple[str, ...] = ()  # figures over sequences that do not pass in most folds
    failed: str = ""  # why it could not be drawn

    @property
    def label(self) -> str:
        """Name, and sigma where it is not the default."""
        return self.prior if self.sigma is None else f"{self.prior} σ {self.sigma:g}"


def _known_prior(name: str) -> str:
    if name not in {*PRIORS, *PARTS_PRIORS}:
        raise ValueError("unknown prior")
    return name


class _ChoiceRecord(Record):
    prior: Annotated[str, AfterValidator(_known_prior)]
    sigma: Annotated[float, Field(ge=0, le=1e6)] | None
    most_pieces: Annotated[int, Field(ge=1, le=10_000)] | None
    sentence: Annotated[str, Field(max_length=10_000)]
    dividing: Annotated[tuple[Name, ...], Field(strict=False)] = ()


@dataclass(frozen=True)
class Choice:
    """The prior that a run draws from by default."""

    prior: str
    sigma: float | None
    most_pieces: int | None  # a cell has no more pieces in any frame; None: not looked at
    sentence: str
    candidates: tuple[Candidate, ...] = ()
    folds: int = 0
    sequences: int = 0
    dividing: tuple[str, ...] = ()  # learned sequences that divide, where others do not

    def write(self, run: Path) -> None:
        """Write RUN/choice.json."""
        found = {**vars(self), "candidates": [vars(each) for each in self.candidates]}
        if not self.dividing:
            del found["dividing"]
        write_json(run / CHOICE, null_nan(found))

    @classmethod
    def read(cls, run: Path) -> "Choice | None":
        """The choice recorded in a run, None without one. Raises InputError for a damaged file."""
        path = run / CHOICE
        if not path.is_file():
            return None
        remedy = "damaged; delete it and name a --prior, or train the run anew"
        found = read_json(path, _ChoiceRecord, remedy=remedy)
        return cls(found.prior, found.sigma, found.most_pieces, found.sentence, dividing=found.dividing)

    def fitted(self, cells: Cells, *, sigma: float | None = None) -> Prior:
        """The prior of a run's new cells; `sigma` replaces that of the choice. Raises InputError."""
        sigma = self.sigma if sigma is None else sigma
        if unknown := sorted(set(self.dividing) - set(cells.names)):
            raise InputError(f"{cells.run.path / CHOICE}: {unknown[0]} was not learned; delete it and name a --prior")
        return prior_by_division(cells, self.prior, self.dividing, sigma=sigma)

    def to_lines(self) -> list[str]:
        """The table of the priors that were tried, for a person."""
        return [
            f"  {each.label}: score {each.score:.2f}, novelty {each.novelty_ratio:.2f}, 1-NNA {each.one_nna:.2f}"
            if not each.failed
            else f"  {each.label}: {each.failed}"
            for each in sorted(self.candidates, key=lambda each: -each.score)
        ]


def default_choice(cells: Cells) -> Choice:
    """The choice of a run; where none was measured, a prior that applies, and a sentence that says so."""
    found = Choice.read(cells.run.path)
    if found is not None:
        return found
    prior = unmeasured_prior(cells)
    return Choice(prior, None, None, f"{prior}, not measured: the run has no record of a comparison of priors")


def draw(cells: Cells, n: int, *, seed: int = 0) -> list[CodeField]:
    """The fields of `n` new cells, drawn as `generate` draws them by default, in the canonical pose. Raises InputError."""
    choice = default_choice(cells)
    drawn = whole_cells(cells, choice.fitted(cells), n, choice.most_pieces, np.random.default_rng(seed))
    return [cells.field(cell.code, variables=cell.variables) for cell in drawn]


@dataclass(frozen=True)
class Pieces:
    """The largest number of bodies of a cell at any of many times, whether a crumb lies beside them at any; a division."""

    bodies: int
    has_crumbs: bool
    divides: bool = False


def in_pieces(cells: Cells, cell: DrawnCell) -> Pieces:
    """The pieces of a cell, seen on a grid that is not finer than the learned one."""
    from cytoform.assess.measures.dynamics import Bodies

    field = cells.field(cell.code, variables=cell.variables)
    size = cells.run.learned.grid if cells.run.parts else min(cells.run.learned.grid, TRIAL_GRID)
    frames, has_crumbs = [], False
    for time in frame_times(TIMES_OF_PARTS if cells.run.parts else TIMES):
        inside = field.render(float(time), size).inside
        frames.append(Bodies.of(inside))
        has_crumbs |= int(components(inside).max(initial=0)) > frames[-1].n
    return Pieces(max(bodies.n for bodies in frames), has_crumbs, divides(frames))


def whole_cells(
    cells: Cells, prior: Prior, n: int, most_pieces: int | None, rng: np.random.Generator, *, tries_for_crumbs: int = 4
) -> list[DrawnCell]:
    """`n` drawn cells with at most `most_pieces` in any frame; others are drawn again.

    A cell that is whole but for crumbs beside it is drawn again, too, but not as often: some runs give every cell crumbs.
    So is a cell that was drawn as one that divides and does not, or the other way round. Raises InputError after many that
    fall apart.
    """
    drawn = list(prior.draw(n, rng))
    if most_pieces is None:
        return drawn
    return [_whole(cells, prior, cell, most_pieces, rng, tries_for_crumbs) for cell in drawn]


def _whole(
    cells: Cells, prior: Prior, cell: DrawnCell, most_pieces: int, rng: np.random.Generator, tries_for_crumbs: int
) -> DrawnCell:
    given = {DIVIDES: float(cell.variables[DIVIDES])} if DIVIDES in cell.variables else {}
    with_crumbs: list[DrawnCell] = []
    of_other_group: list[DrawnCell] = []
    for _ in range(TRIES):
        cell = _without_group(cell)
        pieces = in_pieces(cells, cell)
        if 1 <= pieces.bodies <= most_pieces:
            if given and pieces.divides != bool(given[DIVIDES]):
                of_other_group.append(cell)
            elif not pieces.has_crumbs:
                return cell
            else:
                with_crumbs.append(cell)
            if len(with_crumbs) == tries_for_crumbs:
                break
        cell = prior.draw(1, rng, given=given)[0]
    if found := with_crumbs + of_other_group:
        return found[0]
    raise InputError(
        f"{TRIES} cells in a row are empty or fall into more than {most_pieces} pieces; name another --prior, or train longer"
    )


def _without_group(cell: DrawnCell) -> DrawnCell:
    """The cell as the representation knows it, which has no variable for its group."""
    return DrawnCell(cell.code, {name: values for name, values in cell.variables.items() if name != DIVIDES})
