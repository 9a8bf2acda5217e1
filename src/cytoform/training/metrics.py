"""Training metrics: metrics.csv and, where TensorBoard is installed, its events; one row per epoch."""

import contextlib
import os
import socket
import time
from dataclasses import asdict, dataclass, fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import create_model

from cytoform.base.files import write_atomically
from cytoform.base.gate import Record, parse_csv, read_csv, read_text

METRICS = "metrics.csv"
NO_BOARD = (
    f"no TensorBoard events beside {METRICS}, which has the same figures; curves: pip install 'cytoform[tensorboard]'"
)
REMEDY = "restore or delete it; the run does not need it"


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
            self._csv = opened.enter_context((run / METRICS).open("a", encoding="utf-8", newline=""))
            self._board = None
            if has_board():
                self._board = opened.enter_context(contextlib.closing(_Board(run / "tensorboard", epochs)))
            self._opened = opened.pop_all()

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def add(self, row: RowT) -> None:
        """Write one row."""
        self._csv.write(_line(asdict(row)))
        self._csv.flush()
        if self._board is not None:
            self._board.add(row)
        self.last = row

    def sync(self) -> None:
        """Flush metrics.csv to disk, so that a checkpoint never covers more epochs than it."""
        os.fsync(self._csv.fileno())


def has_board() -> bool:
    """Whether TensorBoard, which writes the events, is installed."""
    return find_spec("tensorboard") is not None


class _Row(Record):
    epoch: int
    loss: float


def _keep_rows(path: Path, row_type: type[RowT], epochs: int) -> RowT | None:
    """Keep the complete rows of the first `epochs` epochs in the file, and return the last one."""
    text = read_text(path) if path.exists() else ""
    whole_lines = text[: text.rfind("\n") + 1]  # a killed process may have truncated the last line
    columns: dict[str, Any] = {field.name: field.type for field in fields(row_type)}
    rows = list(parse_csv(whole_lines, create_model("Row", __base__=_Row, **columns), where=str(path), remedy=REMEDY))
    rows = [(words, values) for words, values in rows if values.epoch <= epochs]
    kept = ",".join(columns) + "\n" + "".join(_line({name: words[name] for name in columns}) for words, _ in rows)
    if kept != text:
        write_atomically(path, kept.encode())
    return row_type(**vars(rows[-1][1])) if rows else None


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
    """Loss of the last epoch of a run, or None if it has no metrics, like an imported run. Raises InputError."""
    losses = read_losses(run)
    return losses[-1] if losses else None


def read_losses(run: Path) -> list[float]:
    """Loss of every epoch of a run; empty if it has no metrics. Raises InputError for a damaged file."""
    if not (run / METRICS).exists():
        return []
    return [row.loss for row in read_csv(run / METRICS, _Row, remedy=REMEDY)]
