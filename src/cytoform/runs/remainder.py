"""Training of the kind "refined": components in closed form first, then the network for the distances that they leave.

RUN/components.safetensors  the components of an unfinished run, with codes, rotations and scales
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import cast

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from cytoform.base.parallel import Progress
from cytoform.base.tensors import load_into, read_tensors, write_tensors
from cytoform.errors import InputError
from cytoform.representations.linear.config import ComponentsConfig
from cytoform.representations.linear.representation import Linear, LinearFrame
from cytoform.representations.refined.representation import Correction, Refined
from cytoform.representations.representation import SCALE
from cytoform.representations.rotation import to_matrix
from cytoform.representations.table import new_representation
from cytoform.runs.components import learn_components
from cytoform.runs.config import Config, read_config
from cytoform.runs.samples import TrainingFrame
from cytoform.shapes.store import ShapeStore
from cytoform.training.folder import CONFIG

COMPONENTS = "components.safetensors"


@dataclass(frozen=True)
class Base:
    """Learned components with a code, a rotation and sizes over time for each sequence."""

    decoder: Linear
    codes: Float[Tensor, "sequences knots components"]
    rotations: Float[Tensor, "sequences 4"]
    scales: Float[Tensor, "sequences moments"]

    def frame(self, row: int, time: float) -> LinearFrame:
        """A learned frame, as the components describe it."""
        turn = to_matrix(self.rotations[row : row + 1], self.decoder.n_dims)[0]
        return self.decoder.grid_frame(self.codes[row], time, rotation=turn, variables={SCALE: self.scales[row]})

    def refined(self, config: Config, correction: Correction | None = None, *, seed: int = 0) -> Refined:
        """The components with a network, by default an untrained one."""
        refined = cast(Refined, new_representation(config.model, seed=seed, n_dims=self.decoder.n_dims))
        refined.load_state_dict(self.decoder.state_dict(), strict=False)
        n_values = len(refined.spread)
        refined.spread.copy_(self.codes[..., :n_values].flatten(0, 1).square().mean(dim=0).sqrt().clamp(min=1e-9))
        if correction is not None:
            refined.correction.load_state_dict(correction.state_dict())
        return refined.requires_grad_(False)

    def seen_codes(self, config: Config, copies: int) -> Float[Tensor, "codes knots values"]:
        """The codes as the network sees them: of each sequence one, or one for each of its mirror images."""
        codes = self.codes if copies == 1 else torch.from_numpy(self.decoder.images(self.codes.numpy()))
        return self.refined(config).seen(codes).contiguous()


@dataclass(frozen=True)
class Remainder:
    """What the components of the unfinished run `run` leave of samples, for the network."""

    run: Path
    truncation: float  # of the samples, in half extents

    def of(self, frame: TrainingFrame, samples: Float32[np.ndarray, "n values"]) -> Float32[np.ndarray, "n values"]:
        """The part of a frame's samples that is left, see `left_by`."""
        base = _kept(self.run, (self.run / COMPONENTS).stat().st_mtime_ns)
        return left_by(base.frame(frame.code, frame.time), samples, base.decoder.cut, self.truncation)


def left_by(
    frame: LinearFrame, samples: Float32[np.ndarray, "n values"], cut: float, truncation: float
) -> Float32[np.ndarray, "n values"]:
    """Samples (x, y, z, distance) in Ω as samples of what a frame of components leaves.

    Points are in the cube of the grid, distances in half extents at the size that all cells share. Those of the cell and of
    the components are cut off where the grids were, at `cut` nodes, or at the `truncation` of the samples.
    """
    points, distances = torch.from_numpy(samples[:, :-1]), samples[:, -1]
    half = frame.scale * frame.extent
    width = min(cut * 2 * half / len(frame.coefficients), truncation)
    found = LinearFrame.__call__(frame, points).numpy().clip(-width, width)
    turned = points if frame.rotation is None else points @ frame.rotation.T
    places = (turned / half).clamp(-1, 1).numpy()
    return np.column_stack([places, (distances.clip(-width, width) - found) / frame.scale]).astype(np.float32)


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
    tensors = {f"decoder.{name}": tensor for name, tensor in found.decoder.state_dict().items()}
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
