"""Which cells a movie shows: sequences of a store, perhaps each above the one of the same name in another store."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cytoform.errors import InputError
from cytoform.pictures.labels import distinct, label_of
from cytoform.pictures.sheets import spread
from cytoform.shapes.store import ShapeStore

SHOWN = 6
# What the cells of a store are called, by the command that wrote it.


@dataclass(frozen=True)
class Cell:
    """A sequence of a store, as worker processes find it; side 0 is shown above side 1."""

    store: Path
    name: str
    n_frames: int
    side: int


@dataclass(frozen=True)
class Subject:
    """What stands in one place of a picture: a cell, or a cell and below it the one that it is compared with."""

    cells: tuple[Cell, ...]
    time_step_s: float | None

    @property
    def name(self) -> str:
        """Of the sequence."""
        return self.cells[0].name

    @property
    def n_frames(self) -> int:
        """Of the upper cell, whose clock counts."""
        return self.cells[0].n_frames


@dataclass(frozen=True)
class Cast:
    """All that is shown, and what the cells of each store are called."""

    subjects: tuple[Subject, ...]
    sides: tuple[str, ...]


def choose(store: Path, against: Path | None, sequences: Sequence[str] | None) -> Cast:
    """The sequences of these names, in their order; without names up to six, spread over the store."""
    stores = [ShapeStore.open(path) for path in (store, against) if path is not None]
    names = list(dict.fromkeys(sequences)) if sequences else _spread_names(stores)
    subjects = []
    for name in names:
        found = [opened[name] for opened in stores]
        cells = (
            Cell(opened.path.absolute(), name, sequence.info.n_frames, side)
            for side, (opened, sequence) in enumerate(zip(stores, found, strict=True))
        )
        subjects.append(Subject(tuple(cells), found[0].info.time_step_s))
    return Cast(tuple(subjects), tuple(distinct([label_of(opened) for opened in stores], stores)))


def _spread_names(stores: list[ShapeStore]) -> list[str]:
    names = stores[0].names
    if not names:
        raise InputError(f"{stores[0].path}: holds no sequence; make it anew with 'cytoform prepare'")
    if len(stores) > 1:
        names = sorted(set(names) & set(stores[1].names))
    if not names:
        raise InputError(
            f"{stores[1].path}: no sequence has the name of one in {stores[0].path}; --against shows the same cells, "
            "reconstructed for example"
        )
    return [names[index] for index in spread(len(names), SHOWN)]
