"""What a training tells while it runs: metrics.csv and TensorBoard events, a row an epoch."""

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
class Row:
    """What an epoch tells; each kind of training adds numbers of its own."""

    epoch: int
    loss: float

    @property
    def note(self) -> str:
        """Beside the progress bar."""
        return f"loss {self.loss:.5f}"


R = TypeVar("R", bound=Row)


class Metrics(contextlib.AbstractContextManager["Metrics[R]"], Generic[R]):
    """Appends to the metrics of a run of which `epochs` epochs are done; rows of later ones are dropped."""

    def __init__(self, run: Path, row_type: type[R], *, epochs: int) -> None:
        self.last = _keep_rows(run / METRICS, row_type, epochs)
        with contextlib.ExitStack() as opened:
            self._csv = opened.enter_context((run / METRICS).open("a", newline=""))
            self._board = opened.enter_context(contextlib.closing(_Board(run / "tensorboard", epochs)))
            self._opened = opened.pop_all()

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def add(self, row: R) -> None:
        """Write one row."""
        self._csv.write(_line(asdict(row)))
        self._csv.flush()
        self._board.add(row)
        self.last = row

    def sync(self) -> None:
        """Make what was written last, so that a checkpoint never knows of more epochs than metrics.csv."""
        os.fsync(self._csv.fileno())


def _keep_rows(path: Path, row_type: type[R], epochs: int) -> R | None:
    """Leave the whole rows of the first `epochs` epochs in the file, and return the last of them."""
    text = path.read_text() if path.exists() else ""
    whole_lines = text[: text.rfind("\n") + 1]  # a killed process may have torn the last one
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

    def add(self, row: Row) -> None:
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
    """The loss of the last epoch of a run; None where nothing was trained here, as in an imported one."""
    try:
        with (run / METRICS).open(newline="") as file:
            *_, last = csv.DictReader(file)
        return float(last["loss"])
    except (OSError, ValueError, KeyError):
        return None
