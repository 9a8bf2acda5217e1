"""Settings that fit the data (`cytoform train` without --preset): the kind of representation and the preset, with reasons."""

from dataclasses import dataclass

from cytoform.protrusions.verdict import Verdict, judge
from cytoform.shapes.store import ShapeStore

# From so many sequences on, codes that describe unseen cells pay; from so many, principal frames do.
MANY, FEW = 12, 4


@dataclass(frozen=True)
class Automatic:
    """A preset with settings, chosen from the data, and the reason in one line."""

    preset: str
    settings: tuple[str, ...]
    reason: str


def automatic(store: ShapeStore, *, workers: int = 1) -> Automatic:
    """Look at a store: are its cells bodies with protrusions, and how many are there?"""
    return chosen_for(judge(store, workers=workers), len(store))


def chosen_for(verdict: Verdict, n_sequences: int) -> Automatic:
    """The settings for a verdict on protrusions and a number of sequences."""
    if verdict.applies:
        return Automatic("parts", (), f"cells are taken apart, since they are {verdict.sentence}")
    aligned = ("data.align=principal",) if n_sequences >= FEW else ()
    frames = "in principal frames" if aligned else "as they lie"
    preset = "unseen" if n_sequences >= MANY else "quick"
    return Automatic(
        preset,
        aligned,
        f"{n_sequences} sequences are learned as whole cells, {frames}, since they are {verdict.sentence}",
    )
