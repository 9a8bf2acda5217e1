"""Checkpoints of the published code: a `.pth` with the decoder, a Matlab file with the codes.

A checkpoint is {"epoch", "model_state_dict"} with tensors module.lin0.weight and so on. A layer takes [code, place, t]
if it is the first, [hidden, code, place, t] at skips, and [hidden, place, t] elsewhere, in the output layer too.
"""

import math
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from cytoform.base.gate import require_file
from cytoform.errors import InputError
from cytoform.exchange.matlab import read_matrix

CODES = "lat_vecs"
PLACE_TIME = 4
MOST_CODES = 100_000
MOST_BYTES = 1 << 30  # of a checkpoint, unpacked
KEY = re.compile(r"(?:module\.)?lin([0-9]+)\.(weight|bias)")
LARGEST_INPUT = 3 * 4096  # columns of a weight: hidden units, code and place, as config.toml allows them


@dataclass(frozen=True)
class Layer:
    """A published linear layer. The weight is split by input; `code` has no columns in layers without the code."""

    hidden: Float[Tensor, "n_out n_hidden"]
    code: Float[Tensor, "n_out n_code"]
    place_time: Float[Tensor, "n_out 4"]
    bias: Float[Tensor, " n_out"]


@dataclass(frozen=True)
class Checkpoint:
    """A published decoder, first layer to output."""

    path: Path
    layers: tuple[Layer, ...]
    epoch: int

    @property
    def code_dim(self) -> int:
        """Numbers in a code: the first layer always takes it."""
        return self.layers[0].code.shape[1]


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a `.pth` of plain tensors and check that it is a published decoder. Raises InputError."""
    saved = _load(path)
    state = saved.get("model_state_dict") if isinstance(saved, dict) else None
    if not isinstance(state, dict) or not state:
        raise InputError(f"{path}: no 'model_state_dict' in it; give a checkpoint of the published code (e*_model.pth)")
    tensors: dict[tuple[int, str], Tensor] = {}
    for key, tensor in state.items():
        match = KEY.fullmatch(str(key))
        if match is None:
            raise InputError(f"{path}: unknown tensor {key}; only plain layers lin0, lin1, … can be imported")
        _check_tensor(path, str(key), tensor)
        tensors[int(match[1]), match[2]] = tensor.float()
    n_layers = 1 + max(number for number, _ in tensors)
    for number in range(n_layers):
        for part in ("weight", "bias"):
            if (number, part) not in tensors:
                raise InputError(f"{path}: lacks tensor lin{number}.{part}; the checkpoint is incomplete")
    if n_layers < 2:
        raise InputError(f"{path}: has no hidden layer; give a checkpoint of the published code")
    weights = [tensors[number, "weight"] for number in range(n_layers)]
    biases = [tensors[number, "bias"] for number in range(n_layers)]
    epoch = saved.get("epoch")
    return Checkpoint(path, _layers(path, weights, biases), epoch if isinstance(epoch, int) and epoch > 0 else 1)


def read_codes(path: Path, code_dim: int) -> Float[Tensor, "sequences {code_dim}"]:
    """Read `lat_vecs`, a row a sequence; turned round if only its columns are as long as a code. Raises InputError."""

    def check(shape: tuple[int, ...]) -> None:
        if len(shape) > 2 or code_dim not in shape or not 1 <= math.prod(shape) // code_dim <= MOST_CODES:
            raise InputError(f"{path}: {CODES} has shape {shape}, the decoder takes codes of {code_dim} numbers")

    table = torch.from_numpy(np.atleast_2d(read_matrix(path, CODES, check)).astype("float32"))
    if table.shape[1] != code_dim:
        table = table.T
    if not torch.isfinite(table).all():
        raise InputError(f"{path}: {CODES} holds NaN or infinity; take the codes of another epoch")
    return table.contiguous()


def _load(path: Path) -> Any:
    require_file(path)
    try:
        _refuse_large(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except (MemoryError, InputError):
        raise
    except Exception as fault:
        # PyTorch does not document the exceptions for a damaged or foreign file.
        first = str(fault).strip().splitlines()[:1]
        if "weights_only" in str(fault) or "Unsupported" in str(fault):
            raise InputError(
                f"{path}: holds Python objects, and loading them could run code; save the bare state_dict again"
            ) from None
        raise InputError(f"{path}: not a readable PyTorch file ({' '.join(first)}); copy it again") from None


def _refuse_large(path: Path) -> None:
    """Raise InputError for a file that would take more memory than any published model."""
    size = path.stat().st_size
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            size = max(size, sum(member.file_size for member in archive.infolist()))
    if size > MOST_BYTES:
        raise InputError(f"{path}: {size / 1e9:.1f} GB; a checkpoint of the published code has less")


def _check_tensor(path: Path, key: str, tensor: object) -> None:
    n_axes = 2 if key.endswith("weight") else 1
    if not isinstance(tensor, Tensor) or not tensor.is_floating_point() or tensor.layout != torch.strided:
        kind = tensor.dtype if isinstance(tensor, Tensor) else type(tensor).__name__
        raise InputError(
            f"{path}: {key} is {kind}, not a dense tensor of floating point numbers; it cannot be imported"
        )
    if tensor.ndim != n_axes or not all(0 < n <= LARGEST_INPUT for n in tensor.shape):
        raise InputError(f"{path}: {key} has shape {tuple(tensor.shape)}; a decoder has 1 to {LARGEST_INPUT} a side")
    if not torch.isfinite(tensor).all():
        raise InputError(f"{path}: {key} holds NaN or infinity; take the checkpoint of another epoch")


def _layers(path: Path, weights: list[Tensor], biases: list[Tensor]) -> tuple[Layer, ...]:
    """Split the columns of every layer. Raises InputError for a layer that fits no published one."""
    code_dim = weights[0].shape[1] - PLACE_TIME
    if code_dim < 1:
        raise InputError(f"{path}: lin0.weight takes {weights[0].shape[1]} numbers; a code and x, y, z, t are more")
    layers, before = [], 0
    for number, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        is_output = number == len(weights) - 1
        extra = weight.shape[1] - before
        allowed = {0: (code_dim + PLACE_TIME,)}.get(
            number, (0, PLACE_TIME) if is_output else (0, PLACE_TIME, code_dim + PLACE_TIME)
        )
        if extra not in allowed or len(bias) != len(weight) or (is_output and len(weight) != 1):
            raise InputError(
                f"{path}: lin{number} has a weight of {tuple(weight.shape)} and {len(bias)} biases after {before} hidden "
                "units; it is no layer of the published decoder"
            )
        hidden, code, place_time = weight.split([before, max(extra - PLACE_TIME, 0), min(extra, PLACE_TIME)], dim=1)
        if not extra:
            place_time = weight.new_zeros(len(weight), PLACE_TIME)
        layers.append(Layer(hidden, code, place_time, bias))
        before = len(weight)
    return tuple(layers)
