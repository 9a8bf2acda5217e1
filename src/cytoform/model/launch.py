"""How the processes of a training start and end together.

`--devices` starts them from the first one, on one machine; torchrun and srun start all of them, on any number.
"""

import contextlib
import os
import pickle
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import torch
from lightning_fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning_fabric.plugins.environments.lightning import LightningEnvironment, find_free_network_port
from lightning_fabric.plugins.environments.slurm import SLURMEnvironment
from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from torch import distributed

from cytoform.errors import InputError, SaidElsewhere
from cytoform.model.team import ProcessLost, Team, make_fabric

FOLLOW = "from cytoform.model.launch import follow; follow()"
SET_BY_FABRIC = ("MASTER_ADDR", "MASTER_PORT", "WORLD_SIZE", "OMP_NUM_THREADS")
SECONDS_TO_END = 10.0


@dataclass(frozen=True)
class Job:
    """What every process of a training does: `work(team, *arguments)`, which must be picklable."""

    work: Callable[..., Any]
    arguments: tuple[Any, ...]


@dataclass(frozen=True)
class Seat:
    """The place of a process among those that the first of them starts on one machine."""

    rank: int
    devices: int
    device: str
    precision: str
    port: int


@dataclass(frozen=True)
class _Started:
    """The processes that torchrun or srun has started."""

    by: str
    devices: int
    nodes: int
    place: ClusterEnvironment


class _OneMachine(LightningEnvironment):
    """Processes that the first of them has started."""

    def __init__(self, seat: Seat) -> None:
        super().__init__()
        self._rank, self._main_port = seat.rank, seat.port

    @property
    def creates_processes_externally(self) -> bool:
        return True

    @property
    def main_address(self) -> str:
        return "127.0.0.1"

    def local_rank(self) -> int:
        return self._rank

    def node_rank(self) -> int:
        return 0


@contextlib.contextmanager
def open_team(device: str, precision: str, *, devices: int | None, nodes: int | None, job: Job) -> Iterator[Team]:
    """All processes of a training: those that torchrun or srun started, else this one and `devices` - 1 that do `job`.

    Raises InputError in the process that leads and SaidElsewhere in the others.
    """
    for option, value in (("--devices", devices), ("--nodes", nodes)):
        if value is not None and value < 1:
            raise InputError(f"{option} {value}: at least one is needed")
    if started := _started_by_others():
        if (devices or started.devices, nodes or started.nodes) != (started.devices, started.nodes):
            raise InputError(
                f"--devices {devices}, --nodes {nodes}: {started.by} started {started.devices} processes on each of "
                f"{started.nodes} machines; leave both options out"
            )
        size = {"devices": started.devices, "nodes": started.nodes}
        with _seated(lambda: Team(make_fabric(device, precision, place=started.place, **size))) as team:
            yield team
    elif (nodes or 1) > 1:
        raise InputError(f"--nodes {nodes}: start the training on every machine with torchrun or srun")
    else:
        seat = Seat(0, devices or 1, device, precision, find_free_network_port())
        with _followers(seat, job), _seated(lambda: _sit(seat)) as team:
            yield team


def _started_by_others() -> _Started | None:
    variables = os.environ
    if "TORCHELASTIC_RUN_ID" in variables:
        by, world, per_node = "torchrun", int(variables["WORLD_SIZE"]), int(variables["LOCAL_WORLD_SIZE"])
        return _Started(by, per_node, world // per_node, TorchElasticEnvironment())
    world = int(variables.get("SLURM_STEP_NUM_TASKS", 1))
    if world > 1:
        nodes = int(variables.get("SLURM_STEP_NUM_NODES", 1))
        return _Started("srun", world // nodes, nodes, SLURMEnvironment(auto_requeue=False))
    return None


def _sit(seat: Seat) -> Team:
    return Team(make_fabric(seat.device, seat.precision, devices=seat.devices, place=_OneMachine(seat)))


@contextlib.contextmanager
def _seated(sit: Callable[[], Team]) -> Iterator[Team]:
    """Belong to a team, and leave it as if it had never been."""
    before = {name: os.environ.get(name) for name in SET_BY_FABRIC}
    n_threads, team = torch.get_num_threads(), None
    try:
        team = sit()
        yield team
    except InputError as fault:
        if team is None or team.leads:
            raise
        raise SaidElsewhere(str(fault)) from fault
    finally:
        if distributed.is_initialized():
            distributed.destroy_process_group()
        torch.set_num_threads(n_threads)
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


class _Follower:
    """A process that was started to do a job beside this one."""

    def __init__(self, seat: Seat, job: Job) -> None:
        self.seat = seat
        self._stderr: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 (the leader alone speaks to the user)
        self._process = subprocess.Popen(
            [sys.executable, "-c", FOLLOW],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            start_new_session=True,  # Ctrl-C is the leader's to act on
        )
        assert self._process.stdin
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(pickle.dumps((seat, job)))
            self._process.stdin.flush()  # and left open: its end is the end of the leader

    def wait_until_ready(self) -> None:
        """Wait until it is about to take its seat. Raises ProcessLost."""
        assert self._process.stdout
        if not self._process.stdout.readline():
            raise ProcessLost("a process ended before its work began")

    def end(self, seconds: float) -> int | None:
        """Its exit status, for which `seconds` are waited."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self._process.returncode

    def kill(self) -> None:
        """End it now."""
        self._process.kill()
        self._process.communicate()

    def last_words(self) -> str:
        """The last line that it wrote to stderr."""
        self._stderr.seek(0)
        return self._stderr.read().decode(errors="replace").strip().rpartition("\n")[2]


@contextlib.contextmanager
def _followers(seat: Seat, job: Job) -> Iterator[None]:
    followers: list[_Follower] = []
    try:
        for rank in range(1, seat.devices):
            followers.append(_Follower(Seat(rank, seat.devices, seat.device, seat.precision, seat.port), job))
        for follower in followers:
            follower.wait_until_ready()
        yield
        for follower in followers:
            follower.end(SECONDS_TO_END)
    except ProcessLost as fault:
        lost = [follower for follower in followers if follower.end(1.0)]
        if not lost:
            raise
        raise InputError(
            f"process {lost[0].seat.rank} of this training (of 0 to {seat.devices - 1}) ended with status "
            f"{lost[0].end(0)} {lost[0].last_words()}; go on with --resume"
        ) from fault
    finally:
        for follower in followers:
            follower.kill()


def follow() -> None:
    """What a process does that `open_team` started."""
    seat, job = pickle.load(sys.stdin.buffer)
    threading.Thread(target=_end_with_the_leader, daemon=True).start()
    print("ready", flush=True)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        with _seated(lambda: _sit(seat)) as team:
            job.work(team, *job.arguments)
    except SaidElsewhere:
        sys.exit(2)
    except Exception as fault:
        sys.exit(f"({type(fault).__name__}: {fault})")


def _end_with_the_leader() -> None:
    os.read(sys.stdin.fileno(), 1)  # returns when the leader is gone, however it ended
    os._exit(2)
