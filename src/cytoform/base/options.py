"""Dataclasses of options: name, default, range and help of an option in one place, for calls and commands.

The command line makes an option of every field. `Parameter` gives an option its name where that is not the field's, and
the text below a field is its help. Every number has a range, `whole` or `real`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, get_type_hints

from cyclopts import Parameter, Token

from cytoform.errors import InputError

FLAG = Parameter(negative=())  # a switch without its --no- form
NOT_AN_OPTION = Parameter(parse=False)


@dataclass(frozen=True)
class Range:
    """The range of a number, ends included. It reads the words of a command line and checks the values of a call."""

    least: float
    most: float
    whole: bool

    def __call__(self, type_: Any, tokens: Sequence[Token]) -> Any:
        """One number, or a tuple of several. Raises InputError."""
        values = [self._read(token) for token in tokens]
        return values[0] if len(values) == 1 else tuple(values)

    def check(self, option: str, value: object) -> None:
        """Raise InputError unless a number, or every number of a tuple, is of this kind and in the range."""
        for each in value if isinstance(value, tuple) else (value,):
            wrong = isinstance(each, bool) or not isinstance(each, Integral if self.whole else Real)
            if wrong or not self.least <= float(each) <= self.most:
                raise self._refused(option, each)

    def _read(self, token: Token) -> float:
        option = token.keyword or ""
        try:
            value = int(token.value) if self.whole else float(token.value)
        except ValueError:
            raise self._refused(option, token.value) from None
        if not self.least <= value <= self.most:
            raise self._refused(option, token.value)
        return value

    def _refused(self, option: str, value: object) -> InputError:
        kind = "a whole number" if self.whole else "a number"
        return InputError(f"{option} {value}: choose {kind} from {_short(self.least)} to {_short(self.most)}".strip())


def whole(least: int, most: int) -> Parameter:
    """A whole number in this range."""
    return Parameter(converter=Range(least, most, whole=True))


def real(least: float, most: float) -> Parameter:
    """A number in this range."""
    return Parameter(converter=Range(least, most, whole=False))


SEED = whole(0, 2**63 - 1)
WORKERS = whole(1, 4096)
GRID = whole(8, 1024)  # voxels along a side
FRAMES = whole(1, 10_000)
FIRST_LAST = whole(0, 10_000_000)  # frames
LENGTH_UM = real(1e-6, 1e6)
SECONDS = real(1e-9, 1e9)


def option_names(options: type) -> dict[str, str]:
    """Names on the command line, such as --voxel-size, of the fields of a dataclass of options."""
    names = {}
    for field, parts in _parameters(options).items():
        given = [str(name) for part in parts for name in part.name or ()]
        names[field] = given[0] if given else f"--{field.replace('_', '-')}"
    return names


def check_ranges(options: Any) -> None:
    """Raise InputError for the first number of a dataclass of options that is out of its range; None is no number."""
    names = option_names(type(options))
    for field, parts in _parameters(type(options)).items():
        for part in parts:
            if isinstance(part.converter, Range) and (value := getattr(options, field)) is not None:
                part.converter.check(names[field], value)


def _parameters(options: type) -> dict[str, list[Parameter]]:
    hints = get_type_hints(options, include_extras=True)
    return {
        field: [part for part in getattr(hint, "__metadata__", ()) if isinstance(part, Parameter)]
        for field, hint in hints.items()
    }


def _short(value: float) -> str:
    return str(value) if isinstance(value, int) or math.isinf(value) else f"{value:g}"
