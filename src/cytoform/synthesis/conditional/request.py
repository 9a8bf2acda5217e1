"""Requests on new cells, as a user types them: size_um3=40±5, growth=1.5..2, longest_protrusion_um>8."""

import difflib
import math
import re
from collections.abc import Collection
from dataclasses import dataclass

from cytoform.errors import InputError

NUMBER = r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)"
NAME = r"\s*(\w+)\s*"
AROUND = re.compile(rf"{NAME}=\s*{NUMBER}\s*(?:±|\+-|\+/-)\s*{NUMBER}\s*")
BETWEEN = re.compile(rf"{NAME}=\s*{NUMBER}\s*\.\.\s*{NUMBER}\s*")
BEYOND = re.compile(rf"{NAME}(<=|>=|<|>)\s*{NUMBER}\s*")


@dataclass(frozen=True)
class Request:
    """A descriptor and the range that it has to lie in, ends included."""

    text: str
    name: str
    low: float
    high: float

    def met_by(self, value: float) -> bool:
        """Whether a measured value lies in the range; an undefined one (NaN) does not."""
        return self.low <= value <= self.high


def parse_request(text: str, names: Collection[str]) -> Request:
    """Read a request on one of the descriptors `names`. Raises InputError for anything else."""
    if found := AROUND.fullmatch(text):
        name, middle, tolerance = found[1], float(found[2]), float(found[3])
        low, high = middle - tolerance, middle + tolerance
    elif found := BETWEEN.fullmatch(text):
        name, low, high = found[1], float(found[2]), float(found[3])
    elif found := BEYOND.fullmatch(text):
        name, sign, end = found[1], found[2], float(found[3])
        # Strictly beyond is from the next number on, so that division_frame>10 leaves out 10.
        inner = end if "=" in sign else math.nextafter(end, math.inf if sign == ">" else -math.inf)
        low, high = (inner, math.inf) if ">" in sign else (-math.inf, inner)
    else:
        raise InputError(
            f"--where {text}: not understood; write NAME=40±5 or NAME=40+-5, NAME=35..45, NAME>8 or NAME<8 (in quotes)"
        )
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.3)
        hint = f"did you mean {near[0]}? " if near else ""
        raise InputError(f"--where {text}: no descriptor {name}; {hint}there are {', '.join(names)}")
    if not low <= high:
        raise InputError(f"--where {text}: an empty range; the lower end comes first, and a tolerance is not negative")
    return Request(text.strip(), name, low, high)
