"""The processes of one training, one device each, and their communication.

Process 0 leads: it alone writes files, shows progress and reports errors. Start and end of the processes: `launch.py`.
"""

import contextlib
import logging
import os
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from lightning_fabric.plugins.environments.slurm import SLURMEnvironment
from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning_fabric.strategies.ddp import DDPStrategy
from torch import distributed

from cytoform.errors import InputError
from cytoform.training.device import torch_device

# A process that ends closes its connections, which the others notice at once. This timeout is for a machine that stops
# answering; it must exceed the time in which process 0 draws the samples.
TIMEOUT = timedelta(hours=12)
logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it logs every process group


class ProcessLost(InputError):
    """Another process of the training has ended."""


class Team:
    """The process group of a training, seen from one process."""

    def __init__(self, fabric: Fabric) -> None:
        self.fabric = fabric
        self.leads = fabric.global_rank == 0
        # Over CPU memory: a question to all processes must not wait for the computation on a GPU.
        self._group = distributed.new_group(backend="gloo", timeout=TIMEOUT) if fabric.world_size > 1 else None

    def gather(self, value: Any) -> list[Any]:
        """The values of all processes in order of rank. Raises ProcessLost."""
        if self._group is None:
            return [value]
        values = [None] * self.fabric.world_size
        with _loss_of_a_process_named():
            distributed.all_gather_object(values, value, group=self._group)
        return values

    def any(self, *questions: bool) -> list[bool]:
        """For each question, whether any process answers yes. Raises ProcessLost."""
        if self._group is None:
            return list(questions)
        answers = torch.tensor(questions, dtype=torch.uint8)
        with _loss_of_a_process_named():
            distributed.all_reduce(answers, distributed.ReduceOp.MAX, group=self._group)
        return [bool(answer) for answer in answers]

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Wait at the end of the block for all processes; an exception in one raises InputError in all."""
        fault: Exception | None = None
        try:
            yield
        except Exception as own:
            fault = own
        faults = self.gather(str(fault) if fault else None)
        if fault and (self.leads or faults[0] is None):
            raise fault
        if any(text is not None for text in faults):
            raise InputError(next(text for text in faults if text is not None))


class SharedSums(DDPStrategy):
    """Fabric's DDP without PyTorch's wrapper: the trainer sums the gradients itself, in one tensor.

    The wrapper reorders its gradient buckets after the first step, so a resumed training of three processes would round
    differently. The model is too small to gain from overlapping communication with computation.
    """

    def __init__(self, *, starts_processes: bool) -> None:
        super().__init__(start_method="spawn" if starts_processes else "popen")
        self.starts_processes = starts_processes

    def setup_module(self, module: torch.nn.Module) -> torch.nn.Module:  # type: ignore[override]
        """Return the module unchanged."""
        return module

    def all_reduce(self, *arguments: Any, **options: Any) -> torch.Tensor:
        """Sum over all processes. Raises ProcessLost."""
        with _loss_of_a_process_named():
            return super().all_reduce(*arguments, **options)


@contextlib.contextmanager
def _loss_of_a_process_named() -> Iterator[None]:
    try:
        yield
    except RuntimeError as fault:  # all that gloo and NCCL raise
        raise ProcessLost("another process of this training has ended; go on with --resume") from fault


def make_fabric(
    device: str, precision: str, *, devices: int | None, nodes: int | None, cpu_precision: str = "32-true"
) -> Fabric:
    """Fabric for all processes started by torchrun or srun, else for `devices` processes that it will start itself.

    `device` is auto, cpu, cuda or mps. Raises InputError.
    """
    for option, value in (("--devices", devices), ("--nodes", nodes)):
        if value is not None and value < 1:
            raise InputError(f"{option} {value}: at least one is needed")
    if started := _started_by_others():
        by, n_devices, n_nodes, place = started
        if (devices or n_devices, nodes or n_nodes) != (n_devices, n_nodes):
            raise InputError(
                f"--devices {devices}, --nodes {nodes}: {by} started {n_devices} processes on each of "
                f"{n_nodes} machines; leave both options out"
            )
        strategy: SharedSums | str = SharedSums(starts_processes=False)
    else:
        n_devices, n_nodes, place = devices or 1, nodes or 1, LightningEnvironment()
        if n_nodes > 1:
            raise InputError(f"--nodes {nodes}: start the training on every machine with torchrun or srun")
        if n_devices > 1 and hasattr(sys, "ps1"):
            raise InputError(f"--devices {devices}: not from a notebook or prompt; use a script or the command line")
        strategy = SharedSums(starts_processes=True) if n_devices > 1 else "auto"
    kind = torch_device(device).type
    on_gpu = kind == "cuda"
    if on_gpu and n_devices > torch.cuda.device_count():
        raise InputError(f"--devices {n_devices}: this machine has {torch.cuda.device_count()} GPUs")
    return Fabric(
        accelerator="gpu" if on_gpu else kind,
        devices=n_devices,
        num_nodes=n_nodes,
        strategy=strategy,
        plugins=[place],
        precision=precision if on_gpu else cpu_precision,  # type: ignore[arg-type]
    )


def _started_by_others() -> tuple[str, int, int, ClusterEnvironment] | None:
    """Launcher, processes per machine, machines, and cluster environment, if torchrun or srun started this process."""
    variables = os.environ
    if "TORCHELASTIC_RUN_ID" in variables:
        world, per_node = int(variables["WORLD_SIZE"]), int(variables["LOCAL_WORLD_SIZE"])
        return "torchrun", per_node, world // per_node, TorchElasticEnvironment()
    world = int(variables.get("SLURM_STEP_NUM_TASKS", 1))
    if world > 1:
        nodes = int(variables.get("SLURM_STEP_NUM_NODES", 1))
        return "srun", world // nodes, nodes, SLURMEnvironment(auto_requeue=False)
    return None
