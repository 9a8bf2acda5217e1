"""SVG outlines of cells in the plane with the largest difference."""

import html
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from cytoform.pictures.rendering import Colour

# Outlines differ by dashes as well as by colour.
OUTLINE_DASHES = ("", "5 3", "1.5 2.5", "8 3 2 3")
SIDE = 200.0


def plane_of_difference(a_sdf_um: Float[np.ndarray, "z y x"], b_sdf_um: Float[np.ndarray, "z y x"]) -> int:
    """Index z of the plane with the largest symmetric difference, among planes with at least half the largest cross-section.

    The limit excludes planes that barely touch a cell. For equal cells, the plane with the largest cross-section.
    """
    a, b = a_sdf_um <= 0, b_sdf_um <= 0
    cut, alone = (a | b).sum(axis=(1, 2)), (a ^ b).sum(axis=(1, 2))
    alone[2 * cut < cut.max()] = 0
    return int(np.argmax(alone if alone.any() else cut))


def outlines(planes_um: Sequence[Float[np.ndarray, "y x"]], colours: Sequence[Colour], *, alternative: str) -> str:
    """Outlines of cells (zero levels of their signed distances) in one plane, cropped to the cells, as SVG."""
    from skimage.measure import find_contours

    inside = np.any([plane <= 0 for plane in planes_um], axis=0)
    low, side = _square(inside)
    scale = SIDE / side
    paths = []
    for plane, colour, dashes in zip(planes_um, colours, OUTLINE_DASHES, strict=False):
        # Padded with outside values, so that a cell at the border of the cube has a closed outline.
        contours = find_contours(np.pad(plane, 1, constant_values=float(np.abs(plane).max()) or 1.0), 0.0)
        steps = [_path((contour - 1 - low) * scale) for contour in contours]
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        paths.append(f'<path d="{" ".join(steps)}" fill="none" stroke="{css(colour)}" stroke-width="2"{dashed}/>')
    return (
        f'<svg viewBox="0 0 {SIDE:.0f} {SIDE:.0f}" role="img" aria-label="{html.escape(alternative)}">'
        f"{''.join(paths)}</svg>"
    )


def css(colour: Colour) -> str:
    """A colour in CSS notation."""
    return "#" + "".join(f"{round(255 * channel):02x}" for channel in colour)


def _square(inside: np.ndarray) -> tuple[np.ndarray, float]:
    """Lowest corner (y, x) and side in voxels of a square around the inside voxels, with a margin."""
    if not inside.any():
        return np.zeros(2), float(inside.shape[0])
    spans = [np.flatnonzero(inside.any(axis=axis)) for axis in (1, 0)]
    middle = np.array([(span[0] + span[-1]) / 2 for span in spans])
    side = max(span[-1] - span[0] + 1 for span in spans) + 4.0
    return middle - side / 2, side


def _path(points_yx: Float[np.ndarray, "n 2"]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for y, x in points_yx) + "Z"
