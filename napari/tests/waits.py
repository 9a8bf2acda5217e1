"""How long a window works before it looks at its next event."""

import time
from collections.abc import Callable

from qtpy.QtCore import QTimer

TICK_MS = 10


def watch() -> Callable[[], tuple[float, float]]:
    """Begin to watch a timer of the window; returns a function that ends it and gives two numbers of seconds.

    The first is how late the timer came at most. Other programs lengthen it. The second is the CPU time that the window's
    thread took at most between two of its events; other programs do not lengthen it, and on free cores an event waits so long.
    """
    late, work = [0.0], [0.0]
    timer, last = QTimer(), [time.monotonic(), time.thread_time()]

    def tick() -> None:
        now = [time.monotonic(), time.thread_time()]
        late.append(now[0] - last[0] - TICK_MS / 1000)
        work.append(now[1] - last[1])
        last[:] = now

    timer.timeout.connect(tick)
    timer.start(TICK_MS)

    def result() -> tuple[float, float]:
        timer.stop()
        return max(late), max(work)

    return result
