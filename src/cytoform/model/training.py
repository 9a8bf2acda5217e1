"""Training of the auto-decoder: decoder and one code per sequence, together (paper section 2.1).

Every random choice of a step follows from (seed, epoch, batch) alone, so a resumed training takes the very steps that
an uninterrupted one would.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from lightning_fabric import Fabric
from torch import Tensor, nn

from cytoform.config import TrainingConfig
from cytoform.errors import InputError
from cytoform.model.checkpoint import load_into, read_tensors, write_tensors
from cytoform.model.decoder import Decoder
from cytoform.model.reconstruction import Reconstruction
from cytoform.shapes.samples import Batch, SamplePool

FRAME_ORDER, POINTS, CODES = 1, 2, 3  # streams of random numbers
WARM_UP_SHARE = 0.02


class AutoDecoder(nn.Module):
    """A decoder and the codes of the training sequences; codes start as N(0, σ²)."""

    def __init__(self, decoder: Decoder, n_sequences: int, *, code_sigma: float, seed: int) -> None:
        super().__init__()
        self.decoder = decoder
        self._reconstruction = Reconstruction(decoder)
        codes = np.random.default_rng([seed, CODES]).normal(0, code_sigma, (n_sequences, decoder.code_dim))
        self.codes = nn.Parameter(torch.tensor(codes, dtype=torch.float32))

    def forward(
        self, batch: Batch, code_penalty: float, noise: Float[Tensor, "frames code"] | None = None
    ) -> tuple[Tensor, Tensor]:
        """The loss of eq. 2.1 and its first part, the mean L1 of the distance; `noise` is added to the codes."""
        codes = self.codes[batch.codes]
        noisy = codes if noise is None else codes + noise
        biases = self.decoder.frame_biases(noisy, batch.times)
        error = self._reconstruction.error(batch.points, biases, batch.distances)
        return error + code_penalty * codes.square().sum(dim=1).mean(), error


@dataclass(frozen=True)
class Position:
    """How far a training has come: batches of the current epoch, and the sum of their losses."""

    epoch: int = 0
    batch: int = 0
    loss_sum: float = 0.0


@dataclass(frozen=True)
class EpochMetrics:
    """One row of metrics.csv."""

    epoch: int
    loss: float
    code_norm: float
    learning_rate: float
    points_per_second: float


def rate_factor(training: TrainingConfig, progress: float) -> float:
    """What the learning rates are multiplied with when `progress` epochs are done."""
    if training.schedule == "step":
        return 0.5 ** (int(progress) // training.halving_epochs)
    share = progress / training.epochs
    if share < WARM_UP_SHARE:
        return max(share / WARM_UP_SHARE, 1e-3)
    return 0.5 + 0.5 * math.cos(math.pi * (share - WARM_UP_SHARE) / (1 - WARM_UP_SHARE))


class Trainer:
    """Trains an auto-decoder on a sample pool, on whatever device Fabric was given."""

    def __init__(self, model: AutoDecoder, pool: SamplePool, training: TrainingConfig, *, seed: int, fabric: Fabric):
        self.pool, self.training, self.seed, self.fabric = pool, training, seed, fabric
        groups = [
            {"params": list(model.decoder.parameters()), "rate": training.learning_rate},
            {"params": [model.codes], "rate": training.code_learning_rate},
        ]
        optimizer = torch.optim.Adam(groups, lr=training.learning_rate)
        self.raw_model, self.raw_optimizer = model, optimizer
        self.model, self.optimizer = fabric.setup(model, optimizer)
        self.position = Position()
        self.batches_per_epoch = math.ceil(len(pool) / training.frames_per_batch)

    def run(self, stop: Callable[[], bool]) -> Iterator[EpochMetrics]:
        """Train to the end, yielding after each epoch; ends early, at a step, as soon as `stop()` is true."""
        while self.position.epoch < self.training.epochs:
            start, n_points = time.perf_counter(), 0
            for rows in self._batches():
                if stop():
                    return
                n_points += self._step(rows)
            yield self._end_epoch(n_points / (time.perf_counter() - start))

    def _batches(self) -> Iterator[np.ndarray]:
        order = np.random.default_rng([self.seed, FRAME_ORDER, self.position.epoch]).permutation(len(self.pool))
        size = self.training.frames_per_batch
        for batch in range(self.position.batch, self.batches_per_epoch):
            yield order[batch * size : (batch + 1) * size][self.fabric.global_rank :: self.fabric.world_size]

    def _step(self, rows: np.ndarray) -> int:
        epoch, number = self.position.epoch, self.position.batch
        factor = rate_factor(self.training, epoch + number / self.batches_per_epoch)
        for group in self.optimizer.param_groups:
            group["lr"] = factor * group["rate"]
        rng = np.random.default_rng([self.seed, POINTS, epoch, number, self.fabric.global_rank])
        batch = self._to_device(self.pool.batch(rows, self.training.points_per_frame, rng))
        loss, reconstruction = self.model(batch, self.training.code_penalty, self._noise(len(rows), rng))
        self.optimizer.zero_grad()
        self.fabric.backward(loss)
        limit = self.training.gradient_clip
        self.fabric.clip_gradients(self.model, self.optimizer, max_norm=limit, error_if_nonfinite=False)
        self.optimizer.step()
        self.position = Position(epoch, number + 1, self.position.loss_sum + float(reconstruction.detach()))
        if not math.isfinite(self.position.loss_sum):
            raise InputError(f"training fell apart in epoch {epoch + 1}; lower training.learning_rate or model.omega")
        return batch.distances.numel() * self.fabric.world_size

    def _noise(self, n_frames: int, rng: np.random.Generator) -> Tensor | None:
        """Noise that makes the cells around every code alike, so that codes drawn from the prior give cells too."""
        if self.training.code_noise == 0:
            return None
        shape = (n_frames, self.raw_model.decoder.code_dim)
        return self.fabric.to_device(torch.tensor(rng.normal(0, self.training.code_noise, shape), dtype=torch.float32))

    def _to_device(self, batch: Batch) -> Batch:
        moved = {name: self.fabric.to_device(tensor) for name, tensor in vars(batch).items()}
        return replace(batch, **moved)

    def _end_epoch(self, points_per_second: float) -> EpochMetrics:
        done = self.position
        self.position = Position(done.epoch + 1)
        return EpochMetrics(
            epoch=done.epoch + 1,
            loss=done.loss_sum / self.batches_per_epoch,
            code_norm=float(self.raw_model.codes.detach().norm(dim=1).mean()),
            learning_rate=self.optimizer.param_groups[0]["lr"],
            points_per_second=points_per_second,
        )

    def save(self, path: Path) -> None:
        """Write everything that the next step depends on."""
        tensors = {f"model.{name}": tensor for name, tensor in self.raw_model.state_dict().items()}
        for name, parameter in self.raw_model.named_parameters():
            for key, value in self.raw_optimizer.state.get(parameter, {}).items():
                tensors[f"adam.{key}.{name}"] = value
        place = {key: repr(value) for key, value in vars(self.position).items()}
        write_tensors(path, tensors, place)

    def restore(self, path: Path) -> None:
        """Go back to where `save` was called. Raises InputError for a checkpoint that does not fit."""
        tensors, place = read_tensors(path)
        model = {name.removeprefix("model."): t for name, t in tensors.items() if name.startswith("model.")}
        load_into(self.raw_model, model, where=path)
        for name, parameter in self.raw_model.named_parameters():
            keys = {key.split(".")[1] for key in tensors if key.startswith("adam.")}
            self.raw_optimizer.state[parameter] = {
                key: tensors[f"adam.{key}.{name}"].to("cpu" if key == "step" else parameter.device) for key in keys
            }
        try:
            self.position = Position(int(place["epoch"]), int(place["batch"]), float(place["loss_sum"]))
        except (KeyError, ValueError) as fault:
            raise InputError(f"{path}: damaged checkpoint ({fault}); delete it to go on from an older one") from None
