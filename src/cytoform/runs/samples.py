"""Training samples: points and distances from a shape store, and the gate from NumPy to torch.

For every frame a large pool of points is drawn once, at continuous positions, and kept in a memory map; every batch
takes a random run of it. Each pool is shuffled, so every run holds the same mixture of near and far points.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float32, Int, Int64
from pydantic import RootModel
from scipy.ndimage import map_coordinates
from scipy.spatial import cKDTree
from torch import Tensor

from cytoform.base.files import write_json
from cytoform.base.gate import read_json, require_file
from cytoform.base.parallel import run_all
from cytoform.base.system import reserve
from cytoform.errors import EmptyFrame, InputError
from cytoform.representations.rotation import MIRRORS
from cytoform.runs.config import SamplingConfig
from cytoform.shapes.box import BoxedField
from cytoform.shapes.grid import frame_times
from cytoform.shapes.store import ShapeSequence, ShapeStore

SAMPLES, RECIPE = "samples.npy", "samples.json"


@dataclass(frozen=True)
class TrainingFrame:
    """A frame of the training set: its sequence, place in it, row in the code table and network time."""

    sequence: str
    frame: int
    code: int
    time: float


# From the samples of a frame to those that a network learns.
Change = Callable[[TrainingFrame, Float32[np.ndarray, "n values"]], Float32[np.ndarray, "n values"]]


@dataclass(frozen=True)
class Batch:
    """Samples of some frames: positions in Ω as (x, y, z), distances in units of the half extent."""

    points: Float32[Tensor, "frames n dims"]
    distances: Float32[Tensor, "frames n"]
    codes: Int64[Tensor, " frames"]
    times: Float32[Tensor, " frames"]


class _Recipe(RootModel[dict[str, Any]]):
    """The settings that samples were drawn with."""


class SamplePool:
    """The pools of all training frames, in a memory map of (frames, points, 4): x, y, z, distance; of images without z.

    Of a `mirrored` pool, batches show each frame in one of its mirror images, drawn anew each time. Each image has a code
    of its own. The codes of a sequence are neighbours in the code table, the sequence itself first.
    """

    def __init__(self, path: Path, frames: list[TrainingFrame], *, mirrored: bool = False) -> None:
        self._samples = np.load(path, mmap_mode="r")
        self.n_dims = self._samples.shape[2] - 1
        self.copies = len(MIRRORS[self.n_dims]) if mirrored else 1
        self._codes = np.array([frame.code for frame in frames], np.int64)
        self._times = np.array([frame.time for frame in frames], np.float32)
        self._resident: Tensor | None = None

    def keep_on(self, device: torch.device) -> None:
        """Copy all samples to `device` and draw batches there from now on."""
        self._resident = torch.empty(self._samples.shape, device=device)
        for row, samples in enumerate(self._samples):
            self._resident[row] = torch.from_numpy(np.array(samples))

    def close(self) -> None:
        """Let go of the file, which Windows does not delete before; no batch can be drawn any more."""
        del self._samples

    @property
    def nbytes(self) -> int:
        """Size of all samples."""
        return self._samples.nbytes

    def __len__(self) -> int:
        return len(self._codes)

    def batch(
        self, rows: Int[np.ndarray, " frames"], n: int, rng: np.random.Generator, *, part: slice = slice(None)
    ) -> Batch:
        """Up to `n` samples of each of the frames `rows`, drawn with `rng`; of all these, the `part` that is asked for."""
        size = self._samples.shape[1]
        starts = rng.integers(0, max(size - n, 0) + 1, len(rows))[part]
        images = (rng.integers(0, self.copies, len(rows)) if self.copies > 1 else np.zeros(len(rows), int))[part]
        rows = rows[part]
        samples = self._runs(rows, starts, min(n, size))
        points = samples[..., :-1]
        if self.copies > 1:
            points = points * torch.from_numpy(MIRRORS[self.n_dims][images]).to(points.device)[:, None]
        return Batch(
            points=points,
            distances=samples[..., -1],
            codes=torch.from_numpy(self.copies * self._codes[rows] + images),
            times=torch.from_numpy(self._times[rows]),
        )

    def _runs(
        self, rows: Int[np.ndarray, " frames"], starts: Int[np.ndarray, " frames"], n: int
    ) -> Float32[Tensor, "frames n values"]:
        if self._resident is None:
            runs = [self._samples[row, start : start + n] for row, start in zip(rows, starts, strict=True)]
            return torch.from_numpy(np.stack(runs))
        device = self._resident.device
        points = torch.from_numpy(starts).to(device)[:, None] + torch.arange(n, device=device)
        return self._resident[torch.from_numpy(rows).to(device)[:, None], points]


def training_frames(store: ShapeStore, names: list[str], stride: int) -> list[TrainingFrame]:
    """Every `stride`-th frame of the named sequences; network times count the whole sequence."""
    frames = []
    for code, name in enumerate(names):
        times = frame_times(store[name].info.n_frames)
        frames += [TrainingFrame(name, t, code, float(times[t])) for t in range(0, len(times), stride)]
    return frames


def draw_pool(
    store: ShapeStore,
    frames: list[TrainingFrame],
    folder: Path,
    *,
    sampling: SamplingConfig,
    seed: int,
    mirrored: bool = False,
    any_pose: bool = False,
    changed: Change | None = None,
    workers: int = 1,
    done: Callable[[], object] = lambda: None,
) -> SamplePool:
    """Draw the pool of every frame into `folder`, or reuse one that was drawn there with the same settings.

    `any_pose` spreads points over all that the cube sweeps as it turns, for fields that are to be rendered in any pose.
    `changed` makes the samples to be learned of those that were drawn; it must be picklable.
    Raises EmptyFrame where a frame has no surface to sample around.
    """
    recipe = {
        "sampling": sampling.model_dump(mode="json"),
        "seed": seed,
        "store": store.attributes,
        "frames": [[frame.sequence, frame.frame] for frame in frames],
    }
    if any_pose:
        recipe["any_pose"] = True
    if changed:
        recipe["changed"] = True
    shape = len(frames), sampling.pool_points, store.grid.n_dims + 1
    if not _holds(folder, recipe, shape):
        folder.mkdir(parents=True, exist_ok=True)
        _reserve(folder / SAMPLES, shape)
        how = sampling, any_pose, seed, changed
        tasks = [(store.path, frame, folder / SAMPLES, row, *how) for row, frame in enumerate(frames)]
        run_all(_draw_frame, tasks, workers=workers, done=done)
        with (folder / SAMPLES).open("r+b") as file:
            os.fsync(file.fileno())  # so that the recipe never vouches for samples that a power cut took
        write_json(folder / RECIPE, recipe)
    return SamplePool(folder / SAMPLES, frames, mirrored=mirrored)


def _reserve(path: Path, shape: tuple[int, ...]) -> None:
    """Make an empty pool that has its room on the disk: a full one is a fault now, not a dying process later."""
    np.lib.format.open_memmap(path, "w+", np.float32, shape).flush()
    reserve(path)


def _holds(folder: Path, recipe: dict[str, Any], shape: tuple[int, ...]) -> bool:
    try:
        require_file(folder / SAMPLES)
        samples = np.load(folder / SAMPLES, mmap_mode="r")
        known = read_json(folder / RECIPE, _Recipe).root
    except (OSError, ValueError, InputError):
        return False
    return known == recipe and samples.shape == shape and samples.dtype == np.float32


def _draw_frame(
    path: Path,
    frame: TrainingFrame,
    samples: Path,
    row: int,
    sampling: SamplingConfig,
    any_pose: bool,
    seed: int,
    changed: Change | None,
) -> None:
    sequence = ShapeStore.open(path)[frame.sequence]
    rng = np.random.default_rng([seed, row])
    drawn = draw_samples(sequence, frame.frame, sampling, rng, any_pose=any_pose)
    np.load(samples, mmap_mode="r+")[row] = drawn if changed is None else changed(frame, drawn)


def draw_samples(
    sequence: ShapeSequence,
    frame: int,
    sampling: SamplingConfig,
    rng: np.random.Generator,
    *,
    any_pose: bool = False,
) -> Float32[np.ndarray, "n values"]:
    """Draw one frame's pool: x, y, z in Ω and the distance, in units of the half extent (paper section 2.3)."""
    half = sequence.grid.half_extent_um
    field = sequence.box(frame)
    boundary = field.tight(margin=1).boundary()
    if boundary is None:
        raise EmptyFrame(
            f"{sequence.info.source or sequence.info.name}, frame {frame}: no voxel is inside the cell; "
            "leave the frame out with 'cytoform prepare --frames'"
        )
    surface = boundary.vertices_um
    n_near = round(sampling.near_share * sampling.pool_points)
    near = surface[rng.integers(0, len(surface), n_near)] / half - 1
    sigma = np.resize(sampling.near_sigma, n_near)  # the widths in turn
    near += rng.normal(0, sigma[:, None], near.shape)
    n_far = sampling.pool_points - n_near
    n_dims = field.grid.n_dims
    far = _within_the_ball(n_far, rng, n_dims) if any_pose else rng.uniform(-1, 1, (n_far, n_dims))
    # Points that left Ω are mirrored back into it, so that the share near the surface does not change.
    points = np.concatenate([_mirror_into_omega(near), far]).astype(np.float32)
    points = points[rng.permutation(len(points))]
    distance_um = _distance_at((points + 1) * half, field, surface, band_um=sequence.band_um)
    distance = np.clip(distance_um / half, -sampling.truncation, sampling.truncation)
    return np.column_stack([points, distance]).astype(np.float32)


def _mirror_into_omega(points: Float[np.ndarray, "n dims"]) -> Float[np.ndarray, "n dims"]:
    return 1 - np.abs((points + 1) % 4 - 2)


def _within_the_ball(n: int, rng: np.random.Generator, n_dims: int) -> Float[np.ndarray, "n {n_dims}"]:
    """Points in the ball around Ω, at radii drawn evenly: the ball in Ω gets as large a share as it does of Ω."""
    directions = rng.normal(size=(n, n_dims))
    return directions / np.linalg.norm(directions, axis=1, keepdims=True) * rng.uniform(0, np.sqrt(n_dims), (n, 1))


def _distance_at(
    points_xyz_um: Float[np.ndarray, "n dims"],
    field: BoxedField,
    surface_xyz_um: Float[np.ndarray, "vertices dims"],
    *,
    band_um: float,
) -> Float[np.ndarray, " n"]:
    """Distance at continuous points: interpolated within the stored band, to the nearest surface vertex beyond it."""
    spacing_um = field.grid.spacing_um
    index = points_xyz_um[:, ::-1].T / spacing_um - 0.5 - np.array(field.corner_zyx)[:, None]
    # Outside the box, its nearest voxel is at the end of the band, or the box ends with the cube.
    in_cube = np.all(np.abs(points_xyz_um / field.grid.half_extent_um - 1) <= 1, axis=1)
    distance = map_coordinates(field.box_sdf_um, index, order=1, mode="nearest").astype(float)
    # Closer to the end of the band, a corner of the voxel that is interpolated in may be truncated.
    beyond = ~in_cube | (np.abs(distance) > band_um - np.sqrt(field.grid.n_dims) * spacing_um)
    # Far points search a tree of plain halves of space two to three times as fast as one fitted to the vertices.
    tree = cKDTree(surface_xyz_um, balanced_tree=False, compact_nodes=False)
    to_vertex, _ = tree.query(points_xyz_um[beyond])
    distance[beyond] = np.copysign(to_vertex, distance[beyond])
    return distance
