"""A run as the model of a completion: what it expects of a cell, from the frames that it is told."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from torch import Tensor

from cytoform.completion.predictions import Expected
from cytoform.errors import InputError
from cytoform.representations.bounds import Bounds
from cytoform.representations.refined.representation import Refined
from cytoform.representations.rotation import principal_rotation
from cytoform.runs.alignment import moments_of
from cytoform.runs.run import Run
from cytoform.shapes.grid import frame_times
from cytoform.shapes.sequence import ShapeSequence
from cytoform.synthesis.cells import Cells
from cytoform.synthesis.field import CodeField
from cytoform.synthesis.fitting.completed import Completed, completed_of, record_of
from cytoform.synthesis.fitting.components import fit_components
from cytoform.synthesis.fitting.fit import Fit, fit
from cytoform.synthesis.fitting.observed import Observed, check_dimensions, observe
from cytoform.synthesis.fitting.refined import fit_refined
from cytoform.synthesis.options import FitSettings
from cytoform.synthesis.verdict import remark_on_loss


@dataclass(frozen=True)
class FittedModel:
    """Fits codes of a run to cells. Of each cell the fit to the most frames is kept, by name."""

    cells: Cells
    settings: FitSettings = FitSettings()  # noqa: RUF009 (frozen)
    seed: int = 0
    fits: dict[str, Fit] = field(default_factory=dict)
    completed: dict[str, Completed] = field(default_factory=dict)

    def told(self, sequence: ShapeSequence, frames: Sequence[int]) -> Expected:
        """The cell at all times, by a code that is fitted to these of its frames."""
        run, name = self.cells.run, sequence.info.name
        check_dimensions(run, sequence.grid, name)
        rng = np.random.default_rng([self.seed, 0])
        observed = observe(sequence, run, rng, frames=frames)
        # Nothing is rendered, so bounds need not be measured at every code.
        found = fit_cell(run, sequence, observed, self.settings, self.seed, bounds=run.learned.bounds)
        if name not in self.fits or len(frames) > self.completed[name].n_known:
            self.fits[name] = found
            n_gaps = sequence.info.n_frames - len(frames)
            self.completed[name] = completed_of(run, found, n_known=len(frames), n_gaps=n_gaps)
        times = frame_times(sequence.info.n_frames)
        half_um = sequence.grid.half_extent_um

        def expected(points_zyx_um: Float[np.ndarray, "n dims"], time: float) -> Float[np.ndarray, " n"]:
            return _within_cube(found.field, points_zyx_um - half_um, float(np.interp(time, range(len(times)), times)))

        return expected

    def stored(self, name: str) -> dict[str, np.ndarray]:
        """The code of a cell, and what else describes it."""
        found = self.fits.get(name)
        return {} if found is None else arrays_of(found)

    @property
    def path(self) -> Path:
        """The folder of the run."""
        return self.cells.run.path

    @property
    def attributes(self) -> Mapping[str, Any]:
        """Which run it is, what is to be said of it, and how well it describes the cells that it was told."""
        fits = {"fits": {name: record_of(each) for name, each in self.completed.items()}} if self.completed else {}
        remark = remark_on_loss(self.cells.run)
        return {
            "run": self.path.name,
            "seed": self.seed,
            **({"remark": remark} if remark else {}),
            **fits,
        }


def fit_cell(
    run: Run,
    sequence: ShapeSequence,
    observed: Observed,
    settings: FitSettings,
    seed: int,
    done: Callable[[], object] = lambda: None,
    *,
    bounds: Bounds | None = None,
) -> Fit:
    """Fit one cell by the way of the run's kind, with these `bounds` or those that are measured at the found code.

    Raises InputError for a kind that has none.
    """
    if run.parts:
        raise InputError(
            f"{run.path}: a run of bodies with protrusions cannot be fitted; train one with --preset unseen"
        )
    if isinstance(run.decoder, Refined):
        return fit_refined(run, sequence, observed.frames, settings, bounds=bounds, seed=seed, done=done)
    if run.has_scales:
        return fit_components(run, sequence, observed.frames, bounds=bounds)
    rotation = _rotation(run, sequence, observed)
    return fit(run, observed, settings, rotation=rotation, bounds=bounds, seed=seed, done=done)


def arrays_of(found: Fit) -> dict[str, np.ndarray]:
    """The code of a fit, and the variables beside it, as a store keeps them."""
    variables = {key: values.numpy() for key, values in found.field.variables.items()}
    return {"code": found.field.code.cpu().numpy(), **variables}


def _rotation(run: Run, sequence: ShapeSequence, observed: Observed) -> Float[Tensor, " 4"] | None:
    """The rotation into the principal frame of the known frames, for a run of aligned sequences; otherwise None."""
    if run.config.data.align == "none":
        return None
    first, *others = (moments_of(sequence, frame) for frame in observed.frames)
    return principal_rotation(sum(others, start=first))


def _within_cube(cell: CodeField, from_centre_um: Float[np.ndarray, "n dims"], time: float) -> Float[np.ndarray, " n"]:
    """The field at points from the centre of the cube. Beyond the cube of the run the way to it is added."""
    half_um = cell.half_extent_um
    nearest = from_centre_um.clip(-half_um, half_um)
    beyond = np.linalg.norm(from_centre_um - nearest, axis=1)
    return np.asarray(cell(nearest + half_um, time) + beyond, np.float32)
