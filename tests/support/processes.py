"""The command line in processes of its own, forked from one that has imported everything.

A fresh interpreter needs seconds to import PyTorch and the rest, a fork needs none. What a test does to such a process
(signals, kills, limits) reaches it as it reaches one that a shell has started. That a shell can start one is for
`tests/test_cli.py`, and for the few tests that start `python -m cytoform` themselves.
"""

import atexit
import contextlib
import multiprocessing
import os
import resource
import signal
import sys
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path

PRELOADED = [
    "torch.utils.tensorboard",
    "rich.progress",
    "cytoform.cli",
    "cytoform.prepare.stage",
    "cytoform.runs.stage",
    "cytoform.scenes.stage",
    "cytoform.imaging.networks.stage",
    "cytoform.imaging.texture",
    "cytoform.synthesis.sequences",
]
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(PRELOADED)


@dataclass(frozen=True)
class How:
    """How a process differs from its parent."""

    cwd: str
    group: bool = False  # a session and a group of its own
    environment: dict[str, str] = field(default_factory=dict)
    largest_file: int | None = None  # in bytes; stands in for a full disk
    kill_at: int = 0  # killed before this change to a file, counted from 1


class Cytoform:
    """`cytoform` with these arguments, with the methods of `subprocess.Popen`; it should print little."""

    def __init__(self, *arguments: object, cwd: Path | None = None, **how: object) -> None:
        ends = [_context.Pipe(duplex=False) for _ in range(2)]
        self._outputs = [reading for reading, _ in ends]
        self._begun = _context.Event()
        given = How(str(cwd or Path.cwd()), **how)  # type: ignore[arg-type]
        words, writing = [*map(str, arguments)], [end for _, end in ends]
        self._process = _context.Process(target=_run, args=(words, given, self._begun, *writing))
        self._process.start()
        for end in writing:
            end.close()
        atexit.register(self.kill)  # or the end of the tests would wait for it

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def begun(self) -> None:
        """Wait until it has been forked and answers signals as `cytoform` does."""
        self._begun.wait()

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        assert self.returncode is not None, f"still at it after {timeout} s"
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """What it printed to stdout and to stderr."""
        self.wait(timeout)
        said = []
        for output in self._outputs:
            with open(os.dup(output.fileno())) as file:
                said.append(file.read())
            output.close()
        return said[0], said[1]

    def send_signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()


def cytoform(*arguments: object, cwd: Path | None = None, **how: object) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of `cytoform` with these arguments."""
    process = Cytoform(*arguments, cwd=cwd, **how)
    out, error = process.communicate()
    return process.wait(), out, error


def _run(arguments: list[str], how: How, begun: Event, out: Connection, error: Connection) -> None:
    for number, end in ((1, out), (2, error)):
        os.dup2(end.fileno(), number)
        end.close()
    if how.group:
        os.setsid()
    os.chdir(how.cwd)
    os.environ.update(how.environment)
    if how.largest_file is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (how.largest_file,) * 2)
    if how.kill_at:
        _kill_at(how.kill_at)
    from cytoform.cli import run

    begun.set()
    sys.exit(run(arguments))


def _kill_at(change: int) -> None:
    changes = iter(range(1, sys.maxsize))

    def watch(event: str, values: tuple[object, ...]) -> None:
        writes = event == "open" and isinstance(values[1], str) and set(values[1]) & set("wax+")
        if (writes or event in ("os.rename", "os.remove", "os.mkdir", "os.rmdir")) and next(changes) == change:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
