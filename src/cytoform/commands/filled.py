"""What `fill` and `fit` say of a completed sequence."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cytoform.completion.beyond import ChosenBeyond
    from cytoform.completion.mixture import Choice
    from cytoform.completion.stage import FilledSequence


def lines_of(each: "FilledSequence") -> Iterator[str]:
    """What was known and filled, and by which way."""
    n_lost = each.n_known - each.n_copied
    lost = f", {n_lost} known ones are at no frame of the output" if n_lost else ""
    expected = [value for value in each.expected_error_um if value]
    surface = f", surface to ±{min(expected):.2g} to {max(expected):.2g} µm" if expected else ""
    beyond = f"; {each.n_beyond} of these beyond the known ones" if each.n_beyond else ""
    yield f"{each.name}: {each.n_copied} frames known{lost}, {each.n_filled} filled in{surface}{beyond}"
    if each.n_filled > each.n_beyond:
        yield f"  {choice_line(each.chosen.choice, kind='frame', baseline='mean of distances')}"


def choice_line(choice: "Choice", *, kind: str, baseline: str) -> str:
    """The chosen way in one line, with the hidden frames or planes that it was judged by."""
    if choice.jaccard is None:
        return f"{kind}s: {choice.mixture}; no known {kind} could be hidden to compare ways"
    hidden = f"{kind}s of {choice.n_hidden} frames" if kind == "plane" else f"{choice.n_hidden} known frames"
    return (
        f"{kind}s: {choice.mixture}; {hidden} hidden: Jaccard index {choice.jaccard:.4f}, "
        f"{baseline} {choice.jaccard_baseline:.4f}, nearest {kind} {choice.jaccard_nearest:.4f}"
    )


def lines_beyond(beyond: "ChosenBeyond") -> Iterator[str]:
    """How good frames before the first known one and after the last are, by how far away they are."""
    if not beyond.by_lag:
        yield f"beyond known frames: {beyond.choice.mixture}; no known ends could be hidden to judge it"
        return
    worth = ", ".join(
        f"{each.lag:g} {'frame' if each.lag == 1 else 'frames'} away {each.jaccard:.3f} (copy {each.jaccard_copy:.3f})"
        for each in beyond.by_lag
    )
    yield f"beyond known frames: {beyond.choice.mixture}; hidden ends: Jaccard index {worth}"
