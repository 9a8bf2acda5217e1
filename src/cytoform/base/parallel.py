"""Data parallelism, which is Dask's: many independent pieces of work, and how far they have come."""

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
    kept: tuple[type[Exception], ...] = (),
) -> list[Any]:
    """Call `function` on every tuple of arguments and return the results in order; `done` is called after each.

    Work goes to the `distributed.Client` that is open, if any; else to processes of this machine, which with one
    worker or one task is this one. A fault of a kind that is `kept` takes the place of the result; any other ends the
    work. A task whose worker dies is tried on others; when they die too, it has failed with an InputError.
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
    """Numbers and outcomes of the tasks, as they end."""
    from distributed import as_completed

    waiting = iter(enumerate(tasks))
    running: dict[Future[Any], int] = {}
    ended = as_completed(raise_errors=False)

    def submit() -> None:
        # A task a thread: what a worker has not begun must not be blamed when it dies, nor fill the memory.
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
