"""Fit codes to cells that a run has not seen.

As in DeepSDF (Park et al. 2019, section 4.3) the decoder is frozen and a code is found by gradient descent on the error at the
known parts of a cell: all frames, some frames, or some planes of them. The decoder then completes the rest. To adapt is to go
on with the decoder set free, for this one cell.
"""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim import Optimizer

from cytoform.errors import InputError
from cytoform.representations.bounds import Bounds, measure_bounds
from cytoform.representations.representation import Representation
from cytoform.representations.rotation import identity, rotate
from cytoform.runs.optimizers import OPTIMIZERS
from cytoform.runs.run import Run
from cytoform.shapes.grid import frame_times
from cytoform.synthesis.field import CodeField
from cytoform.synthesis.fitting.observed import Observed
from cytoform.synthesis.fitting.uncertainty import laplace
from cytoform.synthesis.options import FitSettings

FRAMES, POINTS = 15, 128  # of a step
WARM_UP_STEPS = 20
ERROR_POINTS = 2000  # a frame


@dataclass(frozen=True)
class Fit:
    """A cell that was fitted. Lengths are in µm."""

    name: str
    field: CodeField
    # Mean absolute error of the field at known points, drawn as for training.
    error_um: float
    # Expected error of the surface, root mean square, in each frame of the sequence; NaN where there is no surface.
    expected_error_um: Float[np.ndarray, " frames"]


def fit(
    run: Run,
    observed: Observed,
    settings: FitSettings,
    *,
    rotation: Float[Tensor, " 4"] | None = None,
    bounds: Bounds | None = None,
    seed: int = 0,
    done: Callable[[], object] = lambda: None,
) -> Fit:
    """Fit one cell, beginning from the mean of the learned codes.

    `rotation` turns the cell into the canonical pose of the run; in a run with learned rotations it is the start of a fit
    of its own. `bounds` are those of the field; by default they are measured at the found code.
    """
    settings.check()
    if observed.in_planes and settings.adapt_steps:
        raise InputError("--adapt needs whole frames: planes alone would let the decoder put anything between them")
    rng = np.random.default_rng(seed)
    decoder = copy.deepcopy(run.decoder) if settings.adapt_steps else run.decoder
    work = Descent(decoder, run, observed, settings, rotation, rng)
    work.find_code(settings, done)
    if settings.adapt_steps:
        work.adapt(settings, done)
    code, half_um = work.code.detach(), run.learned.half_extent_um
    spread = float(run.codes.std(dim=0, correction=0).square().mean().sqrt())
    posterior = laplace(decoder, code, work.turned(), observed.times, prior_sigma=spread)
    expected = [posterior.surface_error(float(time), rng) for time in frame_times(observed.n_frames)]
    return Fit(
        observed.name,
        CodeField(
            decoder, code, half_um, bounds or measure_bounds(decoder, code[None], seed=seed), work.found_rotation
        ),
        work.error() * half_um,
        np.array(expected) * half_um,
    )


class Descent:
    """Steps down the error of one cell, from the mean of the learned codes or from `code`."""

    def __init__(
        self,
        decoder: Representation,
        run: Run,
        observed: Observed,
        settings: FitSettings,
        rotation: Tensor | None,
        rng: np.random.Generator,
        *,
        code: Tensor | None = None,
    ) -> None:
        self.code = nn.Parameter(run.codes.mean(dim=0) if code is None else code)
        self.learns_rotation = run.config.model.rotations == "learned"
        start = identity(1)[0] if rotation is None and self.learns_rotation else rotation
        self.rotation = None if start is None else nn.Parameter(start.to(self.code), requires_grad=self.learns_rotation)
        self._decoder = decoder
        self._training, self._jump_penalty = run.config.training, settings.jump_penalty
        self._rng, self._in_planes = rng, observed.in_planes
        self._samples = torch.from_numpy(observed.samples).to(self.code.device)
        self._times = torch.tensor(observed.times, dtype=torch.float32, device=self.code.device)

    @property
    def found_rotation(self) -> Float[Tensor, " 4"] | None:
        """The rotation into the canonical pose, of length 1."""
        return None if self.rotation is None else nn.functional.normalize(self.rotation.detach(), dim=0)

    @torch.no_grad()
    def turned(self) -> Float[Tensor, "known n values"]:
        """All samples in the canonical pose."""
        return torch.cat([self._canonical(self._samples[..., :-1]), self._samples[..., -1:]], dim=2)

    def _canonical(self, points: Float[Tensor, "frames n dims"]) -> Float[Tensor, "frames n dims"]:
        return points if self.rotation is None else rotate(points, self.rotation.expand(len(points), -1))

    def find_code(self, settings: FitSettings, done: Callable[[], object]) -> None:
        """With the decoder frozen."""
        groups = [{"params": [self.code], "rate": settings.learning_rate}]
        if self.learns_rotation:
            groups.append({"params": [self.rotation], "rate": settings.rotation_rate})
        self._descend(settings.steps, [torch.optim.Adam(groups)], done)

    def adapt(self, settings: FitSettings, done: Callable[[], object]) -> None:
        """Go on with the decoder set free, by the optimiser and at the rates of the training."""
        self._decoder.requires_grad_(True)
        optimizers = OPTIMIZERS[self._training.optimizer](self._decoder, self.code, self._training)
        self._descend(settings.adapt_steps, optimizers, done)
        self._decoder.requires_grad_(False)

    def _descend(self, steps: int, optimizers: list[Optimizer], done: Callable[[], object]) -> None:
        """From the `rate` of every group, with a short warm-up and a cosine to nothing."""
        for step in range(steps):
            share = min(1.0, (step + 1) / WARM_UP_STEPS) * (0.5 + 0.5 * math.cos(math.pi * step / steps))
            loss = self._error(*self._batch()) + self._penalty_of_code()
            for optimizer in optimizers:
                for group in optimizer.param_groups:
                    group["lr"] = share * group["rate"]
                optimizer.zero_grad()
            loss.backward()
            for optimizer in optimizers:
                optimizer.step()
            done()

    @torch.no_grad()
    def error(self) -> float:
        """The error at many points of all known frames."""
        frames = range(len(self._times))
        errors = [self._error(torch.tensor([row]), self._samples[row : row + 1, :ERROR_POINTS]) for row in frames]
        return float(torch.stack(errors).mean())

    def _penalty_of_code(self) -> Tensor:
        """The penalty of the training, and one on changes over time: unknown frames should resemble their neighbours."""
        jumps = self._decoder.over_time(self.code[None])[0].diff(dim=0)
        return self._training.code_penalty * self.code.square().sum() + self._jump_penalty * jumps.square().sum()

    def _batch(self) -> tuple[Tensor, Tensor]:
        n_frames, n_points = self._samples.shape[:2]
        rows = self._rng.integers(n_frames, size=FRAMES)
        starts = self._rng.integers(n_points - POINTS + 1, size=FRAMES)
        samples = [self._samples[row, start : start + POINTS] for row, start in zip(rows, starts, strict=True)]
        return torch.from_numpy(rows), torch.stack(samples)

    def _error(self, rows: Tensor, samples: Float[Tensor, "frames n values"]) -> Tensor:
        times = self._times[rows.to(self._times.device)]
        codes = self.code.expand(len(rows), *self.code.shape)
        points, distances = self._canonical(samples[..., :-1].contiguous()), samples[..., -1]
        if not self._in_planes:
            return self._decoder.error(codes, times, points, distances)
        # In a plane the outline may be far where the surface is near: a wrong sign and a larger distance count as errors.
        found = self._decoder.distances(codes, times, points)
        wrong = torch.relu(-found * distances.sign())
        return (wrong + torch.relu(found.abs() - distances.abs())).mean()
