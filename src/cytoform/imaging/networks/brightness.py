"""How bright a cell is among all cells: taken from real images in training, drawn for every cell in rendering.

Cells of one shape differ in brightness by as much as their stains do. Nothing in a mask says so, and a network that is not told
paints all of them in the mean.
"""

import numpy as np
from jaxtyping import Float, Float32, Integer
from scipy.special import ndtri

CELL = 3  # a stream of random numbers, beside those of `conditions`
BRIGHTEST = 3.0  # in standard deviations

Labels2D = Integer[np.ndarray, "y x"]
Scores = Float[np.ndarray, " labels"]  # by label; that of 0, the background, is 0


def mean_values(image_yx: Float32[np.ndarray, "y x"], labels_yx: Labels2D) -> Scores:
    """The mean over each label; NaN for one that has no pixels, and for the background."""
    counts = np.bincount(labels_yx.ravel())
    sums = np.bincount(labels_yx.ravel(), weights=image_yx.ravel())
    means = np.full(len(counts), np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    means[0] = np.nan
    return means


def normal_scores(planes: list[Float[np.ndarray, " _"]]) -> list[Float[np.ndarray, " _"]]:
    """The means of all planes' cells as quantiles of a normal distribution; 0 where there is no cell."""
    known = np.sort(np.concatenate([means[~np.isnan(means)] for means in planes]))
    scores = []
    for means in planes:
        rank = (np.searchsorted(known, means, "left") + np.searchsorted(known, means, "right")) / 2
        normal = ndtri(np.clip(rank / max(len(known), 1), 1e-9, 1 - 1e-9)).clip(-BRIGHTEST, BRIGHTEST)
        scores.append(np.where(np.isnan(means), 0.0, normal))
    return scores


def drawn_scores(labels: Integer[np.ndarray, "..."], *, seed: int) -> Scores:
    """For every label there is a draw of its own, which no other frame or plane changes."""
    scores = np.zeros(int(labels.max(initial=0)) + 1)
    for label in np.unique(labels[labels > 0]):
        scores[label] = np.random.default_rng([seed, CELL, int(label)]).standard_normal()
    return scores.clip(-BRIGHTEST, BRIGHTEST)


def painted(scores: Scores, labels_yx: Labels2D) -> Float32[np.ndarray, "1 y x"]:
    """A channel that has every cell's score all over it."""
    return scores.astype(np.float32)[labels_yx][None]
