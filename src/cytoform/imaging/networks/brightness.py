"""Brightness of cells relative to all cells: measured in training, random in rendering.

Cells of one shape differ in brightness, because their staining differs. A mask does not show it, and a network without this
input renders all cells with the mean brightness.
"""

import numpy as np
from jaxtyping import Float, Float32, Integer
from scipy.special import ndtri

from cytoform.imaging.inheritance import ALONE, Inheritance
from cytoform.imaging.networks.conditions import Labels2D

CELL = 3  # separates this random stream from the streams of `conditions`
BRIGHTEST = 3.0  # in standard deviations

Scores = Float[np.ndarray, " labels"]  # indexed by label; 0 for the background


def mean_values(image_yx: Float32[np.ndarray, "y x"], labels_yx: Labels2D) -> Scores:
    """Mean grey value of each label; NaN for absent labels and the background."""
    counts = np.bincount(labels_yx.ravel())
    sums = np.bincount(labels_yx.ravel(), weights=image_yx.ravel())
    means = np.full(len(counts), np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    means[0] = np.nan
    return means


def normal_scores(planes: list[Float[np.ndarray, " _"]]) -> list[Float[np.ndarray, " _"]]:
    """Convert the mean values of all cells to quantiles of a normal distribution; 0 for absent labels."""
    known = np.sort(np.concatenate([means[~np.isnan(means)] for means in planes]))
    scores = []
    for means in planes:
        rank = (np.searchsorted(known, means, "left") + np.searchsorted(known, means, "right")) / 2
        normal = ndtri(np.clip(rank / max(len(known), 1), 1e-9, 1 - 1e-9)).clip(-BRIGHTEST, BRIGHTEST)
        scores.append(np.where(np.isnan(means), 0.0, normal))
    return scores


def random_scores(labels: Integer[np.ndarray, "..."], *, seed: int, inherited: Inheritance = ALONE) -> Scores:
    """A random score per label, independent of frame and plane; with `inherited` it is like her mother's."""
    scores = np.zeros(int(labels.max(initial=0)) + 1)
    for label in np.unique(labels[labels > 0]):
        scores[label] = sum(
            weight * np.random.default_rng([seed, CELL, ancestor]).standard_normal()
            for ancestor, weight in inherited.line(int(label))
        )
    return scores.clip(-BRIGHTEST, BRIGHTEST)


def brightness_channel(scores: Scores, labels_yx: Labels2D) -> Float32[np.ndarray, "1 y x"]:
    """A condition channel with the score of its cell at every pixel."""
    return scores.astype(np.float32)[labels_yx][None]
