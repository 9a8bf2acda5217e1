"""What all commands share: the common options, what is printed, and progress bars."""

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from cyclopts import Parameter

from cytoform.parallel import Advance


@Parameter(name="*")
@dataclass(frozen=True)
class Common:
    """Options of every command."""

    seed: Annotated[int, Parameter(help="Seed of every random choice; the same seed gives the same bytes.")] = 0
    overwrite: Annotated[bool, Parameter(help="Replace an existing output.", negative=())] = False
    quiet: Annotated[bool, Parameter(help="Print nothing but errors.", negative=())] = False

    def say(self, line: str) -> None:
        """Print a line, unless --quiet."""
        if not self.quiet:
            print(line, flush=True)

    def done(self, wrote: object, *, next_command: str = "") -> None:
        """Say what was written and the next command to try."""
        self.say(f"wrote {wrote}")
        if next_command:
            self.say(f"next: {next_command}")

    @contextlib.contextmanager
    def progress(self, what: str, total: float) -> Iterator[Advance]:
        """Show a bar with the time left; a stderr that is not a terminal gets none, so that it holds nothing but faults."""
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        with Progress(
            *columns, console=Console(stderr=True), disable=self.quiet or not sys.stderr.isatty(), transient=True
        ) as bar:
            task = bar.add_task(what, total=total, note="")

            def advance(units: float = 1, *, note: str = "") -> None:
                bar.update(task, advance=units, note=note)

            yield advance


Device = Literal["auto", "cpu", "cuda"]
