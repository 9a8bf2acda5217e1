"""Lineages of a scene: every cell grows from a daughter of one drawn family into the mother of the next.

A cell has a family of its own, in which it divides. Its shapes are, one after the other: those of a daughter of its
mother's family, to the end of that family's sequence; shapes between (see `interphase`); those of the mother in its own
family, from the beginning of its sequence to the division.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from cytoform.base.files import write_json
from cytoform.base.triples import floats
from cytoform.scenes.bodies import Body, BoxWriter, Shape
from cytoform.scenes.cycles import Cycle, Life, draw_lives
from cytoform.scenes.families import FamilySettings, code_of, draw_cast
from cytoform.scenes.interphase import centroid_voxels, grown, shortest_turn, shrunk
from cytoform.scenes.own_family import Daughter, OwnFamily
from cytoform.scenes.posing import FamilyDraw
from cytoform.shapes.box import BoxedField

# Streams of random numbers of a lineage.
LIVES, FATES = 3, 5
# A dying cell rounds up and shrinks for so long.
DYING_S = 3600.0


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
        draw_lives(
            first, n_frames, cycle, *(np.random.default_rng([seed, family, stream]) for stream in (LIVES, FATES))
        )
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
        before = _family(drawn, 0, settings, drawn.first, None)
        # Where the family before has no division, the first cell stands alone from the start.
        young = before.daughters(np.zeros(before.n_dims)) if before.divides else [None]
        waiting = [(drawn.lives[1], drawn.first, young[0])]
        while waiting:
            life, first, early = waiting.pop(0)
            family = _family(drawn, life.number, settings, first, early)
            cell = _Cell(family, early, life, first, DYING_S / settings.time_step_s)
            # A family may fall apart a little before its moment of division: a life without daughters stays whole.
            children = [each for each in drawn.lives if each.parent == life.number]
            last = family.last_frame(first) if children else _last_alive(life, first, settings.n_frames)
            shapes = tuple(cell.write(frame, boxes) for frame in range(first, last + 1))
            bodies.append(Body(drawn.family, life.number, life.parent or None, first, shapes))
            if children and last + 1 < settings.n_frames:
                born = zip(children, family.daughters(cell.moved_um), strict=True)
                waiting += [(child, last + 1, daughter) for child, daughter in born]
    write_json(settings.record(drawn.family), {"bodies": [asdict(body) for body in bodies]})


def _last_alive(life: Life, first: int, n_frames: int) -> int:
    return max(int(np.ceil(min(life.dies, n_frames))) - 1, first)


def _family(drawn: LineageDraw, number: int, settings: FamilySettings, first: int, young: Daughter | None) -> OwnFamily:
    born = None if young is None else young.field(first)
    return OwnFamily.of(drawn.families[number], settings, at=drawn.lives[number].divides, first=first, born=born)


@dataclass(frozen=True)
class _Cell:
    """A cell of the scene: a daughter that grows into the mother of its own family."""

    family: OwnFamily
    young: Daughter | None
    life: Life
    first: int
    # Frames from the first sign of death to the end, in a long life.
    dying: float

    def _growth(self, young: Daughter) -> tuple[float, float]:
        """The frames of the scene between which it grows: after its birth's sequence, and before its own begins."""
        end, begin = young.family.frame(young.family.last), self.family.frame(0)
        middle = (end + begin) / 2
        return min(end, middle), max(begin, middle)

    @cached_property
    def _turn(self) -> Rotation:
        """From the direction of the daughter to that of the mother; one for the whole time, as round cells have none."""
        if self.young is None:
            return Rotation.identity()
        begin, end = self._growth(self.young)
        return shortest_turn(self.young.field(begin), self.family.field(0, end))

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
        field, moved_um = self._field(self._stopped(frame))
        # In the last frame before its end it has shrunk as far as it will.
        share = (frame + 1 - self.life.dies) / min(self.dying, self.life.dies - self.first) + 1
        return _moved(boxes.add(field if share <= 0 else shrunk(field, min(share, 1.0))), moved_um)

    def _field(self, frame: float) -> tuple[BoxedField, Float[np.ndarray, " dims"]]:
        share = self._share(frame)
        if self.young is not None and share == 0:
            return self.young.field(frame), self.young.moved_um
        old = self.family.field(0, frame)
        if self.young is None or share == 1:
            return old, self.moved_um
        return grown(self.young.field(frame), old, share, self._turn), self.moved_um

    def _stopped(self, frame: int) -> float:
        """The frame, or an earlier one in which a quiescent cell stopped to grow."""
        if self.young is None or self.life.rests is None:
            return frame
        begin, end = self._growth(self.young)
        return min(float(frame), begin + self.life.rests * (end - begin))

    def _share(self, frame: float) -> float:
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
