"""A pool of as many threads as PyTorch would use; each thread computes alone.

PyTorch's own threads meet after every operation; on layers as small as ours, and on cores that others use too, they mostly
wait for each other. Threads that take whole chunks of points through all layers meet once.
"""

import contextlib
import functools
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import torch


class Threads:
    """A pool of `n` threads in which PyTorch uses one thread each."""

    def __init__(self) -> None:
        self.n = torch.get_num_threads()
        ready = threading.Barrier(self.n + 1)

        def begin() -> None:
            torch.set_num_threads(1)
            with contextlib.suppress(threading.BrokenBarrierError):
                ready.wait()

        self.pool = ThreadPoolExecutor(self.n, thread_name_prefix="cytoform-compute", initializer=begin)
        try:
            for _ in range(self.n):
                self.pool.submit(int)
            ready.wait()
        except BaseException:
            ready.abort()  # a stop request: threads that wait on would keep the process from ending
            raise
        torch.set_num_threads(self.n)  # the last call also sets the number for later threads


@functools.cache
def compute_threads() -> Threads:
    """The pool of this process."""
    return Threads()


@contextlib.contextmanager
def small_products_alone() -> Iterator[None]:
    """Let this thread compute alone as well; the products of a training step are too small to share."""
    before = compute_threads().n
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
