"""The training loop with checkpoints, metrics, progress and stop requests."""

import contextlib
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Protocol, runtime_checkable

from cytoform.base.parallel import Progress
from cytoform.base.stops import STOPS
from cytoform.errors import InputError
from cytoform.training.checkpoint import Position, drop_old_checkpoints
from cytoform.training.folder import CHECKPOINTS
from cytoform.training.metrics import Metrics, MetricsRow
from cytoform.training.team import Team

CHECKPOINT_SECONDS = 60.0  # interval of checkpoints within long epochs
STEPS_PER_QUESTION = 8  # steps between two agreements of several processes on whether to stop


@dataclass(frozen=True)
class Trained:
    """Outcome of a training, of no epochs in closed form; `leads` is true in the one process that reports it."""

    path: Path
    finished: bool
    epochs: int
    loss: float
    leads: bool = True


@runtime_checkable
class Trainable(Protocol):
    """A model and its training data, trained epoch by epoch."""

    n_epochs: int
    checkpoint_epochs: int
    position: Position

    @property
    def row_type(self) -> type[MetricsRow]:
        """Type of the metrics of an epoch."""
        ...

    def run(self, stop: Callable[[], bool]) -> Iterator[MetricsRow]:
        """Train to the end and yield metrics after each epoch; end early if `stop()`, called before each step, is true."""
        ...

    def save(self, path: Path) -> None:
        """Write a checkpoint."""
        ...


def run_training(team: Team, trainer: Trainable, out: Path, progress: Progress) -> float:
    """Train to the end or to a stop request; return the loss of the last epoch. Raises InputError for a full disk."""
    n_epochs, done = trainer.n_epochs, trainer.position.epoch
    with contextlib.ExitStack() as opened:
        opened.enter_context(_disk_faults_explained(out))
        metrics = opened.enter_context(Metrics(out, trainer.row_type, epochs=done)) if team.leads else None
        asked = opened.enter_context(stop_requests())
        advance = opened.enter_context(progress("training", n_epochs - done))
        keeper = _Keeper(team, trainer, out, metrics)
        for row in trainer.run(lambda: keeper.before_step(asked())):
            if metrics:
                metrics.add(row)
            advance(note=row.note)
            if row.epoch % trainer.checkpoint_epochs == 0:
                keeper.write()
        if trainer.position.epoch < n_epochs:
            keeper.write()
        return metrics.last.loss if metrics and metrics.last else math.nan


@contextlib.contextmanager
def _disk_faults_explained(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        where = fault.filename or out
        raise InputError(
            f"{where}: {fault.strerror}; put that right and go on from the last checkpoint with --resume"
        ) from fault


class _Keeper:
    """Writes checkpoints when due."""

    def __init__(self, team: Team, trainer: Trainable, out: Path, metrics: Metrics[Any] | None) -> None:
        self._team, self._trainer, self._folder, self._metrics = team, trainer, out / CHECKPOINTS, metrics
        self._written_s = time.monotonic()

    def before_step(self, stop: bool) -> bool:
        """Write a checkpoint if the last one is old; return whether any process was asked to stop."""
        if self._team.fabric.world_size > 1 and self._trainer.position.batch % STEPS_PER_QUESTION:
            return False
        old = self._team.leads and time.monotonic() - self._written_s > CHECKPOINT_SECONDS
        stop, old = self._team.any(stop, old)
        if old and not stop:
            self.write()
        return stop

    def write(self) -> None:
        """Write a checkpoint and delete the oldest."""
        if self._metrics:
            self._metrics.sync()
        self._trainer.save(self._folder / self._trainer.position.checkpoint_name)
        if self._team.leads:
            drop_old_checkpoints(self._folder)
        self._written_s = time.monotonic()


@contextlib.contextmanager
def stop_requests() -> Iterator[Callable[[], bool]]:
    """Give a function that returns whether Ctrl-C, SIGTERM or SIGHUP has arrived; the training calls it at every step."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return

    def ask(_signal: int, _frame: FrameType | None) -> None:
        asked.set()

    before = {number: signal.signal(number, ask) for number in STOPS}
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
