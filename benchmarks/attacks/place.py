"""A folder in which commands are attacked, and the judgement of every command that runs there."""

import contextlib
import hashlib
import multiprocessing
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import numpy as np
import psutil

from cytoform.movies.ctc import CtcWriter
from cytoform.movies.lineage import Lineage, Track

HARMS = ("lost", "silent", "fault", "hang", "memory", "attack")
HANG_S, MEMORY_BYTES = 20.0, 2_000_000_000
LOOK_EVERY_S = 0.05
PRELOADED = [
    "torch.utils.tensorboard",
    "matplotlib.figure",
    "rich.progress",
    "cytoform.cli",
    "cytoform.exchange.export",
    "cytoform.imaging.networks.stage",
    "cytoform.imaging.texture",
    "cytoform.prepare.stage",
    "cytoform.reports.shapes.write",
    "cytoform.runs.stage",
    "cytoform.scenes.stage",
    "cytoform.synthesis.trial",
]
# Of the processes that are killed.
os.environ.setdefault("PYTHONWARNINGS", "ignore:resource_tracker")
# A fresh interpreter needs seconds to import PyTorch, a fork needs none.
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(PRELOADED)
SMALL_RUN = ("width=16", "depth=3", "code_dim=4", "code_layers=[1,2]", "omega=6.0")
FIXTURES = {
    "movies": "simulate mitosis --out movies --cells 2 --frames 3 --voxel-size 1 1 1",
    "shapes.zarr": "prepare movies --out shapes.zarr --grid 24",
    "run": "train shapes.zarr --out run --preset quick --set training.epochs=2 --set sampling.pool_points=2000 "
    + " ".join(f"--set model.{setting}" for setting in SMALL_RUN),
    "scene": "benchmark shapes.zarr --out scene --cells 2 --frames 4 --size 24 64 64 --voxel-size 1 1 1 --projection",
    "texture": "texture train scene --out texture --set training.epochs=1 --set training.decay_epochs=1 "
    "--set training.crop_px=32",
    "optics.toml": "texture calibrate discs --voxel-size 1 0.5 0.5 --out optics.toml",
    "report": "evaluate shapes.zarr shapes.zarr --out report",
    "view.html": "view shapes.zarr --out view.html",
    "masks": "export shapes.zarr --to masks --out masks",
    "h5": "export shapes.zarr --to h5 --out h5",
}
"""Small good files by name, and the command that makes each."""


@dataclass(frozen=True)
class Harm:
    """What a command did wrong, and the command."""

    what: str
    kind: str
    words: str

    def __str__(self) -> str:
        return f"{self.what}: {self.kind}: {self.words}"


@dataclass(frozen=True)
class Ran:
    """Outcome of a command."""

    status: int
    out: str
    error: str


@dataclass
class Place:
    """A folder for one attack. Commands run in it, and `harms` has what they did wrong."""

    folder: Path
    fixtures: Path
    kind: str
    tried: int = 0
    harms: list[Harm] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)

    def copy(self, fixture: str, name: str | None = None) -> Path:
        """A copy of a small good file or folder."""
        target = self.folder / (name or fixture)
        target.parent.mkdir(parents=True, exist_ok=True)
        source = self.fixtures / fixture
        shutil.copytree(source, target) if source.is_dir() else shutil.copyfile(source, target)
        return target

    def run(
        self,
        *arguments: object,
        refuses: bool = False,
        may_change: Collection[Path] = (),
        environment: Mapping[str, str] | None = None,
        stop: tuple[float, signal.Signals] | None = None,
        meanwhile: Callable[[], object] = lambda: None,
    ) -> Ran:
        """Run `cytoform` with these arguments and judge it.

        It must refuse (exit status 2) if `refuses`. Paths in `may_change`, and all below them, may change or go. With an
        `environment` it runs in a fresh interpreter. `stop` is a time in seconds and the signal that comes then; `meanwhile`
        is called after the start.
        """
        self.tried += 1
        words = [str(word) for word in arguments]
        before = self._digests(may_change)
        with tempfile.TemporaryDirectory() as said:
            poll, process = _start(words, self.folder, Path(said), environment)
            meanwhile()
            watched = _watch(poll, process, stop)
            out, error = ((Path(said) / name).read_text(errors="replace") for name in ("out", "error"))
        ran = Ran(watched.status, out, error)
        after = self._digests(may_change)
        lost = sorted(name for name, digest in before.items() if after.get(name) != digest)
        stopped = {0, 130, -stop[1]} if stop else set()
        wrong = {
            "lost": bool(lost),
            "silent": refuses and ran.status == 0,
            "fault": not watched.hung and ran.status not in stopped and not _is_plain(ran),
            "hang": watched.hung,
            "memory": watched.memory > MEMORY_BYTES,
        }
        about = f"cytoform {shlex.join(words)}: {error.strip()[-300:] or f'status {ran.status}'}"
        about = about.replace(f"{self.folder}/", "")
        for what, happened in wrong.items():
            if happened:
                self.harms.append(Harm(what, self.kind, about + (f"; lost {lost[:3]}" if what == "lost" else "")))
        return ran

    def _digests(self, may_change: Collection[Path]) -> dict[str, str]:
        """Digest of every file by name; the target of a link."""
        digests = {}
        for path in self.folder.rglob("*"):
            if any(path.is_relative_to(other) for other in may_change):
                continue
            name = str(path.relative_to(self.folder))
            if path.is_symlink():
                digests[name] = os.readlink(path)
            elif path.is_file() and ".partial" not in name:
                digests[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        return digests


Attack = Callable[[Place, Random], object]


@dataclass(frozen=True)
class Watched:
    """End of a process."""

    status: int
    hung: bool
    memory: int


def make_fixtures(folder: Path) -> None:
    """Make the small good files."""
    folder.mkdir(parents=True)
    _write_discs(folder / "discs")
    for name, command in FIXTURES.items():
        process = _context.Process(target=_run, args=(shlex.split(command), folder))
        process.start()
        process.join()
        if process.exitcode:
            raise SystemExit(f"{name}: cytoform {command}: exit status {process.exitcode}")


def _write_discs(folder: Path) -> None:
    """Images of eight noisy discs in four frames, with their masks."""
    rng = np.random.default_rng(0)
    y, x = np.indices((100, 160))
    labels = np.zeros((1, 100, 160), np.uint16)
    for number in range(8):
        row, column = divmod(number, 4)
        labels[0, np.hypot(y - 30 - 40 * row, x - 25 - 37 * column) < 8] = number + 1
    writer = CtcWriter(folder, 4, (1.0, 0.5, 0.5), None)
    for frame in range(4):
        writer.write(frame, labels, rng.poisson(np.where(labels > 0, 300 + 40 * labels, 200)).astype(np.uint16))
    writer.finish(Lineage(tuple(Track(label, 0, 3, parent=0) for label in range(1, 9))))


def _start(
    arguments: list[str], folder: Path, said: Path, environment: Mapping[str, str] | None
) -> tuple[Callable[[], int | None], psutil.Process]:
    """Start a command; give a function that returns its exit status once it has ended, and the process."""
    if environment is None:
        forked = _context.Process(target=_run, args=(arguments, folder, said))
        forked.start()
        return lambda: forked.exitcode, psutil.Process(forked.pid)
    with (said / "out").open("w") as out, (said / "error").open("w") as error:
        command = [sys.executable, "-m", "cytoform", *arguments]
        fresh = subprocess.Popen(command, cwd=folder, env=os.environ | environment, stdout=out, stderr=error)
    return fresh.poll, psutil.Process(fresh.pid)


def _run(arguments: list[str], folder: Path, said: Path | None = None) -> None:
    """Run the command line in this process."""
    for number, name in ((1, "out"), (2, "error")):
        if said is not None:
            os.dup2(os.open(said / name, os.O_WRONLY | os.O_CREAT), number)
    os.chdir(folder)
    from cytoform.cli import run

    sys.exit(run(arguments))


def _watch(
    poll: Callable[[], int | None], process: psutil.Process, stop: tuple[float, signal.Signals] | None
) -> Watched:
    """Wait for the end of a process; kill it when it hangs."""
    started, memory, hung = time.monotonic(), 0, False
    while (status := poll()) is None:
        with contextlib.suppress(psutil.Error):
            seconds = time.monotonic() - started
            memory = max(memory, process.memory_info().rss)
            if stop is not None and seconds > stop[0]:
                process.send_signal(stop[1])
                stop = None
            if seconds > HANG_S and not hung:
                hung = True
                for one in (*process.children(recursive=True), process):
                    one.kill()
        time.sleep(LOOK_EVERY_S)
    return Watched(status, hung, memory)


def _is_plain(ran: Ran) -> bool:
    """Success without a traceback, or a refusal with one line."""
    if ran.status == 2:
        return ran.error.startswith("cytoform: ") and ran.error.count("\n") == 1
    return ran.status == 0 and "Traceback" not in ran.error
