"""The families of a scene: drawn, rendered once in the scene's resolution, and taken apart into cells."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Integer

from cytoform.base.files import write_json
from cytoform.errors import InputError
from cytoform.scenes.actors import is_run, load_cells
from cytoform.scenes.bodies import Body, BoxWriter, Shape, own_field
from cytoform.scenes.pieces import Follower, Member, find_pieces
from cytoform.scenes.posing import Acting, Role, act
from cytoform.shapes.store import ShapeStore

# Streams of random numbers of a family.
PROPS, AGES = 1, 2


@dataclass(frozen=True)
class Stage:
    """What every family of a scene has in common."""

    sources: tuple[Path, ...]
    n_frames: int
    time_step_s: float
    spacing_um: float
    depth_um: float | None
    device: str
    # Where the cells are kept.
    folder: Path

    def boxes(self, family: int) -> Path:
        """The shapes of a family's cells."""
        return self.folder / f"{family:05d}.bin"

    def record(self, family: int) -> Path:
        """What is known of a family, once it is complete."""
        return self.folder / f"{family:05d}.json"


def draw_roles(sources: Sequence[Path], firsts: Sequence[int], *, prior: str, device: str, seed: int) -> list[Role]:
    """A role for every entry of `firsts`, each source in turn. Sequences of a store come in turn, in random order."""
    n_of = [len(range(number, len(firsts), len(sources))) for number in range(len(sources))]
    parts = [
        iter(_parts(source, n, prior=prior, device=device, rng=np.random.default_rng([seed, number])))
        for number, (source, n) in enumerate(zip(sources, n_of, strict=True))
    ]
    roles = []
    for family, first in enumerate(firsts):
        source = family % len(sources)
        sequence, code = next(parts[source])
        roles.append(Role(family, source, sequence, code, first, (seed, family)))
    return roles


def _parts(
    source: Path, n: int, *, prior: str, device: str, rng: np.random.Generator
) -> list[tuple[str, tuple[float, ...]]]:
    """Names of sequences or codes."""
    if not is_run(source):
        names = ShapeStore.open(source).names
        if not names:
            raise InputError(f"{source}: an empty shape store; prepare some cells")
        order = [number for _ in range(-(-n // len(names))) for number in rng.permutation(len(names)).tolist()]
        return [(names[number], ()) for number in order[:n]]
    drawn = load_cells(source, device).prior(prior).draw(n, rng)
    if drawn.variables:
        raise InputError(f"--prior {prior}: draws more than a code, which scenes cannot use; choose another prior")
    return [("", tuple(float(value) for value in cell.code)) for cell in drawn]


def render_family(role: Role, stage: Stage) -> None:
    """Write the cells of a family and its record, unless that is there."""
    if stage.record(role.family).exists():
        return
    acting = act(
        role,
        stage.sources[role.source],
        spacing_um=stage.spacing_um,
        depth_um=stage.depth_um,
        device=stage.device,
        rng=np.random.default_rng([*role.seed, PROPS]),
    )
    times = schedule(acting, role, stage)
    poses, which = np.unique(times, return_inverse=True)
    bodies = _write_bodies(acting, role, stage, poses, which)
    write_json(stage.record(role.family), {"bodies": [asdict(body) for body in bodies]})


def read_bodies(stage: Stage, families: int) -> list[Body]:
    """The cells of all families, those of each in the order in which they were born."""
    bodies = []
    for family in range(families):
        for body in json.loads(stage.record(family).read_text())["bodies"]:
            shapes = tuple(Shape(**_with_tuples(shape)) for shape in body.pop("shapes"))
            bodies.append(Body(**body, shapes=shapes))
    return bodies


def _with_tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}


def schedule(acting: Acting, role: Role, stage: Stage) -> Float[np.ndarray, " frames"]:
    """Which of its own frames a family is in, from its first frame of the scene to the last.

    A family that divides does so in a frame of the scene that is drawn at random, and keeps its first shape before its
    sequence begins and its last after that ends. Any other goes back and forth in time, from a random moment on.
    """
    rng = np.random.default_rng([*role.seed, AGES])
    n, last = stage.n_frames - role.first, acting.actor.n_frames - 1
    per_frame = stage.time_step_s / (acting.actor.time_step_s or stage.time_step_s)
    if acting.division is not None:
        # The moment of division falls between two frames.
        begin = acting.division - 0.5 - (int(rng.integers(1, max(n, 2))) - 0.5) * per_frame
        times = np.clip(begin + np.arange(n) * per_frame, 0, last)
    elif last == 0:
        times = np.zeros(n)
    else:
        phase = (rng.integers(2 * last) + np.arange(n) * per_frame) % (2 * last)
        times = np.minimum(phase, 2 * last - phase)
    # Equal times are to be one shape.
    return np.asarray(np.round(times, 6))


def _write_bodies(
    acting: Acting,
    role: Role,
    stage: Stage,
    poses: Float[np.ndarray, " poses"],
    which: Integer[np.ndarray, " frames"],
) -> list[Body]:
    """Write the shapes of every cell, from the last to the first: which piece is whose shows only so."""
    follower = Follower(len(poses), divides=acting.division is not None)
    shapes: dict[int, dict[int, Shape]] = {}
    with BoxWriter(stage.boxes(role.family)) as boxes:
        for pose in reversed(range(len(poses))):
            shape = acting.actor.shape(float(poses[pose]))
            pieces = find_pieces(shape)
            if not pieces.n:
                where = f"{stage.sources[role.source]}, {acting.actor.name}"
                raise InputError(f"{where}: a frame without a cell; draw another --seed")
            owners = follower.step_back(pieces)
            for member in sorted(set(owners.tolist())):
                mine = np.concatenate([[False], owners == member])[pieces.labels]
                shapes.setdefault(member, {})[pose] = boxes.add(own_field(shape, mine))
    ordered = sorted(follower.members, key=lambda member: (member.first, member.number))
    return [_body(member, role, which, shapes[member.number]) for member in ordered]


def _body(member: Member, role: Role, which: Integer[np.ndarray, " frames"], shapes: dict[int, Shape]) -> Body:
    # A family that divides goes forward in time only, and any other is one cell: there are no gaps.
    frames = np.flatnonzero((which >= member.first) & (which <= member.last))
    first = role.first + int(frames[0])
    return Body(role.family, member.number, member.parent, first, tuple(shapes[int(which[frame])] for frame in frames))
