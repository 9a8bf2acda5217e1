"""Packages that import their modules when a name of theirs is first used, and packages that are called."""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any


def importer(package: str, modules: Mapping[str, str]) -> Callable[[str], Any]:
    """A `__getattr__` for a package. `modules` maps each name to the module it comes from."""

    def load(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(modules[name]), name)

    return load


class _CallableModule(ModuleType):
    """A module that is called like the function of its own name."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return getattr(self, self.__name__.rpartition(".")[2])(*arguments, **options)


def make_callable(name: str) -> None:
    """Let a call of the module `name` be a call of the function of its name.

    Once a submodule is imported, Python binds it to its name in the package. So `cytoform.prepare` is the function
    until somebody imports `cytoform.prepare.stage`, and the package from then on. The same goes for
    `cytoform.simulate.population`.
    """
    sys.modules[name].__class__ = _CallableModule
