"""All commands that write, with small inputs: the table over which the rules for outputs are tested."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tiny import SMALL

SETTINGS = [word for setting in (*SMALL, "training.epochs=2") for word in ("--set", setting)]


@dataclass(frozen=True)
class Writer:
    """A command, its inputs as names in the folder of inputs, the end of its output's name, and how it goes on."""

    words: Sequence[str]
    inputs: Sequence[str]
    ending: str = ""
    resumes: bool = False

    def arguments(self, out: Path, *more: str) -> list[str]:
        """The words of a call in the folder of inputs."""
        return [*self.words, "--out", str(out), "--quiet", *more]
