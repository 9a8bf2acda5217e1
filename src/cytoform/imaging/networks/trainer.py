"""Adversarial training (pix2pixHD): per batch, one step of the generator and one of the discriminators.

Random choices of a step depend only on (seed, epoch, batch), so that a resumed training takes the same steps as an
uninterrupted one.
"""

import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.precision import Precision
from pydantic import Field, Json
from torch import Tensor, nn

from cytoform.base.tensors import write_tensors
from cytoform.errors import InputError
from cytoform.imaging.networks.batches import Batches, CropBatch
from cytoform.imaging.networks.config import TextureConfig, TextureTrainingConfig
from cytoform.imaging.networks.layers.blocks import fix_statistics
from cytoform.imaging.networks.layers.discriminators import Discriminators
from cytoform.imaging.networks.layers.generator import KNOWN, Generator, TrainingStage, start_weights
from cytoform.imaging.networks.layers.losses import adversarial_loss, detail_loss, matching_loss
from cytoform.imaging.networks.layers.perceptual import PerceptualLoss
from cytoform.imaging.networks.layers.trunks import halve
from cytoform.training.checkpoint import Checkpoint, PlaceRecord, Position, pack_state, read_place, restore_state
from cytoform.training.metrics import MetricsRow

ORDER, DRAW = 1, 2  # random streams
BETAS = (0.5, 0.999)
LOSS_PARTS = ("matching", "detail", "perceptual")  # of the generator's loss, besides the adversarial loss


@dataclass(frozen=True)
class TextureMetrics(MetricsRow):
    """One row of metrics.csv; `loss` is the loss of the generator."""

    discriminator: float
    matching: float
    detail: float
    perceptual: float
    learning_rate: float
    crops_per_second: float

    @property
    def note(self) -> str:
        """Losses and speed."""
        return f"{super().note}, discriminators {self.discriminator:.3f}, {self.crops_per_second:.2g} crops/s"


class _Place(PlaceRecord):
    sums: Json[Annotated[tuple[float, ...], Field(min_length=2 + len(LOSS_PARTS), max_length=2 + len(LOSS_PARTS))]]
    precision: Json[dict[str, float | int | None]]  # of the scale of gradients


def learning_rate_factor(training: TextureTrainingConfig, progress: float) -> float:
    """Schedule of the learning rates after `progress` epochs: constant 1, then linear to 0."""
    started = training.coarse_epochs + training.epochs
    return 1.0 if progress <= started else max(0.0, 1 - (progress - started) / training.decay_epochs)


class AdversarialTrainer:
    """Trains generator and discriminators on the device of Fabric."""

    row_type = TextureMetrics

    def __init__(self, config: TextureConfig, batches: Batches, *, seed: int, fabric: Fabric) -> None:
        self.training, self.batches, self.seed, self.fabric = config.training, batches, seed, fabric
        training = config.training
        self.model = nn.ModuleDict(
            {
                "generator": Generator(config.generator),
                "discriminators": Discriminators(len(KNOWN) + 1, config.discriminator),
            }
        )
        start_weights(self.model, seed=seed)
        self._staged = config.generator.kind == "enhancer"
        self.optimizers = [
            torch.optim.Adam(part.parameters(), lr=training.learning_rate, betas=BETAS) for part in self.model.values()
        ]
        self._generator, self._generator_step = fabric.setup(self.model["generator"], self.optimizers[0])
        self._discriminators, self._discriminators_step = fabric.setup(self.model["discriminators"], self.optimizers[1])
        self._perceptual = _perceptual(training, fabric)
        self.n_epochs = (training.coarse_epochs if self._staged else 0) + training.epochs + training.decay_epochs
        self.checkpoint_epochs, self.position = training.checkpoint_epochs, Position()
        self._n_crops = len(batches.pairs) * training.crops_per_image
        self.batches_per_epoch = math.ceil(self._n_crops / training.crops_per_batch)
        # On the device: reading the losses of every step would stall it.
        self._sums = torch.zeros(2 + len(LOSS_PARTS), dtype=torch.float64, device=fabric.device)

    def run(self, stop: Callable[[], bool]) -> Iterator[TextureMetrics]:
        """Train to the end and yield metrics after each epoch; end early if `stop()`, called before each step, is true.

        Raises InputError for a loss that is not finite.
        """
        while self.position.epoch < self.n_epochs:
            start, n_crops = time.perf_counter(), 0
            self._set_norms()
            for rows in self._rows():
                if stop():
                    return
                self._step(rows)
                n_crops += len(rows)
            yield self._end_epoch(n_crops / (time.perf_counter() - start))

    def _stage(self) -> TrainingStage:
        epoch = self.position.epoch
        if not self._staged:
            return "whole"
        if epoch < self.training.coarse_epochs:
            return "coarse"
        return "enhancer" if epoch < self.training.coarse_epochs + self.training.enhancer_epochs else "whole"

    def _set_norms(self) -> None:
        self.model.train()
        # The generator must adapt to the fixed statistics used in rendering.
        if self.position.epoch >= self.n_epochs - self.training.decay_epochs:
            fix_statistics(self.model["generator"])

    def _rows(self) -> Iterator[np.ndarray]:
        order = np.random.default_rng([self.seed, ORDER, self.position.epoch]).permutation(self._n_crops)
        size = self.training.crops_per_batch
        for batch in range(self.position.batch, self.batches_per_epoch):
            yield order[batch * size : (batch + 1) * size] % len(self.batches.pairs)

    def _step(self, rows: np.ndarray) -> None:
        epoch, number = self.position.epoch, self.position.batch
        self._set_rate(epoch + number / self.batches_per_epoch)
        drawn = self.batches.draw(rows, np.random.default_rng([self.seed, DRAW, epoch, number]))
        stage = self._stage()
        batch = self._at_stage(drawn, stage)
        generated = self._generator(batch.conditions, stage)
        known = batch.conditions[:, KNOWN]
        of_real = self._discriminators(torch.cat([known, batch.images], dim=1))
        losses = self._improve_generator(batch, generated, known, of_real)
        of_generated = self._discriminators(torch.cat([known, generated.detach()], dim=1))
        loss = 0.5 * (adversarial_loss(of_real, 1.0) + adversarial_loss(of_generated, 0.0))
        self._take(self._discriminators_step, loss, self.model["discriminators"])
        self._sums += torch.stack([losses[0], loss.detach(), *losses[1:]]).double()
        self.position = Position(epoch, number + 1)

    def _improve_generator(
        self, batch: CropBatch, generated: Tensor, known: Tensor, of_real: list[list[Tensor]]
    ) -> list[Tensor]:
        """One step of the generator; returns its loss and LOSS_PARTS."""
        training, size_px = self.training, generated.shape[-1]
        of_generated = self._discriminators(torch.cat([known, generated], dim=1))
        parts = {
            "matching": matching_loss(of_generated, of_real, size_px=training.matching_px, crop_px=size_px),
            "detail": detail_loss(generated.float(), batch.images),
        }
        if self._perceptual is not None:
            parts["perceptual"] = self._perceptual(generated, batch.images)
        weighted = [getattr(training, f"{name}_weight") * part for name, part in parts.items()]
        loss = adversarial_loss(of_generated, 1.0) + torch.stack(weighted).sum()
        self._take(self._generator_step, loss, self.model["generator"])
        absent = torch.zeros((), device=loss.device)
        return [loss.detach(), *(parts.get(name, absent).detach() for name in LOSS_PARTS)]

    def _take(self, optimizer: torch.optim.Optimizer, loss: Tensor, part: nn.Module) -> None:
        optimizer.zero_grad()
        # Gradients only for one side: each loss would also reach the weights of the other.
        learners = [weight for weight in part.parameters() if weight.requires_grad]
        self.fabric.backward(loss, inputs=learners)
        optimizer.step()

    def _set_rate(self, progress: float) -> None:
        rate = learning_rate_factor(self.training, progress) * self.training.learning_rate
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate

    def _at_stage(self, drawn: CropBatch, stage: TrainingStage) -> CropBatch:
        parts = [self.fabric.to_device(tensor) for tensor in (drawn.images, drawn.conditions)]
        return CropBatch(*(halve(part) for part in parts)) if stage == "coarse" else CropBatch(*parts)

    def _end_epoch(self, crops_per_second: float) -> TextureMetrics:
        means = [total / self.batches_per_epoch for total in self._finite_sums()]
        self._sums.zero_()
        self.position = Position(self.position.epoch + 1)
        rate = self.optimizers[0].param_groups[0]["lr"]
        named = dict(zip(("loss", "discriminator", *LOSS_PARTS), means, strict=True))
        return TextureMetrics(epoch=self.position.epoch, learning_rate=rate, crops_per_second=crops_per_second, **named)

    def _finite_sums(self) -> list[float]:
        sums: list[float] = self._sums.tolist()
        if not all(map(math.isfinite, sums)):
            raise InputError(
                f"training diverged in epoch {self.position.epoch + 1} (a loss is not finite); lower training.learning_rate "
                "(in the model's config.toml to --resume from the last good checkpoint)"
            )
        return sums

    def save(self, path: Path) -> None:
        """Write a checkpoint of the complete state. Raises InputError instead of writing NaN."""
        place = {key: str(value) for key, value in vars(self.position).items()}
        notes = {"sums": json.dumps(self._finite_sums()), "precision": json.dumps(self._precision().state_dict())}
        write_tensors(path, pack_state(self.model, self.optimizers), {**place, **notes})

    def restore(self, checkpoint: Checkpoint) -> None:
        """Restore the state written by `save`. Raises InputError for a checkpoint that does not fit."""
        restore_state(checkpoint, self.model, self.optimizers)
        place = read_place(checkpoint, _Place, n_epochs=self.n_epochs, n_batches=self.batches_per_epoch)
        self.position = place.position
        self._sums.copy_(torch.tensor(place.sums, dtype=torch.float64))
        if place.precision:
            self._precision().load_state_dict(place.precision)

    def _precision(self) -> Precision:
        return self.fabric.strategy.precision


def _perceptual(training: TextureTrainingConfig, fabric: Fabric) -> PerceptualLoss | None:
    if not training.perceptual_file:
        return None
    return PerceptualLoss(Path(training.perceptual_file)).to(fabric.device)
