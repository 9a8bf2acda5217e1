"""The motion that the cells of a field have in common: none, a drift of the stage, or a turn of the embryo."""

import math
from collections.abc import Callable, Iterator

import numpy as np
from jaxtyping import Float

Points = Float[np.ndarray, "points 3"]
Motion = Callable[[Points], Points]

# A turn has six parameters: fewer cells would fit any numbering.
FEWEST_TURNING = 6
# Between more cells than this, the best pairs are not looked for.
MOST_PAIRED = 1000


def rest(points_um: Points) -> Points:
    """No motion at all."""
    return points_um


def own_motions(before_um: Points, after_um: Points, tolerance_um: Float[np.ndarray, " points"]) -> Iterator[Motion]:
    """Motions that all points may have in common if every point is the same one before and after."""
    moved_um = after_um - before_um
    alike = len(moved_um) == 2 and math.dist(*moved_um) <= tolerance_um.min()
    if len(moved_um) > 2 or alike:
        yield _shift(np.median(moved_um, axis=0))
    if len(moved_um) >= FEWEST_TURNING:
        kept = np.arange(len(moved_um))
        for _ in range(4):
            turn = _turn(before_um[kept], after_um[kept])
            # Points that move on their own must not decide.
            off_um = np.linalg.norm(turn(before_um) - after_um, axis=1)
            kept = np.argsort(off_um, kind="stable")[: max(FEWEST_TURNING, len(off_um) // 2 + 1)]
        yield turn


def free_motions(before_um: Points, after_um: Float[np.ndarray, "others 3"]) -> Iterator[Motion]:
    """Motions that all points may have in common, whichever point is which: none, and the drift of the best pairs."""
    from scipy.optimize import linear_sum_assignment  # `prepare --help` must not wait for it

    yield rest
    if 1 < len(before_um) <= MOST_PAIRED and len(after_um) <= MOST_PAIRED:
        # The pairs of least squared distance are the same for any drift of the whole.
        squared = ((before_um[:, None] - after_um[None]) ** 2).sum(axis=2)
        rows, columns = linear_sum_assignment(squared)
        yield _shift(np.median(after_um[columns] - before_um[rows], axis=0))


def _shift(by_um: Float[np.ndarray, " 3"]) -> Motion:
    return lambda points_um: points_um + by_um


def _turn(before_um: Points, after_um: Points) -> Motion:
    """The rotation and shift of least squares (Kabsch 1976)."""
    centre_um, target_um = before_um.mean(axis=0), after_um.mean(axis=0)
    u, _, v = np.linalg.svd((before_um - centre_um).T @ (after_um - target_um))
    mirror = np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ v))])
    rotation = u @ mirror @ v
    return lambda points_um: (points_um - centre_um) @ rotation + target_um
