"""A linker that learns: which cell of the next frame is the same cell, and which two are its daughters.

Two logistic regressions, or forests, give the probability of a link and of a division from shapes alone, in widths of the usual
cell. Of every pair of frames the links and divisions with the largest sum of log odds are taken, in which no cell has two pasts
(an integer program, as Jug et al. 2014 and others do).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Int

from cytoform.movies.lineage import Track

Kind = Literal["logistic", "forest", "balanced logistic"]
# Candidates: how far a cell may be from its past, and daughters from each other, in widths of the usual cell.
REACH, SISTERS = 1.5, 2.0
LEAST_ODDS = 1e-3  # probabilities are kept so far from 0 and 1
Links = set[tuple[int, int]]  # rows of a cell in a frame and in the next
Divisions = set[tuple[int, int, int]]  # rows of a mother, and in the next frame of her daughters in order


@dataclass(frozen=True)
class Cells:
    """The cells of a frame, in pixels: labels, centroids (y, x), areas, lengths over widths, 1 where the border cuts a cell."""

    mask_yx: Int[np.ndarray, "y x"]
    labels: Int[np.ndarray, " cells"]
    middles: Float[np.ndarray, "cells 2"]
    areas: Float[np.ndarray, " cells"]
    elongations: Float[np.ndarray, " cells"]
    cut: Float[np.ndarray, " cells"]

    @classmethod
    def of(cls, mask_yx: Int[np.ndarray, "y x"]) -> "Cells":
        """Measure all cells of a mask."""
        from skimage.measure import regionprops

        found = regionprops(mask_yx.astype(int))
        sides = np.array(mask_yx.shape)
        return cls(
            mask_yx.astype(int),
            np.array([each.label for each in found], int),
            np.array([each.centroid for each in found], float).reshape(-1, 2),
            np.array([each.area for each in found], float),
            np.array([each.axis_major_length / max(each.axis_minor_length, 1.0) for each in found], float),
            np.array(
                [float(min(each.bbox[:2]) == 0 or (np.array(each.bbox[2:]) == sides).any()) for each in found], float
            ),
        )


@dataclass(frozen=True)
class Movie:
    """Tracked masks: a label is a track."""

    frames: tuple[Cells, ...]
    tracks: Mapping[int, Track]

    @cached_property
    def width(self) -> float:
        """Diameter in pixels of the disc as large as the median cell."""
        return float(2 * np.sqrt(np.median(np.concatenate([each.areas for each in self.frames])) / np.pi))

    def steps(self) -> list["Step"]:
        """All pairs of successive frames."""
        return [Step(a, b, self.width) for a, b in zip(self.frames[:-1], self.frames[1:], strict=True)]

    def truth(self, step: "Step") -> tuple[Links, Divisions]:
        """The true links and divisions of a step."""
        return linked(step.before.labels.tolist(), step.after.labels.tolist(), self.tracks)


def linked(before: Sequence[int], after: Sequence[int], tracks: Mapping[int, Track]) -> tuple[Links, Divisions]:
    """The links and divisions between the cells of two frames, given by the numbers of their tracks."""
    rows = {number: row for row, number in enumerate(before)}
    links = {(rows[number], row) for row, number in enumerate(after) if number in rows}
    children: dict[int, list[int]] = {}
    for row, number in enumerate(after):
        if number not in rows and tracks[number].parent in rows:
            children.setdefault(rows[tracks[number].parent], []).append(row)
    links |= {(mother, own[0]) for mother, own in children.items() if len(own) == 1}
    return links, {(mother, own[0], own[1]) for mother, own in children.items() if len(own) == 2}


@dataclass(frozen=True)
class Step:
    """Two successive frames, and the candidates between them."""

    before: Cells
    after: Cells
    width: float

    @cached_property
    def overlaps(self) -> Float[np.ndarray, "before after"]:
        """Pixels that two cells share."""
        both = (self.before.mask_yx > 0) & (self.after.mask_yx > 0)
        rows = np.searchsorted(self.before.labels, self.before.mask_yx[both])
        columns = np.searchsorted(self.after.labels, self.after.mask_yx[both])
        found = np.zeros((len(self.before.labels), len(self.after.labels)))
        np.add.at(found, (rows, columns), 1)
        return found

    @cached_property
    def distances(self) -> Float[np.ndarray, "before after"]:
        """Distances of centroids in widths."""
        return np.linalg.norm(self.before.middles[:, None] - self.after.middles[None], axis=2) / self.width

    @cached_property
    def pairs(self) -> list[tuple[int, int]]:
        """Candidates for links."""
        return [(int(a), int(b)) for a, b in np.argwhere(self.distances < REACH)]

    @cached_property
    def triples(self) -> list[tuple[int, int, int]]:
        """Candidates for divisions."""
        found = []
        for mother, near in enumerate(self.distances < REACH):
            for a, b in combinations(np.flatnonzero(near).tolist(), 2):
                if np.linalg.norm(self.after.middles[a] - self.after.middles[b]) < SISTERS * self.width:
                    found.append((mother, a, b))
        return found

    def of_pairs(self) -> Float[np.ndarray, "pairs features"]:
        """What the regression sees of every candidate for a link."""
        if not self.pairs:
            return np.empty((0, 10))
        a, b = np.array(self.pairs).T
        shared, far = self.overlaps[a, b], self.distances[a, b]
        before, after = self.before.areas[a], self.after.areas[b]
        return np.stack(
            [
                far,
                far - self.distances.min(axis=1)[a],
                far - self.distances.min(axis=0)[b],
                shared / (before + after - shared),
                shared / before,
                shared / after,
                np.log(after / before),
                np.abs(np.log(after / before)),
                self.before.cut[a],
                self.after.cut[b],
            ],
            axis=1,
        )

    def of_triples(self) -> Float[np.ndarray, "triples features"]:
        """What the regression sees of every candidate for a division."""
        if not self.triples:
            return np.empty((0, 10))
        mother, a, b = np.array(self.triples).T
        middle = (self.after.middles[a] + self.after.middles[b]) / 2
        small, large = np.sort(np.stack([self.after.areas[a], self.after.areas[b]]), axis=0)
        size, usual = self.before.areas[mother], np.pi / 4 * self.width**2
        shares = np.stack([self.overlaps[mother, a], self.overlaps[mother, b]]) / size
        return np.stack(
            [
                np.linalg.norm(middle - self.before.middles[mother], axis=1) / self.width,
                np.linalg.norm(self.after.middles[a] - self.after.middles[b], axis=1) / self.width,
                np.log((small + large) / size),
                np.log(large / small),
                np.log(size / usual),
                self.before.elongations[mother],
                shares.min(axis=0),
                shares.max(axis=0),
                self.before.cut[mother],
                np.maximum(self.after.cut[a], self.after.cut[b]),
            ],
            axis=1,
        )


@dataclass(frozen=True)
class Examples:
    """Candidates of links and of divisions with the truth, as rows of features."""

    pairs: Float[np.ndarray, "pairs features"]
    links: Float[np.ndarray, " pairs"]
    triples: Float[np.ndarray, "triples features"]
    divisions: Float[np.ndarray, " triples"]


def examples(movie: Movie, steps: Sequence[int] | None = None) -> Examples:
    """The candidates of a movie, or of some of its steps. A daughter is not the same cell as her mother."""
    found: list[tuple[np.ndarray, ...]] = []
    every = movie.steps()
    for number in range(len(every)) if steps is None else steps:
        step = every[number]
        links, divisions = movie.truth(step)
        found.append(
            (
                step.of_pairs(),
                np.array([float(pair in links) for pair in step.pairs]),
                step.of_triples(),
                np.array([float(triple in divisions) for triple in step.triples]),
            )
        )
    return Examples(*(np.concatenate(each) for each in zip(*found, strict=True)))


class Linker:
    """Learned probabilities of links and divisions. Sides, such as real and synthetic examples, weigh alike."""

    def __init__(self, sides: Sequence[Examples], kind: Kind, seed: int) -> None:
        self.link = _learned([(each.pairs, each.links) for each in sides], kind.removeprefix("balanced "), seed)
        self.division = _learned([(each.triples, each.divisions) for each in sides], kind, seed)

    def __call__(self, step: Step) -> tuple[Links, Divisions]:
        """The links and divisions of a step, of the largest sum of log odds."""
        odds = np.concatenate([_log_odds(self.link, step.of_pairs()), _log_odds(self.division, step.of_triples())])
        chosen = _best([*step.pairs, *step.triples], odds, step)
        pairs = {each for each in chosen if len(each) == 2}
        return pairs, {each for each in chosen if len(each) == 3}  # type: ignore[return-value]


def _learned(sides: Sequence[tuple[np.ndarray, np.ndarray]], kind: Kind, seed: int) -> Any:
    """A fitted classifier; None where no side has both answers."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    features = np.concatenate([rows for rows, _ in sides])
    answers = np.concatenate([truth for _, truth in sides])
    if len(np.unique(answers)) < 2:
        return None
    weights = np.concatenate([np.full(len(truth), len(answers) / max(len(truth), 1)) for _, truth in sides])
    if kind.startswith("balanced"):  # divisions weigh as much as all that is none
        weights *= np.where(answers > 0, (1 - answers).sum() / answers.sum(), 1.0)
    weights /= weights.mean()
    if kind == "forest":
        return RandomForestClassifier(200, min_samples_leaf=2, random_state=seed).fit(features, answers, weights)
    fitted = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    return fitted.fit(features, answers, logisticregression__sample_weight=weights)


def _log_odds(classifier: Any, rows: Float[np.ndarray, "n features"]) -> Float[np.ndarray, " n"]:
    """Log odds; minus infinity, as the least, without a classifier."""
    if classifier is None or not len(rows):
        return np.full(len(rows), np.log(LEAST_ODDS))
    found = np.clip(classifier.predict_proba(rows)[:, 1], LEAST_ODDS, 1 - LEAST_ODDS)
    return np.log(found / (1 - found))


def _best(candidates: Sequence[tuple[int, ...]], odds: Float[np.ndarray, " n"], step: Step) -> list[tuple[int, ...]]:
    """The candidates of the largest sum: every cell has one future (a link or a division) and one past at most."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    likely = [(each, value) for each, value in zip(candidates, odds, strict=True) if value > 0]
    if not likely:
        return []
    n_before = len(step.before.labels)
    taken = np.zeros((n_before + len(step.after.labels), len(likely)))
    for column, ((mother, *rows), _) in enumerate(likely):
        taken[mother, column] = 1
        taken[[n_before + row for row in rows], column] = 1
    values = np.array([value for _, value in likely])
    found = milp(
        -values, constraints=LinearConstraint(taken, ub=1), bounds=Bounds(0, 1), integrality=np.ones(len(values))
    )
    return [each for (each, _), share in zip(likely, found.x, strict=True) if share > 0.5]


def by_overlap(step: Step) -> tuple[Links, Divisions]:
    """The simplest linker: the past of a cell is the one that it covers most of; two of one past are its daughters."""
    futures: dict[int, list[int]] = {}
    for row, shared in enumerate(step.overlaps.T):
        if shared.any():
            futures.setdefault(int(shared.argmax()), []).append(row)
    links, divisions = set(), set()
    for mother, rows in futures.items():
        most = sorted(rows, key=lambda row: -step.overlaps[mother, row])[:2]
        if len(most) == 2:
            divisions.add((mother, min(most), max(most)))
        else:
            links.add((mother, most[0]))
    return links, divisions


def tracked(movie: Movie, found: Sequence[tuple[Links, Divisions]]) -> tuple[list[np.ndarray], list[Track]]:
    """Masks with numbers of tracks, and the tracks, from the links and divisions of all steps."""
    numbers = [np.arange(1, len(movie.frames[0].labels) + 1)]
    spans = {int(n): [0, 0, 0] for n in numbers[0]}
    for time, (links, divisions) in enumerate(found, start=1):
        past = {row: (numbers[-1][mother], True) for mother, row in links}
        past |= {row: (numbers[-1][mother], False) for mother, *rows in divisions for row in rows}
        own = np.zeros(len(movie.frames[time].labels), int)
        for row in range(len(own)):
            number, goes_on = past.get(row, (0, False))
            if goes_on:
                own[row] = number
                spans[int(number)][1] = time
            else:
                own[row] = len(spans) + 1
                spans[int(own[row])] = [time, time, int(number)]
        numbers.append(own)
    masks = []
    for cells, own in zip(movie.frames, numbers, strict=True):
        names = np.zeros(int(cells.labels.max(initial=0)) + 1, np.uint16)
        names[cells.labels] = own
        masks.append(names[cells.mask_yx])
    return masks, [Track(number, *span) for number, span in spans.items()]


def f1(found: set[Any], truth: set[Any]) -> float | None:
    """F1 of two sets; None where both are empty."""
    return 2 * len(found & truth) / (len(found) + len(truth)) if found or truth else None
