"""The known parts of a cell that is to be fitted: points and distances in some of its frames, or in some planes of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32
from scipy.ndimage import map_coordinates
from scipy.spatial import cKDTree
from skimage.measure import find_contours

from cytoform.errors import InputError
from cytoform.runs.config import SamplingConfig
from cytoform.runs.run import Run
from cytoform.runs.samples import draw_samples
from cytoform.shapes.grid import CUBES, Grid, frame_times
from cytoform.shapes.store import ShapeSequence

POINTS = 20_000  # a frame


@dataclass(frozen=True)
class Observed:
    """Samples of the frames that are known: x, y, z and the distance, in units of the half extent of a run's cube.

    Those of images have no z. Where only planes are known, a distance is that to the outline in the plane: its sign is
    right, and the distance in space is at most as large. For a run of components there are no samples: it takes whole frames.
    """

    name: str
    n_frames: int
    frames: tuple[int, ...]
    times: Float[np.ndarray, " known"]
    samples: Float32[np.ndarray, "known n values"]
    in_planes: bool

    @property
    def n_gaps(self) -> int:
        """Frames of the sequence that are not known."""
        return self.n_frames - len(self.frames)


def check_dimensions(run: Run, grid: Grid, where: object) -> None:
    """Raise InputError for cells in images and a run of cells in volumes, or the other way round."""
    if grid.n_dims != run.learned.dimensions:
        raise InputError(
            f"{where}: cells are {grid.n_dims}D, and those of {run.path} are {run.learned.dimensions}D; take a run of cells of "
            "the same kind"
        )


def known_frames(sequence: ShapeSequence, every_frame: int = 1) -> list[int]:
    """Every `every_frame`-th frame that shows a cell. Raises InputError where there is none."""
    n_frames = sequence.info.n_frames
    if every_frame < 1:
        raise InputError(f"--every-frame {every_frame}: must be at least 1")
    frames = [frame for frame in range(0, n_frames, every_frame) if not sequence.box(frame).is_empty]
    if not frames:
        raise InputError(
            f"{sequence.info.name}: none of its {n_frames} frames shows a cell, so there is nothing to fit"
        )
    return frames


def observe(
    sequence: ShapeSequence,
    run: Run,
    rng: np.random.Generator,
    *,
    frames: Sequence[int] | None = None,
    every_plane: int | None = None,
) -> Observed:
    """Sample the known `frames` (by default all), whole or in every `every_plane`-th plane of the grid.

    Raises InputError for a movie without a cell, and for a cell that the cube of the run does not hold.
    """
    if every_plane is not None and every_plane < 1:
        raise InputError(f"--every-plane {every_plane}: must be at least 1")
    frames = known_frames(sequence) if frames is None else list(frames)
    for frame in frames:
        _check_reach(sequence, frame, run.learned.half_extent_um)
    if run.has_scales:
        samples = np.empty((len(frames), 0, sequence.grid.n_dims + 1), np.float32)
    else:
        samples = _samples(sequence, run, rng, frames, every_plane)
    n_frames = sequence.info.n_frames
    times = frame_times(n_frames)[frames]
    return Observed(sequence.info.name, n_frames, tuple(frames), times, samples, every_plane is not None)


def _samples(
    sequence: ShapeSequence, run: Run, rng: np.random.Generator, frames: Sequence[int], every_plane: int | None
) -> Float32[np.ndarray, "known n values"]:
    sampling = run.config.sampling.model_copy(update={"pool_points": POINTS})
    samples = []
    for frame in frames:
        if every_plane is None:
            drawn = draw_samples(sequence, frame, sampling, rng)
        else:
            drawn = _draw_in_planes(sequence, frame, every_plane, sampling, rng)
        samples.append(
            _rescaled(drawn, sequence.grid.half_extent_um / run.learned.half_extent_um, sampling.truncation, rng)
        )
    return np.stack(samples)


def _check_reach(sequence: ShapeSequence, frame: int, half_extent_um: float) -> None:
    """Raises InputError for a cell that the cube of the run does not hold."""
    grid = sequence.grid
    if grid.half_extent_um <= half_extent_um:
        return
    ends = np.array([(side.start, side.stop) for side in sequence.box(frame).bounds]) * grid.spacing_um
    reach_um = float(np.abs(ends - grid.half_extent_um).max())
    if reach_um > half_extent_um:
        raise InputError(
            f"{sequence.info.name}, frame {frame}: the cell reaches {reach_um:.3g} µm from its centre, and the "
            f"{CUBES[grid.n_dims]} of the run {half_extent_um:.3g} µm; fit smaller cells, or train a run with a larger "
            "--half-extent"
        )


def _rescaled(
    samples: Float32[np.ndarray, "n values"], scale: float, truncation: float, rng: np.random.Generator
) -> Float32[np.ndarray, "n values"]:
    """In units of another half extent about the same centre; points outside that cube are replaced by others."""
    scaled = samples * np.float32(scale)
    within = np.abs(scaled[:, :-1]).max(axis=1) <= 1
    scaled = scaled[within][rng.integers(0, within.sum(), len(scaled))] if not within.all() else scaled
    scaled[:, -1] = scaled[:, -1].clip(-truncation, truncation)
    return scaled


def _draw_in_planes(
    sequence: ShapeSequence, frame: int, every: int, sampling: SamplingConfig, rng: np.random.Generator
) -> Float32[np.ndarray, "n 4"]:
    grid = sequence.grid
    sdf_um = sequence.sdf_um(frame)
    planes = np.arange(every // 2, grid.size, every)
    outlines = {z: _outline(sdf_um[z]) for z in planes}
    cut = [z for z, outline in outlines.items() if len(outline)]
    if not cut:
        raise InputError(
            f"{sequence.info.name}, frame {frame}: none of every {every} planes cuts the cell; use a smaller --every-plane"
        )
    n_near = round(sampling.near_share * sampling.pool_points)
    sigma = np.resize(sampling.near_sigma, n_near)[:, None] * grid.size / 2  # in voxels
    near_z = rng.choice(cut, n_near)
    near_yx = np.stack([outlines[z][rng.integers(len(outlines[z]))] for z in near_z]) + rng.normal(
        0, sigma, (n_near, 2)
    )
    n_far = sampling.pool_points - n_near
    index = np.concatenate(
        [
            np.column_stack([near_z, near_yx]),
            np.column_stack([rng.choice(planes, n_far), rng.uniform(-0.5, grid.size - 0.5, (n_far, 2))]),
        ]
    )
    index[:, 1:] = index[:, 1:].clip(-0.5, grid.size - 0.5)
    distance = np.full(len(index), np.inf)
    for z in cut:
        here = index[:, 0] == z
        distance[here] = cKDTree(outlines[z]).query(index[here, 1:])[0]
    sign = np.where(map_coordinates(sdf_um, index.T, order=1, mode="nearest") <= 0, -1, 1)
    unit = 2 / grid.size
    distances = np.minimum(distance * unit, sampling.truncation) * sign
    samples = np.column_stack([(index[:, ::-1] + 0.5) * unit - 1, distances])
    return samples[rng.permutation(len(samples))].astype(np.float32)


def _outline(plane_um: Float[np.ndarray, "y x"]) -> Float[np.ndarray, "n 2"]:
    """Points (y, x), in voxels and less than a quarter of one apart, where the distance is 0."""
    pieces = [np.empty((0, 2))]
    for contour in find_contours(plane_um, 0.0):
        steps = np.arange(0, len(contour) - 1, 0.25)
        pieces.append(np.column_stack([np.interp(steps, np.arange(len(contour)), axis) for axis in contour.T]))
    return np.concatenate(pieces)
