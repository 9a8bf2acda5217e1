"""Run time of the simulators and exactness of their distances: python benchmarks/simulate.py [CELLS] [FRAMES]."""

import sys
import time
from collections.abc import Callable

import numpy as np

from cytoform.base.parallel import run_all
from cytoform.reports.simulation import measure_families
from cytoform.simulate import BlebsParameters, FilopodiaParameters, MitosisParameters, population
from cytoform.simulate.population import Parameters, SimulatedFamily

GRID, BAND_UM, WORKERS = 128, 1.0, 2


def at_grid(parameters: Parameters, *, cells: int, frames: int, time_step_s: float) -> list[SimulatedFamily]:
    """A population scaled so that its largest volume has about GRID voxels per side."""
    given = {"n_cells": cells, "n_frames": frames, "seed": 0, "time_step_s": time_step_s}
    extent = max(max(family.shape_zyx) * 0.125 for family in population(parameters, **given))
    return population(parameters, **given, spacing_zyx_um=(extent / GRID,) * 3)


def render(family: SimulatedFamily) -> int:
    """Render all frames of a family; return the number of non-empty ones."""
    return sum(int((family.labels(frame) > 0).any()) for frame in range(family.n_frames))


def gradient_share(family: SimulatedFamily, frame: float) -> tuple[int, int]:
    """Number of points in the band with a gradient within 5 % of 1, and number of points in the band."""
    size = np.array(family.shape_zyx) * np.array(family.spacing_zyx_um)
    points = np.random.default_rng(0).uniform(0, 1, (20000, 3)) * size
    near = points[np.abs(family.distance_um(points, frame)) < BAND_UM]
    step = 1e-3
    slope = [
        (family.distance_um(near + step * axis, frame) - family.distance_um(near - step * axis, frame)) / (2 * step)
        for axis in np.eye(3)
    ]
    return int((np.abs(np.linalg.norm(slope, axis=0) - 1) < 0.05).sum()), len(near)


def clocked(work: Callable[[], object]) -> float:
    """Wall-clock seconds of `work`."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    cells, frames = (int(value) for value in (*sys.argv[1:], *("33", "30")[len(sys.argv) - 1 :]))
    for parameters, time_step_s in (
        (MitosisParameters(), 60.0),
        (FilopodiaParameters(), 20.0),
        (BlebsParameters(), 10.0),
    ):
        families = at_grid(parameters, cells=cells, frames=frames, time_step_s=time_step_s)
        tasks = [(family,) for family in families]
        seconds = clocked(lambda tasks=tasks: run_all(render, tasks, workers=WORKERS))
        shares = np.sum([gradient_share(family, frames / 3) for family in families[:6]], axis=0)
        found = measure_families(families, workers=WORKERS)
        volume, area, sphericity = (f"{m:.4g} ± {s:.3g}" for m, s in zip(found.mean(0), found.std(0), strict=True))
        print(
            f"{type(parameters).__name__}: {cells}×{frames} frames at {GRID}³ in {seconds:.0f} s with {WORKERS} workers; "
            f"gradient within 5 % of 1 at {shares[0] / shares[1]:.2%} of {shares[1]} points within {BAND_UM} µm; "
            f"size {volume} µm³, surface {area} µm², sphericity {sphericity}"
        )
