"""The cell families of a scene: drawn, rendered at the scene's resolution, and split into cells."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Integer
from scipy.spatial import cKDTree

from cytoform.base.files import write_json
from cytoform.base.gate import Record, read_json
from cytoform.errors import InputError
from cytoform.priors.prior import DrawnCell
from cytoform.scenes.bodies import ANEW, Body, BoxWriter, Protrusion, Shape, own_field
from cytoform.scenes.pieces import Follower, Member, Pieces, find_pieces
from cytoform.scenes.posing import FamilyDraw, PosedFamily, pose_family
from cytoform.scenes.sources import is_run, load_cells, prior_choice
from cytoform.shapes.grid import Grid
from cytoform.shapes.store import ShapeStore

if TYPE_CHECKING:
    from cytoform.synthesis.cells import Cells

# Streams of random numbers of a family.
PROPS, AGES = 1, 2
LONGEST_SPAN = 20.0  # of the movies of new cells, in learned movies


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

    def pose(self, drawn: FamilyDraw) -> PosedFamily:
        """A drawn family in a rotation in which it fits into the scene. Raises InputError if there is none."""
        return pose_family(
            drawn,
            self.sources[drawn.source],
            spacing_um=self.spacing_um,
            depth_um=self.depth_um,
            device=self.device,
            rng=np.random.default_rng([*drawn.seed, PROPS]),
        )

    def frames_passed(self, posed: PosedFamily) -> float:
        """How many frames of a family's own sequence pass in a frame of the scene."""
        return self.time_step_s / (posed.shapes.time_step_s or self.time_step_s)


def draw_families(
    sources: Sequence[Path], firsts: Sequence[int], *, prior: str | None, device: str, seed: int, lasts_s: float = 0.0
) -> list[FamilyDraw]:
    """Draw a family for each first frame in `firsts`, from the sources in turn, for a scene of `lasts_s` seconds.

    From a store come its sequences in random order, again from the start when all are used.
    """
    source_of = [family % len(sources) for family in range(len(firsts))]
    cast = draw_cast(sources, source_of, prior=prior, device=device, seed=seed, lasts_s=lasts_s)
    return [
        FamilyDraw(family, source, sequence, code_of(cell), first, (seed, family), cell.variables)
        for family, (first, source, (sequence, cell)) in enumerate(zip(firsts, source_of, cast, strict=True))
    ]


def draw_cast(
    sources: Sequence[Path], source_of: Sequence[int], *, prior: str | None, device: str, seed: int, lasts_s: float
) -> list[tuple[str, DrawnCell]]:
    """Draw a sequence name or a cell, the other one empty, from the source with each number in `source_of`."""
    parts = [
        iter(
            _parts(
                source,
                source_of.count(number),
                prior=prior,
                device=device,
                lasts_s=lasts_s,
                rng=np.random.default_rng([seed, number]),
            )
        )
        for number, source in enumerate(sources)
    ]
    return [next(parts[number]) for number in source_of]


def code_of(cell: DrawnCell) -> tuple[float, ...]:
    """The code of a drawn cell, as a scene records it."""
    return tuple(float(value) for value in cell.code)


def _parts(
    source: Path, n: int, *, prior: str | None, device: str, lasts_s: float, rng: np.random.Generator
) -> list[tuple[str, DrawnCell]]:
    """`n` pairs of a sequence name and a drawn cell; one of the two is empty."""
    if not is_run(source):
        names = ShapeStore.open(source).names
        if not names:
            raise InputError(f"{source}: an empty shape store; prepare some cells")
        order = [number for _ in range(-(-n // len(names))) for number in rng.permutation(len(names)).tolist()]
        return [(names[number], DrawnCell(np.empty(0))) for number in order[:n]]
    from cytoform.synthesis.choice import whole_cells
    from cytoform.synthesis.compose import Composed

    cells = load_cells(source, device)
    chosen = prior_choice(cells, prior)
    fitted = chosen.fitted(cells)
    if isinstance(fitted, Composed):
        fitted = replace(fitted, span=_span(cells, lasts_s))
    return [("", cell) for cell in whole_cells(cells, fitted, n, chosen.most_pieces, rng)]


def _span(cells: "Cells", lasts_s: float) -> float:
    """How long movies of new cells have to be, in learned movies, so that none goes backwards in a scene."""
    needed = [
        np.ceil(round(lasts_s / each.time_step_s, 6)) / (each.n_frames - 1)
        for each in cells.run.learned.sequences
        if each.time_step_s and each.n_frames > 1
    ]
    return float(np.clip(max(needed, default=1), 1, LONGEST_SPAN))


def render_family(drawn: FamilyDraw, settings: FamilySettings) -> None:
    """Write the cells of a family and then its record, unless the record exists."""
    if settings.record(drawn.family).exists():
        return
    posed = settings.pose(drawn)
    times = schedule(posed, drawn, settings)
    poses, which = np.unique(times, return_inverse=True)
    bodies = _write_bodies(posed, drawn, settings, poses, which)
    write_json(settings.record(drawn.family), {"bodies": [asdict(body) for body in bodies]})


def read_bodies(settings: FamilySettings, families: int) -> list[Body]:
    """The cells of all families, by family and by birth."""
    return [
        body for family in range(families) for body in read_json(settings.record(family), _Bodies, remedy=ANEW).bodies
    ]


class _Bodies(Record):
    bodies: tuple[Body, ...]


def schedule(posed: PosedFamily, drawn: FamilyDraw, settings: FamilySettings) -> Float[np.ndarray, " frames"]:
    """The time in a family's own sequence, in frames, for each frame of the scene from its first on.

    A dividing family divides in a random frame of the scene; its first shape stands before its sequence begins, its last
    shape after the sequence ends. Any other family plays forwards and backwards from a random time on. Cells with movies
    of any length play forwards only, where theirs is long enough.
    """
    rng = np.random.default_rng([*drawn.seed, AGES])
    n, last = settings.n_frames - drawn.first, posed.shapes.n_frames - 1
    per_frame = settings.frames_passed(posed)
    if posed.division is not None:
        # The moment of division falls between two frames.
        begin = posed.division - 0.5 - (int(rng.integers(1, max(n, 2))) - 0.5) * per_frame
        times = np.clip(begin + np.arange(n) * per_frame, 0, last)
    elif last == 0:
        times = np.zeros(n)
    elif "span" in drawn.variables and (spare := round(last - (n - 1) * per_frame, 6)) >= 0:
        times = np.minimum(rng.uniform(0, spare) + np.arange(n) * per_frame, last)
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
            protrusions = posed.shapes.protrusions(float(poses[pose]))
            on_piece = nearest_pieces(protrusions or [], pieces, shape.grid)
            for member in sorted(set(owners.tolist())):
                mine = np.concatenate([[False], owners == member])[pieces.labels]
                own = None
                if protrusions is not None:
                    own = tuple(p for p, piece in zip(protrusions, on_piece, strict=True) if owners[piece] == member)
                shapes.setdefault(member, {})[pose] = boxes.add(own_field(shape, mine), own)
    ordered = sorted(follower.members, key=lambda member: (member.first, member.number))
    return [_body(member, drawn, which, shapes[member.number]) for member in ordered]


def nearest_pieces(protrusions: Sequence[Protrusion], pieces: Pieces, grid: Grid) -> list[int]:
    """The piece that each protrusion stands on: the one nearest to its root, counted from 0."""
    if pieces.n == 1 or not protrusions:
        return [0] * len(protrusions)
    voxels = np.argwhere(pieces.labels)
    places = np.array([each.root_zyx_um for each in protrusions]) + grid.half_extent_um
    nearest = cKDTree(voxels).query(places / grid.spacing_um - 0.5 - pieces.corner_zyx)[1]
    return [int(piece) - 1 for piece in pieces.labels[tuple(voxels[nearest].T)]]


def _body(member: Member, drawn: FamilyDraw, which: Integer[np.ndarray, " frames"], shapes: dict[int, Shape]) -> Body:
    # No gaps: a dividing family only plays forwards, and any other is one cell.
    frames = np.flatnonzero((which >= member.first) & (which <= member.last))
    first = drawn.first + int(frames[0])
    return Body(drawn.family, member.number, member.parent, first, tuple(shapes[int(which[frame])] for frame in frames))
