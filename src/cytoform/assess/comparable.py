"""Which sequences of two stores are compared, and whether they can be."""

import math
from collections.abc import Sequence

from cytoform.errors import InputError
from cytoform.shapes.store import ShapeStore


def chosen(store: ShapeStore, sequences: Sequence[str] | None) -> list[str]:
    """Names of the sequences to compare: those asked for, or all. Raises InputError."""
    if not store.names:
        raise InputError(f"{store.path}: holds no sequence; make it anew with 'cytoform prepare'")
    for name in sequences or ():
        if name not in store.names:
            raise InputError(f"{store.path}: no sequence {name!r}; it has {', '.join(store.names[:5])} …")
    return sorted(set(sequences)) if sequences else store.names


def refuse_unlike(a: ShapeStore, b: ShapeStore, names_a: list[str], names_b: list[str]) -> None:
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
            f"{where}: grids are {b.grid.size}³ and {a.grid.size}³; make {b.path.name} anew with --grid {a.grid.size}, {remedy}"
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
