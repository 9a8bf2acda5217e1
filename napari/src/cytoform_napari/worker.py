"""The worker process: takes requests and gives answers as lines of JSON, so that the window never waits.

request   {"job": NAME, "arguments": {...}}             on standard input
answers   {"progress": TEXT, "done": N, "total": N}     any number of them, on standard output
          {"result": {...}}, {"error": LINE} or {"stopped": true}

An interrupt ends the job, not the process, which keeps what it has imported. Whatever libraries print goes to standard error.
"""

import contextlib
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any, TextIO

from cytoform.base.parallel import Advance
from cytoform.errors import InputError

REPORT_SECONDS = 0.1  # between two lines of progress
Say = Callable[[dict[str, Any]], None]


def main() -> None:
    """Answer requests until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    channel = _channel()

    def say(answer: dict[str, Any]) -> None:
        channel.write(json.dumps(answer) + "\n")
        channel.flush()

    for line in sys.stdin:
        say(_answered(json.loads(line), say))


def _channel() -> TextIO:
    """Standard output for answers alone."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return channel


def _answered(request: dict[str, Any], say: Say) -> dict[str, Any]:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        from cytoform_napari.jobs import JOBS

        return {"result": JOBS[request["job"]](progress=_Reporter(say), **request["arguments"])}
    except KeyboardInterrupt:
        return {"stopped": True}
    except InputError as fault:
        return {"error": str(fault)}
    except Exception as fault:
        traceback.print_exc()
        return {"error": f"{type(fault).__name__}: {fault}; this is a fault of cytoform, please report it"}
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


class _Reporter:
    """A `Progress` of cytoform that says how far the work is, at most ten times a second."""

    def __init__(self, say: Say) -> None:
        self._say, self._said = say, 0.0

    @contextlib.contextmanager
    def __call__(self, what: str, total: float) -> Iterator[Advance]:
        done = 0.0
        self._report(what, done, total)

        def advance(units: float = 1, *, note: str = "") -> None:
            nonlocal done
            done += units
            if time.monotonic() - self._said > REPORT_SECONDS:
                self._report(f"{what}, {note}" if note else what, done, total)

        yield advance

    def _report(self, what: str, done: float, total: float) -> None:
        self._said = time.monotonic()
        self._say({"progress": what, "done": done, "total": total})


if __name__ == "__main__":
    main()
