"""The protrusions of all cells of a scene, followed over the frames of a data set.

A protrusion counts in frames in which it reaches a voxel or more out of its body, a branch also out of its parent. It has
one number over consecutive such frames. If it withdraws and grows again, it is a new one, since a movie does not show that
it is the same. A cell that leaves and returns is a new track, and so are its protrusions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cytoform.base.triples import Floats, Triple, floats, in_volume, triple
from cytoform.scenes.bodies import Body
from cytoform.scenes.compose import View
from cytoform.scenes.tracks import Tracked


@dataclass(frozen=True)
class Sighting:
    """A protrusion in a frame of a data set; places are in µm, as the voxels of its masks lie."""

    frame: int
    protrusion: int
    root_zyx_um: Triple
    tip_zyx_um: Triple
    length_um: float
    radius_um: float
    # Whether the masks show the cell at its tip; False until they have been looked at.
    is_visible: bool = False


@dataclass(frozen=True)
class ProtrusionTrack:
    """A protrusion from frame `first` to frame `last`; `parent` is the number of the protrusion it branches from, or 0."""

    number: int
    cell: int
    parent: int
    first: int
    last: int
    # Whether it begins after its cell's track, and ends before it; otherwise the track cuts it off.
    is_born: bool
    has_ended: bool

    @property
    def n_frames(self) -> int:
        """Number of frames in which it is there."""
        return self.last - self.first + 1


@dataclass(frozen=True)
class FollowedProtrusions:
    """All protrusions of a data set; sightings are in order of frames, and then of numbers."""

    tracks: tuple[ProtrusionTrack, ...]
    sightings: tuple[Sighting, ...]


# Cell, unit, and the number of the unit's life: what stays the same while a protrusion lasts.
_Name = tuple[int, int, int]


def are_known(bodies: Sequence[Body]) -> bool:
    """Whether the protrusions of any cell are known."""
    return any(body.shapes[0].protrusions is not None for body in bodies)


def follow_protrusions(
    bodies: Sequence[Body],
    centres_um: Sequence[Mapping[int, Floats]],
    frames: Sequence[int],
    tracked: Tracked,
    view: View,
) -> FollowedProtrusions:
    """Number the protrusions of visible cells from 1 on by their first frame, parents before their branches.

    `centres_um` holds for every frame of the scene the cube centres of the cells, `frames` the frames of the data set.
    """
    lives = {number: _lives(body) for number, body in enumerate(bodies)}
    frames_of: dict[_Name, list[int]] = {}
    parents: dict[_Name, _Name] = {}
    places: dict[tuple[int, _Name], Sighting] = {}
    for frame, in_scene in enumerate(frames):
        for number, label in tracked.labels_in(frame).items():
            life_of = lives[number][in_scene - bodies[number].first]
            centre_um = np.array(centres_um[in_scene][number]) - _offset_um(view)[-view.n_dims :]
            for found in bodies[number].shape(in_scene).protrusions or ():
                name = label, found.unit, life_of[found.unit]
                if name not in frames_of and found.parent in life_of:
                    parents[name] = label, found.parent, life_of[found.parent]
                frames_of.setdefault(name, []).append(frame)
                root, tip = (
                    triple(in_volume(floats(centre_um + place), 0.0)) for place in (found.root_zyx_um, found.tip_zyx_um)
                )
                places[frame, name] = Sighting(frame, 0, root, tip, found.length_um, found.radius_um)
    ordered = sorted(frames_of, key=lambda name: (frames_of[name][0], name))
    number_of = {name: number for number, name in enumerate(ordered, 1)}
    cells = {track.label: track for track in tracked.tracks}
    tracks = []
    for name in ordered:
        first, last, cell = frames_of[name][0], frames_of[name][-1], cells[name[0]]
        parent = number_of[parents[name]] if name in parents else 0
        tracks.append(
            ProtrusionTrack(number_of[name], cell.label, parent, first, last, first > cell.first, last < cell.last)
        )
    sightings = (
        Sighting(frame, number_of[name], seen.root_zyx_um, seen.tip_zyx_um, seen.length_um, seen.radius_um)
        for (frame, name), seen in sorted(places.items(), key=lambda item: (item[0][0], number_of[item[0][1]]))
    )
    return FollowedProtrusions(tuple(tracks), tuple(sightings))


def _lives(body: Body) -> list[dict[int, int]]:
    """For each of its frames the units that stick out, and which of each unit's lives it is, counted from 0."""
    lives: list[dict[int, int]] = []
    n_of: dict[int, int] = {}
    for shape in body.shapes:
        before = lives[-1] if lives else {}
        now = {}
        for found in shape.protrusions or ():
            if found.unit in before:
                now[found.unit] = before[found.unit]
            else:
                now[found.unit] = n_of.get(found.unit, 0)
                n_of[found.unit] = now[found.unit] + 1
        lives.append(now)
    return lives


def _offset_um(view: View) -> np.ndarray:
    """From the corner of the scene to the corner of the first voxel of a view with fewer planes."""
    z_um, _, _ = view.spacing_zyx_um
    return np.array([(view.planes // 2 + 0.5 - view.planes / 2) * z_um, 0.0, 0.0])
