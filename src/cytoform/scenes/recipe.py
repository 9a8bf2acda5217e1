"""Recipes of benchmark data sets: TOML files that hold the whole way to one, and rebuild it bit for bit.

title = "…"
sources = ["cells.zarr"]     # or a run, as zoo:mitosis

[[before]]                   # commands that make the sources, one after another, in a folder of their own
command = "simulate mitosis"
out = "movies"
cells = 6

[[before]]
command = "prepare movies"
out = "cells.zarr"
grid = 64

[options]                    # of `cytoform benchmark`, by their names there
cells = 40
voxel-size = [1.0, 0.2, 0.2]
seed = 1

[small]                      # options that differ in a small version, to try it
cells = 4
"""

import re
import shlex
import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import Field

from cytoform.base.gate import read_toml
from cytoform.base.settings import SettingsSection, check_settings
from cytoform.errors import InputError

# Commands that make sources. They write into the folder of the recipe only, so that a recipe from elsewhere harms nothing.
COMMANDS = ("simulate", "prepare", "train", "generate", "fill")
NAME = re.compile("[a-z][a-z0-9-]*")  # of an option
# What the caller says, wherever the recipe is rebuilt.
CALLERS = ("out", "workers", "scheduler", "overwrite", "quiet", "resume")


class Recipe(SettingsSection):
    """A recipe as its file has it; options are checked by the commands that they are for."""

    title: str = ""
    sources: list[str] = Field(default_factory=list)
    before: list[dict[str, Any]] = Field(default_factory=list)
    options: dict[str, Any] = Field(default_factory=dict)
    small: dict[str, Any] = Field(default_factory=dict)

    def commands(self, folder: Path, *, small: bool) -> list[list[str]]:
        """The words of all commands; all but the last work in `folder`, and the last one lacks its --out."""
        made = {str(step["out"]): str(folder / str(step["out"])) for step in self.before if "out" in step}
        steps = []
        for step in self.before:
            command = shlex.split(str(step["command"]))
            options = {name: made.get(str(value), value) if name == "out" else value for name, value in step.items()}
            del options["command"]
            steps.append([*(made.get(word, word) for word in command), *words(options)])
        chosen = self.options | (self.small if small else {})
        return [*steps, ["benchmark", *(made.get(source, source) for source in self.sources), *words(chosen)]]


def recipe_names() -> list[str]:
    """Names of the recipes that come with cytoform."""
    return sorted(entry.name.removesuffix(".toml") for entry in _shipped().iterdir() if entry.name.endswith(".toml"))


def read_recipe(source: str) -> Recipe:
    """Read a recipe by name or file. Raises InputError with its first fault."""
    known = source in recipe_names()
    if not known and not Path(source).exists():
        raise InputError(
            f"--recipe {source}: no such file, and no recipe of this name; known: {', '.join(recipe_names())}"
        )
    values = tomllib.loads((_shipped() / f"{source}.toml").read_text("utf-8")) if known else read_toml(Path(source))
    recipe = check_settings(Recipe, values, where=source)
    if not recipe.sources:
        raise InputError(f"{source}: no sources; name the runs or shape stores whose cells populate the scene")
    for step in recipe.before:
        _check_step(source, step)
    for options in (recipe.options, recipe.small):
        _check_options(source, options, refused=CALLERS)
    return recipe


def _check_step(source: str, step: Mapping[str, Any]) -> None:
    if "command" not in step or "out" not in step:
        raise InputError(f"{source}: every step [[before]] needs a command and its out")
    try:
        command = shlex.split(str(step["command"]))
    except ValueError as fault:
        raise InputError(f"{source}: command {step['command']}: {fault}") from None
    if not command or command[0] not in COMMANDS or any(word.startswith("-") for word in command):
        raise InputError(
            f"{source}: command {step['command']}: must be one of {', '.join(COMMANDS)} and what it reads; give options as "
            "entries of the step"
        )
    out = str(step["out"])
    if out in ("", ".", "..") or Path(out).name != out or "\\" in out:
        raise InputError(f"{source}: out {out}: must be a plain name, since steps write into the folder of the recipe")
    _check_options(source, step, refused=[name for name in CALLERS if name != "out"])


def _check_options(source: str, options: Mapping[str, Any], *, refused: Sequence[str]) -> None:
    """Refuse options of the caller, also where they hide in the name or the value of another."""
    for name, value in options.items():
        if name in refused:
            raise InputError(f"{source}: --{name} is said on the command line, not in a recipe; take it out")
        values = value if isinstance(value, list) else [value]
        if not NAME.fullmatch(name) or any(isinstance(each, str) and each.startswith("-") for each in values):
            raise InputError(f"{source}: {name} = {value}: not the name and value of an option")


def words(options: Mapping[str, Any]) -> list[str]:
    """Options as a command line has them: --name and its values; true is --name alone, false --no-name."""
    found: list[str] = []
    for name, value in options.items():
        if isinstance(value, bool):
            found.append(f"--{name}" if value else f"--no-{name}")
        else:
            found += [f"--{name}", *map(str, value if isinstance(value, list) else [value])]
    return found


def _shipped() -> Any:
    return resources.files("cytoform.scenes") / "recipes"
