"""Tensors on disk as safetensors, without pickle; names, shapes and values are checked."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import RootModel
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from cytoform.base.files import write_atomically
from cytoform.base.gate import parse_json, require_file, shown
from cytoform.errors import InputError

FORMAT, KEY = "1", "cytoform"
REMEDY = "train the run anew"


def write_tensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str] | None = None) -> None:
    """Write named tensors atomically. Raises InputError for NaN and infinity."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in sorted(tensors.items())}
    _refuse_nonfinite(path, plain)
    # A single metadata entry: safetensors writes several in random order, but equal seeds must give equal bytes.
    note = json.dumps({**(metadata or {}), "format": FORMAT}, sort_keys=True)
    write_atomically(path, save(plain, {KEY: note}))


@dataclass(frozen=True)
class TensorHeader:
    """Names, number types and shapes of the tensors in a file, and its metadata."""

    path: Path
    shapes: dict[str, tuple[int, ...]]
    dtypes: dict[str, str]
    metadata: dict[str, str]


class _Metadata(RootModel[dict[str, str]]):
    """The entry `cytoform` of the metadata."""


def read_header(path: Path) -> TensorHeader:
    """What a file holds, without its values. Raises InputError for a missing, damaged or foreign file."""
    with _opened(path) as file:
        text = (file.metadata() or {}).get(KEY, "{}")
        slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
        shapes = {name: tuple(part.get_shape()) for name, part in slices.items()}
        dtypes = {name: str(part.get_dtype()) for name, part in slices.items()}
    metadata = parse_json(text, _Metadata, where=f"{path}: damaged metadata", remedy=REMEDY).root
    if metadata.get("format") != FORMAT:
        version = shown(metadata.get("format", "unknown"))[1:-1]
        raise InputError(f"{path}: checkpoint of version {version}, this cytoform reads {FORMAT}; {REMEDY}")
    return TensorHeader(path, shapes, dtypes, metadata)


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read named tensors and their metadata. Raises InputError for a missing, damaged or foreign file."""
    metadata = read_header(path).metadata
    with _opened(path) as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    _refuse_nonfinite(path, tensors)
    return tensors, metadata


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    if not path.exists():
        raise InputError(f"{path}: no such file; is the run complete? 'cytoform train ... --resume' finishes one")
    require_file(path)
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except (SafetensorError, OSError, ValueError) as fault:
        raise InputError(f"{path}: not a readable safetensors file ({fault}); {REMEDY}") from None


def _refuse_nonfinite(path: Path, tensors: dict[str, Tensor]) -> None:
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise InputError(f"{path}: tensor {name} holds NaN or infinity; train again with lower learning rates")


def load_into(module: torch.nn.Module, tensors: dict[str, Tensor], *, where: Path, assign: bool = False) -> None:
    """Copy `tensors` into `module`, or with `assign` use them as its parameters.

    Raises InputError unless names and shapes match exactly.
    """
    refuse_misfit(module, {name: tuple(tensor.shape) for name, tensor in tensors.items()}, where=where)
    module.load_state_dict(tensors, assign=assign)


def refuse_misfit(module: torch.nn.Module, shapes: Mapping[str, tuple[int, ...]], *, where: Path) -> None:
    """Raise InputError unless a module has tensors of exactly these names and shapes; it may be on the device `meta`."""
    wanted = module.state_dict()
    for name in sorted(wanted.keys() | shapes.keys()):
        if name not in shapes or name not in wanted:
            side = "lacks" if name not in shapes else "has an unknown"
            raise InputError(f"{where}: {side} tensor {name}; it does not belong to the settings in config.toml")
        if shapes[name] != wanted[name].shape:
            raise InputError(
                f"{where}: tensor {name} has shape {shapes[name]}, config.toml says {tuple(wanted[name].shape)}; "
                "restore the config.toml that the run was trained with"
            )
