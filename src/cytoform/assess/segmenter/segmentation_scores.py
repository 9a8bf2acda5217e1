"""Segmentation scores: SEG of the Cell Tracking Challenge, foreground overlap, and F1."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Integer

F1_JACCARD = 0.5


@dataclass(frozen=True)
class FrameScores:
    """Scores of one image.

    `objects` holds the Jaccard index of every reference object with the instance that covers more than half of it, else
    0. `matched` is the number of pairs with a Jaccard index of at least 0.5, of `found` and len(objects) instances.
    """

    objects: Float[np.ndarray, " objects"]
    foreground: float
    matched: int
    found: int

    @property
    def seg(self) -> float:
        """Mean over reference objects; NaN without any."""
        return float(self.objects.mean()) if len(self.objects) else float("nan")

    @property
    def f1(self) -> float:
        """F1 of objects matched with a Jaccard index of at least 0.5; 1 without objects and instances."""
        every = self.found + len(self.objects)
        return 2 * self.matched / every if every else 1.0


@dataclass(frozen=True)
class SegmentationScores:
    """Scores over all objects of several images, as in the challenge, and per image."""

    seg: float
    foreground: float
    f1: float
    frames: tuple[FrameScores, ...]

    @classmethod
    def of(cls, frames: Iterable[FrameScores]) -> "SegmentationScores":
        """Means over objects for `seg` and `f1`, over images for `foreground`."""
        frames = tuple(frames)
        objects = np.concatenate([np.zeros(0), *(frame.objects for frame in frames)])
        n_objects = len(objects) + sum(frame.found for frame in frames)
        return cls(
            seg=float(objects.mean()) if len(objects) else float("nan"),
            foreground=float(np.mean([frame.foreground for frame in frames])) if frames else float("nan"),
            f1=2 * sum(frame.matched for frame in frames) / n_objects if n_objects else 1.0,
            frames=frames,
        )


def score_frame(reference: Integer[np.ndarray, "*size"], found: Integer[np.ndarray, "*size"]) -> FrameScores:
    """Compare found instances with the reference; labels are arbitrary, 0 is background."""
    overlap, sizes, found_sizes = _overlaps(reference, found)
    jaccard = overlap / np.maximum(sizes[:, None] + found_sizes[None, :] - overlap, 1)
    # At most one instance can cover more than half of an object.
    matching = overlap * 2 > sizes[:, None]
    inside, inside_found = reference > 0, found > 0
    union = np.count_nonzero(inside | inside_found)
    return FrameScores(
        objects=(jaccard * matching).max(axis=1, initial=0.0),
        foreground=np.count_nonzero(inside & inside_found) / union if union else 1.0,
        matched=_n_matched(jaccard),
        found=len(found_sizes),
    )


def _n_matched(jaccard: Float[np.ndarray, "objects found"]) -> int:
    """Number of one-to-one pairs; above 0.5 they are unique, at exactly 0.5 two may share an instance."""
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(jaccard >= F1_JACCARD, maximize=True)
    return int((jaccard[rows, columns] >= F1_JACCARD).sum())


def _overlaps(
    reference: Integer[np.ndarray, "*size"], found: Integer[np.ndarray, "*size"]
) -> tuple[Float[np.ndarray, "objects found"], Float[np.ndarray, " objects"], Float[np.ndarray, " found"]]:
    """Overlap of every object with every instance in pixels, sizes of objects, and sizes of instances."""
    names, a = np.unique(reference, return_inverse=True)
    found_names, b = np.unique(found, return_inverse=True)
    counts = np.bincount(a.ravel() * len(found_names) + b.ravel(), minlength=len(names) * len(found_names))
    table = counts.reshape(len(names), len(found_names)).astype(float)
    rows, columns = names != 0, found_names != 0
    return table[np.ix_(rows, columns)], table.sum(axis=1)[rows], table.sum(axis=0)[columns]
