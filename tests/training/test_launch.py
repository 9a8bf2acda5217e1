"""Several processes over gloo: they learn what one learns, and they end together."""

import csv
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from processes import Cytoform
from tiny import SMALL, small_config

from cytoform.errors import InputError
from cytoform.runs.stage import train

# Eight frames in batches of seven and one: not divisible by two, and the last leaves a process without a frame.
UNEVEN = "training.frames_per_batch=7"
ENDLESS = "training.epochs=100000"
SETTINGS = ["--preset", "quick", *(word for setting in SMALL for word in ("--set", setting))]


def losses(run: Path) -> list[float]:
    with (run / "metrics.csv").open() as file:
        return [float(row["loss"]) for row in csv.DictReader(file)]


def weights(run: Path) -> bytes:
    return (run / "model.safetensors").read_bytes()


def children(parent: int) -> list[int]:
    """The processes of a training that a process has started, in their order, but for those that have ended."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, its_parent = status.read_text().rpartition(")")[2].split()[:2]
            works = "spawn_main" in status.with_name("cmdline").read_text()  # multiprocessing has one of its own
        except OSError:
            continue
        if int(its_parent) == parent and state != "Z" and works:
            found.append(int(status.parent.name))
    return sorted(found)


def wait_for(condition: Callable[[], object], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def start_two(balls: Path, run: Path, *more: str) -> Cytoform:
    """Two processes from the command line, once they are training."""
    arguments = ["train", balls, "--out", run, *SETTINGS, "--workers", "1", "--devices", "2", *more]
    process = Cytoform(*arguments, cwd=run.parent, group=True)
    wait_for(lambda: process.poll() is not None or ((run / "metrics.csv").exists() and len(losses(run)) > 2))
    assert process.poll() is None, process.communicate()
    return process


@pytest.mark.parametrize(
    "more", [pytest.param((), marks=pytest.mark.long), ("data.align=principal", "model.rotations=learned")]
)
def test_two_processes_learn_what_one_learns(balls: Path, tmp_path: Path, more: tuple[str, ...]) -> None:
    config = small_config("training.epochs=8", UNEVEN, *more)
    one = train(balls, tmp_path / "one", config)
    two = train(balls, tmp_path / "two", config, devices=2)
    assert (one.finished, one.epochs) == (two.finished, two.epochs)
    assert len(losses(tmp_path / "two")) == 8
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), rel=0, abs=1e-5)
    assert not children(os.getpid())


def test_a_fault_is_one_line_whatever_the_number_of_processes(balls: Path, tmp_path: Path) -> None:
    more = ["--devices", "2", "--set", 'data.sequences=["z"]']
    process = Cytoform("train", balls, "--out", "run", *more, cwd=tmp_path)
    error = process.communicate()[1]
    assert process.returncode == 2
    assert error.count("\n") == 1
    assert "no sequence 'z'" in error
    assert "Traceback" not in error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [({"devices": 0}, "--devices 0"), ({"nodes": 2}, "torchrun or srun"), ({"nodes": 0}, "--nodes 0")],
)
def test_impossible_numbers(balls: Path, tmp_path: Path, options: dict[str, int], words: str) -> None:
    with pytest.raises(InputError, match=words):
        train(balls, tmp_path / "run", small_config(), **options)  # type: ignore[arg-type]


@pytest.mark.long
def test_stopped_together_and_resumed(balls: Path, tmp_path: Path) -> None:
    """The first process alone gets the signal. As many processes go on to the same bytes, another number to the same losses."""
    more = ["--set", "training.epochs=150", "--set", UNEVEN]
    process = start_two(balls, tmp_path / "run", *more)
    started = children(process.pid)
    process.send_signal(signal.SIGTERM)
    said, error = process.communicate()
    assert (process.returncode, error) == (130, "")
    assert "--resume" in said
    assert not any(Path(f"/proc/{pid}").exists() for pid in started)
    done = len(losses(tmp_path / "run"))
    assert done < 150
    shutil.copytree(tmp_path / "run", tmp_path / "alone")
    train(balls, tmp_path / "run", resume=True, devices=2)
    train(balls, tmp_path / "whole", small_config("training.epochs=150", UNEVEN), devices=2)
    train(balls, tmp_path / "alone", resume=True)
    assert weights(tmp_path / "run") == weights(tmp_path / "whole")
    assert losses(tmp_path / "run") == losses(tmp_path / "whole")
    # Rounding grows over many steps, so only the epochs after the resumption are close.
    near = slice(done, done + 5)
    assert losses(tmp_path / "alone")[near] == pytest.approx(losses(tmp_path / "whole")[near], abs=1e-5)


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_group_stops_all(balls: Path, tmp_path: Path, number: signal.Signals) -> None:
    process = start_two(balls, tmp_path / "run", "--set", ENDLESS)
    os.killpg(process.pid, number)
    said, error = process.communicate(timeout=20)
    assert (process.returncode, error) == (130, "")
    assert "--resume" in said
    assert any((tmp_path / "run" / "checkpoints").iterdir())


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("seconds", [0.0, 2.0])
def test_a_signal_before_the_training_is_one_line(
    balls: Path, tmp_path: Path, number: signal.Signals, seconds: float
) -> None:
    """While the processes import what they need, meet each other, or draw samples."""
    more = [*SETTINGS, "--workers", "1", "--devices", "2", "--set", "sampling.pool_points=3000000"]
    process = Cytoform("train", balls, "--out", tmp_path / "run", *more, cwd=tmp_path, group=True)
    wait_for(lambda: len(children(process.pid)) == 2)
    time.sleep(seconds)
    os.killpg(process.pid, number)
    error = process.communicate(timeout=60)[1]
    assert (process.returncode, error) == (130, "cytoform: stopped\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
def test_none_outlives_a_first_process_that_is_killed(balls: Path, tmp_path: Path) -> None:
    process = start_two(balls, tmp_path / "run", "--set", ENDLESS)
    started = children(process.pid)
    assert len(started) == 2
    process.kill()
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in started), seconds=10)
    process.communicate()


@pytest.mark.long
@pytest.mark.parametrize("rank", [0, 1])
def test_one_that_is_killed_is_named(balls: Path, tmp_path: Path, rank: int) -> None:
    process = start_two(balls, tmp_path / "run", "--set", ENDLESS)
    os.kill(children(process.pid)[rank], signal.SIGKILL)
    error = process.communicate(timeout=10)[1]
    assert process.returncode == 2
    assert error.count("\n") == 1
    assert f"process {rank} of this training is lost" in error
    assert "--resume" in error


@pytest.mark.long
def test_one_that_is_killed_early_is_named(balls: Path, tmp_path: Path) -> None:
    def kill_the_second() -> None:
        wait_for(lambda: len(children(os.getpid())) == 2)
        os.kill(children(os.getpid())[1], signal.SIGKILL)

    threading.Thread(target=kill_the_second, daemon=True).start()
    with pytest.raises(InputError, match="process 1 of this training is lost"):
        train(balls, tmp_path / "run", small_config(), devices=2)
    assert not (tmp_path / "run").exists()


@pytest.mark.long
def test_divergence_in_several_processes_is_one_line(balls: Path, tmp_path: Path) -> None:
    more = [*SETTINGS, "--workers", "1", "--devices", "2", "--set", "training.learning_rate=1e30"]
    process = Cytoform("train", balls, "--out", "run", *more, cwd=tmp_path)
    error = process.communicate()[1]
    assert process.returncode == 2
    assert error.count("\n") == 1
    assert "diverged" in error


@pytest.mark.long
def test_torchrun(balls: Path, tmp_path: Path) -> None:
    config = small_config("training.epochs=4", UNEVEN)
    train(balls, tmp_path / "two", config, devices=2)
    more = [*SETTINGS, "--workers", "1", "--set", "training.epochs=4", "--set", UNEVEN]
    torchrun = ["torch.distributed.run", "--nproc-per-node", "2", "-m", "cytoform", "train", balls]
    begin = [sys.executable, "-m", *map(str, torchrun), *more]
    done = subprocess.run([*begin, "--out", "run"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("wrote run") == 1
    assert weights(tmp_path / "run") == weights(tmp_path / "two")
    done = subprocess.run([*begin, "--out", "other", "--devices", "3"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode
    assert "torchrun started 2 processes" in done.stderr


@pytest.mark.long
def test_srun(balls: Path, tmp_path: Path) -> None:
    """Two processes with the variables that SLURM gives to the tasks of a step on one machine."""
    step = {"SLURM_JOB_ID": str(os.getpid()), "SLURM_JOB_NAME": "train", "SLURM_NTASKS": "2", "SLURM_NNODES": "1"}
    step |= {"SLURM_STEP_NUM_TASKS": "2", "SLURM_STEP_NUM_NODES": "1", "SLURM_NTASKS_PER_NODE": "2"}
    step |= {"SLURM_NODELIST": "127.0.0.1", "SLURM_NODEID": "0"}
    more = [*SETTINGS, "--workers", "1", "--set", "training.epochs=4", "--set", UNEVEN]
    tasks = []
    for rank in ("0", "1"):
        variables = {**step, "SLURM_PROCID": rank, "SLURM_LOCALID": rank}
        tasks.append(Cytoform("train", balls, "--out", "run", *more, cwd=tmp_path, environment=variables))
    said = [task.communicate() for task in tasks]
    assert [task.returncode for task in tasks] == [0, 0], said
    assert [out.count("wrote run") for out, _ in said] == [1, 0]
    assert len(losses(tmp_path / "run")) == 4
