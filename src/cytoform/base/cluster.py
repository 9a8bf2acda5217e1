"""Worker processes for data-parallel work: on this machine, or on a running Dask cluster."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any

from cytoform.base.stops import STOPS
from cytoform.base.system import end_process, hold_back, start_resource_tracker
from cytoform.errors import InputError

if TYPE_CHECKING:
    from distributed import Client, LocalCluster

CONNECT_WITHIN_S = 5
START_WITHIN_S = 120
# Environment of worker processes.
ENVIRONMENT = {
    **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"),
    # Dask's own value maps every larger array anew, and stays set in this process.
    "MALLOC_TRIM_THRESHOLD_": None,
    "PYTHONWARNINGS": "ignore",  # of libraries: nothing stands beside the one line of a command
}
SETTINGS = {
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": None,
    # Tasks hold nothing to spill. A worker above its memory limit is stopped and its task retried elsewhere.
    **{f"distributed.worker.memory.{level}": False for level in ("target", "spill", "pause")},
}


def current_client() -> "Client | None":
    """The open `distributed.Client`, or None."""
    if "distributed" not in sys.modules:  # importing it takes half a second
        return None
    from distributed import Client

    try:
        return Client.current()
    except ValueError:
        return None


@contextlib.contextmanager
def local_workers(n: int) -> Iterator[None]:
    """Run the tasks of `run_all` in `n` processes of this machine while the block lasts.

    Starts no process for n = 1 or if a client is already open. Kills the processes on exit.
    """
    if n < 1:
        raise InputError(f"--workers {n}: at least one is needed")
    if n == 1 or current_client() is not None:
        yield
        return
    _import_quietly()
    import dask.config

    cluster = None
    with dask.config.set(SETTINGS), _environment(**ENVIRONMENT):
        try:
            with _stops_deferred():
                cluster = _start(n)
            with cluster.get_client():
                yield
        finally:
            if cluster is not None:
                with _stops_deferred():
                    cluster.sync(_kill, cluster)
                    cluster.close()


@contextlib.contextmanager
def connected(address: str) -> Iterator["Client"]:
    """Run the tasks of `run_all` on the Dask scheduler at `address` while the block lasts. Raises InputError."""
    _import_quietly()
    from distributed import Client

    try:
        asyncio.run(_ask(_checked(address)))
        client = Client(address, timeout=CONNECT_WITHIN_S)
    except (OSError, ValueError, TypeError) as fault:
        raise InputError(
            f"--scheduler {address.rpartition('@')[2]}: no Dask scheduler answers there ({str(fault) or 'silence'}); "
            "start one with 'dask scheduler', or work on this machine with --workers"
        ) from None
    with client:
        yield client


def _checked(address: str) -> str:
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError("an address is HOST:PORT or tcp://HOST:PORT")
    return address


def _import_quietly() -> None:
    """Import `distributed` with its log silenced; relevant problems are raised as exceptions."""
    import dask.config

    with dask.config.set({"logging": dict.fromkeys(("distributed", "tornado", "asyncio"), "critical")}):
        import distributed  # noqa: F401


def _start(n: int) -> "LocalCluster":
    from distributed import LocalCluster

    with _environment(PYTHONWARNINGS="ignore:resource_tracker:UserWarning"):
        start_resource_tracker()
    cluster = LocalCluster(
        n_workers=0,
        threads_per_worker=1,
        memory_limit="auto",
        dashboard_address="127.0.0.1:0",
        silence_logs=logging.CRITICAL,
    )
    cluster.sync(_hold_back_interrupts)
    cluster.scale(n)
    try:
        cluster.wait_for_workers(n, timeout=START_WITHIN_S)
    except TimeoutError:
        cluster.close()
        raise InputError(
            f"--workers {n}: the processes did not start within {START_WITHIN_S} s; use fewer (a script that asks for "
            "workers has to begin its work under if __name__ == '__main__')"
        ) from None
    return cluster


async def _ask(address: str) -> None:
    """Raise OSError unless a scheduler answers; a client would wait forever for a silent listener."""
    from distributed.core import rpc

    async with rpc(address, timeout=CONNECT_WITHIN_S) as scheduler:
        who = await asyncio.wait_for(scheduler.identity(), CONNECT_WITHIN_S)
    if who["type"] != "Scheduler":
        raise OSError(f"a {who['type']} answers")


async def _hold_back_interrupts() -> None:
    """Block Ctrl-C and SIGHUP, which reach all processes of a terminal, in workers: they inherit the mask of this thread."""
    hold_back(set(STOPS) - {signal.SIGTERM})


async def _kill(cluster: "LocalCluster") -> None:
    """End the workers without waiting for their tasks."""
    nannies: list[Any] = list(cluster.workers.values())
    for nanny in nannies:
        nanny.close_gracefully()  # otherwise it would restart the worker
    for nanny in nannies:
        await _started(nanny)
        if nanny.pid is not None:
            end_process(nanny.pid)


async def _started(nanny: Any) -> None:
    """Wait for a process that the nanny is just starting: closed before, it fails and leaves the process alive."""
    ends = time.monotonic() + START_WITHIN_S
    while nanny.process is not None and time.monotonic() < ends:
        process = nanny.process.process
        if process is None or process.pid is not None:
            return
        await asyncio.sleep(0.01)


@contextlib.contextmanager
def _stops_deferred() -> Iterator[None]:
    """Defer Ctrl-C, SIGTERM and SIGHUP to the end of the block, unless they come twice.

    Dask takes ten seconds to recover from an interrupted start.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        if came:
            raise KeyboardInterrupt
        came.append(number)

    before = {number: signal.signal(number, note) for number in STOPS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        signal.raise_signal(came[0])


@contextlib.contextmanager
def _environment(**settings: str | None) -> Iterator[None]:
    """Set environment variables, inherited by processes started in the block, and restore them; None unsets."""
    before = {name: os.environ.get(name) for name in settings}
    _set_environment(settings)
    try:
        yield
    finally:
        _set_environment(before)


def _set_environment(variables: dict[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
