"""Training with what surrounds it: checkpoints, metrics, progress, and requests to stop."""

import contextlib
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

from cytoform.errors import InputError
from cytoform.model.checkpoint import drop_old_checkpoints
from cytoform.model.metrics import Metrics
from cytoform.model.run import CHECKPOINTS
from cytoform.model.team import Team
from cytoform.model.threads import small_products_alone
from cytoform.model.training import Trainer
from cytoform.parallel import Progress

CHECKPOINT_SECONDS = 60.0  # long epochs get checkpoints in between
STEPS_PER_QUESTION = 8  # how often several processes ask each other whether to stop


def learn(team: Team, trainer: Trainer, out: Path, progress: Progress) -> float:
    """Train to the end, or to where a signal asks to stop; return the loss of the last epoch."""
    training, done = trainer.training, trainer.position.epoch
    with contextlib.ExitStack() as opened:
        opened.enter_context(_disk_faults_explained(out))
        opened.enter_context(small_products_alone())
        metrics = opened.enter_context(Metrics(out, epochs=done)) if team.leads else None
        asked = opened.enter_context(stop_requests())
        advance = opened.enter_context(progress("training", training.epochs - done))
        keeper = _Keeper(team, trainer, out, metrics)
        for row in trainer.run(lambda: keeper.before_step(asked())):
            if metrics:
                metrics.add(row)
            advance(note=f"loss {row.loss:.5f}, {row.points_per_second / 1e3:.0f}k points/s")
            if row.epoch % training.checkpoint_epochs == 0:
                keeper.write()
        if trainer.position.epoch < training.epochs:
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
    """Writes checkpoints when they are due."""

    def __init__(self, team: Team, trainer: Trainer, out: Path, metrics: Metrics | None) -> None:
        self._team, self._trainer, self._folder, self._metrics = team, trainer, out / CHECKPOINTS, metrics
        self._written_s = time.monotonic()

    def before_step(self, stop: bool) -> bool:
        """Write a checkpoint if the last is old; return whether any process was asked to stop."""
        if self._team.fabric.world_size > 1 and self._trainer.position.batch % STEPS_PER_QUESTION:
            return False
        old = self._team.leads and time.monotonic() - self._written_s > CHECKPOINT_SECONDS
        stop, old = self._team.any(stop, old)
        if old and not stop:
            self.write()
        return stop

    def write(self) -> None:
        """Write a checkpoint, and drop the oldest."""
        if self._metrics:
            self._metrics.sync()
        place = self._trainer.position
        self._trainer.save(self._folder / f"epoch_{place.epoch:06d}_batch_{place.batch:06d}.safetensors")
        if self._team.leads:
            drop_old_checkpoints(self._folder)
        self._written_s = time.monotonic()


@contextlib.contextmanager
def stop_requests() -> Iterator[Callable[[], bool]]:
    """Turn Ctrl-C and SIGTERM into a question that the training asks at every step."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return

    def ask(_signal: int, _frame: FrameType | None) -> None:
        asked.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
