"""Weights on disk: safetensors with checked names, shapes and numbers; no pickle anywhere."""

import logging
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from cytoform.base.tensors import read_tensors
from cytoform.errors import InputError

CHECKPOINTS = "epoch_*.safetensors"  # their names sort in the order in which they were written
KEPT_CHECKPOINTS = 3


@dataclass(frozen=True)
class Position:
    """How far a training has come: whole epochs, and batches of the current one."""

    epoch: int = 0
    batch: int = 0

    @property
    def checkpoint_name(self) -> str:
        """Of the checkpoint written here."""
        return f"epoch_{self.epoch:06d}_batch_{self.batch:06d}.safetensors"


@dataclass(frozen=True)
class Checkpoint:
    """What a training goes on from."""

    path: Path
    tensors: dict[str, Tensor]
    metadata: dict[str, str]


def read_checkpoint(path: Path) -> Checkpoint:
    """Read one checkpoint. Raises InputError where it is damaged."""
    return Checkpoint(path, *read_tensors(path))


def newest_checkpoint(folder: Path) -> Checkpoint | None:
    """The newest checkpoint that can be read, None where there is none; says which damaged ones it passed over.

    Raises InputError if all are damaged.
    """
    paths = sorted(folder.glob(CHECKPOINTS), reverse=True)
    for path in paths:
        try:
            return read_checkpoint(path)
        except InputError as fault:
            logging.getLogger(__name__).warning("cytoform: %s; going on from the checkpoint before it", fault)
    if paths:
        raise InputError(f"{folder}: every checkpoint is damaged; delete them to go on from the first epoch")
    return None


def drop_old_checkpoints(folder: Path) -> None:
    """Keep the last three."""
    for old in sorted(folder.glob(CHECKPOINTS))[:-KEPT_CHECKPOINTS]:
        old.unlink()
