"""A family in the pose in which it appears, and when it divides."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from cytoform.errors import InputError
from cytoform.scenes.actors import Actor, FromRun, FromStore, is_run, load_cells
from cytoform.scenes.pieces import Follower, find_pieces
from cytoform.shapes.box import BoxedField
from cytoform.shapes.grid import Grid
from cytoform.shapes.store import ShapeStore

if TYPE_CHECKING:
    from cytoform.synthesis.cells import Cells

TRIES = 100


@dataclass(frozen=True)
class Role:
    """What is drawn of a family before it is rendered."""

    family: int
    # Number of its source among those of the scene.
    source: int
    # Name of a sequence, or a code.
    sequence: str
    code: tuple[float, ...]
    # First frame of the scene that it is in.
    first: int
    seed: tuple[int, ...]


@dataclass(frozen=True)
class Acting:
    """A family in the pose in which it appears; `division` is its first own frame with more than one cell, if any."""

    actor: Actor
    division: int | None


def act(
    role: Role, source: Path, *, spacing_um: float, depth_um: float | None, device: str, rng: np.random.Generator
) -> Acting:
    """The family of a role, turned at random; not taller than `depth_um` in any of its frames.

    Raises InputError where no pose of the cell is so flat.
    """
    for _ in range(TRIES if is_run(source) else 1):
        actor = _posed(role, source, spacing_um, device, rng)
        follower = Follower(actor.n_frames, divides=True)
        why = ""
        for frame in reversed(range(actor.n_frames)):
            shape = actor.trial(frame)
            if why := _unfit(shape, depth_um):
                break
            follower.step_back(find_pieces(shape))
        if not why:
            births = [member.first for member in follower.members if member.parent is not None]
            return Acting(actor, min(births, default=None))
        if shape.is_empty or not (actor.has_rotations or shape.is_cut):
            break  # no other pose helps
    raise InputError(f"{source}, {actor.name}: {why}; choose a larger --size, another --seed or other cells")


def _unfit(shape: BoxedField, depth_um: float | None) -> str:
    """Why a shape cannot be in a scene, if so."""
    if shape.is_empty:
        return "a frame without a cell"
    along_z = shape.bounds[0]
    height_um = (along_z.stop - along_z.start) * shape.grid.spacing_um
    if depth_um is not None and height_um > depth_um:
        return f"it is {height_um:.3g} µm tall and the scene {depth_um:.3g} µm deep"
    return "the cube cuts it in every pose" if shape.is_cut else ""


def _posed(role: Role, source: Path, spacing_um: float, device: str, rng: np.random.Generator) -> Actor:
    if is_run(source):
        return _of_run(role, source, spacing_um, device, rng)
    return FromStore(ShapeStore.open(source)[role.sequence], int(rng.integers(4)))


def _of_run(role: Role, source: Path, spacing_um: float, device: str, rng: np.random.Generator) -> FromRun:
    cells = load_cells(source, device)
    learned = cells.run.learned
    like = learned.sequences[role.family % len(learned.sequences)]
    size = int(np.ceil(2 * learned.half_extent_um / spacing_um - 1e-9))
    code = np.array(role.code, np.float32)
    return FromRun(
        f"family {role.family}",
        cells.field(code, rotation=_rotation(cells, rng)),
        Grid(size, learned.half_extent_um),
        like.n_frames,
        like.time_step_s,
        cells.run.config.has_rotations,
    )


def _rotation(cells: "Cells", rng: np.random.Generator) -> Float[np.ndarray, " 4"]:
    """Uniform where the run has learned cells in any pose, else about the optical axis, which every microscope allows."""
    if cells.run.config.has_rotations:
        drawn = rng.normal(size=4)
        return (drawn / np.linalg.norm(drawn)).astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    return np.array([np.cos(angle / 2), 0, 0, np.sin(angle / 2)], np.float32)
