"""What images must be to learn from: not saturated, with cells, not all of one value."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cytoform.errors import InputError
from cytoform.movies.pairs.pair_sources import PairedMovie

# A camera or a conversion that cuts off bright values leaves many pixels at one highest value. Real sets have less than
# a tenth of this share (docs/texture.md); a bright speck is no plateau.
SATURATED_SHARE, SATURATED_PIXELS = 0.01, 25


@dataclass(frozen=True)
class Plateau:
    """How much of a frame lies at its highest value."""

    frame: int
    highest: float
    share: float
    n_pixels: int


def check_frames(movie: PairedMovie, read: Callable[[int], tuple[np.ndarray, np.ndarray]]) -> None:
    """Raise InputError for a movie without cells, of one grey value, or saturated in some frame.

    Saturated: more than 1 % of all pixels of a frame, or of those in its cells, have the highest value of the movie.
    """
    n_cells, lowest, plateaus = 0, np.inf, []
    for frame in movie.images.frames:
        image, labels = read(frame)
        inside = labels > 0
        n_cells += int(inside.any())
        lowest = min(lowest, image.min())
        plateaus.append(_plateau(frame, image, inside))
    highest = max(plateau.highest for plateau in plateaus)
    if not n_cells:
        raise InputError(f"{movie.labels.source}: no cell in any frame; masks with cells are needed")
    if lowest == highest:
        raise InputError(f"{movie.images.source}: all grey values are {lowest:g}; give images that show something")
    worst = max((plateau for plateau in plateaus if plateau.highest == highest), key=lambda plateau: plateau.share)
    if worst.share > SATURATED_SHARE and worst.n_pixels >= SATURATED_PIXELS:
        raise InputError(
            f"{movie.images.where(worst.frame)}: saturated, {worst.share:.0%} of its cells or of the whole are at the "
            f"highest value {highest:g}; take images with less exposure or gain"
        )


def _plateau(frame: int, image: np.ndarray, inside: np.ndarray) -> Plateau:
    highest = image.max()
    top = image == highest
    n_top, n_inside = int(top.sum()), int(inside.sum())
    shares = [n_top / image.size, int((top & inside).sum()) / n_inside if n_inside else 0.0]
    return Plateau(frame, float(highest), max(shares), n_top)
