"""Errors of area and perimeter of ellipses that are known as pixels only, by the width of the smoothing.

python benchmarks/outlines.py
"""

import numpy as np
from scipy.special import ellipe

import cytoform.shapes.level as level
from cytoform.shapes.boundary import boundary_from_distance
from cytoform.shapes.distance import signed_distance
from cytoform.shapes.grid import Grid

SIGMAS = (1.0, 1.5, 2.0, 2.5)  # pixels
ELLIPSES_UM = ((10, 10, 0), (5, 5, 0), (15, 8, 0.4), (8, 4, 0.9), (20, 6, 0.2), (4, 2, 0.3))  # half axes, angle
PIXELS_UM = (0.2, 0.5)
SIZE_UM, GRID = 50.0, Grid(128, 22.0, 2)


def mask(half_axes_um: tuple[float, float], angle: float, pixel_um: float) -> np.ndarray:
    """Pixels whose centres lie in an ellipse, off the lattice."""
    centres = (np.arange(round(SIZE_UM / pixel_um)) + 0.5) * pixel_um
    y, x = np.meshgrid(centres - SIZE_UM / 2 - 0.03, centres - SIZE_UM / 2 - 0.11, indexing="ij")
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    return (along / half_axes_um[0]) ** 2 + (across / half_axes_um[1]) ** 2 < 1


def errors(a: float, b: float, angle: float, pixel_um: float) -> tuple[float, float]:
    """Of area and perimeter, in percent."""
    centre = (SIZE_UM / 2, SIZE_UM / 2)
    sdf_um = signed_distance(mask((a, b), angle, pixel_um), (pixel_um, pixel_um), GRID, centre)
    outline = boundary_from_distance(sdf_um, GRID.spacing_um)
    perimeter_um = 4 * a * ellipe(1 - (b / a) ** 2)
    return 100 * (outline.size / (np.pi * a * b) - 1), 100 * (outline.extent / perimeter_um - 1)


def main() -> None:
    """Print a table."""
    print("sigma [pixels]   area: mean |error|, largest   perimeter: mean |error|, largest   [%]")
    for sigma in SIGMAS:
        level.SIGMA_VOXELS[2] = sigma
        found = np.abs([errors(*ellipse, pixel) for ellipse in ELLIPSES_UM for pixel in PIXELS_UM])
        area, perimeter = found.T
        print(f"{sigma:14.1f}   {area.mean():.2f}, {area.max():.2f}   {perimeter.mean():.2f}, {perimeter.max():.2f}")


if __name__ == "__main__":
    main()
