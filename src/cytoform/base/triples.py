"""Values along the axes of a space: z, y and x, or of images y and x."""

from collections.abc import Iterable, Sequence
from typing import Any

Triple = tuple[float, float, float]
IntTriple = tuple[int, int, int]
Floats = tuple[float, ...]
Ints = tuple[int, ...]
Slices = tuple[slice, ...]


def triple(values: Iterable[Any]) -> Triple:
    """Three plain floats."""
    z, y, x = (float(value) for value in values)
    return z, y, x


def int_triple(values: Iterable[Any]) -> IntTriple:
    """Three plain integers."""
    z, y, x = (int(value) for value in values)
    return z, y, x


def in_volume(values: Sequence[Any], along_z: Any) -> tuple[Any, Any, Any]:
    """Values (z, y, x). Values of an image (y, x) get `along_z` for z."""
    z, y, x = (*[along_z] * (3 - len(values)), *values)
    return z, y, x


def floats(values: Iterable[Any]) -> Floats:
    """Plain floats."""
    return tuple(float(value) for value in values)


def ints(values: Iterable[Any]) -> Ints:
    """Plain integers."""
    return tuple(int(value) for value in values)
