"""Choice of the cells in a movie: sequences of a store, optionally paired with sequences of another store."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cytoform.errors import InputError
from cytoform.pictures.labels import distinct, label_of
from cytoform.pictures.sheets import spread
from cytoform.shapes.store import ShapeStore

SHOWN = 6


@dataclass(frozen=True)
class MovieCell:
    """A sequence of a store, for worker processes; a cell of side 0 is shown above a cell of side 1."""

    store: Path
    name: str
    n_frames: int
    side: int


@dataclass(frozen=True)
class Subject:
    """Contents of one cell of the grid: a cell, or a pair of cells to compare, one above the other."""

    cells: tuple[MovieCell, ...]
    time_step_s: float | None

    @property
    def name(self) -> str:
        """Name of the sequence."""
        return self.cells[0].name

    @property
    def n_frames(self) -> int:
        """Frames of the upper cell, which sets the time."""
        return self.cells[0].n_frames


@dataclass(frozen=True)
class Cast:
    """All cells of a movie, and a label for each store."""

    subjects: tuple[Subject, ...]
    sides: tuple[str, ...]


def choose(store: Path, against: Path | None, sequences: Sequence[str] | None) -> Cast:
    """Choose sequences by name, in the given order; by default up to six, evenly spaced over the store. Raises InputError."""
    stores = [ShapeStore.open(path) for path in (store, against) if path is not None]
    names = list(dict.fromkeys(sequences)) if sequences else _spread_names(stores)
    subjects = []
    for name in names:
        found = [opened[name] for opened in stores]
        cells = (
            MovieCell(opened.path.absolute(), name, sequence.info.n_frames, side)
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
