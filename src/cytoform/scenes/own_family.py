"""The family in which a cell of a lineage divides: its mother and daughters by frame of the scene."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from cytoform.errors import InputError
from cytoform.scenes.bodies import own_field
from cytoform.scenes.families import FamilySettings
from cytoform.scenes.interphase import scaled, size_of
from cytoform.scenes.pieces import Follower, Member, find_pieces
from cytoform.scenes.posing import FamilyDraw, PosedFamily
from cytoform.shapes.box import BoxedField


@dataclass(frozen=True)
class Daughter:
    """A daughter in her mother's family: her shape in a frame of the scene."""

    family: "OwnFamily"
    slot: int
    # Added to places in the family's cube.
    moved_um: Float[np.ndarray, " dims"]

    def field(self, frame: float) -> BoxedField:
        """Her shape, or the nearest one that there is."""
        return self.family.field(self.slot, frame)


@dataclass(frozen=True)
class OwnFamily:
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
        cls, drawn: FamilyDraw, settings: FamilySettings, *, at: float, first: int, born: BoxedField | None
    ) -> "OwnFamily":
        """A family from frame `first` of the scene on, posed and rendered; `born` is its cell at birth, where that is seen."""
        posed = settings.pose(drawn)
        empty = cls(posed, settings.frames_passed(posed), at, born is not None, settings.n_frames, {})
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

    def daughters(self, moved_um: Float[np.ndarray, " dims"]) -> list[Daughter]:
        """Both daughters, as their mother was moved."""
        return [Daughter(self, slot, moved_um) for slot in (1, 2)]


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
