"""The way of each sequence, chosen by its own hidden frames; short sequences share theirs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cytoform.base.parallel import Progress, run_all
from cytoform.completion.frames import hide
from cytoform.completion.gaps import Gap, evenly, hidden_gaps
from cytoform.completion.mixture import Choice, Example, choose
from cytoform.completion.timeline import Timeline
from cytoform.completion.uncertainty import Calibration, calibrate
from cytoform.completion.ways import WAYS

OWN = 5  # a sequence with fewer hidden frames shares those of all short sequences
MOST_NARROW, MOST_WIDE = 10, 3  # hidden frames of a sequence, alone and together with their neighbours


@dataclass(frozen=True)
class Chosen:
    """The chosen way, and how its error is expected."""

    choice: Choice
    calibration: Calibration


def choose_ways(shapes: Path, timelines: Sequence[Timeline], *, workers: int, progress: Progress) -> dict[str, Chosen]:
    """The way of each sequence, by name; nothing is hidden of a sequence without gaps."""
    names = [timeline.info.name for timeline in timelines]
    known = {timeline.info.name: timeline.known if timeline.gaps() else () for timeline in timelines}
    narrow = {name: hidden_gaps(name, known[name], most=MOST_NARROW) for name in names}
    wide = {name: hidden_gaps(name, known[name], most=MOST_WIDE, reach=2) for name in names}
    short = [name for name in names if len(narrow[name]) < OWN]
    groups = [[name] for name in names if name not in short] + ([short] if short else [])
    narrow_by_group = [evenly(_together(narrow, group), MOST_NARROW) for group in groups]
    wide_by_group = [evenly(_together(wide, group), MOST_WIDE) for group in groups]
    hidden = [(shapes, gap) for gaps in (*narrow_by_group, *wide_by_group) for gap in gaps]
    with progress("hiding known frames", len(hidden)) as advance:
        examples = iter(run_all(hide, hidden, workers=workers, done=advance))
    narrow_examples = [[next(examples) for _ in gaps] for gaps in narrow_by_group]
    wide_examples = [[next(examples) for _ in gaps] for gaps in wide_by_group]
    chosen = [_chosen(*each) for each in zip(narrow_examples, wide_examples, strict=True)]
    return {name: way for group, way in zip(groups, chosen, strict=True) for name in group}


def _together(gaps: dict[str, list[Gap]], group: Sequence[str]) -> list[Gap]:
    return [gap for name in group for gap in gaps[name]]


def _chosen(narrow: Sequence[Example], wide: Sequence[Example]) -> Chosen:
    choice = choose(narrow, WAYS)
    return Chosen(choice, calibrate(narrow, choice.mixture.weights(WAYS), wide))
