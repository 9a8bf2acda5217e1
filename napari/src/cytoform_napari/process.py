"""The window's side of worker processes: requests go out, answers come in between the events of the window.

A process that has done its job waits for the next one of any panel, which then starts at once.
"""

import json
import os
import signal
import sys
from typing import Any

from qtpy.QtCore import QCoreApplication, QObject, QProcess, Signal

END_MS = 3000  # a process that is asked to end has so long
_idle: list[QProcess] = []


class Worker(QObject):
    """Does one job at a time. Signals: `progressed` (text, done, total), `succeeded`, `failed`, `stopped`."""

    progressed = Signal(str, float, float)
    succeeded = Signal(dict)
    failed = Signal(str)
    stopped = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._process: QProcess | None = None
        self._waiting, self._last_words = b"", ""

    @property
    def is_busy(self) -> bool:
        """Whether a job is running."""
        return self._process is not None

    def start(self, job: str, arguments: dict[str, Any]) -> None:
        """Send a job to an idle process, or to a new one."""
        process = _idle.pop() if _idle else _started()
        process.readyReadStandardOutput.connect(self._read)
        process.readyReadStandardError.connect(self._note)
        process.finished.connect(self._ended)
        self._process, self._waiting, self._last_words = process, b"", ""
        process.write((json.dumps({"job": job, "arguments": arguments}) + "\n").encode())

    def stop(self) -> None:
        """Interrupt the job; a training ends at its next step."""
        if self._process is None:
            return
        if os.name == "posix":
            os.kill(self._process.processId(), signal.SIGINT)
        else:  # no process can interrupt another one there
            self._process.kill()

    def close(self) -> None:
        """End the process of a running job."""
        if self._process is not None:
            _end(self._released())

    def _released(self) -> QProcess:
        process = self._process
        if process is None:
            raise RuntimeError("no job is running")
        process.readyReadStandardOutput.disconnect(self._read)
        process.readyReadStandardError.disconnect(self._note)
        process.finished.disconnect(self._ended)
        self._process = None
        return process

    def _note(self) -> None:
        if self._process is not None:
            text = bytes(self._process.readAllStandardError().data()).decode(errors="replace")
            sys.stderr.write(text)
            self._last_words = (self._last_words + text)[-2000:]

    def _read(self) -> None:
        if self._process is None:
            return
        *lines, self._waiting = (self._waiting + bytes(self._process.readAllStandardOutput().data())).split(b"\n")
        for line in lines:
            self._take(json.loads(line))

    def _take(self, answer: dict[str, Any]) -> None:
        if "progress" in answer:
            self.progressed.emit(answer["progress"], answer["done"], answer["total"])
            return
        _idle.append(self._released())
        if "result" in answer:
            self.succeeded.emit(answer["result"])
        elif "error" in answer:
            self.failed.emit(answer["error"])
        else:
            self.stopped.emit()

    def _ended(self) -> None:
        """The process has ended before its job."""
        self._note()
        self._released().deleteLater()
        if os.name == "posix":
            reason = self._last_words.strip().splitlines()[-1:] or ["it may have run out of memory"]
            self.failed.emit(f"the worker process ended: {reason[0]}; start the job again")
        else:
            self.stopped.emit()


def end_idle() -> None:
    """End all processes that wait for a job."""
    while _idle:
        _end(_idle.pop())


def _started() -> QProcess:
    app = QCoreApplication.instance()
    if app is None:
        raise RuntimeError("a worker process needs a running window")
    process = QProcess(app)
    app.aboutToQuit.connect(end_idle)
    # -P: no modules of the current folder, which may have names of the standard library.
    process.start(sys.executable, ["-P", "-m", "cytoform_napari.worker"])
    return process


def _end(process: QProcess) -> None:
    process.closeWriteChannel()
    if not process.waitForFinished(100):
        process.kill()
        process.waitForFinished(END_MS)
    process.deleteLater()
