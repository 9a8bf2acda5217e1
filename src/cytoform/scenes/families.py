"""The cell families of a scene: drawn, rendered at the scene's resolution, and split into cells."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Integer

from cytoform.base.files import write_json
from cytoform.errors import InputError
from cytoform.scenes.bodies import Body, BoxWriter, Shape, own_field
from cytoform.scenes.pieces import Follower, Member, find_pieces
from cytoform.scenes.posing import FamilyDraw, PosedFamily, pose_family
from cytoform.scenes.sources import is_run, load_cells
from cytoform.shapes.store import ShapeStore

# Streams of random numbers of a family.
PROPS, AGES = 1, 2


@dataclass(frozen=True)
class FamilySettings:
    """Settings that all families of a scene share."""

    sources: tuple[Path, ...]
    n_frames: int
    time_step_s: float
    spacing_um: float
    depth_um: float | None
    device: str
    # For the rendered cells.
    folder: Path

    def boxes(self, family: int) -> Path:
        """File with the shapes of a family's cells."""
        return self.folder / f"{family:05d}.bin"

    def record(self, family: int) -> Path:
        """File with the cells of a family, written last."""
        return self.folder / f"{family:05d}.json"


def draw_families(
    sources: Sequence[Path], firsts: Sequence[int], *, prior: str, device: str, seed: int
) -> list[FamilyDraw]:
    """Draw a family for each first frame in `firsts`, from the sources in turn.

    From a store come its sequences in random order, again from the start when all are used.
    """
    n_of = [len(range(number, len(firsts), len(sources))) for number in range(len(sources))]
    parts = [
        iter(_parts(source, n, prior=prior, device=device, rng=np.random.default_rng([seed, number])))
        for number, (source, n) in enumerate(zip(sources, n_of, strict=True))
    ]
    draws = []
    for family, first in enumerate(firsts):
        source = family % len(sources)
        sequence, code = next(parts[source])
        draws.append(FamilyDraw(family, source, sequence, code, first, (seed, family)))
    return draws


def _parts(
    source: Path, n: int, *, prior: str, device: str, rng: np.random.Generator
) -> list[tuple[str, tuple[float, ...]]]:
    """`n` pairs of a sequence name and a code; one of the two is empty."""
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


def render_family(drawn: FamilyDraw, settings: FamilySettings) -> None:
    """Write the cells of a family and then its record, unless the record exists."""
    if settings.record(drawn.family).exists():
        return
    posed = pose_family(
        drawn,
        settings.sources[drawn.source],
        spacing_um=settings.spacing_um,
        depth_um=settings.depth_um,
        device=settings.device,
        rng=np.random.default_rng([*drawn.seed, PROPS]),
    )
    times = schedule(posed, drawn, settings)
    poses, which = np.unique(times, return_inverse=True)
    bodies = _write_bodies(posed, drawn, settings, poses, which)
    write_json(settings.record(drawn.family), {"bodies": [asdict(body) for body in bodies]})


def read_bodies(settings: FamilySettings, families: int) -> list[Body]:
    """The cells of all families, by family and by birth."""
    bodies = []
    for family in range(families):
        for body in json.loads(settings.record(family).read_text())["bodies"]:
            shapes = tuple(Shape(**_with_tuples(shape)) for shape in body.pop("shapes"))
            bodies.append(Body(**body, shapes=shapes))
    return bodies


def _with_tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}


def schedule(posed: PosedFamily, drawn: FamilyDraw, settings: FamilySettings) -> Float[np.ndarray, " frames"]:
    """The time in a family's own sequence, in frames, for each frame of the scene from its first on.

    A dividing family divides in a random frame of the scene; its first shape stands before its sequence begins, its last
    shape after the sequence ends. Any other family plays forwards and backwards from a random time on.
    """
    rng = np.random.default_rng([*drawn.seed, AGES])
    n, last = settings.n_frames - drawn.first, posed.shapes.n_frames - 1
    per_frame = settings.time_step_s / (posed.shapes.time_step_s or settings.time_step_s)
    if posed.division is not None:
        # The moment of division falls between two frames.
        begin = posed.division - 0.5 - (int(rng.integers(1, max(n, 2))) - 0.5) * per_frame
        times = np.clip(begin + np.arange(n) * per_frame, 0, last)
    elif last == 0:
        times = np.zeros(n)
    else:
        phase = (rng.integers(2 * last) + np.arange(n) * per_frame) % (2 * last)
        times = np.minimum(phase, 2 * last - phase)
    # Equal times share one shape.
    return np.asarray(np.round(times, 6))


def _write_bodies(
    posed: PosedFamily,
    drawn: FamilyDraw,
    settings: FamilySettings,
    poses: Float[np.ndarray, " poses"],
    which: Integer[np.ndarray, " frames"],
) -> list[Body]:
    """Write the shapes of all cells, from the last to the first, as tracking needs."""
    follower = Follower(len(poses), divides=posed.division is not None)
    shapes: dict[int, dict[int, Shape]] = {}
    with BoxWriter(settings.boxes(drawn.family)) as boxes:
        for pose in reversed(range(len(poses))):
            shape = posed.shapes.shape(float(poses[pose]))
            pieces = find_pieces(shape)
            if not pieces.n:
                where = f"{settings.sources[drawn.source]}, {posed.shapes.name}"
                raise InputError(f"{where}: a frame without a cell; draw another --seed")
            owners = follower.step_back(pieces)
            for member in sorted(set(owners.tolist())):
                mine = np.concatenate([[False], owners == member])[pieces.labels]
                shapes.setdefault(member, {})[pose] = boxes.add(own_field(shape, mine))
    ordered = sorted(follower.members, key=lambda member: (member.first, member.number))
    return [_body(member, drawn, which, shapes[member.number]) for member in ordered]


def _body(member: Member, drawn: FamilyDraw, which: Integer[np.ndarray, " frames"], shapes: dict[int, Shape]) -> Body:
    # No gaps: a dividing family only plays forwards, and any other is one cell.
    frames = np.flatnonzero((which >= member.first) & (which <= member.last))
    first = drawn.first + int(frames[0])
    return Body(drawn.family, member.number, member.parent, first, tuple(shapes[int(which[frame])] for frame in frames))
