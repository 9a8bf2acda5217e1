"""Shape stores measured for a comparison: each is hashed, read and measured once, however many it is compared with."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cytoform.assess.measures.kinds import MEASURES, Measures
from cytoform.assess.measures.sequences import MeasuredCell, MeasuredPair, MeasuredSequence, measure_cell
from cytoform.base.digest import folder_sha256
from cytoform.base.parallel import run_all
from cytoform.errors import InputError
from cytoform.protrusions.verdict import Verdict, judge
from cytoform.shapes.grid import Grid
from cytoform.shapes.store import ShapeStore

# Held-out cells have to look as the learned ones do: surfaces and protrusions depend on the width of voxels.
SPACING_TOLERANCE = 0.05


@dataclass(frozen=True)
class MeasuredStore:
    """A shape store, and the measures of its sequences: of all, or of some of them, in the order of their names."""

    path: Path
    sha256: str
    grid: Grid
    # Of the whole store, whether measured or not.
    n_sequences: int
    n_frames: int
    sequences: tuple[MeasuredSequence, ...]
    # By sequence: its frames against the reference; None for the reference, and where the cells are different ones.
    pairs: dict[str, tuple[MeasuredPair, ...]] | None = None
    # Whether the cells of the reference are bodies with protrusions; where they are, those of all stores are taken apart.
    verdict: Verdict | None = None

    @property
    def measures(self) -> Measures:
        """The measures of cells in as many dimensions."""
        return MEASURES[self.grid.n_dims]

    @property
    def names(self) -> list[str]:
        """Names of the measured sequences."""
        return [sequence.name for sequence in self.sequences]

    @property
    def opening_radius_um(self) -> float | None:
        """Radius of the ball that the cells were taken apart with; None where they were not."""
        return None if self.verdict is None else self.verdict.opening_um

    def only(self, names: Sequence[str]) -> "MeasuredStore":
        """The same store with the measures of these sequences alone, for example of a fold."""
        return replace(self, sequences=tuple(each for each in self.sequences if each.name in names))

    def to_json(self) -> dict[str, Any]:
        """The entry of a store in the provenance of results."""
        return {
            "name": self.path.name,
            "sha256": self.sha256,
            "sequences": self.n_sequences,
            "frames": self.n_frames,
            "grid": self.grid.size,
            "spacing_um": self.grid.spacing_um,
            "half_extent_um": self.grid.half_extent_um,
        }


@dataclass(frozen=True)
class Selection:
    """The cells to measure of a reference and of the stores to compare with it; see `select`."""

    stores: tuple[ShapeStore, ...]  # the reference first, held-out cells last
    paired: tuple[int, ...]  # which of the stores hold counterparts of the reference's cells
    asked: tuple[str, ...] | None  # names that the reference and the paired stores are limited to
    cells: tuple[tuple[tuple[int, ...], str], ...]  # the stores that a cell is in, and its name
    held_out: bool = False  # whether the last of the stores holds held-out cells


def select(
    reference: Path,
    others: Sequence[Path],
    *,
    paired: Sequence[bool],
    sequences: Sequence[str] | None = None,
    held_out: Path | None = None,
) -> Selection:
    """Choose the cells to compare: all, or of the reference and of paired stores only the named `sequences`.

    `paired` says of each of `others` whether its sequences are counterparts of the reference's, of the same names.
    `held_out` may be the reference itself where `sequences` names those that were learned: all others are held out.
    Raises InputError where a store cannot be compared.
    """
    stores = [ShapeStore.open(path) for path in (reference, *others)]
    together = (0, *(n for n, pair in enumerate(paired, start=1) if pair))
    _refuse_mixture(stores)
    names = [_chosen(store, sequences if n in together else None) for n, store in enumerate(stores)]
    for n in together[1:]:
        _refuse_unlike(stores[0], stores[n], names[0], names[n])
    if held_out is not None:
        if all(paired):
            raise InputError(
                f"{held_out}: new cells are judged by held-out ones, and every store here is paired; leave one out"
            )
        stores.append(ShapeStore.open(held_out))
        _refuse_mixture(stores)
        names.append(_held_out_names(stores[0], stores[-1], names[0]))
    cells = [(together, name) for name in names[0]]
    cells += [((n,), name) for n in range(len(stores)) if n not in together for name in names[n]]
    asked = tuple(sorted(set(sequences))) if sequences else None
    return Selection(tuple(stores), together[1:], asked, tuple(cells), held_out is not None)


def measure_stores(
    selection: Selection,
    *,
    workers: int = 1,
    done: Callable[[], Any] = lambda: None,
    verdict: Verdict | None = None,
) -> list[MeasuredStore]:
    """Measure the chosen cells of all stores, in the order of `selection.stores`; `done` is called after each cell.

    `verdict` says whether and how cells are taken apart; without one the reference is judged. Raises InputError where a
    distance is NaN.
    """
    verdict = verdict or judge(selection.stores[0], workers=workers)
    radius_um = verdict.opening_um
    paths = [store.path.absolute() for store in selection.stores]
    sha256 = {path: folder_sha256(path) for path in dict.fromkeys(paths)}
    tasks = [([paths[n] for n in own], name, radius_um) for own, name in selection.cells]
    found: list[MeasuredCell] = run_all(measure_cell, tasks, workers=workers, done=done)

    def measured(n: int, store: ShapeStore) -> MeasuredStore:
        parts = [(cell, own.index(n)) for (own, _), cell in zip(selection.cells, found, strict=True) if n in own]
        return MeasuredStore(
            path=store.path,
            sha256=sha256[paths[n]],
            grid=store.grid,
            n_sequences=len(store),
            n_frames=sum(sequence.info.n_frames for sequence in store),
            sequences=tuple(cell.sequences[at] for cell, at in parts),
            pairs={cell.name: cell.pairs[at - 1] for cell, at in parts} if n in selection.paired else None,
            verdict=verdict,
        )

    return [measured(n, store) for n, store in enumerate(selection.stores)]


def _refuse_mixture(stores: Sequence[ShapeStore]) -> None:
    """Raise InputError for cells in images beside cells in volumes."""
    first = stores[0]
    for other in stores[1:]:
        if other.grid.n_dims != first.grid.n_dims:
            raise InputError(
                f"{other.path} is {other.grid.n_dims}D and {first.path} is {first.grid.n_dims}D, so their cells cannot be "
                "compared; give stores of one kind"
            )


def _chosen(store: ShapeStore, sequences: Sequence[str] | None) -> list[str]:
    """Names of the sequences to compare: the given ones, or all. Raises InputError."""
    if not store.names:
        raise InputError(f"{store.path}: holds no sequence; make it anew with 'cytoform prepare'")
    for name in sequences or ():
        if name not in store.names:
            raise InputError(f"{store.path}: no sequence {name!r}; it has {', '.join(store.names[:5])} …")
    return sorted(set(sequences)) if sequences else store.names


def _held_out_names(reference: ShapeStore, held_out: ShapeStore, learned: list[str]) -> list[str]:
    """Names of the held-out sequences. Raises InputError where there is none, and where voxels have another width."""
    names = _chosen(held_out, None)
    if held_out.path.resolve() == reference.path.resolve():
        names = [name for name in names if name not in learned]
        if not names:
            raise InputError(
                f"{held_out.path}: all its cells are learned ones; give a store of other cells, or name the learned ones "
                "with --sequences"
            )
    a, b = reference.grid.spacing_um, held_out.grid.spacing_um
    if not math.isclose(a, b, rel_tol=SPACING_TOLERANCE):
        raise InputError(
            f"{held_out.path}: voxels are {b:.3g} µm wide and those of {reference.path} {a:.3g} µm, so the same cells would "
            f"differ; prepare it with --half-extent {reference.grid.half_extent_um:g} --grid {reference.grid.size}"
        )
    return names


def _refuse_unlike(a: ShapeStore, b: ShapeStore, names_a: list[str], names_b: list[str]) -> None:
    """Raise InputError unless both stores have the same cube, voxels, sequences and frames."""
    where = f"{b.path} cannot be paired with {a.path}"
    remedy = "or leave out --paired to compare distributions"
    if not math.isclose(a.grid.half_extent_um, b.grid.half_extent_um, rel_tol=1e-6):
        raise InputError(
            f"{where}: half extents are {b.grid.half_extent_um:g} and {a.grid.half_extent_um:g} µm; "
            f"prepare both with the same --half-extent, {remedy}"
        )
    if a.grid.size != b.grid.size:
        raise InputError(
            f"{where}: grids are {b.grid.voxels_text} and {a.grid.voxels_text}; make {b.path.name} anew with "
            f"--grid {a.grid.size}, {remedy}"
        )
    lone = sorted(set(names_a) ^ set(names_b))
    if lone:
        side = a.path if lone[0] in names_a else b.path
        raise InputError(
            f"{where}: sequence {lone[0]!r} is only in {side} ({len(lone)} such); "
            f"name those to compare with --sequences, {remedy}"
        )
    for name in names_a:
        n_a, n_b = a[name].info.n_frames, b[name].info.n_frames
        if n_a != n_b:
            raise InputError(
                f"{where}: sequence {name!r} has {n_b} and {n_a} frames; make {b.path.name} anew with --frames {n_a}, {remedy}"
            )
