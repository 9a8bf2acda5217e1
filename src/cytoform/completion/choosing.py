"""The way of each sequence, chosen by its own hidden frames; short sequences share theirs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cytoform.base.parallel import Progress, run_all
from cytoform.completion.beyond import ChosenBeyond, choose_beyond, ends_to_hide
from cytoform.completion.frames import hide
from cytoform.completion.gaps import Gap, evenly, hidden_gaps
from cytoform.completion.mixture import Choice, Example, Ways, choose
from cytoform.completion.predictions import Predictions, Question, questions_of
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
class Group:
    """Sequences that share a way, and their frames to hide: alone, and together with their neighbours."""

    names: tuple[str, ...]
    narrow: tuple[Gap, ...]
    wide: tuple[Gap, ...]


@dataclass(frozen=True)
class Hidden:
    """Known frames to hide: between others, by group, and at the ends."""

    groups: tuple[Group, ...]
    ends: tuple[Gap, ...]

    def questions(self, timelines: Sequence[Timeline]) -> list[Question]:
        """What to ask a model, so that it can be judged as well."""
        by_reach = {
            1: [gap for group in self.groups for gap in group.narrow],
            2: [gap for group in self.groups for gap in group.wide],
        }
        return [question for each in timelines for question in questions_of(each, by_reach, self.ends)]


def to_hide(timelines: Sequence[Timeline]) -> Hidden:
    """Nothing is hidden of a sequence without gaps."""
    names = [timeline.info.name for timeline in timelines]
    known = {timeline.info.name: timeline.known if timeline.gaps() else () for timeline in timelines}
    narrow = {name: hidden_gaps(name, known[name], most=MOST_NARROW) for name in names}
    wide = {name: hidden_gaps(name, known[name], most=MOST_WIDE, reach=2) for name in names}
    short = [name for name in names if len(narrow[name]) < OWN]
    together = [[name] for name in names if name not in short] + ([short] if short else [])
    groups = [
        Group(
            tuple(group),
            tuple(evenly([gap for name in group for gap in narrow[name]], MOST_NARROW)),
            tuple(evenly([gap for name in group for gap in wide[name]], MOST_WIDE)),
        )
        for group in together
    ]
    return Hidden(tuple(groups), tuple(ends_to_hide(timelines)))


@dataclass(frozen=True)
class Choices:
    """The way between known frames of each sequence, by name, and the way beyond them.

    `radius_um` is that of the ball that tells bodies from protrusions; None where cells are not taken apart.
    """

    between: dict[str, Chosen]
    beyond: ChosenBeyond
    radius_um: float | None


def choose_ways(
    shapes: Path,
    hidden: Hidden,
    predictions: Predictions | None,
    *,
    radius_um: float | None,
    workers: int,
    progress: Progress,
) -> Choices:
    """Hide known frames and choose the best mixtures. `predictions` come from a model; None without one.

    `radius_um` is that of the ball that tells bodies from protrusions; None where cells are not to be taken apart.
    """
    gaps = [*(gap for group in hidden.groups for gap in (*group.narrow, *group.wide)), *hidden.ends]
    tasks = [(shapes, gap, predictions and predictions.hidden[gap], radius_um) for gap in gaps]
    with progress("hiding known frames", len(tasks)) as advance:
        examples = iter(run_all(hide, tasks, workers=workers, done=advance))
    with_model, between = predictions is not None, dict[str, Chosen]()
    ways = ways_with(model=with_model, protrusions=radius_um is not None)
    for group in hidden.groups:
        narrow, wide = ([next(examples) for _ in gaps] for gaps in (group.narrow, group.wide))
        between.update(dict.fromkeys(group.names, _chosen(narrow, wide, ways)))
    return Choices(between, choose_beyond(hidden.ends, list(examples), with_model=with_model), radius_um)


def _chosen(narrow: Sequence[Example], wide: Sequence[Example], ways: Ways) -> Chosen:
    choice = choose(narrow, ways)
    return Chosen(choice, calibrate(narrow, choice.mixture.weights(ways), wide))
