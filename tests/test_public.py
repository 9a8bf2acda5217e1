"""Every command is a call: what `cytoform` exports, compared with the command line."""

import inspect
import typing
from collections.abc import Iterator
from importlib import import_module

import pytest

import cytoform
from cytoform import cli
from cytoform.commands import texture

# The calls that each command makes; of several, one has the main work.
CALLS = {
    "demo": {"demo"},
    "simulate": {"simulate"},
    "fetch": {"fetch"},
    "prepare": {"prepare"},
    "train": {"train", "load_config"},
    "reconstruct": {"load", "reconstruct"},
    "fill": {"fill"},
    "fit": {"load", "complete"},
    "generate": {"load", "condition_on", "generate", "generate_coded"},
    "interpolate": {"load", "interpolate"},
    "latent": {"load", "write_latent_report"},
    "evaluate": {"evaluate", "write_report"},
    "texture train": {"open_pairs", "train_texture"},
    "texture calibrate": {"open_pairs", "calibrate"},
    "texture render": {"render_pairs"},
    "texture evaluate": {"write_texture_report"},
    "view": {"write_view"},
    "studio": {"load", "write_studio"},
    "protrusions": {"track_protrusions"},
    "export": {"export", "export_training", "export_onnx"},
    "movie": {"write_movie"},
    "benchmark": {"benchmark", "write_scene_report"},
    "import": {"import_shapes", "import_run"},
    "models": {"models"},
    "publish": {"publish"},
    "info": {"info"},
}


def test_every_command_has_its_calls() -> None:
    commands = {name for name in cli.COMMANDS if name != "texture"} | {f"texture {name}" for name in texture.COMMANDS}
    assert set(CALLS) == commands
    assert set().union(*CALLS.values()) <= set(cytoform.__all__)


@pytest.mark.parametrize("command", CALLS)
def test_the_commands_module_makes_these_calls(command: str) -> None:
    name = command.replace(" ", "_") + ("_" if command == "import" else "")
    source = inspect.getsource(import_module(f"cytoform.commands.{name}"))
    for call in CALLS[command] - {"open_pairs"}:
        assert f"import {call}" in source or f", {call}" in source, call


@pytest.mark.parametrize("name", sorted(cytoform._PUBLIC))
def test_every_name_is_there(name: str) -> None:
    found = getattr(import_module(cytoform._PUBLIC[name]), name)
    assert found.__doc__, f"{name} has no docstring"


def classes(hint: object) -> Iterator[type]:
    """The classes in a type hint; what a callback is given is made by us."""
    if typing.get_origin(hint) is typing.get_origin(typing.Callable[[], None]):
        return
    for part in typing.get_args(hint):
        yield from classes(part)
    if inspect.isclass(hint):
        yield hint


@pytest.mark.parametrize("name", sorted(cytoform._CALLS))
def test_the_types_of_arguments_are_public_too(name: str) -> None:
    call = getattr(import_module(cytoform._PUBLIC[name]), name)
    hints = typing.get_type_hints(call)
    hints.pop("return", None)
    wanted = {
        kind.__name__ for hint in hints.values() for kind in classes(hint) if kind.__module__.startswith("cytoform")
    }
    assert wanted <= set(cytoform.__all__)
