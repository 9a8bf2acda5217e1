"""Work in processes gives what work in a row gives, faults included."""

import errno
import os
from pathlib import Path

import pytest
from chores import die_at, die_once, fail, write_square

from cytoform.base.cluster import current_client, local_workers
from cytoform.base.parallel import run_all
from cytoform.errors import EmptyFrame, InputError


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_order_and_are_counted(workers: int, tmp_path: Path) -> None:
    done: list[int] = []
    squares = run_all(write_square, [(n, tmp_path) for n in range(7)], workers=workers, done=lambda: done.append(1))
    assert squares == [n * n for n in range(7)]
    assert len(done) == 7
    here = {path.read_text() == str(os.getpid()) for path in tmp_path.iterdir()}
    assert here == {workers == 1}


def test_one_task_starts_nothing(tmp_path: Path) -> None:
    assert run_all(write_square, [(3, tmp_path)], workers=8) == [9]
    assert (tmp_path / "3").read_text() == str(os.getpid())
    assert run_all(write_square, [], workers=8) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_faults_arrive_as_they_were_raised(workers: int) -> None:
    with local_workers(workers):
        with pytest.raises(EmptyFrame) as fault:
            run_all(fail, [(0,), (0,)], workers=workers)
        assert str(fault.value) == "movie.tif, frame 3: nothing"
        with pytest.raises(OSError, match="full") as full:
            run_all(fail, [(1,), (1,)], workers=workers, kept=(InputError,))
        assert (full.value.errno, full.value.filename) == (errno.ENOSPC, "a.zarr")
        kept = run_all(fail, [(1,), (0,)], workers=workers, kept=(InputError, OSError))
        assert [type(fault) for fault in kept] == [OSError, EmptyFrame]


def test_the_task_of_a_dead_worker_is_tried_again(tmp_path: Path) -> None:
    assert run_all(die_once, [(n, tmp_path) for n in range(6)], workers=2) == list(range(6))
    assert (tmp_path / "died").exists()


def test_a_task_that_always_kills_fails_alone() -> None:
    outcomes = run_all(die_at, [(n, 3) for n in range(12)], workers=2, kept=(InputError,))
    fault = outcomes.pop(3)
    assert outcomes == [n for n in range(12) if n != 3]
    assert isinstance(fault, InputError)
    assert "the worker died, 4 times over" in str(fault)


def test_a_killed_worker_is_one_line() -> None:
    with pytest.raises(InputError, match="--workers"):
        run_all(die_at, [(3, 3), (3, 3)], workers=2)


def test_no_workers_are_refused() -> None:
    with pytest.raises(InputError, match="--workers 0"):
        run_all(fail, [], workers=0)


def test_an_open_client_does_the_work(tmp_path: Path) -> None:
    with local_workers(2):
        client = current_client()
        assert client is not None
        run_all(write_square, [(n, tmp_path) for n in range(4)], workers=1)
        pids = set(client.run(os.getpid).values())
    assert {int(path.read_text()) for path in tmp_path.iterdir()} <= pids
    assert current_client() is None
