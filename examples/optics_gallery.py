"""Images of the same masks with several stains and microscopes: writes optics.png, the figure of docs/optics.md."""

import numpy as np
from PIL import Image

from cytoform.imaging.optics import Optics, OpticsParameters
from cytoform.simulate.analytic import Ball, DividingPair, SpikedBall

SPACING_ZYX_UM = (0.5, 0.15, 0.15)
SHAPE_ZYX = (24, 150, 220)
CELLS = (
    (SpikedBall(radius_um=3.5, spike_radius_um=0.5, reach_um=10.0, centre_zyx_um=(5.0, 15.5, 7.0)), 1.0),
    (DividingPair(radius_um=3.0, end_separation_um=5.0, centre_zyx_um=(6.0, 6.0, 10.0)), 1.0),
    (Ball(radius_um=4.0, centre_zyx_um=(6.5, 9.0, 26.0)), 0.0),
)
WATER = {"numerical_aperture": 1.0, "immersion_index": 1.333}
PANELS = (
    ("uniform, confocal", "uniform", {"kind": "confocal", **WATER}, False),
    ("textured, confocal", "textured", {"kind": "confocal", **WATER}, False),
    ("membrane, confocal", "membrane", {"kind": "confocal", **WATER}, False),
    ("textured, widefield", "textured", {"kind": "widefield", **WATER}, False),
    ("textured, confocal, projection", "textured", {"kind": "confocal", **WATER}, True),
    ("membrane, confocal, projection", "membrane", {"kind": "confocal", **WATER}, True),
)


def masks() -> np.ndarray:
    """Label image of three analytic shapes."""
    indices = np.indices(SHAPE_ZYX).reshape(3, -1).T
    points_um = (indices + 0.5) * SPACING_ZYX_UM
    labels = np.zeros(SHAPE_ZYX, np.uint16)
    for number, (shape, time) in enumerate(CELLS, start=1):
        labels[shape.distance_um(points_um, time).reshape(SHAPE_ZYX) <= 0] = number
    return labels


def panel(labels: np.ndarray, distribution: str, microscope: dict[str, object], *, projection: bool) -> np.ndarray:
    """The middle plane, or the projection, with grey values scaled from the camera offset to the 99.9th percentile."""
    texture = Optics(
        OpticsParameters.model_validate(
            {
                "fluorophores": {"distribution": distribution, "texture_contrast": 0.5, "photons_per_pixel": 150.0},
                "microscope": microscope,
            }
        )
    )
    image = texture.render(labels, spacing_zyx_um=SPACING_ZYX_UM, frame=0, seed=1, projection=projection)
    shown = image[len(image) // 2].astype(float) - texture.parameters.camera.offset_adu
    return (np.clip(shown / np.percentile(shown, 99.9), 0, 1) * 255).astype(np.uint8)


labels = masks()
pictures = [panel(labels, stain, microscope, projection=flat) for _, stain, microscope, flat in PANELS]
rows = [np.concatenate(pictures[first : first + 3], axis=1) for first in (0, 3)]
sheet = Image.fromarray(np.concatenate(rows))
sheet.resize((2 * sheet.width, 2 * sheet.height)).save("optics.png", optimize=True)
print("optics.png, row by row:", "; ".join(name for name, *_ in PANELS))
