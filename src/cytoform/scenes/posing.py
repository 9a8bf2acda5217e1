"""Rotate a cell family at random so that it fits into the scene, and find when it divides."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from cytoform.errors import InputError
from cytoform.scenes.pieces import Follower, find_pieces
from cytoform.scenes.sources import Enlarged, FromRun, FromStore, ShapeSource, is_run, load_cells
from cytoform.shapes.box import BoxedField
from cytoform.shapes.grid import Grid
from cytoform.shapes.store import ShapeStore

if TYPE_CHECKING:
    from cytoform.synthesis.cells import Cells

TRIES = 100


@dataclass(frozen=True)
class FamilyDraw:
    """A family of the scene as it is drawn, before it is rendered."""

    family: int
    # Index of the run or store in the request.
    source: int
    # A sequence of a store, or a latent code of a run; the other one is empty.
    sequence: str
    code: tuple[float, ...]
    # First frame in the scene.
    first: int
    seed: tuple[int, ...]
    # Drawn by the prior beside the code.
    variables: Mapping[str, Float[np.ndarray, "..."]] = field(default_factory=dict)
    # How many times as long as drawn its cells are.
    factor: float = 1.0


@dataclass(frozen=True)
class PosedFamily:
    """A family in its final rotation; `division` is its first frame with more than one cell, None without a division."""

    shapes: ShapeSource
    division: int | None


def pose_family(
    drawn: FamilyDraw, source: Path, *, spacing_um: float, depth_um: float | None, device: str, rng: np.random.Generator
) -> PosedFamily:
    """Rotate a family at random until it is at most `depth_um` tall in all its frames.

    Raises InputError if no rotation is found.
    """
    for _ in range(TRIES if is_run(source) else 1):
        shapes = _posed(drawn, source, spacing_um / drawn.factor, device, rng)
        if drawn.factor != 1:
            shapes = Enlarged.of(shapes, drawn.factor)
        follower = Follower(shapes.n_frames, divides=True)
        why = ""
        for frame in reversed(range(shapes.n_frames)):
            shape = shapes.trial(frame)
            if why := _unfit(shape, depth_um):
                break
            follower.step_back(find_pieces(shape))
        if not why:
            births = [member.first for member in follower.members if member.parent is not None]
            return PosedFamily(shapes, min(births, default=None))
        if shape.is_empty or not (shapes.has_rotations or shape.is_cut):
            break  # no other rotation helps
    raise InputError(f"{source}, {shapes.name}: {why}; choose a larger --size, another --seed or other cells")


def _unfit(shape: BoxedField, depth_um: float | None) -> str:
    """Why a shape does not fit into the scene; empty if it does."""
    if shape.is_empty:
        return "a frame without a cell"
    along_z = shape.bounds[0]
    height_um = (along_z.stop - along_z.start) * shape.grid.spacing_um
    if depth_um is not None and height_um > depth_um:
        return f"it is {height_um:.3g} µm tall and the scene {depth_um:.3g} µm deep"
    return "the cube cuts it in every pose" if shape.is_cut else ""


def _posed(drawn: FamilyDraw, source: Path, spacing_um: float, device: str, rng: np.random.Generator) -> ShapeSource:
    if is_run(source):
        return _of_run(drawn, source, spacing_um, device, rng)
    return FromStore.of(ShapeStore.open(source)[drawn.sequence], int(rng.integers(4)))


def _of_run(drawn: FamilyDraw, source: Path, spacing_um: float, device: str, rng: np.random.Generator) -> FromRun:
    from cytoform.synthesis.sequences import like_of_new

    cells = load_cells(source, device)
    learned = cells.run.learned
    like = like_of_new(cells, drawn.family, float(drawn.variables.get("span", 1.0)))
    size = int(np.ceil(2 * learned.half_extent_um / spacing_um - 1e-9))
    if drawn.variables:
        # The scene interpolates between voxels; protrusions as thin as a voxel of the scene would not survive that.
        size = max(size, learned.grid)
    code = np.array(drawn.code, np.float32)
    return FromRun(
        f"family {drawn.family}",
        Grid(size, learned.half_extent_um, learned.dimensions),
        like.n_frames,
        like.time_step_s,
        cells.run.config.has_rotations,
        cells.field(code, rotation=_rotation(cells, rng), variables=drawn.variables),
        spacing_um,
    )


def _rotation(cells: "Cells", rng: np.random.Generator) -> Float[np.ndarray, " 4"]:
    """A unit quaternion: any rotation if the run was trained on aligned cells, else a rotation about the optical axis."""
    from cytoform.representations.rotation import FREE

    if cells.run.config.has_rotations:
        drawn = rng.normal(size=4) * FREE[cells.run.learned.dimensions]
        return (drawn / np.linalg.norm(drawn)).astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    return np.array([np.cos(angle / 2), 0, 0, np.sin(angle / 2)], np.float32)
