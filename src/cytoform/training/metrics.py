"""Training metrics: metrics.csv and TensorBoard events, one row per epoch."""

import contextlib
import csv
import io
import os
import socket
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Generic, TypeVar

from cytoform.base.files import write_atomically

METRICS = "metrics.csv"


@dataclass(frozen=True)
class MetricsRow:
    """Metrics of one epoch; each kind of training adds its own fields."""

    epoch: int
    loss: float

    @property
    def note(self) -> str:
        """Text beside the progress bar."""
        return f"loss {self.loss:.5f}"


RowT = TypeVar("RowT", bound=MetricsRow)


class Metrics(contextlib.AbstractContextManager["Metrics[RowT]"], Generic[RowT]):
    """Appends to the metrics of a run after `epochs` completed epochs; rows of later epochs are deleted."""

    def __init__(self, run: Path, row_type: type[RowT], *, epochs: int) -> None:
        self.last = _keep_rows(run / METRICS, row_type, epochs)
        with contextlib.ExitStack() as opened:
            self._csv = opened.enter_context((run / METRICS).open("a", newline=""))
            self._board = opened.enter_context(contextlib.closing(_Board(run / "tensorboard", epochs)))
            self._opened = opened.pop_all()

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def add(self, row: RowT) -> None:
        """Write one row."""
        self._csv.write(_line(asdict(row)))
        self._csv.flush()
        self._board.add(row)
        self.last = row

    def sync(self) -> None:
        """Flush metrics.csv to disk, so that a checkpoint never covers more epochs than it."""
        os.fsync(self._csv.fileno())


def _keep_rows(path: Path, row_type: type[RowT], epochs: int) -> RowT | None:
    """Keep the complete rows of the first `epochs` epochs in the file, and return the last one."""
    text = path.read_text() if path.exists() else ""
    whole_lines = text[: text.rfind("\n") + 1]  # a killed process may have truncated the last line
    rows = [row for row in csv.DictReader(io.StringIO(whole_lines)) if row["epoch"] and int(row["epoch"]) <= epochs]
    names = [field.name for field in fields(row_type)]
    kept = ",".join(names) + "\n" + "".join(_line(row) for row in rows)
    if kept != text:
        write_atomically(path, kept.encode())
    if not rows:
        return None
    numbers: dict[str, Any] = {name: float(text) for name, text in rows[-1].items()}
    return row_type(**{**numbers, "epoch": int(rows[-1]["epoch"])})


def _line(row: dict[str, Any]) -> str:
    return ",".join(str(value) for value in row.values()) + "\n"


class _Board:
    """Writes TensorBoard events synchronously: TensorBoard's writer uses a thread, which hides a full disk."""

    def __init__(self, folder: Path, epochs: int) -> None:
        from tensorboard.compat.proto.event_pb2 import Event, SessionLog
        from tensorboard.summary.writer.record_writer import RecordWriter

        folder.mkdir(exist_ok=True)
        name = f"events.out.tfevents.{time.time():.0f}.{socket.gethostname()}.{os.getpid()}"
        self._writer = RecordWriter((folder / name).open("wb"))
        self._write(Event(file_version="brain.Event:2"))
        # Repeated epochs replace events of an earlier process.
        self._write(Event(step=epochs + 1, session_log=SessionLog(status=SessionLog.START)))

    def add(self, row: MetricsRow) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        values = [Summary.Value(tag=tag, simple_value=value) for tag, value in asdict(row).items() if tag != "epoch"]
        self._write(Event(step=row.epoch, summary=Summary(value=values)))

    def _write(self, event: Any) -> None:
        event.wall_time = time.time()
        self._writer.write(event.SerializeToString())
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()


def final_loss(run: Path) -> float | None:
    """Loss of the last epoch of a run, or None if it has no metrics, like an imported run."""
    try:
        with (run / METRICS).open(newline="") as file:
            *_, last = csv.DictReader(file)
        return float(last["loss"])
    except (OSError, ValueError, KeyError):
        return None
