"""Positions of all cells in all frames: cells move, push each other apart, and never share a voxel."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float

from cytoform.errors import InputError
from cytoform.scenes.bodies import Body, Shape, Taken, taken_by
from cytoform.scenes.contact import Contact
from cytoform.scenes.motion import Guidance, Motion
from cytoform.scenes.room import Room, Vector, too_crowded
from cytoform.shapes.grid import ROOTS

# Positions drawn for a new cell, and rounds of pushing in a frame, before the scene counts as too crowded.
TRIES, ROUNDS = 400, 200
# Free places that a new cell chooses from.
CHOICES = 30
# Cells of a group, where they are to be closer together than by chance: then they lie in groups all over the field.
GROUP = 4
# Mean distance to the nearest of points by chance, by number of dimensions, times the root of their density (Clark and Evans
# 1954, Distance to nearest neighbor as a measure of spatial relationships in populations).
BY_CHANCE = {2: 0.5, 3: 0.554}
# Share of its voxels that a new cell may take from others, to be pushed off them.
MOST_SHARED = 0.25


@dataclass
class Mover:
    """A moving cell: the centre of its cube, and the steps that it would take if it were alone."""

    body: int
    centre_um: Vector
    steps: Iterator[Vector]
    # Its voxels, half the gap included, by the position for which they were last computed.
    taken: dict[bytes, Taken] = field(default_factory=dict)


class Crowd:
    """Moves the bodies of a scene frame by frame."""

    def __init__(
        self,
        bodies: Sequence[Body],
        room: Room,
        folder: Path,
        *,
        motion: Motion,
        n_frames: int,
        seed: int,
        neighbour_um: float | None = None,
        guidance: Guidance = Guidance(),  # noqa: B008 (frozen)
        contact: Contact | None = None,
    ):
        self.bodies = bodies
        self.room = room
        self.folder = folder
        self.motion = motion
        self.n_frames = n_frames
        self.seed = seed
        self.neighbour_um = neighbour_um  # in frame 0, where there is a choice
        self.guidance = guidance
        self.contact = contact  # None: no cell gives way
        self.firm: dict[int, Shape] = {}  # the parts of cells that do not give way in a frame, by body
        self.firmness = 1.0
        self.movers: list[Mover] = []

    def play(self, done: Callable[[], object] = lambda: None) -> list[dict[int, Vector]]:
        """For every frame the cube centres in µm of the bodies present, by body.

        Raises InputError if there is no room for all cells.
        """
        frames = []
        for frame in range(self.n_frames):
            self._soften(frame)
            self._advance(frame)
            self._settle(frame)
            frames.append({mover.body: mover.centre_um.copy() for mover in self.movers})
            done()
        return frames

    def _advance(self, frame: int) -> None:
        """Move every cell one step, replace mothers by daughters, and place new cells."""
        before = {mover.body: mover for mover in self.movers}
        by_name = {(body.family, body.member): number for number, body in enumerate(self.bodies)}
        self.movers = [mover for mover in self.movers if self.bodies[mover.body].last >= frame]
        for mover in self.movers:
            mover.centre_um = mover.centre_um + self._step_um(mover, frame)
            mover.taken.clear()
        newcomers = []
        for number, body in enumerate(self.bodies):
            if body.first != frame:
                continue
            rng = np.random.default_rng([self.seed, body.family, body.member])
            mother = None if body.parent is None else before.get(by_name[body.family, body.parent])
            if mother is None:
                newcomers.append((number, rng))
            else:
                steps = iter(self.motion.steps_um(self.n_frames - frame, rng))
                daughter = Mover(number, mother.centre_um, steps)
                daughter.centre_um = daughter.centre_um + self._step_um(daughter, frame)
                self.movers.append(daughter)
        for n_placed, (number, rng) in enumerate(newcomers):
            self.movers.append(self._placed(number, frame, rng, n_placed))
        self.movers.sort(key=lambda mover: mover.body)

    def _soften(self, frame: int) -> None:
        """Choose the parts of cells that do not give way in a frame, by the sizes of the cells in view in the one before."""
        self.firm = {}
        if self.contact is None:
            return
        in_view = [
            self.bodies[mover.body].shape(frame - 1).size
            for mover in self.movers
            if ((middle := self._middle(mover, frame - 1)) >= 0).all() and (middle <= self.room.size_um).all()
        ]
        begin = [body.shape(frame).size for body in self.bodies if body.first == frame]
        self.firmness = self.contact.firmness(float(sum(in_view or begin)), self.room)

    def _shape(self, body: int, frame: int) -> Shape:
        """The shape of a body, or the part of it that does not give way."""
        if self.contact is None:
            return self.bodies[body].shape(frame)
        if body not in self.firm:
            self.firm[body] = self.bodies[body].shape(frame).about_its_middle(self.firmness)
        return self.firm[body]

    def _step_um(self, mover: Mover, frame: int) -> Vector:
        return self.guidance.followed(next(mover.steps), self._shape(mover.body, frame))

    def _placed(self, number: int, frame: int, rng: np.random.Generator, n_placed: int) -> Mover:
        """Place a new cell at a free position: anywhere in frame 0, just beyond an open border later.

        Where no free one is found, it gets the position where it shares the fewest voxels, and is pushed from there. Raises
        InputError if these are too many.
        """
        shape, fewest, towards = self._shape(number, frame), math.inf, None
        choices = 1 if frame or self._begins_group else CHOICES
        free: list[Mover] = []
        for _ in range(TRIES):
            direction = None
            middle_um = rng.uniform(0, 1, self.room.n_dims) * self.room.size_um
            if frame and any(self.room.open_zyx):
                middle_um, direction = self._beyond(middle_um, shape, rng)
            tried = Mover(number, middle_um - shape.centroid_zyx_um, iter(()))
            self._confine(tried, frame)
            n_shared = self._n_shared(tried, frame, limit=max(fewest, 1))
            if n_shared < fewest:
                mover, fewest, towards = tried, n_shared, direction
            if not n_shared:
                free.append(tried)
            if len(free) == choices:
                break
        if free:
            mover = min(free, key=lambda each: self._misses_um(each, frame))
        if self.contact is None and fewest > MOST_SHARED * self._taken(mover, frame).inside.sum():
            raise self._crowded(f"only {n_placed} find room in frame {frame}")
        mover.steps = iter(self.motion.steps_um(self.n_frames - frame, rng, towards=towards))
        return mover

    @property
    def _begins_group(self) -> bool:
        """Whether the next cell of frame 0 may lie anywhere."""
        if self.neighbour_um is None or not self.movers:
            return True
        n_first = sum(not body.first for body in self.bodies)
        share_um = float(ROOTS[self.room.n_dims](np.prod(self.room.size_um) / n_first))
        return self.neighbour_um < BY_CHANCE[self.room.n_dims] * share_um and len(self.movers) % GROUP == 0

    def _misses_um(self, tried: Mover, frame: int) -> float:
        """By how much a place misses the distance to the nearest neighbour; too close counts twice, as others follow."""
        too_far = self._nearest_um(tried, frame) - (self.neighbour_um or 0.0)
        return max(too_far, -2 * too_far)

    def _nearest_um(self, tried: Mover, frame: int) -> float:
        """Distance to the nearest other cell, from middle to middle."""
        here = self._middle(tried, frame)
        return min((float(np.linalg.norm(self._middle(each, frame) - here)) for each in self.movers), default=0.0)

    def _n_shared(self, tried: Mover, frame: int, *, limit: float) -> int:
        """Voxels that a cell shares with others; counted up to `limit`."""
        n_shared = 0
        for other in self.movers:
            region = self._shared(tried, other, frame)
            n_shared += 0 if region is None else len(region)
            if n_shared >= limit:
                break
        return n_shared

    def _beyond(self, middle_um: Vector, shape: Shape, rng: np.random.Generator) -> tuple[Vector, Vector]:
        """A position just out of view beyond a border, and the direction from there into the scene."""
        axis = int(rng.choice(np.flatnonzero(self.room.open_zyx)))
        side = int(rng.integers(2))
        if self.guidance.drift_um and self.guidance.drift_um[axis]:
            side = int(self.guidance.drift_um[axis] < 0)  # with the drift, not against it
        place, towards = middle_um.copy(), np.zeros(self.room.n_dims)
        past = shape.centroid_zyx_um[axis] - shape.low_zyx_um[axis]
        before = shape.high_zyx_um[axis] - shape.centroid_zyx_um[axis]
        place[axis] = self.room.size_um[axis] + past if side else -before
        towards[axis] = -1 if side else 1
        return place, towards

    def _settle(self, frame: int) -> None:
        """Push cells apart until no two share a voxel."""
        for mover in self.movers:
            self._confine(mover, frame)
        for _ in range(ROUNDS):
            pushes = np.zeros((len(self.movers), self.room.n_dims))
            n_shared = 0
            for one, two in self._near(frame):
                region = self._shared(self.movers[one], self.movers[two], frame)
                if region is None:
                    continue
                n_shared += 1
                push_um = self._push(self.movers[one], self.movers[two], region, frame)
                pushes[one] += push_um / 2
                pushes[two] -= push_um / 2
            if not n_shared:
                return
            for mover, push_um in zip(self.movers, pushes, strict=True):
                if push_um.any():
                    mover.centre_um = mover.centre_um + push_um
                    self._confine(mover, frame)
                    mover.taken.clear()
        if self.contact is None:  # else cells make room as they change their shapes, or are refused then
            raise self._crowded(f"{n_shared} pairs of cells still overlap in frame {frame}")

    def _push(self, one: Mover, two: Mover, region_zyx: Float[np.ndarray, "n dims"], frame: int) -> Vector:
        """Displacement along the line of centres, as long as the shared region and half a voxel."""
        apart = self._middle(one, frame) - self._middle(two, frame)
        length = np.linalg.norm(apart)
        direction = apart / length if length > 0 else np.eye(self.room.n_dims)[-1]
        along = region_zyx * np.array(self.room.spacing_zyx_um) @ direction
        step_um = float(np.abs(direction) @ np.array(self.room.spacing_zyx_um))
        return np.asarray(direction * (np.ptp(along) + 0.5 * step_um))

    def _middle(self, mover: Mover, frame: int) -> Vector:
        return mover.centre_um + self.bodies[mover.body].shape(frame).centroid_zyx_um

    def _confine(self, mover: Mover, frame: int) -> None:
        """Clip the position: inside closed borders, at most just out of view beyond open ones."""
        shape = self._shape(mover.body, frame)
        low, high = np.array(shape.low_zyx_um), np.array(shape.high_zyx_um)
        is_open, voxel = np.array(self.room.open_zyx), np.array(self.room.spacing_zyx_um)
        # A cell that touches the outermost voxels would be read as cut by the border.
        least = np.where(is_open, -high, voxel - low)
        most = np.where(is_open, self.room.size_um - low, self.room.size_um - voxel - high)
        mover.centre_um = np.where(least <= most, np.clip(mover.centre_um, least, most), (least + most) / 2)

    def _boxes_meet(self, one: Mover, two: Mover, frame: int) -> bool:
        shapes = self._shape(one.body, frame), self._shape(two.body, frame)
        margin = np.array(self.room.spacing_zyx_um) + self.room.gap_um
        low = np.maximum(one.centre_um + shapes[0].low_zyx_um, two.centre_um + shapes[1].low_zyx_um)
        high = np.minimum(one.centre_um + shapes[0].high_zyx_um, two.centre_um + shapes[1].high_zyx_um)
        return bool((low < high + margin).all())

    def _near(self, frame: int) -> list[tuple[int, int]]:
        """Pairs of cells with overlapping bounding boxes, widened by a voxel and the gap."""
        if not self.movers:
            return []
        margin = np.array(self.room.spacing_zyx_um) + self.room.gap_um
        shapes = [self._shape(mover.body, frame) for mover in self.movers]
        centres = np.stack([mover.centre_um for mover in self.movers])
        low = centres + [shape.low_zyx_um for shape in shapes] - margin / 2
        high = centres + [shape.high_zyx_um for shape in shapes] + margin / 2
        meet = ((low[:, None] < high[None]) & (low[None] < high[:, None])).all(axis=2)
        return [(int(one), int(two)) for one, two in np.argwhere(np.triu(meet, 1))]

    def _shared(self, one: Mover, two: Mover, frame: int) -> Float[np.ndarray, "n dims"] | None:
        """The voxels that two cells share, half the gap around each included; None if there are none."""
        if not self._boxes_meet(one, two, frame):
            return None
        a, b = self._taken(one, frame), self._taken(two, frame)
        low = np.maximum(a.corner_zyx, b.corner_zyx)
        high = np.minimum(np.add(a.corner_zyx, a.inside.shape), np.add(b.corner_zyx, b.inside.shape))
        if (low >= high).any():
            return None
        first, second = (
            part.inside[tuple(slice(l - c, h - c) for l, h, c in zip(low, high, part.corner_zyx, strict=True))]
            for part in (a, b)
        )
        both = first & second
        return (np.argwhere(both) + low).astype(float) if both.any() else None

    def _taken(self, mover: Mover, frame: int) -> Taken:
        key = mover.centre_um.tobytes()
        if key not in mover.taken:
            found = taken_by(
                self.folder,
                self._shape(mover.body, frame),
                centre_zyx_um=mover.centre_um,
                spacing_zyx_um=self.room.spacing_zyx_um,
                reach_um=self.room.gap_um / 2,
            )
            mover.taken = {key: found}
        return mover.taken[key]

    def _crowded(self, what: str) -> InputError:
        return too_crowded(len({body.family for body in self.bodies}), self.room, what)
