"""A body and its protrusions on a grid."""

import numpy as np
import torch

from cytoform.protrusions.bulges import NODES
from cytoform.protrusions.swollen import Swelling
from cytoform.representations.parts.frame import PartsFrame, PlacedFrame
from cytoform.shapes.components import components

SIZE, RADIUS = 32, 0.4
CENTRES = (np.arange(SIZE) + 0.5) * 2 / SIZE - 1


class Ball:
    """A ball in the middle of the cube."""

    device = torch.device("cpu")

    def __call__(self, points: torch.Tensor) -> torch.Tensor:
        return points.norm(dim=1) - RADIUS


def necked(neck: float) -> PartsFrame:
    """The ball with a bulge along x: a cone and above it a ball, joined by a neck of this radius at x = 0.55."""
    box = np.array([[-0.1, 0.4], [-0.2, 0.2], [-0.2, 0.2]])
    up, *across = np.meshgrid(*(np.linspace(low, high, NODES) for low, high in box), indexing="ij")
    wide = np.hypot(*across)
    values = np.minimum(np.hypot(up - 0.25, wide) - 0.1, np.maximum(wide - neck, up - 0.25))
    flat = np.zeros((NODES, NODES))
    swelling = Swelling(np.array([RADIUS, 0.0, 0.0]), np.eye(3), box, values, flat)
    return PartsFrame(PlacedFrame(Ball()), [], 1e-3, swellings=[swelling])


def on_grid(frame: PartsFrame) -> np.ndarray:
    z, y, x = np.meshgrid(CENTRES, CENTRES, CENTRES, indexing="ij")
    body = np.sqrt(x**2 + y**2 + z**2) - RADIUS
    whole, low = frame.add_solids(body, (0, 0, 0), SIZE, 0.1)
    assert low == (0, 0, 0)
    return np.asarray(whole < 0)


def test_what_a_neck_thinner_than_a_voxel_holds_is_left_out() -> None:
    beyond = np.s_[:, :, CENTRES > RADIUS + 0.2]
    for neck, is_held in ((0.08, True), (0.02, False)):
        inside = on_grid(necked(neck))
        assert components(inside).max() == 1
        assert inside[beyond].any() == is_held
    # The field itself is one piece: it goes up through the neck.
    line = torch.tensor([[x, 0.0, 0.0] for x in np.linspace(0, 0.6, 50)], dtype=torch.float32)
    assert (necked(0.02)(line) < 0).all()
