"""Lineages of a scene: every cell grows from a daughter of one drawn family into the mother of the next.

A cell has a family of its own, in which it divides. Its shapes are, one after the other: those of a daughter of its
mother's family, to the end of that family's sequence; shapes between (see `interphase`); those of the mother in its own
family, from the beginning of its sequence to the division.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float

from cytoform.base.files import write_json
from cytoform.base.triples import floats
from cytoform.errors import InputError
from cytoform.scenes.bodies import Body, BoxWriter, Shape, own_field
from cytoform.scenes.cycles import Cycle, Life, draw_lives
from cytoform.scenes.families import PROPS, FamilySettings, code_of, draw_cast
from cytoform.scenes.interphase import centroid_voxels, grown, scaled, size_of
from cytoform.scenes.pieces import Follower, Member, find_pieces
from cytoform.scenes.posing import FamilyDraw, PosedFamily, pose_family
from cytoform.shapes.box import BoxedField

# A stream of random numbers of a lineage.
LIVES = 3


@dataclass(frozen=True)
class LineageDraw:
    """A lineage as it is drawn, before it is rendered: its cells, and the family in which each divides."""

    family: int
    first: int
    lives: tuple[Life, ...]
    families: tuple[FamilyDraw, ...]


def draw_lineages(
    sources: Sequence[Path],
    firsts: Sequence[int],
    cycle: Cycle,
    *,
    n_frames: int,
    prior: str | None,
    device: str,
    seed: int,
    lasts_s: float,
) -> list[LineageDraw]:
    """Draw a lineage for each first frame in `firsts`, from the sources in turn. Raises InputError."""
    every = [
        draw_lives(first, n_frames, cycle, np.random.default_rng([seed, family, LIVES]))
        for family, first in enumerate(firsts)
    ]
    source_of = [family % len(sources) for family, lives in enumerate(every) for _ in lives]
    cast = iter(draw_cast(sources, source_of, prior=prior, device=device, seed=seed, lasts_s=lasts_s))
    draws = []
    for family, (first, lives) in enumerate(zip(firsts, every, strict=True)):
        families = []
        for life in lives:
            sequence, cell = next(cast)
            own = (seed, family, life.number)
            families.append(
                FamilyDraw(family, family % len(sources), sequence, code_of(cell), first, own, cell.variables)
            )
        draws.append(LineageDraw(family, first, lives, tuple(families)))
    return draws


def render_lineage(drawn: LineageDraw, settings: FamilySettings) -> None:
    """Write the cells of a lineage and then its record, unless the record exists."""
    if settings.record(drawn.family).exists():
        return
    bodies: list[Body] = []
    with BoxWriter(settings.boxes(drawn.family)) as boxes:
        before = _Family.of(drawn, 0, settings, drawn.first, None)
        # Where the family before has no division, the first cell stands alone from the start.
        young = before.daughters(np.zeros(before.n_dims)) if before.divides else [None]
        waiting = [(drawn.lives[1], drawn.first, young[0])]
        while waiting:
            life, first, early = waiting.pop(0)
            family = _Family.of(drawn, life.number, settings, first, None if early is None else early.field(first))
            cell = _Cell(family, early, first)
            last = family.last_frame(first)
            shapes = tuple(cell.write(frame, boxes) for frame in range(first, last + 1))
            bodies.append(Body(drawn.family, life.number, life.parent or None, first, shapes))
            if last + 1 < settings.n_frames:
                children = [each for each in drawn.lives if each.parent == life.number]
                born = zip(children, family.daughters(cell.moved_um), strict=True)
                waiting += [(child, last + 1, daughter) for child, daughter in born]
    write_json(settings.record(drawn.family), {"bodies": [asdict(body) for body in bodies]})


@dataclass(frozen=True)
class _Daughter:
    """A daughter in her mother's family: her shape in a frame of the scene."""

    family: "_Family"
    slot: int
    # Added to places in the family's cube.
    moved_um: Float[np.ndarray, " dims"]

    def field(self, frame: float) -> BoxedField:
        return self.family.field(self.slot, frame)


@dataclass(frozen=True)
class _Family:
    """A drawn family in which a cell of the scene divides, by frame of the scene.

    `fields` holds the shapes of the mother (0) and her daughters (1, 2) by time in the family's sequence.
    """

    posed: PosedFamily
    per_frame: float
    # In the scene: the moment of division, or the beginning of a sequence without one.
    at: float
    grows: bool
    n_frames: int
    fields: Mapping[int, Mapping[float, BoxedField]]

    @classmethod
    def of(
        cls, drawn: LineageDraw, number: int, settings: FamilySettings, first: int, born: BoxedField | None
    ) -> "_Family":
        """The family of life `number` from frame `first` on, posed and rendered; `born` is its cell at birth."""
        own = drawn.families[number]
        posed = pose_family(
            own,
            settings.sources[own.source],
            spacing_um=settings.spacing_um,
            depth_um=settings.depth_um,
            device=settings.device,
            rng=np.random.default_rng([*own.seed, PROPS]),
        )
        per_frame = settings.time_step_s / (posed.shapes.time_step_s or settings.time_step_s)
        empty = cls(posed, per_frame, drawn.lives[number].divides, born is not None, settings.n_frames, {})
        # With both ends of the sequence, mother and daughters are known whatever part the scene shows.
        times = {0.0, float(empty.last), *map(empty.time, range(first, settings.n_frames))}
        fields = _split(posed, sorted(times))
        factor = 1.0 if born is None or len(fields) == 1 else _factor(fields[0], born, settings.depth_um)
        return replace(
            empty, fields={slot: {t: scaled(f, factor) for t, f in of.items()} for slot, of in fields.items()}
        )

    @property
    def last(self) -> int:
        """Last frame of the sequence."""
        return self.posed.shapes.n_frames - 1

    @property
    def n_dims(self) -> int:
        """Dimensions of space."""
        return self.posed.shapes.grid.n_dims

    @property
    def divides(self) -> bool:
        """Whether there are daughters."""
        return len(self.fields) > 1

    def time(self, frame: float) -> float:
        """The time in the sequence in a frame of the scene: to and fro in a sequence without a division."""
        passed = (frame - self.at) * self.per_frame
        if self.posed.division is not None:
            return round(float(np.clip(self.posed.division - 0.5 + passed, 0, self.last)), 6)
        if not self.last or (self.grows and passed < 0):
            return 0.0
        phase = passed % (2 * self.last)
        return round(min(phase, 2 * self.last - phase), 6)

    def frame(self, time: float) -> float:
        """The frame of the scene at a time in the sequence; inverse of `time` before it turns back."""
        return self.at + (time - (0.0 if self.posed.division is None else self.posed.division - 0.5)) / self.per_frame

    def field(self, slot: int, frame: float) -> BoxedField:
        """The shape of the mother or a daughter in a frame, or the nearest one that there is."""
        time = self.time(frame)
        return self.fields[slot][min(self.fields[slot], key=lambda known: abs(known - time))]

    def last_frame(self, first: int) -> int:
        """The last frame from `first` on before the division, or of the scene."""
        if not self.divides:
            return self.n_frames - 1
        born = min(self.fields[1])
        return next(
            (frame for frame in range(first, self.n_frames - 1) if self.time(frame + 1) >= born), self.n_frames - 1
        )

    def daughters(self, moved_um: Float[np.ndarray, " dims"]) -> list[_Daughter]:
        """Both daughters, as their mother was moved."""
        return [_Daughter(self, slot, moved_um) for slot in (1, 2)]


def _factor(mother: Mapping[float, BoxedField], born: BoxedField, depth_um: float | None) -> float:
    """How much longer a mother is than drawn: from birth to division, a cell grows by half of its drawn size at division.

    Cells of many kinds add a size that does not depend on the one at birth (the adder; Taheri-Araghi et al. 2015, Curr.
    Biol. 25, 385), so that sizes of a lineage stay together. No mother becomes taller than `depth_um`.
    """
    drawn = size_of(mother[max(mother)])
    factor = ((size_of(born) + drawn / 2) / drawn) ** (1 / born.grid.n_dims)
    heights_um = [(f.bounds[0].stop - f.bounds[0].start) * f.grid.spacing_um for f in mother.values()]
    return min(factor, max(1.0, (depth_um or np.inf) / max(heights_um)))


def _split(posed: PosedFamily, times: Sequence[float]) -> dict[int, dict[float, BoxedField]]:
    """The shapes of the mother (0) and her daughters (1, 2) at all times at which they are there."""
    follower = Follower(len(times), divides=posed.division is not None)
    found = []
    for time in reversed(times):
        shape = posed.shapes.shape(time)
        pieces = find_pieces(shape)
        if not pieces.n:
            raise InputError(f"{posed.shapes.name}: a frame without a cell; draw another --seed")
        found.append((time, shape, pieces.labels, follower.step_back(pieces)))
    slots = _slots(follower.members)
    fields: dict[int, dict[float, BoxedField]] = {}
    for time, shape, labels, owners in reversed(found):
        slot_of = np.array([-1, *(slots[owner] for owner in owners)])[labels]
        for slot in sorted(set(slot_of[slot_of >= 0].tolist())):
            mine = slot_of == slot
            fields.setdefault(slot, {})[time] = own_field(shape, mine).tight(margin=1)
    return fields


def _slots(members: Sequence[Member]) -> dict[int, int]:
    """By number: 0 for the mother of all, 1 and 2 for her daughters, with all that come from them."""
    root = min(members, key=lambda member: member.first).number
    daughters = [member.number for member in members if member.parent == root]
    parents = {member.number: member.parent for member in members}
    slots = {}
    for number in parents:
        above: int | None = number
        while above is not None and above not in daughters:
            above = parents[above]
        slots[number] = 0 if above is None or len(daughters) < 2 else 1 + daughters.index(above) % 2
    return slots


@dataclass(frozen=True)
class _Cell:
    """A cell of the scene: a daughter that grows into the mother of its own family."""

    family: _Family
    young: _Daughter | None
    first: int

    def _growth(self, young: _Daughter) -> tuple[float, float]:
        """The frames of the scene between which it grows: after its birth's sequence, and before its own begins."""
        end, begin = young.family.frame(young.family.last), self.family.frame(0)
        middle = (end + begin) / 2
        return max(min(end, middle), self.first), max(begin, middle)

    @cached_property
    def moved_um(self) -> Float[np.ndarray, " dims"]:
        """What is added to places in the cube of its own family, so that it stays where the daughter was."""
        if self.young is None:
            return np.zeros(self.family.n_dims)
        begin, end = self._growth(self.young)
        young, old = self.young.field(begin), self.family.field(0, end)
        return self.young.moved_um + _centroid_um(young) - _centroid_um(old)

    def write(self, frame: int, boxes: BoxWriter) -> Shape:
        """Write its shape in a frame of the scene."""
        share = self._share(frame)
        if self.young is not None and share == 0:
            return _moved(boxes.add(self.young.field(frame)), self.young.moved_um)
        old = self.family.field(0, frame)
        field = old if self.young is None or share == 1 else grown(self.young.field(frame), old, share)
        return _moved(boxes.add(field), self.moved_um)

    def _share(self, frame: int) -> float:
        if self.young is None:
            return 1.0
        begin, end = self._growth(self.young)
        return float(np.clip((frame - begin) / (end - begin), 0, 1)) if end > begin else float(frame >= end)


def _centroid_um(field: BoxedField) -> Float[np.ndarray, " dims"]:
    return np.asarray(centroid_voxels(field) * field.grid.spacing_um - field.grid.half_extent_um)


def _moved(shape: Shape, by_um: Float[np.ndarray, " dims"]) -> Shape:
    low, high, centroid, origin = (
        floats(np.add(place, by_um))
        for place in (shape.low_zyx_um, shape.high_zyx_um, shape.centroid_zyx_um, shape.origin_zyx_um)
    )
    return replace(shape, low_zyx_um=low, high_zyx_um=high, centroid_zyx_um=centroid, origin_zyx_um=origin)
