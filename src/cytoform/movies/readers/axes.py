"""Axes of a stored image: which one is time, and how a frame becomes z, y, x; an image is a volume of one plane.

An axis has a letter: T, Z, Y, X, C (channels), S (samples of a colour). Q and I stand for axes without a name.
"""

from dataclasses import dataclass

import numpy as np

from cytoform.base.triples import IntTriple
from cytoform.errors import InputError

UNNAMED = "QI"
CHANNELS = "CS"
NAMED = "TZCYX"


@dataclass(frozen=True)
class Layout:
    """The letter of every stored axis; those of length one that are not T, Z, Y or X have a dash."""

    letters: str
    shape: tuple[int, ...]
    # Where the letters come from, for people.
    origin: str = ""

    @property
    def n_frames(self) -> int | None:
        """Number of frames; None for a single volume."""
        n = self._length("T")
        return n if n > 1 else None

    @property
    def shape_zyx(self) -> IntTriple:
        """Shape of a frame."""
        return self._length("Z"), self._length("Y"), self._length("X")

    def index(self, frame: int) -> tuple[int | slice, ...]:
        """Index of a frame in the stored array; axes of length one are dropped."""
        kept = "ZYX"
        return tuple(frame if a == "T" and n > 1 else slice(None) if a in kept else 0 for a, n in self._axes())

    def ordered(self, values: np.ndarray) -> np.ndarray:
        """The values at `index` as (z, y, x)."""
        letters = [letter for letter in self.letters if letter in "ZYX"]
        if "Z" not in letters:
            values, letters = values[None], ["Z", *letters]
        return values.transpose([letters.index(letter) for letter in "ZYX"])

    def _length(self, letter: str) -> int:
        return dict(self._axes()).get(letter, 1)

    def _axes(self) -> list[tuple[str, int]]:
        return list(zip(self.letters, self.shape, strict=True))


def layout(axes: str, shape: tuple[int, ...], where: str, *, given: str | None = None, volume: bool = False) -> Layout:
    """Find the axes T, Z, Y and X; raises InputError where there are others, or where one without a name could be either.

    Named axes may have any order; axes of length one do not matter. `given` names the axes instead of the file. With
    `volume`, three axes without names are Z Y X.
    """
    axes = _given(given, axes, shape, where) if given else axes.upper()
    letters = _named(axes, shape, volume=volume)
    long = letters.replace("-", "")
    text = f"axes {axes}, shape {shape}"
    doubled = [letter for letter in "TZYX" if long.count(letter) > 1]
    if doubled or set(long) - set(NAMED + UNNAMED + CHANNELS):
        raise InputError(f"{where}: {text} where T Z Y X are needed; name them with --axes, or save one channel alone")
    if set(long) & set(CHANNELS):
        raise InputError(f"{where}: RGB or several channels (shape {shape}) where one is needed; {_advice(long)}")
    if set(long) & set(UNNAMED):
        raise InputError(_unnamed(where, text, long))
    if not {"Y", "X"} <= set(long):
        raise InputError(f"{where}: {text} where Y and X are needed; name the axes with --axes")
    origin = "--axes" if given else "named in the file" if not set(axes) & set(UNNAMED) else "by convention"
    return Layout(letters, shape, f"{' '.join(long)} ({origin})")


def _given(given: str, axes: str, shape: tuple[int, ...], where: str) -> str:
    """The letters that the user gave, one for each stored axis."""
    letters = given_axes(given)
    if len(letters) == len(shape):
        return letters
    long = [n > 1 for n in shape]
    if len(letters) != sum(long):
        raise InputError(
            f"{where}: --axes {given} has {len(letters)} letters but the image has the axes {axes} of shape {shape}; "
            "give one letter for each"
        )
    rest = iter(letters)
    return "".join(next(rest) if is_long else "-" for is_long in long)


def given_axes(given: str) -> str:
    """Letters of --axes without blanks and commas. Raises InputError for a value that names no frames."""
    letters = "".join(given.upper().replace(",", " ").split())
    if set(letters) - set(NAMED) or len(set(letters)) < len(letters) or not {"Y", "X"} <= set(letters):
        raise InputError(f"--axes {given}: give a letter for each axis, from T Z C Y X, such as TZYX or ZYX")
    return letters


def _named(axes: str, shape: tuple[int, ...], *, volume: bool) -> str:
    """A letter for each axis: a name where it is clear, a dash for axes of length one, else as it was."""
    letters = list(axes)
    if len(letters) >= 2 and set(letters[-2:]) <= set(UNNAMED) and not {"Y", "X"} & set(letters):
        letters[-2:] = "YX"
    for n, letter in enumerate(letters):
        if shape[n] == 1 and letter not in "YX":
            letters[n] = "-"
    unknown = [n for n, letter in enumerate(letters) if letter in UNNAMED]
    missing = [letter for letter in "TZ" if letter not in letters]
    by_place = "T" if unknown[:1] == [0] and len(letters) > 3 else "Z"
    if len(unknown) == len(missing) == 2 or len(unknown) == len(missing) == 1:
        names = missing
    elif len(unknown) == 1 and len(missing) == 2 and (volume or len(letters) > 3):
        # A lone axis among several of length one has the place that T or Z has in T Z Y X and T C Z Y X.
        names = ["Z" if volume else by_place]
    else:
        names = []
    for n, name in zip(unknown, names, strict=False):
        letters[n] = name
    return "".join(letters)


def _advice(long: str) -> str:
    """The remedy for channels, which some programs write for times or planes."""
    alone = "save one channel alone"
    leading = long[:-2]
    if not long.endswith("YX") or "C" not in leading or not 1 <= len(leading) <= 2:
        return alone
    others = leading.replace("C", "Z") if "T" in leading else "TZ"[-len(leading) :]
    return f"{alone}, or pass --axes {others}YX if these are no channels"


def _unnamed(where: str, text: str, long: str) -> str:
    if len(long) == 3:
        return (
            f"{where}: three axes without names ({text}); pass --axes ZYX for one volume or --axes TYX for images over "
            "time, save it as OME-TIFF with axes T Z Y X, or a file a frame"
        )
    return f"{where}: {text}, some without names; pass --axes with a letter for each, such as TZYX"
