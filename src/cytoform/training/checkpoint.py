"""Checkpoints of a training as safetensors files: weights and optimizer states."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn
from torch.optim import Optimizer

from cytoform.base.tensors import load_into, read_tensors
from cytoform.errors import InputError

CHECKPOINT_PATTERN = "epoch_*.safetensors"  # sorted names are in order of writing
KEPT_CHECKPOINTS = 3


@dataclass(frozen=True)
class Position:
    """Progress of a training: completed epochs, and completed batches of the current epoch."""

    epoch: int = 0
    batch: int = 0

    @property
    def checkpoint_name(self) -> str:
        """File name of a checkpoint at this position."""
        return f"epoch_{self.epoch:06d}_batch_{self.batch:06d}.safetensors"


@dataclass(frozen=True)
class Checkpoint:
    """Named tensors and metadata read from a checkpoint file."""

    path: Path
    tensors: dict[str, Tensor]
    metadata: dict[str, str]


def read_checkpoint(path: Path) -> Checkpoint:
    """Read one checkpoint. Raises InputError if it is damaged."""
    return Checkpoint(path, *read_tensors(path))


def newest_checkpoint(folder: Path) -> Checkpoint | None:
    """The newest readable checkpoint, or None if the folder has none; logs a warning for damaged ones.

    Raises InputError if all are damaged.
    """
    paths = sorted(folder.glob(CHECKPOINT_PATTERN), reverse=True)
    for path in paths:
        try:
            return read_checkpoint(path)
        except InputError as fault:
            logging.getLogger(__name__).warning("cytoform: %s; going on from the checkpoint before it", fault)
    if paths:
        raise InputError(f"{folder}: every checkpoint is damaged; delete them to go on from the first epoch")
    return None


def drop_old_checkpoints(folder: Path) -> None:
    """Delete all but the last three checkpoints."""
    for old in sorted(folder.glob(CHECKPOINT_PATTERN))[:-KEPT_CHECKPOINTS]:
        old.unlink()


def pack_state(model: nn.Module, optimizers: Sequence[Optimizer]) -> dict[str, Tensor]:
    """Tensors of a checkpoint: `model.NAME` and `optimizer.SLOT.NAME`."""
    tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    for name, parameter in model.named_parameters():
        for optimizer in optimizers:
            for key, value in optimizer.state.get(parameter, {}).items():
                tensors[f"optimizer.{key}.{name}"] = value
    return tensors


def restore_state(checkpoint: Checkpoint, model: nn.Module, optimizers: Sequence[Optimizer]) -> None:
    """Restore weights and optimizer states in place. Raises InputError for a checkpoint that does not fit."""
    tensors = checkpoint.tensors
    weights = {name.removeprefix("model."): t for name, t in tensors.items() if name.startswith("model.")}
    load_into(model, weights, where=checkpoint.path)
    parameters = dict(model.named_parameters())
    owner = {p: o for o in optimizers for group in o.param_groups for p in group["params"]}
    try:
        for key in (key for key in tensors if key.startswith("optimizer.")):
            _, slot, name = key.split(".", 2)
            parameter = parameters[name]
            owner[parameter].state[parameter][slot] = tensors[key].to(parameter.device)
    except (KeyError, ValueError) as fault:
        raise damaged(checkpoint, fault) from None


def damaged(checkpoint: Checkpoint, fault: Exception) -> InputError:
    """The error for an incomplete checkpoint."""
    return InputError(f"{checkpoint.path}: damaged checkpoint ({fault}); delete it to go on from an older one")
