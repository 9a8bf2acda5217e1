"""Notices about the labels of a movie: one line for each kind of oddity, with the first place and the number of others."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum
from math import prod

from cytoform.movies.continuity import Oddity, Step
from cytoform.movies.extents import cut_axes
from cytoform.movies.movie import LabelMovie
from cytoform.movies.survey import Survey

# Tracked cells may jump now and then: nuclei of an embryo that turns do so in one step of twenty.
FEW_JUMPS = 0.1
# Volumes of tracking markers differ by less.
MARKER_SPREAD = 0.05
# Equal balls or dots of so many tracks are drawn by a program that knows points only, such as TrackMate. The share of
# its box that a ball fills is pi / 6, and less for a ball of few voxels.
FEWEST_SPOTS, BALL_SHARE, LARGEST_DOT = 3, (0.25, 0.7), 27


class Cause(Enum):
    """Why a family cannot be used."""

    BORDER = "cut by the border"
    # Cut at the top or bottom of the stack, and nowhere else.
    DEPTH = "cut at the top or bottom"
    JUMP = "its label jumps to another cell"
    DATA = "labels and tracks disagree"
    SHORT = "too short"


@dataclass(frozen=True)
class Fault:
    """Why a family cannot be used, in words and as a kind; the frame where it shows."""

    reason: str
    frame: int
    cause: Cause = Cause.DATA


def renumbered(movie: LabelMovie, found: Survey) -> dict[int, Fault]:
    """Labels of a movie without lineage that are numbered anew in some frame."""
    faults: dict[int, Fault] = {}
    for step in found.steps:
        if step.oddity is Oddity.JUMP:
            faults.setdefault(
                step.label, Fault(f"{_jump(movie, step)} in frame {step.frame - 1}", step.frame, Cause.JUMP)
            )
    lifetimes = found.lifetimes()
    births = {step.label: step for step in found.steps if step.oddity is Oddity.BIRTH}
    if births and max(lifetimes.values()) == 1:
        for frame, label in ((frame, label) for frame, extents in enumerate(found.extents) for label in extents):
            birth = births.get(label)
            place = f", where label {movie.value(birth.other)} was in frame {birth.frame - 1}" if birth else ""
            faults[label] = Fault(
                f"label {movie.value(label)} is there in frame {frame} only{place}", frame, Cause.JUMP
            )
    return faults


def _jump(movie: LabelMovie, step: Step) -> str:
    return f"label {movie.value(step.label)} lies in frame {step.frame} where label {movie.value(step.other)} was"


def notices_of(movie: LabelMovie, found: Survey, *, told: Collection[int] = ()) -> tuple[str, ...]:
    """All notices about the labels of a movie; labels in `told` are left out, which is said elsewhere."""
    by_kind: dict[Oddity, list[Step]] = {}
    for step in found.steps:
        if step.label not in told:
            by_kind.setdefault(step.oddity, []).append(step)
    if movie.lineage is not None:
        # Whoever tracked the cells has seen that they move far.
        by_kind.pop(Oddity.LEAP, None)
        by_kind.pop(Oddity.DRIFT, None)
        if len(by_kind.get(Oddity.JUMP, ())) <= FEW_JUMPS * found.n_compared:
            by_kind.pop(Oddity.JUMP, None)
    lines = [_line(movie, steps) for oddity in Oddity if (steps := by_kind.get(oddity))]
    lines += [_no_background(movie, found)] if found.full else []
    if _are_alike(found) and (movie.origin.markers or _are_spots(found)):
        lines.append(
            f"{movie.source}: all labels have the size of tracking markers; these stand in for the cells and may be "
            "smaller, give masks"
        )
    if not told and movie.n_frames > 1 and max(found.lifetimes().values()) == 1:
        lines.append(
            f"{movie.source}: no label is there in more than one of {movie.n_frames} frames; link the labels if these are "
            "the same cells"
        )
    return tuple(lines)


def _line(movie: LabelMovie, steps: Sequence[Step]) -> str:
    step, *others = steps
    label, other = movie.value(step.label), movie.value(step.other)
    before = f"frame {step.frame - 1}"
    text, remedy = {
        Oddity.JUMP: (
            f"label {label} lies where label {other} was in {before}",
            "check that labels keep their cells",
        ),
        Oddity.LEAP: (
            f"label {label} has moved {step.step_um:.3g} µm, {step.size:.1f} times its diameter, since {before}",
            "check that it is the same cell",
        ),
        Oddity.DRIFT: (
            f"all labels have moved together since {before}, label {label} by {step.step_um:.3g} µm to where label {other} was",
            "check that they are the same cells",
        ),
        Oddity.MERGER: (
            f"label {label} has grown {step.size:.1f} times since {before}, over the place of label {other}, which ends",
            "check that it is one cell",
        ),
        Oddity.CHANGE: (
            f"label {label} has {step.size:.2g} times its {movie.terms.size} of {before}",
            "check that it is the same cell",
        ),
        Oddity.BIRTH: (
            f"label {label} begins where label {other} was in {before}, and no lineage is recorded",
            "pass --link, or put man_track.txt beside the movie, if it is the same cell or a daughter",
        ),
    }[step.oddity]
    more = f", and {len(others)} more like it" if others else ""
    return f"{movie.where(step.frame)}: {text}{more}; {remedy}"


def _no_background(movie: LabelMovie, found: Survey) -> str:
    frame = found.full[0]
    extents = found.extents[frame]
    largest = max(extents, key=lambda label: extents[label].n_voxels)
    is_background = len(cut_axes(extents[largest], movie.shape_zyx)) == movie.n_dims
    guess = f"label {movie.value(largest)} seems to be the background, " if is_background else ""
    return f"{movie.where(frame)}: no {movie.terms.element} is 0; {guess}write the background as 0"


def _are_spots(found: Survey) -> bool:
    """Whether there are several labels and all fill their boxes as a ball does, or are a few voxels."""
    every = [(label, extent) for extents in found.extents for label, extent in extents.items()]
    if len({label for label, _ in every}) < FEWEST_SPOTS:
        return False
    shares = [
        extent.n_voxels / prod(side.stop - side.start for side in extent.box_zyx)
        for _, extent in every
        if extent.n_voxels > LARGEST_DOT
    ]
    return all(BALL_SHARE[0] <= share <= BALL_SHARE[1] for share in shares)


def _are_alike(found: Survey) -> bool:
    """Whether all labels have nearly the same number of voxels in all frames."""
    sizes = [extent.n_voxels for extents in found.extents for extent in extents.values()]
    return len(sizes) > 2 and max(sizes) - min(sizes) <= MARKER_SPREAD * max(sizes)
