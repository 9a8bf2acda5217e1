"""Further members of the classes A to R of ../shared/cases: what `cytoform prepare` and `info` make of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from member_files import LARGE, SMALL

from cytoform.shapes.store import ShapeStore

VOXELS = ("--voxel-size", "1", "0.5", "0.5")
# Edges of a box lose a little in a mask on another grid.
TOLERANCE = 0.15
# Exit status, and all lines written, of a command.
Run = Callable[[Sequence[str]], tuple[int, str]]


@dataclass(frozen=True)
class Member:
    """An input: `write` makes it in an empty folder and returns the sources to give.

    `families` are (frames, volume in µm³, seconds or None) in any order; without any, one line with the words is expected.
    """

    write: Callable[[Path], Path | Sequence[Path]]
    families: tuple[tuple[int, float, float | None], ...] = ()
    words: str = ""
    options: tuple[str, ...] = ()


def both(words: str = "", *options: str, n_frames: int = 4, step_s: float | None = None) -> dict[str, Any]:
    """The two cells are read."""
    return {
        "families": ((n_frames, LARGE, step_s), (n_frames, SMALL, step_s)),
        "words": words,
        "options": options,
    }


def refused(words: str, *options: str) -> dict[str, Any]:
    """One line with these words."""
    return {"words": words, "options": options}


def check(member: Member, folder: Path, run: Run) -> None:
    """Prepare a member and ask `info` about it. Raises AssertionError if the store or the line is another."""
    (folder / "in").mkdir()
    written = member.write(folder / "in")
    sources = [str(path) for path in ([written] if isinstance(written, Path) else written)]
    out = folder / "shapes.zarr"
    status, text = run(["prepare", *sources, *member.options, "--out", str(out), "--grid", "32", "--workers", "1"])
    assert member.words in text, text
    for source in sources:
        # Whatever it is, `info` says so in words.
        told, lines = run(["info", source])
        assert (told, lines.count("\n")) == (2, 1) or told == 0, lines
    if not member.families:
        assert (status, text.count("\n")) == (2, 1), text
        assert not out.exists()
        return
    assert status == 0, text
    found, expected = sorted(families(out)), sorted(member.families)
    assert [(n, step) for n, _, step in found] == [(n, step) for n, _, step in expected], text
    for (_, volume, _), (_, wanted, _) in zip(found, expected, strict=True):
        assert abs(volume - wanted) <= TOLERANCE * wanted, (found, text)


def families(path: Path) -> list[tuple[int, float, float | None]]:
    """Frames, volume in the first frame in µm³, and time step of the families of a store."""
    store = ShapeStore.open(path)
    return [
        (each.info.n_frames, float(each.mask(0).sum()) * store.grid.spacing_um**3, each.info.time_step_s)
        for each in store
    ]
