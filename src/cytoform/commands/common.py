"""Options that commands share, their messages, and progress bars."""

import contextlib
import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from cytoform.base.cluster import connected
from cytoform.base.lines import one_line, printable
from cytoform.base.options import LENGTH_UM, SECONDS, SEED, WORKERS
from cytoform.base.parallel import Advance
from cytoform.base.system import n_processors
from cytoform.errors import InputError

# What cells are exported as, by their number of dimensions.
EXPORTS = {3: "meshes", 2: "masks"}


def export_of(store: Path) -> tuple[object, ...]:
    """The words of a command that exports the cells of a store."""
    from cytoform.shapes.store import ShapeStore

    form = EXPORTS[ShapeStore.open(store).grid.n_dims]
    return "export", store, "--to", form, "--out", form


@dataclass(frozen=True)
class Glob:
    """All files of a folder with an ending, for the shell."""

    folder: Path
    ending: str

    def __str__(self) -> str:
        return f"{shlex.quote(str(self.folder))}/*{self.ending}"


@Parameter(name="*")
@dataclass(frozen=True)
class Common:
    """Options of every command."""

    seed: Annotated[int, SEED, Parameter(help="Seed of every random choice; the same seed gives the same bytes.")] = 0
    overwrite: Annotated[bool, Parameter(help="Replace an existing output.", negative=())] = False
    quiet: Annotated[bool, Parameter(help="Print nothing but errors.", negative=())] = False

    def say(self, line: str) -> None:
        """Print a line, unless --quiet."""
        if not self.quiet:
            print(printable(line), flush=True)

    def remark(self, store: Path, names: Sequence[str] | None = None, *, remedy: str) -> None:
        """Say in one line which cells of a store are empty or fill the cube, if any."""
        from cytoform.shapes.remarks import remark
        from cytoform.shapes.store import ShapeStore

        if not self.quiet and (line := remark(ShapeStore.open(store), names or None, remedy=remedy)):
            self.say(line)

    def complain(self, line: str) -> None:
        """Report a failure in a part of the work on stderr, even with --quiet."""
        print(f"cytoform: {one_line(line)}", file=sys.stderr)

    def done(self, wrote: object, *next_words: object) -> None:
        """Name the output, and suggest the next command if there is one."""
        self.say(f"wrote {wrote}")
        if next_words:
            self.suggest(*next_words)

    def suggest(self, *words: object) -> None:
        """Print the words of the next command as a shell takes them, whatever signs are in them; a `Glob` is left as it is."""
        quoted = [str(word) if isinstance(word, Glob) else shlex.quote(str(word)) for word in words]
        self.say(f"next: {' '.join(['cytoform', *quoted])}")

    @contextlib.contextmanager
    def progress(self, what: str, total: float) -> Iterator[Advance]:
        """Show a progress bar with the time left, if stderr is a terminal: in a file, stderr holds errors only."""
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
class Incomplete:
    """Options of the commands that can do with a part of a shape store."""

    allow_incomplete: Annotated[
        bool, Parameter(help="Take a shape store that has lost sequences, without these.", negative=())
    ] = False

    def sequences(self, store: Path, named: list[str] | None, common: Common) -> list[str] | None:
        """The named sequences; if none are named and an incomplete store is allowed, all that are whole."""
        if named or not self.allow_incomplete:
            return named
        from cytoform.shapes.store import ShapeStore

        opened = ShapeStore.open(store, allow_incomplete=True)
        if lost := opened.lost:
            common.say(f"notice: {store} is incomplete: without {', '.join(lost[:5])}{', …' * (len(lost) > 5)}")
        return opened.names


@Parameter(name="*")
@dataclass(frozen=True)
class WorkerOptions:
    """Options of the commands that work in parallel."""

    workers: Annotated[
        int | None, WORKERS, Parameter(help="Processes on this machine; by default one per CPU core.")
    ] = None
    scheduler: Annotated[
        str | None, Parameter(help="Work on a cluster instead: address of its Dask scheduler, HOST:PORT.")
    ] = None

    @contextlib.contextmanager
    def ready(self) -> Iterator[int]:
        """Connect to the scheduler, if given. Yields the number of processes to start on this machine."""
        if self.scheduler is None:
            yield n_processors() if self.workers is None else self.workers
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
        LENGTH_UM,
        Parameter(help="Voxel size Z Y X in µm of label movies; replaces the recorded one."),
    ] = None
    time_step: Annotated[
        float | None, SECONDS, Parameter(help="Seconds between frames of label movies; replaces the recorded step.")
    ] = None


Device = Annotated[
    Literal["auto", "cpu", "cuda", "mps"], Parameter(help="Where to compute; mps, on Apple's GPUs, is untested.")
]
