"""What a data set is like in figures, for its card and its page."""

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from cytoform.reports.scenes.beside import Beside, compare

if TYPE_CHECKING:
    from cytoform.scenes.scene import Scene
    from cytoform.scenes.stage import Made


@dataclass(frozen=True)
class ProtrusionFacts:
    """What is known about the protrusions of a data set."""

    tracks: int
    branches: int
    # Of all of a visible cell, on average over cells and frames.
    of_a_cell: float
    lengths_um: Float[np.ndarray, " sightings"]
    radii_um: Float[np.ndarray, " sightings"]
    # Of protrusions that are seen to begin and to end.
    lifetimes_s: Float[np.ndarray, " complete"]
    visible_share: float


@dataclass(frozen=True)
class Facts:
    """Counts, and values over all cells and frames; sizes are µm³, in images µm²."""

    families: int
    tracks: int
    divisions: int
    cells_by_frame: tuple[int, ...]
    inside_share: float
    shared_voxels: int
    sizes: Float[np.ndarray, " cells"]
    speeds_um_per_min: Float[np.ndarray, " steps"]
    # Tracks that begin after the first frame without a mother, and that end before the last without daughters.
    entering: int
    leaving: int
    # Tracks that end since their cell dies; they do not count as leaving.
    dying: int
    # Mean difference between cells and background over the standard deviation of the background; None without images.
    contrast_to_noise: float | None
    # None where nothing is known about protrusions.
    protrusions: ProtrusionFacts | None = None
    # Beside the movie that the scene resembles, if any.
    beside: tuple[Beside, ...] = ()


def facts(scene: "Scene", made: "Made") -> Facts:
    """Measured on what was written."""
    unit = made.dataset.view.seen_voxel
    tracks = made.tracked.tracks
    mothers = {track.parent for track in tracks}
    last, dead = len(made.frames) - 1, _dead(scene, made)
    grey = [
        (frame.signal - frame.background) / frame.noise
        for frame in made.measured
        if frame.signal is not None and frame.background is not None and frame.noise
    ]
    return Facts(
        families=len({scene.bodies[number].family for number in made.tracked.bodies}),
        tracks=len(tracks),
        divisions=made.tracked.n_divisions,
        cells_by_frame=tuple(frame.n_cells for frame in made.measured),
        inside_share=float(np.mean([frame.inside_share for frame in made.measured])),
        shared_voxels=sum(frame.n_shared for frame in made.measured),
        sizes=np.array([cell.n_voxels * unit for cells in made.seen for cell in cells]),
        speeds_um_per_min=_speeds(scene, made),
        entering=sum(track.first > 0 and not track.parent for track in tracks),
        leaving=sum(track.last < last and track.label not in mothers | dead for track in tracks),
        dying=len(dead),
        contrast_to_noise=float(np.mean(grey)) if grey else None,
        protrusions=_protrusions(scene, made),
        beside=compare(scene, made),
    )


def _protrusions(scene: "Scene", made: "Made") -> ProtrusionFacts | None:
    followed = made.protrusions
    if followed is None:
        return None
    known = [
        cell.number
        for cells in made.seen
        for cell in cells
        if scene.bodies[cell.number].shapes[0].protrusions is not None
    ]
    complete = [track.n_frames for track in followed.tracks if track.is_born and track.has_ended]
    return ProtrusionFacts(
        tracks=len(followed.tracks),
        branches=sum(track.parent > 0 for track in followed.tracks),
        of_a_cell=len(followed.sightings) / max(len(known), 1),
        lengths_um=np.array([seen.length_um for seen in followed.sightings]),
        radii_um=np.array([seen.radius_um for seen in followed.sightings]),
        lifetimes_s=np.array(complete, float) * made.dataset.time_step_s,
        visible_share=float(np.mean([seen.is_visible for seen in followed.sightings])) if followed.sightings else 1.0,
    )


def _dead(scene: "Scene", made: "Made") -> set[int]:
    """Labels of the tracks that last as long as a cell which ends within the scene and has no daughters."""
    mothers = {(body.family, body.parent) for body in scene.bodies}
    dead = set()
    for track, number in zip(made.tracked.tracks, made.tracked.bodies, strict=True):
        body = scene.bodies[number]
        is_over = body.last < made.frames[-1] and (body.family, body.member) not in mothers
        if is_over and made.frames[track.last] <= body.last < made.frames[track.last + 1]:
            dead.add(track.label)
    return dead


def _speeds(scene: "Scene", made: "Made") -> Float[np.ndarray, " steps"]:
    """Of the centroids of whole cells, be they cut by the border or not, from frame to frame."""
    seen = [{cell.number for cell in cells} for cells in made.seen]
    steps = []
    for (before, there), (after, then) in pairwise(zip(made.frames, seen, strict=True)):
        for number in there & then:
            body = scene.bodies[number]
            places = [
                np.add(scene.centres_um[frame][number], body.shape(frame).centroid_zyx_um) for frame in (before, after)
            ]
            steps.append(float(np.linalg.norm(places[1] - places[0])))
    return np.array(steps) / (made.dataset.time_step_s / 60)
