"""Worker processes come, work alone and quietly, and go; a scheduler is found or refused."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from chores import write_square

from cytoform.base.cluster import _kill, connected, current_client, local_workers
from cytoform.base.parallel import run_all
from cytoform.errors import InputError

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def thread_settings() -> list[str | None]:
    return [os.environ.get(name) for name in (*THREADS, "MALLOC_TRIM_THRESHOLD_")]


def test_workers_have_one_thread_and_this_process_keeps_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "65536")  # as a cluster of the user's own leaves it behind
    before = thread_settings()
    with local_workers(2):
        client = current_client()
        assert client is not None
        assert set(client.nthreads().values()) == {1}
        assert set(map(tuple, client.run(thread_settings).values())) == {("1", "1", "1", None)}
    assert thread_settings() == before


def test_one_cluster_serves_many_calls(tmp_path: Path) -> None:
    with local_workers(2):
        for call in range(3):
            (tmp_path / str(call)).mkdir()
            run_all(write_square, [(n, tmp_path / str(call)) for n in range(4)], workers=2)
    assert len({path.read_text() for path in tmp_path.rglob("*") if path.is_file()}) <= 2


def test_two_clusters_side_by_side_do_not_quarrel(recwarn: pytest.WarningsRecorder) -> None:
    code = (
        "from cytoform.base.cluster import local_workers\nif __name__ == '__main__':\n    with local_workers(2): pass"
    )
    with local_workers(2):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert [str(warning.message) for warning in recwarn if "use" in str(warning.message)] == []


QUIET = """
import sys
sys.path.insert(0, {support!r})
if __name__ == "__main__":
    from chores import die_at
    from cytoform.errors import InputError
    from cytoform.base.parallel import run_all
    print([type(o).__name__ for o in run_all(die_at, [(n, 1) for n in range(3)], workers=2, kept=(InputError,))])
"""


def test_not_even_dying_workers_are_heard(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(QUIET.format(support=str(Path(__file__).parents[1] / "support")))
    environment = os.environ | {
        "PYTHONPATH": f"{Path(__file__).parents[1] / 'support'}:{os.environ.get('PYTHONPATH', '')}"
    }
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, env=environment)
    assert (done.stdout, done.stderr) == ("['int', 'InputError', 'int']\n", "")


@pytest.fixture
def silent_server() -> Iterator[str]:
    """A port where somebody listens but never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize(
    "address", ["127.0.0.1:1", "nonsense", "", "no.such.host.invalid:8786", "ftp://127.0.0.1:8786"]
)
def test_a_wrong_address_is_one_line_and_quick(address: str) -> None:
    refused(address)


def test_a_silent_address_is_one_line_and_quick(silent_server: str) -> None:
    refused(silent_server)


def refused(address: str) -> None:
    start = time.monotonic()
    with (
        pytest.raises(InputError, match=f"--scheduler {address}: no Dask scheduler answers") as fault,
        connected(address),
    ):
        pass
    assert "\n" not in str(fault.value)
    assert time.monotonic() - start < 12
    assert current_client() is None


def test_a_worker_that_is_being_started_is_waited_for_and_killed() -> None:
    class Starting:
        """A nanny whose process gets its id at the third look."""

        looks = 0

        def __init__(self) -> None:
            self.process = self  # the worker's process, and that of the operating system
            self.child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])

        @property
        def pid(self) -> int | None:
            self.looks += 1
            return self.child.pid if self.looks > 3 else None

        def close_gracefully(self) -> None:
            self.looks = 0

    nanny = Starting()
    try:
        asyncio.run(_kill(SimpleNamespace(workers={0: nanny})))
        assert nanny.child.wait(5) == -signal.SIGKILL
    finally:
        nanny.child.kill()
