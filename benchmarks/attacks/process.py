"""`cytoform` in a process of its own, and what became of it: exit status, output, time and memory."""

import contextlib
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

# Of work and of waiting; not of waiting for a processor that others use.
HANG_S = 20.0
LOOK_EVERY_S = 0.5
STATUS_UNREAD = 255  # of multiprocessing, when the server that forks has not passed the exit status on
PRELOADED = [
    "torch.utils.tensorboard",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "h5py",
    "safetensors.torch",
    "scipy.optimize",
    "skimage.measure",
    "rich.progress",
    "cytoform.cli",
    *(f"cytoform.commands.{name}" for name in ("common", "info", "train", "prepare", "benchmark", "movie", "texture")),
    "cytoform.assess.results",
    "cytoform.exchange.export",
    "cytoform.imaging.networks.stage",
    "cytoform.imaging.texture",
    "cytoform.prepare.stage",
    "cytoform.protrusions.stage",
    "cytoform.reports.contents",
    "cytoform.reports.latent.stage",
    "cytoform.reports.shapes.write",
    "cytoform.runs.stage",
    "cytoform.scenes.stage",
    "cytoform.synthesis.fitting.stage",
    "cytoform.synthesis.trial",
]
# Of the processes that are killed.
os.environ.setdefault("PYTHONWARNINGS", "ignore:resource_tracker")
# A fresh interpreter needs seconds to import PyTorch, a fork needs none.
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(PRELOADED)


@dataclass(frozen=True)
class Ended:
    """End of a process: exit status, whether it was killed because it hung, and the most memory in bytes."""

    status: int
    hung: bool
    memory: int


def run_here(words: list[str], folder: Path, said: Path | None = None, largest_file: int | None = None) -> None:
    """Run the command line in this process, and end it; output goes to the files `out` and `error` of `said`."""
    for number, name in ((1, "out"), (2, "error")):
        if said is not None:
            os.dup2(os.open(said / name, os.O_WRONLY | os.O_CREAT), number)
    os.chdir(folder)
    if largest_file is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file,) * 2)
    from cytoform.cli import run

    if said is not None:
        (said / "begun").touch()
    status = run(words)
    if said is not None and largest_file is None:
        (said / "memory").write_text(str(1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))
        (said / "status").write_text(str(status))
    sys.exit(status)


def run_forked(words: list[str], folder: Path) -> int:
    """Exit status of a command in a process that has all imported."""
    process = _context.Process(target=run_here, args=(words, folder))
    process.start()
    process.join()
    return process.exitcode or 0


@dataclass(frozen=True)
class Started:
    """A running command."""

    pid: int
    wait: Callable[[float], int | None]  # for at most so many seconds; gives the exit status once it has ended

    @property
    def process(self) -> psutil.Process:
        """The process. Raises psutil.Error once it has ended."""
        return psutil.Process(self.pid)


def start(
    words: list[str], folder: Path, said: Path, environment: Mapping[str, str] | None, largest_file: int | None
) -> Started:
    """Start a command."""
    if environment is None:
        forked = _context.Process(target=run_here, args=(words, folder, said, largest_file))
        forked.start()

        def wait(seconds: float) -> int | None:
            forked.join(seconds)
            return forked.exitcode

        return Started(forked.pid, wait)
    with (said / "out").open("w") as out, (said / "error").open("w") as error:
        command = [sys.executable, "-m", "cytoform", *words]
        fresh = subprocess.Popen(command, cwd=folder, env=os.environ | environment, stdout=out, stderr=error)

    def wait_fresh(seconds: float) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            fresh.wait(seconds)
        return fresh.returncode

    return Started(fresh.pid, wait_fresh)


def _has_running_thread(process: int) -> bool:
    """Whether a thread works or waits for a processor."""
    return any(
        path.read_text().rpartition(")")[2].split()[0] == "R" for path in Path(f"/proc/{process}/task").glob("*/stat")
    )


def watch(started: Started, said: Path, stop: tuple[float, signal.Signals] | None) -> Ended:
    """Wait for the end of a process; kill it when it hangs. `stop` is a time in seconds and the signal that comes then."""
    looked = time.monotonic()
    memory, waited_s, hung = 0, 0.0, False
    while stop is not None and not (said / "begun").exists() and started.wait(0.02) is None:
        pass  # Python itself would answer the signal
    if stop is not None and started.wait(stop[0]) is None:
        with contextlib.suppress(psutil.Error):
            started.process.send_signal(stop[1])
    while (status := started.wait(LOOK_EVERY_S)) is None:
        with contextlib.suppress(psutil.Error, OSError):
            now = time.monotonic()
            family = [started.process, *started.process.children(recursive=True)]
            memory = max(memory, *(each.memory_info().rss for each in family))
            if not any(_has_running_thread(each.pid) for each in family):
                waited_s += now - looked
            looked = now
            worked_s = sum(sum(each.cpu_times()[:4]) for each in family)
            if worked_s + waited_s > HANG_S and not hung:
                hung = True
                for each in family:
                    each.kill()
    with contextlib.suppress(OSError, ValueError):
        memory = max(memory, int((said / "memory").read_text()))
        if status == STATUS_UNREAD:
            status = int((said / "status").read_text())
    return Ended(status, hung, memory)
