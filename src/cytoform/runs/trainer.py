"""Training of the auto-decoder: decoder and one code per sequence, together (paper section 2.1).

Every random choice of a step follows from (seed, epoch, batch) alone, so a resumed training takes the very steps that
an uninterrupted one would. Several processes share the frames of every batch and take the steps that one would.
"""

import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, cast

import numpy as np
import torch
from lightning_fabric import Fabric
from pydantic import Field, Json
from torch import Tensor, nn

from cytoform.base.tensors import write_tensors
from cytoform.errors import InputError
from cytoform.runs.autodecoder import AutoDecoder
from cytoform.runs.config import TrainingConfig
from cytoform.runs.optimizers import OPTIMIZERS
from cytoform.runs.samples import Batch, SamplePool
from cytoform.training.checkpoint import Checkpoint, PlaceRecord, Position, pack_state, read_place, restore_state
from cytoform.training.metrics import MetricsRow

FRAME_ORDER, POINTS = 1, 2  # streams of random numbers; autodecoder.CODES is a third
WARM_UP_SHARE = 0.02


@dataclass(frozen=True)
class EpochMetrics(MetricsRow):
    """One row of metrics.csv."""

    code_norm: float
    learning_rate: float
    points_per_second: float

    @property
    def note(self) -> str:
        """The loss and the speed."""
        return f"{super().note}, {self.points_per_second / 1e3:.0f}k points/s"


class _Place(PlaceRecord):
    loss_sums: Json[Annotated[tuple[float, ...], Field(min_length=1)]]  # of each process


def rate_factor(training: TrainingConfig, progress: float) -> float:
    """Factor of all learning rates after `progress` epochs."""
    if training.schedule == "step":
        return 0.5 ** (int(progress) // training.halving_epochs)
    share = progress / training.epochs
    if share < WARM_UP_SHARE:
        return max(share / WARM_UP_SHARE, 1e-3)
    return 0.5 + 0.5 * math.cos(math.pi * (share - WARM_UP_SHARE) / (1 - WARM_UP_SHARE))


class Trainer:
    """Trains an auto-decoder on a sample pool, on the device that Fabric was given."""

    row_type = EpochMetrics

    def __init__(self, model: AutoDecoder, pool: SamplePool, training: TrainingConfig, *, seed: int, fabric: Fabric):
        self.pool, self.training, self.seed, self.fabric = pool, training, seed, fabric
        if fabric.device.type == "cuda" and pool.nbytes < torch.cuda.mem_get_info(fabric.device)[0] / 2:
            pool.keep_on(fabric.device)
        self.raw_model, self.raw_optimizers = (
            model,
            OPTIMIZERS[training.optimizer](model.decoder, model.codes, training, model.learned_rotations),
        )
        self.model, *self.optimizers = fabric.setup(model, *self.raw_optimizers)
        self.position, self.n_epochs, self.checkpoint_epochs = Position(), training.epochs, training.checkpoint_epochs
        # On the device: looking at the loss of every step would keep the device waiting.
        self._loss_sum = torch.zeros((), dtype=torch.float64, device=fabric.device)
        self.batches_per_epoch = math.ceil(len(pool) / training.frames_per_batch)

    def run(self, stop: Callable[[], bool]) -> Iterator[EpochMetrics]:
        """Train to the end, yielding after each epoch; ends early as soon as `stop()`, asked before each step, is true.

        Raises InputError when the loss is no longer finite.
        """
        while self.position.epoch < self.training.epochs:
            start, n_points = time.perf_counter(), 0
            for rows in self._batches():
                if stop():
                    return
                n_points += self._step(rows)
            yield self._end_epoch(n_points, start)

    def _batches(self) -> Iterator[np.ndarray]:
        order = np.random.default_rng([self.seed, FRAME_ORDER, self.position.epoch]).permutation(len(self.pool))
        size = self.training.frames_per_batch
        for batch in range(self.position.batch, self.batches_per_epoch):
            yield order[batch * size : (batch + 1) * size]

    def _step(self, rows: np.ndarray) -> int:
        epoch, number = self.position.epoch, self.position.batch
        factor = rate_factor(self.training, epoch + number / self.batches_per_epoch)
        for group in self._groups():
            group["lr"] = factor * group["rate"]
        mine, share = self._share_of(len(rows))
        rng = np.random.default_rng([self.seed, POINTS, epoch, number])
        batch = self._to_device(self.pool.batch(rows, self.training.points_per_frame, rng, part=mine))
        loss, reconstruction = self.model(batch, self.training.code_penalty, self._noise(len(rows), mine, rng))
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        self.fabric.backward(share * loss)
        self._sum_gradients()
        nn.utils.clip_grad_norm_(self.raw_model.parameters(), self.training.gradient_clip)
        for optimizer in self.optimizers:
            optimizer.step()
        self._loss_sum += share * reconstruction.detach()
        self.position = Position(epoch, number + 1)
        return len(rows) * batch.distances.shape[1]

    def _groups(self) -> Iterator[dict[str, Any]]:
        return (group for optimizer in self.optimizers for group in optimizer.param_groups)

    def _share_of(self, n_frames: int) -> tuple[slice, float]:
        """Which of a batch's frames are this process's, and their weight in the mean over all."""
        mine = slice(self.fabric.global_rank, None, self.fabric.world_size)
        n_mine = len(range(n_frames)[mine])
        # Every process has to take part; one without a frame works on the first, which counts nothing.
        return (mine, n_mine / n_frames) if n_mine else (slice(0, 1), 0.0)

    def _sum_gradients(self) -> None:
        """Sum the gradients of all processes, so that all take the same step."""
        if self.fabric.world_size == 1:
            return
        gradients = [p.grad for p in self.raw_model.parameters() if p.grad is not None]
        whole = cast(Tensor, self.fabric.all_reduce(torch.cat([g.flatten() for g in gradients]), reduce_op="sum"))
        for gradient, part in zip(gradients, whole.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(part.view_as(gradient))

    def _noise(self, n_frames: int, mine: slice, rng: np.random.Generator) -> Tensor | None:
        """Noise that makes the cells around every code alike, so that codes drawn from the prior give cells too."""
        if self.training.code_noise == 0:
            return None
        noise = rng.normal(0, self.training.code_noise, (n_frames, *self.raw_model.decoder.code_shape))[mine]
        return self.fabric.to_device(torch.tensor(noise, dtype=torch.float32))

    def _to_device(self, batch: Batch) -> Batch:
        moved = {name: self.fabric.to_device(tensor) for name, tensor in vars(batch).items()}
        return replace(batch, **moved)

    def _end_epoch(self, n_points: int, start: float) -> EpochMetrics:
        loss_sum = sum(self._loss_sums())
        self._loss_sum.zero_()
        self.position = Position(self.position.epoch + 1)
        return EpochMetrics(
            epoch=self.position.epoch,
            loss=loss_sum / self.batches_per_epoch,
            code_norm=float(self.raw_model.codes.detach().flatten(1).norm(dim=1).mean()),
            learning_rate=next(self._groups())["lr"],
            points_per_second=n_points / (time.perf_counter() - start),
        )

    def _loss_sums(self) -> list[float]:
        """The loss sum of every process in this epoch. Raises InputError, in all processes, if it is not finite."""
        each = torch.zeros(self.fabric.world_size, dtype=torch.float64, device=self.fabric.device)
        each[self.fabric.global_rank] = self._loss_sum
        sums = cast(Tensor, self.fabric.all_reduce(each, reduce_op="sum")).tolist()
        if not math.isfinite(sum(sums)):
            raise InputError(
                f"training diverged in epoch {self.position.epoch + 1} (the loss is not finite); lower "
                "training.learning_rate or model.omega "
                "(a lower learning_rate in the run's config.toml goes for --resume from the last good checkpoint)"
            )
        return sums

    def save(self, path: Path) -> None:
        """Write everything that the next step depends on; all processes have to call it, the first one writes.

        Raises InputError instead of writing NaN.
        """
        loss_sums = self._loss_sums()
        if not self.fabric.is_global_zero:
            return
        tensors = pack_state(self.raw_model, self.raw_optimizers)
        place = {key: str(value) for key, value in vars(self.position).items()}
        write_tensors(path, tensors, {**place, "loss_sums": json.dumps(loss_sums)})

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go back to where `save` was called. Raises InputError for a checkpoint that does not fit."""
        restore_state(checkpoint, self.raw_model, self.raw_optimizers)
        place = read_place(checkpoint, _Place, n_epochs=self.n_epochs, n_batches=self.batches_per_epoch)
        self.position, sums = place.position, place.loss_sums
        # The same number of processes goes on to the same bytes; with another one the first takes all that was summed.
        rank = self.fabric.global_rank
        mine = sums[rank] if len(sums) == self.fabric.world_size else (0.0 if rank else sum(sums))
        self._loss_sum.fill_(mine)
