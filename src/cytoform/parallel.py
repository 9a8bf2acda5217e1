"""Data parallelism, which is Dask's: many independent pieces of work, in processes of this machine or on a cluster."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from typing import Any, Protocol, runtime_checkable

from cytoform.errors import InputError


@runtime_checkable
class Advance(Protocol):
    """Report progress: so many units more are done; `note` is shown beside the bar."""

    def __call__(self, units: float = 1, *, note: str = "") -> None: ...


@runtime_checkable
class Progress(Protocol):
    """Announce long work of `total` units: a context that gives an `Advance`."""

    def __call__(self, what: str, total: float) -> contextlib.AbstractContextManager[Advance]: ...


@contextlib.contextmanager
def no_progress(what: str, total: float) -> Iterator[Advance]:
    """A `Progress` that shows nothing."""
    yield lambda units=1, *, note="": None


def run_all(
    function: Callable[..., Any],
    tasks: Sequence[tuple[Any, ...]],
    *,
    workers: int,
    done: Callable[[], object] = lambda: None,
) -> list[Any]:
    """Call `function` on every tuple of arguments and return the results in order; `done` is called after each.

    With one worker nothing is started. With more, Dask runs the tasks in processes, or on the cluster of a
    `dask.distributed.Client` if the caller has opened one.
    """
    if workers < 1:
        raise InputError(f"--workers {workers}: at least one is needed")
    if workers == 1:
        return list(_one_by_one(function, tasks, done))
    from dask.base import compute
    from dask.callbacks import Callback
    from dask.delayed import delayed
    from dask.multiprocessing import RemoteException

    lazy = [delayed(function, pure=False)(*task) for task in tasks]
    try:
        with Callback(posttask=lambda *_: done()):
            return list(compute(*lazy, scheduler=_scheduler(), num_workers=workers))
    except RemoteException as fault:
        # Its message carries the worker's traceback; users get the fault itself, --debug both.
        raise fault.exception from fault
    except BrokenExecutor:
        raise InputError("a worker process was killed, perhaps for want of memory; use fewer --workers") from None


def _scheduler() -> str | None:
    try:
        from distributed import get_client

        get_client()
    except (ImportError, ValueError):
        return "processes"
    return None


def _one_by_one(
    function: Callable[..., Any], tasks: Sequence[tuple[Any, ...]], done: Callable[[], object]
) -> Iterator[Any]:
    for task in tasks:
        yield function(*task)
        done()
