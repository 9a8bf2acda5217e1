"""The protrusions of a body with tubes at one time, as they stick out of it."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float

from cytoform.representations.parts.frame import PartsFrame
from cytoform.shapes.tubes import Tube


@dataclass(frozen=True)
class Protruding:
    """A protrusion outside the body; points are (x, y, z) in Ω, in images (x, y), lengths in half extents."""

    row: int  # of its unit
    parent: int  # row of the unit that it branches from; -1: it starts on the body
    root: Float[np.ndarray, " dims"]  # where it leaves the body; of a branch, on the centre line of its parent
    tip: Float[np.ndarray, " dims"]
    length: float  # along the centre line from root to tip
    radius: float  # mean along the centre line


def protruding(frame: PartsFrame, *, step: float, least: float) -> list[Protruding]:
    """The protrusions that reach at least `least` out of the body, and branches as far out of their parents too.

    The place where a protrusion leaves the body is searched in steps of `step` along its centre line.
    """
    lines = [_line(tube, step) for tube in frame.tubes]
    if not lines:
        return []
    points = torch.tensor(np.concatenate(lines), dtype=torch.float32, device=frame.device)
    values = frame.body(points).cpu().double().numpy()
    starts = np.cumsum([0, *(len(line) for line in lines)])
    tube_of = dict(zip(frame.rows, frame.tubes, strict=True))
    found = []
    for row, parent, line, own in zip(frame.rows, frame.parents, lines, pairwise(starts), strict=True):
        to_body = values[slice(*own)]
        outside = _outer_part(line, to_body)
        if parent in tube_of:
            to_parent = tube_of[parent].distance(line)
            free = _outer_part(line, np.minimum(to_body, to_parent))
        else:
            free = outside
        if _length(free) >= least:
            radius = _mean_radius(tube_of[row], _length(outside))
            found.append(Protruding(row, parent, outside[0], outside[-1], _length(outside), radius))
    return found


def _line(tube: Tube, step: float) -> Float[np.ndarray, "n dims"]:
    """The centre line in steps, on to the tip of the round end."""
    line = tube.line
    along = line[-1] - line[-2]
    line = np.vstack([line, line[-1] + tube.radii[-1] * along / max(float(np.linalg.norm(along)), 1e-12)])
    arc = _arc(line)
    stops = np.union1d(arc, np.linspace(0, arc[-1], int(np.ceil(arc[-1] / step)) + 1))
    return np.stack([np.interp(stops, arc, places) for places in line.T], axis=1)


def _outer_part(line: Float[np.ndarray, "n dims"], distances: Float[np.ndarray, " n"]) -> Float[np.ndarray, "m dims"]:
    """The last part of a line with positive distances, up to its end, from where they become positive on."""
    inside = np.flatnonzero(distances <= 0)
    if not len(inside):
        return line
    last = int(inside[-1])
    if last == len(line) - 1:
        return line[last:]
    share = distances[last] / (distances[last] - distances[last + 1])
    return np.vstack([(1 - share) * line[last] + share * line[last + 1], line[last + 1 :]])


def _mean_radius(tube: Tube, length: float) -> float:
    """The mean radius over the last `length` of a tube; its round end counts with the radius at its centre."""
    arc = _arc(tube.line)
    end = arc[-1] + tube.radii[-1]
    return float(np.interp(np.linspace(end - length, end, 33), arc, tube.radii).mean())


def _arc(line: Float[np.ndarray, "n dims"]) -> Float[np.ndarray, " n"]:
    return np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])


def _length(line: Float[np.ndarray, "n dims"]) -> float:
    return float(_arc(line)[-1])
