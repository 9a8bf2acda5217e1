"""Recipes: command lines from files, and refusals of what they cannot hold."""

from pathlib import Path

import pytest

from cytoform.errors import InputError
from cytoform.scenes.recipe import read_recipe, recipe_names, words

WHOLE = """
title = "Two steps"
sources = ["cells.zarr", "zoo:mitosis-2d"]
[[before]]
command = "simulate mitosis"
out = "movies"
dims = 2
[[before]]
command = "prepare movies"
out = "cells.zarr"
grid = 64
[options]
cells = 40
voxel-size = [1.0, 0.2, 0.2]
geff = false
projection = true
[small]
cells = 4
"""


def written(folder: Path, text: str) -> str:
    path = folder / "recipe.toml"
    path.write_text(text)
    return str(path)


def test_a_recipe_is_its_command_lines(tmp_path: Path) -> None:
    recipe = read_recipe(written(tmp_path, WHOLE))
    simulate, prepare, last = recipe.commands(Path("w"), small=False)
    assert simulate == ["simulate", "mitosis", "--out", "w/movies", "--dims", "2"]
    assert prepare == ["prepare", "w/movies", "--out", "w/cells.zarr", "--grid", "64"]
    assert last[:3] == ["benchmark", "w/cells.zarr", "zoo:mitosis-2d"]
    assert last[3:] == ["--cells", "40", "--voxel-size", "1.0", "0.2", "0.2", "--no-geff", "--projection"]
    assert "4" in recipe.commands(Path("w"), small=True)[-1]


def test_words_of_options() -> None:
    assert words({"a": 1, "b-c": [1, 2.5], "d": True, "e": False, "f": "x"}) == [
        "--a", "1", "--b-c", "1", "2.5", "--d", "--no-e", "--f", "x"
    ]  # fmt: skip


@pytest.mark.parametrize("name", recipe_names())
def test_shipped_recipes_have_a_small_version_of_their_own(name: str) -> None:
    recipe = read_recipe(name)
    assert recipe.sources[0].startswith("zoo:")
    assert recipe.small["cells"] < recipe.options["cells"]
    assert "seed" in recipe.options


REFUSED = {
    "no file": ("", "known: embryo, filopodia, monolayer"),
    "no source": (WHOLE.replace('["cells.zarr", "zoo:mitosis-2d"]', "[]"), "sources"),
    "unknown table": (WHOLE + "[larger]\ncells = 9\n", "larger"),
    "an output": (WHOLE.replace("[options]", '[options]\nout = "x"'), "--out is said on the command line"),
    "a step without": (WHOLE.replace('out = "movies"\n', ""), "needs a command and its out"),
    "another command": (WHOLE.replace("simulate mitosis", "export run"), "must be one of simulate"),
    "options in the command": (
        WHOLE.replace("simulate mitosis", "simulate mitosis --out elsewhere"),
        "entries of the step",
    ),
    "an open quote": (WHOLE.replace("simulate mitosis", "simulate 'mitosis"), "No closing quotation"),
    "a place elsewhere": (WHOLE.replace('out = "movies"', 'out = "../movies"'), "plain name"),
    "an output in a name": (WHOLE + '"out=elsewhere" = 1\n', "not the name and value"),
    "an output in a value": (WHOLE + 'leave = ["none", "--out", "elsewhere"]\n', "not the name and value"),
    "no TOML": ("title = ", "TOML"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_wrong_recipe_is_one_line(case: str, tmp_path: Path) -> None:
    text, said = REFUSED[case]
    source = written(tmp_path, text) if text else "nothing"
    with pytest.raises(InputError, match=said):
        read_recipe(source)
