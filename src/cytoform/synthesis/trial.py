"""Which prior makes the best new cells: tried at the end of a training, on sequences that are left out in folds.

Each prior is fitted without the sequences of a fold. New cells drawn from it are judged against the sequences that it knows
and against the left-out ones (assess/judgement.py). The decoder has seen all sequences, so this judges the prior alone.
"""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Int

from cytoform.assess.judgement import Judgement
from cytoform.assess.results import compare_measured
from cytoform.assess.stores import MeasuredStore, measure_stores, select
from cytoform.base.parallel import Progress, no_progress
from cytoform.errors import InputError
from cytoform.protrusions.verdict import Verdict
from cytoform.representations.parts.config import PartsConfig
from cytoform.runs.same_cell import cells_of
from cytoform.shapes.grid import frame_times
from cytoform.shapes.store import SequenceInfo, ShapeStore
from cytoform.synthesis.cells import Cells
from cytoform.synthesis.choice import Candidate, Choice, whole_cells
from cytoform.synthesis.divisions import dividing_among, prior_by_division
from cytoform.synthesis.options import SAFETY
from cytoform.synthesis.priors import PARTS_PRIORS
from cytoform.synthesis.render import BAND_VOXELS

TRIALS = ".choice.partial-"
# At most so many sequences and frames are judged; fewer sequences than FEWEST say nothing about a distribution.
MOST_SEQUENCES, MOST_FRAMES, FEWEST = 24, 6, 4
# New cells for each fold, at least: three new cells beside five learned ones differ at p = 0.04 at best, so no test would fail.
FEWEST_NEW = 8
# The priors of whole cells that are tried, with their sigma.
WHOLE_CELLS: tuple[tuple[str, float | None], ...] = (
    ("blend", None),
    ("blend", 1.15),
    ("covariance", None),
    ("covariance", 1.25),
    ("covariance", 1.5),
    ("between", None),
    ("around", None),
)
COPIES = 0.6  # novelty ratio below which new cells are called copies
REUSING = {"around", "graft"}  # priors that use learned cells, or their protrusions, as they are
NEARLY = 0.9  # share of the best score from which priors count as equal, since few sequences say no more


def choose_prior(
    cells: Cells, shapes: Path, *, seed: int = 0, workers: int = 1, progress: Progress = no_progress
) -> Choice:
    """Try the priors that apply to a run on the cells that it has learned, which lie in the store `shapes`."""
    names = cells.names
    cells_by_row = cells_of(names, cells.run.config.data.same_cell)
    if len(cells_by_row) < FEWEST:
        prior = "graft" if cells.run.parts else "around"
        what = "learned protrusions moved to other places" if cells.run.parts else "copies with a little noise"
        return Choice(
            prior,
            None,
            None,
            f"{prior}, not measured: {_counted(names, cells_by_row)} are too few for more than {what}",
        )
    rng = np.random.default_rng([seed, 7])
    rows = np.sort(rng.permutation(len(names))[:MOST_SEQUENCES])
    folds = _folds(rows, cells_by_row)
    for left in cells.run.path.glob(f"{TRIALS}*"):
        shutil.rmtree(left)  # of a killed process
    with tempfile.TemporaryDirectory(dir=cells.run.path, prefix=TRIALS) as folder:
        trial = _Trial(cells, ShapeStore.open(shapes), folds, Path(folder), seed, workers)
        tried = tuple((name, None) for name in PARTS_PRIORS) if cells.run.parts else WHOLE_CELLS
        with progress("choosing a prior", len(tried) + 1) as advance:
            originals = trial.originals()
            trial = replace(trial, dividing=trial.dividing_of(originals))
            advance()
            drawn = []
            for prior, sigma in tried:
                drawn.append(trial.drawn(prior, sigma, originals))
                advance(note=drawn[-1].label)
            found = trial.judged(drawn, originals)
    best = _best(found)
    if best.score == 0:
        name = "graft" if cells.run.parts else "around"
        return Choice(
            name, None, None, f"{name}, since none of {len(found)} priors gave whole cells; train longer", tuple(found)
        )
    return Choice(
        best.prior,
        best.sigma,
        trial.most_pieces(originals),
        _sentence(best, len(found)),
        tuple(found),
        len(folds),
        len(rows),
        trial.dividing,
    )


def _counted(names: Sequence[str], cells_by_row: Sequence[Sequence[int]]) -> str:
    n = len(cells_by_row)
    of_cells = "" if n == len(names) else " of one cell" if n == 1 else f" of {n} cells"
    return f"{len(names)} learned sequences{of_cells}"


def _folds(rows: Int[np.ndarray, " n"], cells_by_row: Sequence[Sequence[int]]) -> list[Int[np.ndarray, " _"]]:
    """Two or three folds of nearly the same size; the sequences of a cell are in one fold."""
    together = [own for own in (np.intersect1d(rows, each) for each in cells_by_row) if len(own)]
    folds: list[list[int]] = [[] for _ in range(2 if len(rows) >= 12 else 3)]
    for own in sorted(together, key=lambda each: -len(each)):
        min(folds, key=len).extend(own.tolist())
    return [np.sort(fold) for fold in folds]


@dataclass(frozen=True)
class _Trial:
    """Small stores of learned and of new cells, at the same times and on the same grid."""

    cells: Cells
    store: ShapeStore
    folds: Sequence[Int[np.ndarray, " _"]]
    folder: Path
    seed: int
    workers: int
    dividing: tuple[str, ...] = ()  # learned sequences that divide, where others do not

    def originals(self) -> MeasuredStore:
        """The sequences of all folds, measured at a few times."""
        out = self._create("originals.zarr")
        for row in np.concatenate(self.folds).tolist():
            sequence = self.store[self.cells.names[row]]
            chosen = self._chosen(sequence.info.n_frames)
            copy = out.add(SequenceInfo(sequence.info.name, len(chosen), self._step(sequence.info.time_step_s)))
            for number, frame in enumerate(chosen):
                copy.write_box(number, sequence.box(frame))
        return self._measured(out)

    def drawn(self, prior: str, sigma: float | None, originals: MeasuredStore) -> "_Drawn":
        """Draw as many new cells for each fold as it has sequences, and at least `FEWEST_NEW`, and measure them."""
        out = self._create(f"{prior}-{sigma}.zarr")
        names: list[list[str]] = []
        try:
            for number, fold in enumerate(self.folds):
                names.append(self._render(out, prior, sigma, number, fold, self.most_pieces(originals)))
        except InputError as fault:
            return _Drawn(prior, sigma, failed=str(fault))
        return _Drawn(prior, sigma, self._measured(out), names)

    def judged(self, drawn: Sequence["_Drawn"], originals: MeasuredStore) -> list[Candidate]:
        """Judge all new cells of a fold beside its sequences together: these are compared with one another once."""
        judgements: dict[int, list[Judgement]] = {row: [] for row, each in enumerate(drawn) if not each.failed}
        for number, fold in enumerate(self.folds):
            held_out = [self.cells.names[row] for row in fold.tolist()]
            learned = originals.only([name for name in originals.names if name not in held_out])
            new = [drawn[row].measured_of(number) for row in judgements]
            results = compare_measured(
                learned,
                new,
                held_out=originals.only(held_out),
                workers=self.workers,
                seed=self.seed,
                n_replicates=2,  # intervals are not looked at
            )
            for row, result in zip(judgements, results, strict=True):
                judgements[row].append(Judgement.of(result))
        return [each.candidate(judgements.get(row, [])) for row, each in enumerate(drawn)]

    def most_pieces(self, originals: MeasuredStore) -> int:
        """The largest number of bodies in any frame of the learned cells."""
        return max(max(sequence.n_bodies) for sequence in originals.sequences)

    def dividing_of(self, originals: MeasuredStore) -> tuple[str, ...]:
        """The learned sequences that divide, if others do not; bodies of cells taken apart are one group."""
        if self.cells.run.parts or self.most_pieces(originals) == 1:
            return ()
        return dividing_among(self.store, self.cells.names)

    def _render(
        self, out: ShapeStore, prior: str, sigma: float | None, number: int, fold: Int[np.ndarray, " fold"], pieces: int
    ) -> list[str]:
        known = np.setdiff1d(np.concatenate(self.folds), fold)
        rng = np.random.default_rng([self.seed, 8, number])
        fitted = prior_by_division(self.cells, prior, self.dividing, sigma=sigma, rows=known)
        names = []
        n_new = max(len(fold), FEWEST_NEW)
        drawn = whole_cells(self.cells, fitted, n_new, pieces, rng, tries_for_crumbs=1)  # crumbs tell no prior apart
        for place, cell in enumerate(drawn):
            field = self.cells.field(cell.code, variables=cell.variables)
            # In the canonical pose, which is another one than that of the learned cells.
            pose = (1.0, 0.0, 0.0, 0.0) if self.cells.run.config.has_rotations else None
            like = self.cells.run.learned.sequences[int(fold[place % len(fold)])]
            times = frame_times(like.n_frames)[self._chosen(like.n_frames)]
            name = f"new{number}_{place:02d}"
            sequence = out.add(SequenceInfo(name, len(times), self._step(like.time_step_s), rotation_wxyz=pose))
            for frame, time in enumerate(times):
                sequence.write_box(frame, field.render(float(time), out.grid.size, safety=SAFETY))
            names.append(sequence.info.name)
        return names

    def _create(self, name: str) -> ShapeStore:
        grid = self.store.grid
        return ShapeStore.create(self.folder / name, grid, band_um=BAND_VOXELS * grid.spacing_um, attributes={})

    def _measured(self, store: ShapeStore) -> MeasuredStore:
        return measure_stores(select(store.path, [], paired=[]), workers=self.workers, verdict=self._verdict)[0]

    @property
    def _verdict(self) -> Verdict:
        """Cells are taken apart here as they were for the training."""
        model = self.cells.run.config.model
        if isinstance(model, PartsConfig) and model.body == "opening":
            return Verdict((), model.opening_radius_um)
        return Verdict(("protrusions are not thin, or the run has learned whole cells",))

    def _chosen(self, n_frames: int) -> list[int]:
        """Frames that are compared: neighbouring ones where protrusions are followed, otherwise spread over the movie."""
        n = min(n_frames, MOST_FRAMES)
        if self.cells.run.parts:
            first = (n_frames - n) // 2
            return list(range(first, first + n))
        return sorted({round(place) for place in np.linspace(0, n_frames - 1, n)})

    def _step(self, time_step_s: float | None) -> float | None:
        return time_step_s if self.cells.run.parts else None


@dataclass(frozen=True)
class _Drawn:
    """New cells of a prior, measured, with their names by fold; or why there are none."""

    prior: str
    sigma: float | None
    measured: MeasuredStore | None = None
    names: Sequence[Sequence[str]] = ()
    failed: str = ""

    @property
    def label(self) -> str:
        return self.candidate([]).label

    def measured_of(self, fold: int) -> MeasuredStore:
        """The cells of a fold."""
        if self.measured is None:
            raise ValueError("no cells were drawn")
        return self.measured.only(self.names[fold])

    def candidate(self, judgements: Sequence[Judgement]) -> Candidate:
        """The means of what was found in the folds."""
        if not judgements:
            return Candidate(self.prior, self.sigma, 0.0, np.nan, np.nan, {}, failed=self.failed)
        # Protrusions of a fold that are followed too briefly have no growth in minutes, and one in frames in its place.
        tested = [name for name in judgements[0].p_sequences if all(name in each.p_sequences for each in judgements)]
        p = {name: min(each.p_sequences[name] for each in judgements) for name in tested}
        return Candidate(
            self.prior,
            self.sigma,
            float(np.mean([each.score for each in judgements])),
            float(np.nanmean([each.novelty_ratio for each in judgements])),
            float(np.nanmean([each.one_nna for each in judgements])),
            p,
            float(np.nanmax(np.mean([[each.ks_sequences[name] for name in tested] for each in judgements], axis=0))),
            tuple(name for name in p if _mostly_fails(name, judgements)),
        )


def _best(found: Sequence[Candidate]) -> Candidate:
    """Of the priors with nearly the best score, the one with the distributions closest to those of the learned cells.

    Copies can score well in all but novelty; any prior that makes new cells comes before them, and before priors that use
    learned cells or their protrusions as they are.
    """
    new = [each for each in found if each.score > 0 and each.novelty_ratio >= COPIES and each.prior not in REUSING]
    new = new or list(found)
    limit = NEARLY * max(each.score for each in new)
    return min((each for each in new if each.score >= limit), key=lambda each: (each.distance, -each.score))


def _mostly_fails(name: str, judgements: Sequence[Judgement]) -> bool:
    fails = [each.shares.get(f"{name} over sequences", 1.0) < 1 for each in judgements]
    return sum(fails) > len(fails) / 2


def _sentence(best: Candidate, n: int) -> str:
    said = list(_facts(best))
    return f"{best.label}, the best of {n} by measurement (score {best.score:.2f}): {'; '.join(said)}"


def _facts(best: Candidate) -> Iterator[str]:
    if np.isfinite(best.novelty_ratio):
        yield f"as far from learned cells as {best.novelty_ratio:.2f} times held-out ones"
        if best.novelty_ratio < COPIES:
            yield "so they are near copies: no prior makes new cells from this run"
    if best.told_by:
        yield f"told from learned cells by {', '.join(best.told_by)}"
        if "sphericity" in best.told_by:
            yield "so shapes are averages in part"
    else:
        yield "no test over sequences tells them from learned cells"
