"""Random crops of images and what belongs to them, turned and mirrored alike."""

import numpy as np
from jaxtyping import Float, Shaped

from cytoform.imaging.networks.conditions import signed_depth
from cytoform.movies.pairs.crops import SQUARE_SYMMETRIES, SquareSymmetry
from cytoform.movies.pairs.pairs import Pairs

# Correlation of grey values with the direction of a border. It is below 0.03 in the real sets of docs/texture.md.
SHADED = 0.1
# Cameras that smear along rows: finest grain along y over that along x, or the other way round.
GRAINY = 1.2
LOOKED_AT = 16  # planes
SQUARE = 0.01  # two sides of a pixel that differ by less are equal


UNCHANGED = (SQUARE_SYMMETRIES[0],)


def allowed_symmetries(pairs: Pairs) -> tuple[SquareSymmetry, ...]:
    """The turns after which such images might as well have been taken.

    Light from a side, as in differential interference contrast, makes one side of every cell brighter: then only the
    turns that keep that side. Pixels that are not square forbid quarter turns, and so does noise that is smeared along
    rows or columns.
    """
    planes = pairs[:: max(1, len(pairs) // LOOKED_AT)]
    shading = np.mean([_shading(plane.image_yx, plane.labels_yx) for plane in planes], axis=0)
    grain_y, grain_x = np.mean([_grain(plane.image_yx) for plane in planes], axis=0)
    _, y_um, x_um = pairs.spacing_zyx_um or (1.0, 1.0, 1.0)
    square = abs(y_um / x_um - 1) < SQUARE and max(grain_y, grain_x) <= GRAINY * min(grain_y, grain_x)
    return tuple(
        symmetry
        for symmetry in SQUARE_SYMMETRIES
        if np.hypot(*(symmetry.direction(shading) - shading)) < SHADED and (square or symmetry.quarters % 2 == 0)
    )


def _shading(image_yx: Shaped[np.ndarray, "y x"], labels_yx: Shaped[np.ndarray, "y x"]) -> Float[np.ndarray, " 2"]:
    """Correlation of the grey values with the inward direction of the nearest border, in y and x; 0 without cells."""
    inward = np.stack(np.gradient(signed_depth(labels_yx)))
    steep = (inward != 0).any(axis=0)
    values = image_yx[steep].astype(np.float64)
    if not steep.any() or values.std() == 0:
        return np.zeros(2)
    return np.array([_correlation(values, axis[steep]) for axis in inward])


def _grain(image_yx: Shaped[np.ndarray, "y x"]) -> Float[np.ndarray, " 2"]:
    """Typical strength of the second differences along y and x: noise, rather than edges."""
    return np.array([np.median(np.abs(np.diff(image_yx.astype(np.float64), n=2, axis=axis))) for axis in (0, 1)])


def _correlation(values: Float[np.ndarray, " n"], others: Float[np.ndarray, " n"]) -> float:
    return float(np.corrcoef(values, others)[0, 1]) if others.std() > 0 else 0.0
