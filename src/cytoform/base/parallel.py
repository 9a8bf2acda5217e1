"""Data parallelism with Dask: independent tasks and their progress."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from cytoform.base.cluster import current_client, local_workers
from cytoform.errors import InputError

if TYPE_CHECKING:
    from distributed import Client, Future


@runtime_checkable
class Advance(Protocol):
    """Report finished units of work; `note` is shown beside the progress bar."""

    def __call__(self, units: float = 1, *, note: str = "") -> None: ...


@runtime_checkable
class Progress(Protocol):
    """Announce long work of `total` units; the context manager gives an `Advance`."""

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
    kept: tuple[type[Exception], ...] = (),
) -> list[Any]:
    """Call `function` on every tuple of arguments and return the results in order; `done` is called after each.

    Tasks run on the open `distributed.Client`, else in `workers` processes of this machine (in this one for a single
    worker or task). Exceptions of the types `kept` are returned in place of results; any other is raised. A task whose
    worker dies is retried on other workers; if they die too, InputError is its outcome.
    """
    with local_workers(min(workers, max(len(tasks), 1))):
        client = current_client()
        calls = _one_by_one(function, tasks, kept) if client is None else _on_cluster(client, function, tasks)
        outcomes: dict[int, Any] = {}
        for number, outcome in calls:
            if isinstance(outcome, Exception) and not isinstance(outcome, kept):
                raise outcome
            outcomes[number] = outcome
            done()
    return [outcomes[number] for number in range(len(tasks))]


def _one_by_one(
    function: Callable[..., Any], tasks: Sequence[tuple[Any, ...]], kept: tuple[type[Exception], ...]
) -> Iterator[tuple[int, Any]]:
    for number, task in enumerate(tasks):
        try:
            yield number, function(*task)
        except kept as fault:
            yield number, fault


def _on_cluster(
    client: "Client", function: Callable[..., Any], tasks: Sequence[tuple[Any, ...]]
) -> Iterator[tuple[int, Any]]:
    """Task numbers with outcomes, in order of completion."""
    from distributed import as_completed

    waiting = iter(enumerate(tasks))
    running: dict[Future[Any], int] = {}
    ended = as_completed(raise_errors=False)

    def submit() -> None:
        # One task per thread: a queued task must not be blamed for a worker's death, nor fill the memory.
        room = max(sum(client.nthreads().values()), 1) - len(running)
        for number, task in islice(waiting, max(room, 0)):
            future = client.submit(function, *task, pure=False)
            running[future] = number
            ended.add(future)

    submit()
    for future in ended:
        number, outcome = running.pop(future), _outcome(future)
        submit()
        yield number, outcome


def _outcome(future: "Future[Any]") -> Any:
    from distributed import CancelledError, KilledWorker

    try:
        return future.result()
    except CancelledError:
        raise InputError("the Dask scheduler has gone; start it again, then the command") from None
    except KilledWorker as death:
        n = death.allowed_failures + 1
        return InputError(f"the worker died, {n} times over, perhaps for want of memory; use fewer --workers")
    except Exception as fault:
        return fault
