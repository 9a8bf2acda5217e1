"""Dataclasses of options: their names on the command line."""

from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter

from cytoform.base.options import FLAG, option_names


@dataclass(frozen=True)
class Options:
    size_zyx: Annotated[tuple[int, int, int], Parameter("--size")]
    keep_motion: Annotated[bool, FLAG] = False
    frames: int | None = None


def test_options_are_named_after_fields_unless_they_have_a_name() -> None:
    assert option_names(Options) == {"size_zyx": "--size", "keep_motion": "--keep-motion", "frames": "--frames"}
