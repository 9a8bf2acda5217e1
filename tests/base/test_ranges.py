"""Every number on the command line is exact, and has a range that calls keep too."""

from collections.abc import Iterator
from typing import Any, get_args

import numpy as np
import pytest
from cyclopts import App
from cyclopts.argument import Argument

from cytoform import cli
from cytoform.base.options import Range
from cytoform.errors import InputError
from cytoform.scenes.request import SceneRequest
from cytoform.simulate.parameters import MitosisParameters
from cytoform.synthesis.options import Rendering


def commands(app: App, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], App]]:
    names = [name for name in app if not name.startswith("-")]
    for name in names:
        yield from commands(app[name], (*words, name))
    if not names:
        yield words, app


def is_number(hint: Any) -> bool:
    return hint in (int, float) or any(is_number(part) for part in get_args(hint))


def numbers() -> Iterator[tuple[str, Argument]]:
    for words, command in commands(cli.app):
        for argument in command.assemble_argument_collection():
            if is_number(argument.hint) and argument.parse:
                yield " ".join([*words, argument.name]), argument


def test_every_number_has_a_range() -> None:
    found = dict(numbers())
    assert len(found) > 100
    assert [name for name, argument in found.items() if not isinstance(argument.parameter.converter, Range)] == []
    for name, argument in found.items():
        whole = getattr(argument.parameter.converter, "whole", None)
        assert whole == ("int" in str(argument.hint)), name


WRONG = {
    "generate no-run --out x.zarr": ["--grid 16.7", "--frames 1.9", "--grid 5", "-n 0", "--sigma 1e308", "--sigma nan"],
    "train no-store --out x": ["--seed -1", "--seed 1e3", "--workers 0"],
    "simulate mitosis --out x": ["--voxel-size 1e-308 1 1", "--voxel-size 1 1 inf", "--cells 1e9"],
    "benchmark no-run --out x --cells 1 --frames 2 --size 8 8 8": ["--speed 1e308", "--arrivals 1", "--seed -3"],
    "demo --out x": ["--grid 5", "--cells 0", "--frames 1.5"],
    "prepare no-movie --out x.zarr": ["--time-step 1e-300", "--half-extent 0"],
    "view no-store --out x.html": ["--megabytes -1"],
    "movie no-store --out x.mp4": ["--size 1 1"],
    "texture evaluate no-a no-b --out x": ["--steps 0", "--frames -1 3"],
}


@pytest.mark.parametrize(
    ("command", "wrong"), [(command, wrong) for command, options in WRONG.items() for wrong in options]
)
def test_a_number_out_of_its_range_is_refused_before_anything_is_looked_at(
    command: str, wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run([*command.split(), *wrong.split()]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"cytoform: {wrong.split()[0]} ")
    assert "choose a" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda: Rendering(n_frames=0).check(),
        lambda: Rendering(safety=float("nan")).check(),
        lambda: MitosisParameters(size_um3=1e308),
        lambda: SceneRequest(cells=1, frames=2, size_zyx=(8, 8, 8), seed=-1),
        lambda: SceneRequest(cells=1, frames=2, size_zyx=(8, 8, 0)),
    ],
)
def test_calls_keep_the_same_ranges(call: Any) -> None:
    with pytest.raises(InputError, match="choose a"):
        call()


@pytest.mark.parametrize("value", [16.7, 16.0, True, "16", None, (16, 7), float("nan")])
def test_a_whole_number_is_whole(value: object) -> None:
    with pytest.raises(InputError, match="--grid"):
        Range(8, 1024, whole=True).check("--grid", value)
    Range(8, 1024, whole=True).check("--grid", np.int64(16))
