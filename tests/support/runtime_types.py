"""Run-time type checks of signatures; int is accepted for float, as by static type checkers.

jaxtyping compares the sizes of axes, which costs 20 µs a call. Signatures without an array have none: beartype alone
checks them in 1 µs.
"""

import dataclasses
import inspect
from types import FunctionType
from typing import Any, ForwardRef, get_args

import jaxtyping
from beartype import BeartypeConf, beartype

check = beartype(conf=BeartypeConf(is_pep484_tower=True))
_alone = beartype(conf=BeartypeConf(is_pep484_tower=True, violation_type=jaxtyping.TypeCheckError))
_with_axes = jaxtyping.jaxtyped


def install(package: str) -> None:
    """Check the signatures of all functions and dataclasses of a package that is not imported yet."""
    jaxtyping.jaxtyped = _jaxtyped
    jaxtyping.install_import_hook(package, "runtime_types.check")


def _jaxtyped(**_: object) -> Any:
    """The decorator that the import hook writes above every function and class."""
    return _checked


def _checked(thing: Any) -> Any:
    if isinstance(thing, type):
        if dataclasses.is_dataclass(thing) and "__init__" in vars(thing):
            thing.__init__ = _checked(thing.__init__)  # type: ignore[misc]
        return thing
    plain = isinstance(thing, FunctionType) and not inspect.isgeneratorfunction(thing)
    if plain and not any(map(_has_axes, thing.__annotations__.values())):
        return _alone(thing)
    return _with_axes(thing, typechecker=check)


def _has_axes(annotation: Any) -> bool:
    """Whether an annotation names an array of jaxtyping, or may: one that is still a string is left to jaxtyping."""
    if isinstance(annotation, (str, ForwardRef)):
        return True
    if isinstance(annotation, list):  # the arguments of a Callable
        return any(map(_has_axes, annotation))
    if isinstance(annotation, type) and issubclass(annotation, jaxtyping.AbstractArray):
        return True
    return any(map(_has_axes, get_args(annotation)))
