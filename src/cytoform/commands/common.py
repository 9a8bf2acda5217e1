"""What all commands share: the common options, what is printed, and progress bars."""

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from cyclopts import Parameter

from cytoform.base.cluster import connected
from cytoform.base.parallel import Advance
from cytoform.errors import InputError


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

    def complain(self, line: str) -> None:
        """Print a line of what went wrong with a part of the work, --quiet or not."""
        print("cytoform: " + " ".join(line.split()), file=sys.stderr)

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


@Parameter(name="*")
@dataclass(frozen=True)
class WorkerOptions:
    """Options of the commands that do many independent pieces of work."""

    workers: Annotated[
        int | None, Parameter(help="Processes of this machine to work in; by default one a CPU core.")
    ] = None
    scheduler: Annotated[
        str | None, Parameter(help="Work instead on the cluster of the Dask scheduler at this address, HOST:PORT.")
    ] = None

    @contextlib.contextmanager
    def ready(self) -> Iterator[int]:
        """Connect to the scheduler if there is one; yields the number of processes that this machine is to start."""
        if self.scheduler is None:
            yield len(os.sched_getaffinity(0)) if self.workers is None else self.workers
            return
        if self.workers is not None:
            raise InputError("--workers starts processes here and --scheduler works on a cluster; give one of them")
        with connected(self.scheduler):
            yield 1


@Parameter(name="*")
@dataclass(frozen=True)
class ScaleOptions:
    """Options of the commands that read label movies."""

    voxel_size: Annotated[
        tuple[float, float, float] | None,
        Parameter(help="Voxel size Z Y X of a label movie in µm, where it records none or a wrong one."),
    ] = None
    time_step: Annotated[float | None, Parameter(help="Seconds between its frames, likewise.")] = None


Device = Annotated[Literal["auto", "cpu", "cuda"], Parameter(help="Where to compute.")]
