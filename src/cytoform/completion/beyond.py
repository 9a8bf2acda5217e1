"""Frames before the first known one and after the last: how they are made, and how fast they become worthless.

Ways are mixed as between known frames (mixture.py), and the mixture is chosen by hiding the ends of known movies. The baseline
is a copy of the nearest known frame. One mixture serves all sequences, because little is gained and each hides few frames.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from cytoform.completion.fields import Field
from cytoform.completion.gaps import Gap, evenly
from cytoform.completion.mixture import Choice, Example, choose
from cytoform.completion.timeline import Timeline
from cytoform.completion.uncertainty import Calibration, calibrate

MOST_LAGS = 5  # that are tried; errors at others follow from these
CUTS = (1 / 3, 2 / 3)  # where known movies are cut, forwards and backwards
MOST_HIDDEN = 60  # frames, of all sequences


@dataclass(frozen=True, eq=False)
class Beyond:
    """An unknown field beyond the nearest known one; `behind` is the next known field on the other side of that.

    `lag` is the distance to the nearest over the distance of the two known ones. Fields are signed distances in voxels.
    `expected` are those of a model, if there is one: at the nearest known frame, and here.
    """

    nearest: Field
    behind: Field
    lag: float
    expected: tuple[Field, ...] = ()


def copy(beyond: Beyond) -> Field:
    """The nearest known field."""
    return beyond.nearest


def continued(beyond: Beyond) -> Field:
    """The last change goes on, for as long as it took."""
    return beyond.nearest + min(beyond.lag, 1.0) * (beyond.nearest - beyond.behind)


def model(beyond: Beyond) -> Field:
    """What the model expects."""
    return beyond.expected[1]


def change_of_model(beyond: Beyond) -> Field:
    """The nearest known field, and what the model expects to change since then."""
    return beyond.nearest + beyond.expected[1] - beyond.expected[0]


WAYS_BEYOND: dict[str, Callable[[Beyond], Field]] = {"copy": copy, "continued": continued}
WAYS_BEYOND_OF_A_MODEL: dict[str, Callable[[Beyond], Field]] = {"model": model, "change of model": change_of_model}


def ways_beyond(*, model: bool) -> dict[str, Callable[[Beyond], Field]]:
    """The ways that can be mixed, with or without a model."""
    return {**WAYS_BEYOND, **WAYS_BEYOND_OF_A_MODEL} if model else WAYS_BEYOND


@dataclass(frozen=True)
class AtLag:
    """Mean Jaccard indices of hidden frames that lie `lag` frames beyond the known ones."""

    lag: float
    n_hidden: int
    jaccard: float
    jaccard_copy: float


@dataclass(frozen=True)
class ChosenBeyond:
    """The chosen mixture for frames beyond the known ones, its expected error, and its scores at the lags that were tried."""

    choice: Choice
    calibration: Calibration
    by_lag: tuple[AtLag, ...] = ()


def ends_to_hide(timelines: Sequence[Timeline]) -> list[Gap]:
    """Known frames to hide. Movies are cut; hidden frames lie as far beyond a cut as missing frames beyond the known ones."""
    wanted = sorted(
        {abs(gap.position - gap.nearest) for each in timelines for gap in each.gaps().values() if not gap.is_between}
    )
    lags = evenly(wanted, MOST_LAGS)
    found = [gap for each in timelines for lag in lags for gap in _at_lag(each, lag)]
    return evenly(list(dict.fromkeys(found)), MOST_HIDDEN)


def _at_lag(timeline: Timeline, lag: float) -> list[Gap]:
    known, name = timeline.known, timeline.info.name
    gaps = []
    for share in CUTS:
        for ahead in (1, -1):
            ordered = known[::ahead]
            cut = round(share * (len(known) - 1))
            later = [frame for frame in ordered[cut + 1 :] if round(abs(frame - ordered[cut])) == max(round(lag), 1)]
            if cut >= 1 and later:
                gaps.append(Gap(name, float(later[0]), tuple(sorted(ordered[cut - 1 : cut + 1]))))
    return gaps


def told(timeline: Timeline, gap: Gap) -> tuple[int, ...]:
    """The known frames on the other side of a cut from a hidden end."""
    ahead = gap.position > gap.nearest
    return tuple(frame for frame in timeline.known if (frame <= gap.nearest if ahead else frame >= gap.nearest))


def lag_of(gap: Gap) -> float:
    """The distance to the nearest known frame, in units of the distance between the two known frames; in frames with one."""
    return abs(gap.position - gap.nearest) / (gap.known[-1] - gap.known[0] or 1)


def choose_beyond(gaps: Sequence[Gap], examples: Sequence[Example], *, with_model: bool) -> ChosenBeyond:
    """Choose one mixture for all sequences. `examples` belong to the hidden `gaps`, one to each."""
    ways = ways_beyond(model=with_model)
    choice = choose(examples, ways)
    weights = choice.mixture.weights(ways)
    by_lag: dict[float, list[Example]] = {}
    for gap, example in zip(gaps, examples, strict=True):
        by_lag.setdefault(abs(gap.position - gap.nearest), []).append(example)
    lags = sorted(by_lag)
    scores = [
        AtLag(
            lag,
            len(by_lag[lag]),
            float(np.mean([example.jaccard(example.mixed(weights)) for example in by_lag[lag]])),
            float(np.mean([example.jaccard(example.nearest) for example in by_lag[lag]])),
        )
        for lag in lags
    ]
    first, last = (by_lag[lags[0]], by_lag[lags[-1]]) if lags else ([], [])
    return ChosenBeyond(choice, calibrate(first, weights, last), tuple(scores))
