"""Checkpoints of a training as safetensors files: weights and optimizer states."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import Field, ValidationError
from torch import Tensor, nn
from torch.optim import Optimizer

from cytoform.base.gate import Record, first_fault
from cytoform.base.tensors import load_into, read_tensors, refuse_misfit
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


def refuse_other_model(checkpoint: Checkpoint, model: nn.Module) -> None:
    """Raise InputError unless a checkpoint is of this model, which may be on the device `meta`."""
    shapes = {name: tuple(tensor.shape) for name, tensor in _weights(checkpoint).items()}
    refuse_misfit(model, shapes, where=checkpoint.path)


def _weights(checkpoint: Checkpoint) -> dict[str, Tensor]:
    return {name.removeprefix("model."): t for name, t in checkpoint.tensors.items() if name.startswith("model.")}


class PlaceRecord(Record):
    """Progress of a training, in the metadata of a checkpoint."""

    epoch: int = Field(ge=0)
    batch: int = Field(ge=0)

    @property
    def position(self) -> Position:
        """As a position."""
        return Position(self.epoch, self.batch)


PlaceT = TypeVar("PlaceT", bound=PlaceRecord)


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
            if path.is_dir() and not path.is_symlink():
                raise  # the training would end where it has to write this one
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
    load_into(model, _weights(checkpoint), where=checkpoint.path)
    parameters = dict(model.named_parameters())
    owner = {p: o for o in optimizers for group in o.param_groups for p in group["params"]}
    try:
        for key in (key for key in tensors if key.startswith("optimizer.")):
            _, slot, name = key.split(".", 2)
            parameter, value = parameters[name], tensors[key]
            if value.shape not in {parameter.shape, ()} or not value.is_floating_point():
                raise ValueError(f"{key} holds {value.dtype} of shape {tuple(value.shape)}")
            owner[parameter].state[parameter][slot] = value.to(parameter.device)
    except (KeyError, ValueError) as fault:
        raise damaged(checkpoint, fault) from None
    for optimizer in optimizers:
        if len({frozenset(state) for state in optimizer.state.values()}) > 1:
            raise damaged(checkpoint, "the states of an optimizer differ")


def read_place(checkpoint: Checkpoint, model: type[PlaceT], *, n_epochs: int, n_batches: int) -> PlaceT:
    """The metadata of a checkpoint as `model`, at the position of its name. Raises InputError."""
    try:
        place = model.model_validate_strings(checkpoint.metadata)
    except ValidationError as fault:
        raise damaged(checkpoint, first_fault(fault)) from None
    if place.position.checkpoint_name != checkpoint.path.name or place.epoch > n_epochs or place.batch > n_batches:
        raise damaged(checkpoint, f"it says batch {place.batch} of epoch {place.epoch}")
    return place


def damaged(checkpoint: Checkpoint, fault: object) -> InputError:
    """The error for an incomplete checkpoint."""
    return InputError(f"{checkpoint.path}: damaged checkpoint ({fault}); delete it to go on from an older one")
