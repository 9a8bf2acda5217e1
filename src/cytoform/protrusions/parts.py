"""What a sequence is taken apart into: its body in every frame, and its protrusions as tracks."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cytoform.protrusions.curves import Curve
from cytoform.protrusions.tracks import Track


@dataclass(frozen=True)
class PartsOfFrame:
    """Body and protrusions of one frame. Points are in µm from the corner of the cube."""

    curves: list[Curve]
    cell_um3: float  # of cells in images their area, in µm²
    body_um3: float
    centre_zyx_um: Float[np.ndarray, " dims"]  # of the body
    n_bodies: int


@dataclass(frozen=True)
class PartsOfSequence:
    """A sequence as a body with protrusions that are followed over time."""

    name: str
    n_frames: int
    time_step_s: float | None
    radius_um: float | None  # of the ball that the body was opened with; None: the body is what lasts
    frames: list[PartsOfFrame]
    tracks: list[Track]
