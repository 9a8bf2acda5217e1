"""The window's side of the worker process: requests go out, answers come in between the events of the window."""

import json
import os
import signal
import sys
from typing import Any

from qtpy.QtCore import QObject, QProcess, Signal

STOP_AGAIN_MS = 3000  # a worker that is still busy when its window closes is ended after so long


class Worker(QObject):
    """A process that does one job at a time. Signals: `progressed` (text, done, total), `succeeded`, `failed`, `stopped`."""

    progressed = Signal(str, float, float)
    succeeded = Signal(dict)
    failed = Signal(str)
    stopped = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._process: QProcess | None = None
        self._waiting, self.is_busy, self._last_words = b"", False, ""

    def start(self, job: str, arguments: dict[str, Any]) -> None:
        """Send a job; the process is started for the first one."""
        if self._process is None:
            self._process = self._started()
        self.is_busy, self._last_words = True, ""
        line = json.dumps({"job": job, "arguments": arguments}) + "\n"
        self._process.write(line.encode())

    def stop(self) -> None:
        """Interrupt the job; a training ends at its next step."""
        if self._process is None or not self.is_busy:
            return
        if os.name == "posix":
            os.kill(self._process.processId(), signal.SIGINT)
        else:  # no process can interrupt another one there
            self._process.kill()

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            process, self._process, self.is_busy = self._process, None, False
            process.finished.disconnect()
            process.closeWriteChannel()
            self_ended = process.waitForFinished(100)
            if not self_ended:
                process.kill()
                process.waitForFinished(STOP_AGAIN_MS)

    def _started(self) -> QProcess:
        process = QProcess(self)
        process.readyReadStandardOutput.connect(self._read)
        process.readyReadStandardError.connect(self._note)
        process.finished.connect(self._ended)
        process.start(sys.executable, ["-m", "cytoform_napari.worker"])
        return process

    def _note(self) -> None:
        if self._process is not None:
            text = bytes(self._process.readAllStandardError()).decode(errors="replace")
            sys.stderr.write(text)
            self._last_words = (self._last_words + text)[-2000:]

    def _read(self) -> None:
        if self._process is None:
            return
        *lines, self._waiting = (self._waiting + bytes(self._process.readAllStandardOutput())).split(b"\n")
        for line in lines:
            self._take(json.loads(line))

    def _take(self, answer: dict[str, Any]) -> None:
        if "progress" in answer:
            self.progressed.emit(answer["progress"], answer["done"], answer["total"])
            return
        self.is_busy = False
        if "result" in answer:
            self.succeeded.emit(answer["result"])
        elif "error" in answer:
            self.failed.emit(answer["error"])
        else:
            self.stopped.emit()

    def _ended(self) -> None:
        """The process has ended, though the window has not closed it."""
        was_busy, self._process, self.is_busy, self._waiting = self.is_busy, None, False, b""
        if was_busy and os.name == "posix":
            reason = self._last_words.strip().splitlines()[-1:] or ["it may have run out of memory"]
            self.failed.emit(f"the worker process ended: {reason[0]}; start the job again")
        elif was_busy:
            self.stopped.emit()
