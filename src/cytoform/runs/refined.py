"""Training of the kind "refined": components in closed form first, then a network whose codes begin as their weights.

RUN/components.safetensors  the components of an unfinished run, with codes, rotations and scales
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from cytoform.base.parallel import Progress
from cytoform.base.tensors import load_into, read_tensors, write_tensors
from cytoform.errors import InputError
from cytoform.representations.linear.config import ComponentsConfig
from cytoform.representations.linear.representation import Linear
from cytoform.representations.refined.representation import InGrid, Refined
from cytoform.representations.representation import at_share
from cytoform.representations.rotation import to_matrix
from cytoform.representations.table import new_representation
from cytoform.runs.components import learn_components
from cytoform.runs.config import Config, read_config
from cytoform.runs.samples import TrainingFrame
from cytoform.shapes.store import ShapeStore
from cytoform.training.folder import CONFIG

COMPONENTS = "components.safetensors"
SPREAD = 0.3  # of the numbers of the leading component in the codes of learned cells, at the start


@dataclass(frozen=True)
class Place:
    """How points of a frame are brought into the cube of the grid."""

    matrix: Float[np.ndarray, "dims dims"]
    scale: float
    extent: float

    def brought(self, samples: Float32[np.ndarray, "n values"], truncation: float) -> Float32[np.ndarray, "n values"]:
        """Samples (x, y, z, distance) in Ω as samples in the cube of the grid.

        Distances are in half extents at the size that all cells share, cut off at `truncation`.
        """
        places = (samples[:, :-1] @ self.matrix.T / (self.scale * self.extent)).clip(-1, 1)
        distances = (samples[:, -1] / self.scale).clip(-truncation, truncation)
        return np.column_stack([places, distances]).astype(np.float32)


@dataclass(frozen=True)
class Base:
    """Learned components with a code, a rotation and sizes over time for each sequence."""

    decoder: Linear
    codes: Float[Tensor, "sequences knots components"]
    rotations: Float[Tensor, "sequences 4"]
    scales: Float[Tensor, "sequences moments"]

    def place(self, row: int, time: float) -> Place:
        """The place of a learned frame."""
        turn = to_matrix(self.rotations[row : row + 1], self.decoder.n_dims)[0].double().numpy()
        return Place(turn, float(at_share((time + 1) / 2, self.scales[row])), float(self.decoder.extent))

    def start(self, copies: int) -> dict[str, Tensor]:
        """Codes to begin with, as an auto-decoder takes them, and the signs of the codes of mirror images."""
        _, components = self.decoder.code_shape
        signs = self.decoder.images(np.ones((1, 1, components), np.float32))[:copies, 0]
        return {"start": self.codes / self._unit(), "signs": torch.from_numpy(signs.astype(np.float32))}

    def refined(self, config: Config, network: InGrid) -> Refined:
        """The components with a trained network."""
        refined = cast(Refined, new_representation(config.model, seed=0, n_dims=self.decoder.n_dims))
        refined.load_state_dict(self.decoder.state_dict(), strict=False)
        refined.unit.copy_(self._unit())
        refined.network.load_state_dict(network.state_dict())
        return refined.requires_grad_(False)

    def _unit(self) -> Float[Tensor, " components"]:
        # A middle way: numbers of one spread would make the last components as loud as the first, and weights as they are
        # would leave them unheard.
        spread = self.codes.flatten(0, 1).square().mean(dim=0).sqrt().clamp(min=1e-9)
        return (spread * spread.max()).sqrt() / SPREAD


@dataclass(frozen=True)
class Bringing:
    """Brings samples of the unfinished run `run` into the cube of its grid."""

    run: Path
    truncation: float

    def of(self, frame: TrainingFrame, samples: Float32[np.ndarray, "n values"]) -> Float32[np.ndarray, "n values"]:
        """The samples of a frame, see `Place.brought`."""
        base = _kept(self.run, (self.run / COMPONENTS).stat().st_mtime_ns)
        return base.place(frame.code, frame.time).brought(samples, self.truncation)


def learn_base(
    store: ShapeStore, frames: list[TrainingFrame], config: Config, run: Path, *, workers: int, progress: Progress
) -> Config:
    """Learn the components of a run that begins in the folder `run`. Returns the settings with the sizes that were found."""
    if config.model.rotations != "none":
        raise InputError(
            "model.rotations: cells with components lie in their principal axes, so model.kind = 'refined' learns no "
            "rotations; set data.align=principal instead"
        )
    found = learn_components(store, frames, config, run, workers=workers, progress=progress)
    tensors: dict[str, Any] = {f"decoder.{name}": tensor for name, tensor in found.decoder.state_dict().items()}
    tensors |= {"codes": found.codes, "rotations": found.rotations, "scales": found.scales}
    write_tensors(run / COMPONENTS, tensors, {})
    return found.resolved(config)


@lru_cache(maxsize=1)
def _kept(run: Path, written_ns: int) -> Base:
    """The components, read once for all frames; another run in the same place was written at another time."""
    return read_base(run)


def read_base(run: Path) -> Base:
    """The components of an unfinished run. Raises InputError where they are missing or damaged."""
    if not (run / COMPONENTS).exists():
        raise InputError(f"{run / COMPONENTS}: missing, so the training cannot go on; train the run anew")
    tensors, _ = read_tensors(run / COMPONENTS)
    beside = [tensors.pop(name, torch.empty(0)) for name in ("codes", "rotations", "scales")]
    weights = {name.removeprefix("decoder."): tensor for name, tensor in tensors.items()}
    model = cast(ComponentsConfig, read_config(run / CONFIG).model)
    n_dims = weights["mean"].ndim if "mean" in weights else 3
    decoder = Linear(
        nodes=model.nodes, components=model.components, knots=model.knots, cut=model.cut, n_dims=n_dims
    ).requires_grad_(False)
    load_into(decoder, weights, where=run / COMPONENTS)
    return Base(decoder, *beside)
