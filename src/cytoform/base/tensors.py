"""Tensors on disk as safetensors, without pickle; names, shapes and values are checked."""

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from cytoform.base.files import write_atomically
from cytoform.errors import InputError

FORMAT, KEY = "1", "cytoform"


def write_tensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str] | None = None) -> None:
    """Write named tensors atomically. Raises InputError for NaN and infinity."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in sorted(tensors.items())}
    _refuse_nonfinite(path, plain)
    # A single metadata entry: safetensors writes several in random order, but equal seeds must give equal bytes.
    note = json.dumps({**(metadata or {}), "format": FORMAT}, sort_keys=True)
    write_atomically(path, save(plain, {KEY: note}))


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read named tensors and their metadata. Raises InputError for a missing, damaged or foreign file."""
    if not path.is_file():
        raise InputError(f"{path}: no such file; is the run complete? 'cytoform train ... --resume' finishes one")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = json.loads((file.metadata() or {}).get(KEY, "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as fault:
        raise InputError(f"{path}: not a readable safetensors file ({fault}); train the run anew") from None
    if metadata.get("format") != FORMAT:
        raise InputError(
            f"{path}: checkpoint of version {metadata.get('format', 'unknown')}, this cytoform reads {FORMAT}; "
            "train the run anew"
        )
    _refuse_nonfinite(path, tensors)
    return tensors, metadata


def _refuse_nonfinite(path: Path, tensors: dict[str, Tensor]) -> None:
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise InputError(f"{path}: tensor {name} holds NaN or infinity; train again with lower learning rates")


def load_into(module: torch.nn.Module, tensors: dict[str, Tensor], *, where: Path, assign: bool = False) -> None:
    """Copy `tensors` into `module`, or with `assign` use them as its parameters.

    Raises InputError unless names and shapes match exactly.
    """
    wanted = module.state_dict()
    for name in sorted(wanted.keys() | tensors.keys()):
        if name not in tensors or name not in wanted:
            side = "lacks" if name not in tensors else "has an unknown"
            raise InputError(f"{where}: {side} tensor {name}; it does not belong to the settings in config.toml")
        if tensors[name].shape != wanted[name].shape:
            raise InputError(
                f"{where}: tensor {name} has shape {tuple(tensors[name].shape)}, config.toml says "
                f"{tuple(wanted[name].shape)}; restore the config.toml that the run was trained with"
            )
    module.load_state_dict(tensors, assign=assign)
