"""Work in processes gives what work in a row gives, faults included."""

import errno
import os
from pathlib import Path

import pytest
from chores import die, fail, write_square

from cytoform.errors import EmptyFrame, InputError
from cytoform.parallel import run_all


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_order_and_are_counted(workers: int, tmp_path: Path) -> None:
    done: list[int] = []
    squares = run_all(write_square, [(n, tmp_path) for n in range(7)], workers=workers, done=lambda: done.append(1))
    assert squares == [n * n for n in range(7)]
    assert len(done) == 7
    here = {path.read_text() == str(os.getpid()) for path in tmp_path.iterdir()}
    assert here == {workers == 1}


@pytest.mark.parametrize("workers", [1, 2])
def test_faults_arrive_as_they_were_raised(workers: int) -> None:
    with pytest.raises(EmptyFrame) as fault:
        run_all(fail, [(0,)], workers=workers)
    assert str(fault.value) == "movie.tif, frame 3: nothing"
    with pytest.raises(OSError, match="full") as full:
        run_all(fail, [(1,)], workers=workers)
    assert (full.value.errno, full.value.filename) == (errno.ENOSPC, "a.zarr")


def test_a_killed_worker_is_one_line() -> None:
    with pytest.raises(InputError, match="--workers"):
        run_all(die, [(), ()], workers=2)


def test_no_workers_are_refused() -> None:
    with pytest.raises(InputError, match="--workers 0"):
        run_all(fail, [], workers=0)
