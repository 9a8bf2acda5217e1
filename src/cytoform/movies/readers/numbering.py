"""The order of frames from the numbers in file names, and label images told from microscope images beside them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from cytoform.errors import InputError

ENDINGS = re.compile(r"(\.ome|\.nii|\.companion)?\.[^.]*$", re.IGNORECASE)
# How segmentation tools name their label images beside the image: img_cp_masks.tif, LblImg_img.tif, img_seg.tif, …
MASK_WORDS = re.compile(
    r"[ _.-]*(?<![a-z])(cp[_-]?masks?|lblimg|lbl|masks?|labels?|labell?ed|seg(mentation|mented)?|man_seg|man_track"
    r"|object[ _]identities|instances?|tracked|stardist|cellpose)(?![a-z])[ _.-]*",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Ordered:
    """The files of one movie in the order of their numbers. `first` is the number of the first file, if it has one."""

    files: tuple[Path, ...]
    first: int | None = None
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sorted:
    """Label images of a folder, and a notice about other images that are left aside."""

    files: tuple[Path, ...]
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Name:
    """A file name taken apart: the text between its numbers, and the numbers."""

    path: Path
    text: tuple[str, ...]
    numbers: tuple[int, ...]


def stem(path: Path) -> str:
    """The name without its ending: `seq00` of `seq00.ome.tif`."""
    return ENDINGS.sub("", path.name)


def natural_order(path: Path) -> list[str | int]:
    """A key that sorts 2 before 10."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"([0-9]+)", path.name)]


def without_images(files: Sequence[Path]) -> Sorted:
    """Leave aside the images that have a label image beside them, such as img_0.tif beside img_0_cp_masks.tif."""
    labelled = {MASK_WORDS.sub("", stem(path)) for path in files if MASK_WORDS.search(stem(path))}
    images = [path for path in files if not MASK_WORDS.search(stem(path)) and stem(path) in labelled]
    kept = tuple(path for path in files if path not in images)
    return Sorted(kept, (_aside(images, kept),) if images else ())


def in_order(files: Sequence[Path]) -> Ordered:
    """Order the frames of one movie by the number in their names.

    Raises InputError if the names differ in more than one number, or if a number is missing or stands there twice.
    """
    names = [_taken_apart(path) for path in files]
    kinds: dict[tuple[str, ...], list[_Name]] = {}
    for name in names:
        kinds.setdefault(name.text, []).append(name)
    notices: tuple[str, ...] = ()
    if len(kinds) > 1:
        masks = [kind for text, kind in kinds.items() if MASK_WORDS.search("0".join(text))]
        if len(masks) != 1:
            one, other = (kind[0].path.name for kind in list(kinds.values())[:2])
            raise InputError(
                f"{files[0].parent}: {one} and {other} differ in more than a number, so the order of frames is unknown; "
                "number the frames, or give every file by its name if it is a movie of its own"
            )
        others = [name.path for name in names if name not in masks[0]]
        names, notices = masks[0], (_aside(others, [name.path for name in masks[0]]),)
    if len(names) == 1:
        return Ordered((names[0].path,), None, notices)
    field = _frame_field(names)
    ordered = sorted(names, key=lambda name: name.numbers[field])
    numbers = [name.numbers[field] for name in ordered]
    if (step := numbers[1] - numbers[0]) > 1:
        notices += (
            f"{files[0].parent}: the numbers in the file names rise by {step} ({ordered[0].path.name}, "
            f"{ordered[1].path.name}); every file is taken for the frame after the one before it",
        )
    return Ordered(tuple(name.path for name in ordered), numbers[0], notices)


def _frame_field(names: Sequence[_Name]) -> int:
    """Index of the number that counts the frames: different in every name and evenly spaced."""
    folder, columns = names[0].path.parent, list(zip(*(name.numbers for name in names), strict=True))
    varying = [field for field, column in enumerate(columns) if len(set(column)) > 1]
    even = [field for field in varying if _is_even(columns[field])]
    if even:
        best = min(even, key=lambda field: _step(columns[field]))
        rank = sorted(range(len(names)), key=lambda n: columns[best][n])
        if all(_rises([columns[field][n] for n in rank]) for field in even):
            return best
    if len(varying) > 1 and len({tuple(c[n] for c in columns) for n in range(len(names))}) == len(names):
        raise InputError(
            f"{folder}: several numbers vary in the file names ({names[0].path.name}, {names[-1].path.name}), so the "
            "order of frames is unknown; give each movie a folder of its own, with one number for the frame"
        )
    _refuse_twice(names, varying)
    (field,) = varying
    numbers = sorted(columns[field])
    step = min(b - a for a, b in pairwise(numbers))
    before = next(a for a, b in pairwise(numbers) if b - a > step)
    example = next(name.path.name for name in names if name.numbers[field] == before)
    raise InputError(
        f"{folder}: frame {before + step} is missing after {example}; add its file, or give the frames before and after "
        "it a folder each"
    )


def _refuse_twice(names: Sequence[_Name], varying: Sequence[int]) -> None:
    seen: dict[tuple[int, ...], _Name] = {}
    for name in names:
        if before := seen.get(name.numbers):
            number = name.numbers[varying[0]] if varying else name.numbers[-1] if name.numbers else 0
            raise InputError(
                f"{name.path.parent}: {before.path.name} and {name.path.name} are both frame {number}; keep one of them"
            )
        seen[name.numbers] = name


def _taken_apart(path: Path) -> _Name:
    parts = re.split(r"([0-9]+)", stem(path))
    # No frame has a number of more than 18 digits.
    return _Name(path, tuple(parts[::2]), tuple(int(digits[-18:]) for digits in parts[1::2]))


def _is_even(column: Sequence[int]) -> bool:
    numbers = sorted(column)
    steps = {b - a for a, b in pairwise(numbers)}
    return len(steps) == 1 and 0 not in steps


def _step(column: Sequence[int]) -> int:
    first, second, *_ = sorted(column)
    return second - first


def _rises(column: Sequence[int]) -> bool:
    return all(a < b for a, b in pairwise(column))


def _aside(images: Sequence[Path], kept: Sequence[Path]) -> str:
    number = "1 file such as" if len(images) == 1 else f"{len(images)} files such as"
    return (
        f"{images[0].parent}: {number} {images[0].name} left aside as images; "
        f"labels are read from {kept[0].name} and its like"
    )
