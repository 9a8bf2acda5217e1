"""Runs from checkpoints of the published code.

The decoders differ as follows. Each difference is converted exactly into weights of our decoder:

- our layers take [hidden, place, t, code], its own are ordered as `exchange/published_checkpoint.py` says;
- its three coordinates follow the axes of its arrays, (t, y, x, z), so its first is y and its second x;
- it puts -1 and +1 at the centres of the outermost voxels, we at the faces of the cube;
- its output layer sees place and time too. Spare units of the last hidden layer carry them: the sine of a tiny argument
  is the argument, and the difference of two ReLUs is exact;
- its output is in the unit of its training data, ours in half extents.

Rotations that later versions of the code learn for each sequence (`rot_angs.mat`) are not applied, nor is the tanh that
can follow the output there, which leaves the surface where it is.
"""

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from cytoform.base.files import write_atomically, write_json
from cytoform.base.output import Output
from cytoform.base.provenance import software_versions
from cytoform.base.tensors import load_into
from cytoform.errors import InputError
from cytoform.exchange.published_checkpoint import PLACE_TIME, Checkpoint, Layer, read_checkpoint, read_codes
from cytoform.representations.bounds import measure_bounds
from cytoform.representations.global_code.config import GlobalCodeConfig
from cytoform.representations.representation import Representation
from cytoform.representations.table import new_representation
from cytoform.runs.config import Config, check_config
from cytoform.runs.run import Learned, LearnedSequence, write_weights
from cytoform.shapes.grid import Grid
from cytoform.training.folder import CONFIG, PROVENANCE

SPARE_UNITS = {"sine": 1, "relu": 2}
# Arguments of the sine that carries a linear term: sin(x) = x to 2e-7 of it.
SMALL = 1e-3
# voxvol_to_sdf.m cuts distances at 32 voxels and divides by the largest, which is 32 unless a cell is deeper than that.
PUBLISHED_UNIT_VOXELS = 32


@dataclass(frozen=True)
class Assumptions:
    """Parameters that a published checkpoint does not record; the defaults are the published code's."""

    grid: Grid
    activation: Literal["sine", "relu"] = "sine"
    omega: float = 30.0
    n_frames: int = 30
    time_step_s: float | None = None
    # µm in one unit of the output.
    um_per_unit: float | None = None

    @property
    def unit_um(self) -> float:
        """`um_per_unit`, or the unit of the published data."""
        return PUBLISHED_UNIT_VOXELS * self.grid.spacing_um if self.um_per_unit is None else self.um_per_unit


Assumed = Assumptions  # its earlier name


def import_run(
    checkpoint: Path, codes: Path, out: Path, *, assumed: Assumptions, seed: int = 0, overwrite: bool = False
) -> Config:
    """Turn a published checkpoint and its codes into the run folder `out`; sequences are named seq000 and so on.

    Returns the settings of the run. Raises InputError before anything is written.
    """
    output = Output.at(out, inputs=[checkpoint, codes], overwrite=overwrite)
    output.check()
    if assumed.n_frames < 1:
        raise InputError(f"--frames {assumed.n_frames}: a sequence has at least one frame")
    if not (math.isfinite(assumed.unit_um) and assumed.unit_um > 0):
        raise InputError(f"--unit {assumed.unit_um}: must be a positive number of micrometres")
    found = read_checkpoint(checkpoint)
    table = read_codes(codes, found.code_dim)
    config = _config(found, assumed)
    if not isinstance(config.model, GlobalCodeConfig):
        raise TypeError(f"a model of kind {config.model.kind}")
    decoder = to_decoder(found, config.model, assumed)
    sequences = tuple(
        LearnedSequence(f"seq{number:03d}", assumed.n_frames, assumed.time_step_s) for number in range(len(table))
    )
    bounds = measure_bounds(decoder, table, seed=seed)
    learned = Learned(sequences, assumed.grid.half_extent_um, assumed.grid.size, bounds)
    with output.staged() as folder:
        write_atomically(folder / CONFIG, config.to_toml().encode())
        write_weights(folder, decoder, table, learned)
        write_json(folder / PROVENANCE, _provenance(checkpoint, codes, assumed, seed))
    return config


def to_decoder(found: Checkpoint, model: GlobalCodeConfig, assumed: Assumptions) -> Representation:
    """Our decoder with the outputs of the published one, in half extents instead of its unit."""
    *hidden, last = found.layers
    decoder = new_representation(model, seed=0)
    state = {name: torch.zeros_like(tensor) for name, tensor in decoder.state_dict().items()}
    # Narrower layers are filled up with units that stay 0 and count for nothing.
    for number, layer in enumerate(hidden):
        weight, n_before = state[f"hidden.{number}.weight"], model.width if number else 0
        n_out = len(layer.bias)
        weight[:n_out, : layer.hidden.shape[1]] = layer.hidden
        weight[:n_out, n_before : n_before + PLACE_TIME] = _our_place(layer.place_time, assumed.grid)
        if layer.code.shape[1]:
            weight[:n_out, n_before + PLACE_TIME :] = layer.code
        state[f"hidden.{number}.bias"][:n_out] = layer.bias
    _set_output(state, last, model, assumed)
    load_into(decoder, state, where=found.path)
    return decoder.requires_grad_(False)


def _set_output(state: dict[str, Tensor], last: Layer, model: GlobalCodeConfig, assumed: Assumptions) -> None:
    """Set the output layer. Spare units of the last hidden layer carry its terms in place and time."""
    weight, bias = state["output.weight"], state["output.bias"]
    weight[:, : last.hidden.shape[1]] = last.hidden
    bias[:] = last.bias
    term = _our_place(last.place_time, assumed.grid)[0]
    carriers = _carriers(term, model)
    n_before = model.width if model.depth > 1 else 0
    for unit, (into, out_of) in enumerate(carriers, start=model.width - len(carriers)):
        state[f"hidden.{model.depth - 1}.weight"][unit, n_before : n_before + PLACE_TIME] = into * term
        weight[0, unit] = out_of
    for part in (weight, bias):
        part *= assumed.unit_um / assumed.grid.half_extent_um


def _carriers(term: Float[Tensor, " 4"], model: GlobalCodeConfig) -> list[tuple[float, float]]:
    """Weights into and out of each spare unit that carries the term."""
    if model.activation == "relu":
        return [(1.0, 1.0), (-1.0, -1.0)]
    gain = SMALL / (model.omega * max(float(term.abs().sum()), 1e-30))
    return [(gain, 1 / (model.omega * gain))]


def _our_place(columns: Float[Tensor, "n 4"], grid: Grid) -> Float[Tensor, "n 4"]:
    """Columns for (y, x, z, t) between voxel centres, as columns for (x, y, z, t) between the faces of the cube."""
    stretch = grid.size / (grid.size - 1)
    return columns[:, [1, 0, 2, 3]] * columns.new_tensor([stretch, stretch, stretch, 1])


def _config(found: Checkpoint, assumed: Assumptions) -> Config:
    *hidden, _ = found.layers
    model = {
        "width": max(len(layer.bias) for layer in hidden) + SPARE_UNITS[assumed.activation],
        "depth": len(hidden),
        "code_dim": found.code_dim,
        "code_layers": [number for number, layer in enumerate(hidden, start=1) if layer.code.shape[1]],
        "activation": assumed.activation,
        "omega": assumed.omega,
    }
    return check_config({"model": model, "training": {"epochs": found.epoch}}, where=str(found.path))


def _provenance(checkpoint: Path, codes: Path, assumed: Assumptions, seed: int) -> dict[str, object]:
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (checkpoint, codes)}
    return {
        "command": "cytoform import",
        "sources_sha256": files,
        "assumed": {
            "activation": assumed.activation,
            "omega": assumed.omega,
            "frames": assumed.n_frames,
            "time_step_s": assumed.time_step_s,
            "grid": assumed.grid.size,
            "half_extent_um": assumed.grid.half_extent_um,
            "um_per_unit": assumed.unit_um,
        },
        "seed": seed,
        "versions": software_versions(),
    }
