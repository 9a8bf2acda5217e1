"""A remark on cells that show nothing: empty ones, and ones that fill the whole cube."""

from collections.abc import Iterable, Sequence

from cytoform.shapes.box import BoxedField
from cytoform.shapes.grid import CUBES
from cytoform.shapes.store import ShapeStore

SHOWN = 3  # names in a remark
EMPTY, GAPS, FULL = "are empty", "are empty in some frames", "fill the whole {cube}"


def remark(store: ShapeStore, names: Sequence[str] | None = None, *, remedy: str) -> str:
    """A line about empty and full cells of a store, all or the named ones, and about its run; empty if all is well."""
    chosen = [store[name] for name in (store.names if names is None else names)]
    frames = [(each.info.name, each.boxes()) for each in chosen]
    return remark_on(frames, n_dims=store.grid.n_dims, remedy=remedy, before=store.attributes.get("remark", ""))


def remark_on(
    cells: Sequence[tuple[str, Iterable[BoxedField]]], *, n_dims: int = 3, remedy: str, before: str = ""
) -> str:
    """The same about the frames of named cells; `before` is said first, if there is anything."""
    odd: dict[str, list[str]] = {EMPTY: [], GAPS: [], FULL: []}
    for name, frames in cells:
        seen = [(frame.is_empty, _fills(frame)) for frame in frames]
        if any(is_empty for is_empty, _ in seen):
            odd[EMPTY if all(is_empty for is_empty, _ in seen) else GAPS].append(name)
        if any(is_full for _, is_full in seen):
            odd[FULL].append(name)
    said = [before] * bool(before)
    said += [
        f"{len(names)} of {len(cells)} cells {what.format(cube=CUBES[n_dims])} ({_some(names)})"
        for what, names in odd.items()
        if names
    ]
    return f"notice: {', '.join(said)}; {remedy}" if said else ""


def _fills(frame: BoxedField) -> bool:
    return frame.inside.shape == frame.grid.shape and bool(frame.inside.all())


def _some(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + ", …" * (len(names) > SHOWN)
