"""What a training tells while it runs: metrics.csv and TensorBoard events, a row an epoch."""

import contextlib
import csv
import io
import os
import socket
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cytoform.files import write_atomically
from cytoform.model.run import METRICS
from cytoform.model.training import EpochMetrics

NAMES = list(EpochMetrics.__dataclass_fields__)


class Metrics(contextlib.AbstractContextManager["Metrics"]):
    """Appends to the metrics of a run of which `epochs` epochs are done; rows of later ones are dropped."""

    def __init__(self, run: Path, *, epochs: int) -> None:
        self.last = _keep_rows(run / METRICS, epochs)
        with contextlib.ExitStack() as opened:
            self._csv = opened.enter_context((run / METRICS).open("a", newline=""))
            self._board = opened.enter_context(contextlib.closing(_Board(run / "tensorboard", epochs)))
            self._opened = opened.pop_all()

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def add(self, row: EpochMetrics) -> None:
        """Write one row."""
        self._csv.write(_line(asdict(row)))
        self._csv.flush()
        self._board.add(row)
        self.last = row

    def sync(self) -> None:
        """Make what was written last, so that a checkpoint never knows of more epochs than metrics.csv."""
        os.fsync(self._csv.fileno())


def _keep_rows(path: Path, epochs: int) -> EpochMetrics | None:
    """Leave the whole rows of the first `epochs` epochs in the file, and return the last of them."""
    text = path.read_text() if path.exists() else ""
    whole_lines = text[: text.rfind("\n") + 1]  # a killed process may have torn the last one
    rows = [row for row in csv.DictReader(io.StringIO(whole_lines)) if row["epoch"] and int(row["epoch"]) <= epochs]
    kept = ",".join(NAMES) + "\n" + "".join(map(_line, rows))
    if kept != text:
        write_atomically(path, kept.encode())
    return EpochMetrics(int(rows[-1]["epoch"]), *(float(rows[-1][name]) for name in NAMES[1:])) if rows else None


def _line(row: dict[str, object]) -> str:
    return ",".join(str(row[name]) for name in NAMES) + "\n"


class _Board:
    """TensorBoard events, written here and now: TensorBoard's own writer does so in a thread, where a full disk is lost."""

    def __init__(self, folder: Path, epochs: int) -> None:
        from tensorboard.compat.proto.event_pb2 import Event, SessionLog
        from tensorboard.summary.writer.record_writer import RecordWriter

        folder.mkdir(exist_ok=True)
        name = f"events.out.tfevents.{time.time():.0f}.{socket.gethostname()}.{os.getpid()}"
        self._writer = RecordWriter((folder / name).open("wb"))
        self._write(Event(file_version="brain.Event:2"))
        # Epochs that are done again replace what an earlier process showed of them.
        self._write(Event(step=epochs + 1, session_log=SessionLog(status=SessionLog.START)))

    def add(self, row: EpochMetrics) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        values = [Summary.Value(tag=name, simple_value=getattr(row, name)) for name in NAMES[1:]]
        self._write(Event(step=row.epoch, summary=Summary(value=values)))

    def _write(self, event: Any) -> None:
        event.wall_time = time.time()
        self._writer.write(event.SerializeToString())
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()


def final_loss(run: Path) -> float | None:
    """The loss of the last epoch of a run; None where nothing was trained here, as in an imported one."""
    try:
        with (run / METRICS).open(newline="") as file:
            *_, last = csv.DictReader(file)
        return float(last["loss"])
    except (OSError, ValueError, KeyError):
        return None
