"""Three values along the axes z, y and x."""

from collections.abc import Iterable
from typing import Any

Triple = tuple[float, float, float]
IntTriple = tuple[int, int, int]
Slices = tuple[slice, slice, slice]


def triple(values: Iterable[Any]) -> Triple:
    """Three plain floats."""
    z, y, x = (float(value) for value in values)
    return z, y, x


def int_triple(values: Iterable[Any]) -> IntTriple:
    """Three plain integers."""
    z, y, x = (int(value) for value in values)
    return z, y, x
