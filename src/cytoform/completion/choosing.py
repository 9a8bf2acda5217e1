"""The way of each sequence, chosen by its own hidden frames; short sequences share theirs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cytoform.base.parallel import Progress, run_all
from cytoform.completion.frames import hide
from cytoform.completion.gaps import Gap, evenly, hidden_gaps
from cytoform.completion.mixture import Choice, Example, choose
from cytoform.completion.predictions import Predictions
from cytoform.completion.timeline import Timeline
from cytoform.completion.uncertainty import Calibration, calibrate
from cytoform.completion.ways import ways_with

OWN = 5  # a sequence with fewer hidden frames shares those of all short sequences
MOST_NARROW, MOST_WIDE = 10, 3  # hidden frames of a sequence, alone and together with their neighbours


@dataclass(frozen=True)
class Chosen:
    """The chosen way, and how its error is expected."""

    choice: Choice
    calibration: Calibration


@dataclass(frozen=True)
class Hidden:
    """Frames to hide for the sequences that share a way: alone, and together with their neighbours."""

    names: tuple[str, ...]
    narrow: tuple[Gap, ...]
    wide: tuple[Gap, ...]


def to_hide(timelines: Sequence[Timeline]) -> list[Hidden]:
    """Nothing is hidden of a sequence without gaps."""
    names = [timeline.info.name for timeline in timelines]
    known = {timeline.info.name: timeline.known if timeline.gaps() else () for timeline in timelines}
    narrow = {name: hidden_gaps(name, known[name], most=MOST_NARROW) for name in names}
    wide = {name: hidden_gaps(name, known[name], most=MOST_WIDE, reach=2) for name in names}
    short = [name for name in names if len(narrow[name]) < OWN]
    groups = [[name] for name in names if name not in short] + ([short] if short else [])
    return [
        Hidden(
            tuple(group),
            tuple(evenly([gap for name in group for gap in narrow[name]], MOST_NARROW)),
            tuple(evenly([gap for name in group for gap in wide[name]], MOST_WIDE)),
        )
        for group in groups
    ]


def choose_ways(
    shapes: Path, hidden: Sequence[Hidden], predictions: Predictions | None, *, workers: int, progress: Progress
) -> dict[str, Chosen]:
    """The way of each sequence, by name. `predictions` are those of a model, if there is one."""
    tasks = [
        (shapes, gap, predictions and predictions.hidden[gap.sequence, int(gap.position), reach])
        for each in hidden
        for reach, gaps in ((1, each.narrow), (2, each.wide))
        for gap in gaps
    ]
    with progress("hiding known frames", len(tasks)) as advance:
        examples = iter(run_all(hide, tasks, workers=workers, done=advance))
    chosen = {}
    for each in hidden:
        narrow, wide = ([next(examples) for _ in gaps] for gaps in (each.narrow, each.wide))
        chosen.update(dict.fromkeys(each.names, _chosen(narrow, wide, with_model=predictions is not None)))
    return chosen


def _chosen(narrow: Sequence[Example], wide: Sequence[Example], *, with_model: bool) -> Chosen:
    ways = ways_with(model=with_model)
    choice = choose(narrow, ways)
    return Chosen(choice, calibrate(narrow, choice.mixture.weights(ways), wide))
