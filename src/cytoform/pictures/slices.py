"""Outlines of cells in the plane where they differ most, as SVG inside a page."""

import html
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from cytoform.pictures.rendering import Colour

# Outlines are told apart by their dashes as well as by colour.
DASHES = ("", "5 3", "1.5 2.5", "8 3 2 3")
SIDE = 200.0


def plane_of_difference(a_sdf_um: Float[np.ndarray, "z y x"], b_sdf_um: Float[np.ndarray, "z y x"]) -> int:
    """The plane z in which most voxels are of one cell only, among those that show half of the widest cut at least.

    Planes that graze a cell differ most, by very little. Where the cells are equal it is the widest cut.
    """
    a, b = a_sdf_um <= 0, b_sdf_um <= 0
    cut, alone = (a | b).sum(axis=(1, 2)), (a ^ b).sum(axis=(1, 2))
    alone[2 * cut < cut.max()] = 0
    return int(np.argmax(alone if alone.any() else cut))


def outlines(planes_um: Sequence[Float[np.ndarray, "y x"]], colours: Sequence[Colour], *, alternative: str) -> str:
    """The zero levels of distances in one plane over each other, cut to the cells."""
    from skimage.measure import find_contours

    inside = np.any([plane <= 0 for plane in planes_um], axis=0)
    low, side = _square(inside)
    scale = SIDE / side
    paths = []
    for plane, colour, dashes in zip(planes_um, colours, DASHES, strict=False):
        # Padded with outside, so that a cell at the border of the cube has a closed outline.
        contours = find_contours(np.pad(plane, 1, constant_values=float(np.abs(plane).max()) or 1.0), 0.0)
        steps = [_path((contour - 1 - low) * scale) for contour in contours]
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        paths.append(f'<path d="{" ".join(steps)}" fill="none" stroke="{css(colour)}" stroke-width="2"{dashed}/>')
    return (
        f'<svg viewBox="0 0 {SIDE:.0f} {SIDE:.0f}" role="img" aria-label="{html.escape(alternative)}">'
        f"{''.join(paths)}</svg>"
    )


def css(colour: Colour) -> str:
    """A colour as style sheets write it."""
    return "#" + "".join(f"{round(255 * channel):02x}" for channel in colour)


def _square(inside: np.ndarray) -> tuple[np.ndarray, float]:
    """Lowest corner (y, x) and side in voxels of a square around what is inside, with some air."""
    if not inside.any():
        return np.zeros(2), float(inside.shape[0])
    spans = [np.flatnonzero(inside.any(axis=axis)) for axis in (1, 0)]
    middle = np.array([(span[0] + span[-1]) / 2 for span in spans])
    side = max(span[-1] - span[0] + 1 for span in spans) + 4.0
    return middle - side / 2, side


def _path(points_yx: Float[np.ndarray, "n 2"]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for y, x in points_yx) + "Z"
