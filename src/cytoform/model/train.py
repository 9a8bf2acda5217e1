"""The stage from a shape store to a run folder."""

import contextlib
import csv
import json
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType

from lightning_fabric import Fabric

from cytoform.config import Config, read_config
from cytoform.errors import InputError
from cytoform.files import refuse_existing, write_atomically, write_json
from cytoform.model.bounds import measure_bounds
from cytoform.model.device import torch_device
from cytoform.model.run import (
    CHECKPOINTS,
    CONFIG,
    METRICS,
    PROVENANCE,
    SAMPLES,
    WEIGHTS,
    Learned,
    LearnedSequence,
    new_decoder,
    write_weights,
)
from cytoform.model.training import AutoDecoder, EpochMetrics, Trainer
from cytoform.parallel import Progress, no_progress
from cytoform.provenance import software_versions
from cytoform.shapes.digest import folder_sha256
from cytoform.shapes.samples import SamplePool, draw_pool, training_frames
from cytoform.shapes.store import ShapeStore

KEPT_CHECKPOINTS = 2


@dataclass(frozen=True)
class Trained:
    """How a training ended."""

    path: Path
    finished: bool
    epochs: int
    loss: float


def train(
    shapes: Path,
    out: Path,
    config: Config | None = None,
    *,
    resume: bool = False,
    device: str = "auto",
    seed: int = 0,
    workers: int = 1,
    overwrite: bool = False,
    progress: Progress = no_progress,
) -> Trained:
    """Learn the sequences of a shape store into the run folder `out`; `resume` goes on with one, exactly.

    Ctrl-C and SIGTERM end at the next step, with a checkpoint written and `finished` false. Raises InputError.
    """
    store = ShapeStore.open(shapes)
    if resume:
        config = read_config(out / CONFIG)
    elif config is None:
        raise InputError("no settings: give a preset, or resume a run")
    names = _chosen(store, config.data.sequences)
    frames = training_frames(store, names, config.data.frame_stride)
    fabric = make_fabric(device, config.training.precision)
    _open_run(out, config, _provenance(store, seed), resume=resume, overwrite=overwrite)
    if (out / WEIGHTS).exists():
        raise InputError(f"{out}: this run is finished; nothing to resume")
    with progress("drawing samples", len(frames)) as advance:
        pool = draw_pool(
            store, frames, out / SAMPLES, sampling=config.sampling, seed=seed, workers=workers, done=advance
        )
    model = _new_model(config, pool, len(names), seed)
    trainer = Trainer(model, pool, config.training, seed=seed, fabric=fabric)
    metrics = _Metrics(out)
    if resume and (newest := _newest_checkpoint(out)):
        trainer.restore(newest)
        metrics.forget_after(trainer.position.epoch)
    loss = _learn(trainer, out, metrics, progress)
    finished = trainer.position.epoch == config.training.epochs
    if finished:
        sequences = tuple(LearnedSequence(n, i.n_frames, i.time_step_s) for n in names for i in [store[n].info])
        codes = model.codes.detach()
        bounds = measure_bounds(model.decoder, codes, seed=seed)
        learned = Learned(sequences, store.grid.half_extent_um, store.grid.size, bounds)
        write_weights(out, model.decoder, codes, learned)
        shutil.rmtree(out / SAMPLES)
    return Trained(out, finished, trainer.position.epoch, loss)


def make_fabric(device: str, precision: str) -> Fabric:
    """Fabric on the device that was asked for."""
    fabric = Fabric(accelerator="gpu" if torch_device(device).type == "cuda" else "cpu", devices=1, precision=precision)  # type: ignore[arg-type]
    fabric.launch()
    return fabric


def _chosen(store: ShapeStore, wanted: tuple[str, ...]) -> list[str]:
    for name in wanted:
        store[name]  # raises where there is none
    names = list(wanted) or store.names
    if not names:
        raise InputError(f"{store.path}: holds no sequences; prepare some first")
    return names


def _provenance(store: ShapeStore, seed: int) -> dict[str, object]:
    return {
        "data": store.path.name,
        "data_sha256": folder_sha256(store.path),
        "seed": seed,
        "versions": software_versions(),
    }


def _open_run(out: Path, config: Config, provenance: dict[str, object], *, resume: bool, overwrite: bool) -> None:
    if resume:
        before = json.loads((out / PROVENANCE).read_text())
        for key in ("data_sha256", "seed"):
            if before.get(key) != provenance[key]:
                raise InputError(f"{out}: was begun with another {key}; resume with the same shapes and --seed")
        return
    refuse_existing(out, overwrite=overwrite)
    if out.exists():
        shutil.rmtree(out)
    (out / CHECKPOINTS).mkdir(parents=True)
    write_atomically(out / CONFIG, config.to_toml().encode())
    write_json(out / PROVENANCE, provenance)


def _new_model(config: Config, pool: SamplePool, n_sequences: int, seed: int) -> AutoDecoder:
    decoder = new_decoder(config.model, seed=seed)
    return AutoDecoder(decoder, n_sequences, code_sigma=config.training.code_sigma, seed=seed)


def _learn(trainer: Trainer, out: Path, metrics: "_Metrics", progress: Progress) -> float:
    loss = float("nan")
    total = trainer.training.epochs - trainer.position.epoch
    with _stop_requests() as stop, progress("training", total) as advance, metrics:
        for row in trainer.run(stop):
            metrics.add(row)
            loss = row.loss
            advance(note=f"loss {row.loss:.5f}, {row.points_per_second / 1e3:.0f}k points/s")
            if row.epoch % trainer.training.checkpoint_epochs == 0:
                _checkpoint(trainer, out)
        if trainer.position.epoch < trainer.training.epochs:
            _checkpoint(trainer, out)
    return loss


def _checkpoint(trainer: Trainer, out: Path) -> None:
    place = trainer.position
    trainer.save(out / CHECKPOINTS / f"epoch_{place.epoch:06d}_batch_{place.batch:06d}.safetensors")
    for old in sorted((out / CHECKPOINTS).glob("epoch_*.safetensors"))[:-KEPT_CHECKPOINTS]:
        old.unlink()


def _newest_checkpoint(out: Path) -> Path | None:
    return max((out / CHECKPOINTS).glob("epoch_*.safetensors"), default=None)


@contextlib.contextmanager
def _stop_requests() -> Iterator[Callable[[], bool]]:
    """Turn Ctrl-C and SIGTERM into a question that the training asks at every step."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return

    def ask(_signal: int, _frame: FrameType | None) -> None:
        asked.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Metrics(contextlib.AbstractContextManager["_Metrics"]):
    """metrics.csv and TensorBoard events, a row an epoch."""

    def __init__(self, out: Path) -> None:
        self._out, self._path = out, out / METRICS
        self._names = list(EpochMetrics.__dataclass_fields__)

    def forget_after(self, epoch: int) -> None:
        """Drop the rows of epochs that will be done again."""
        if self._path.exists():
            with self._path.open(newline="") as file:
                rows = [row for row in csv.DictReader(file) if int(row["epoch"]) <= epoch]
            with self._path.open("w", newline="") as file:
                writer = csv.DictWriter(file, self._names)
                writer.writeheader()
                writer.writerows(rows)

    def __enter__(self) -> "_Metrics":
        from torch.utils.tensorboard import SummaryWriter

        fresh = not self._path.exists()
        self._file = self._path.open("a", newline="")
        self._csv = csv.DictWriter(self._file, self._names)
        if fresh:
            self._csv.writeheader()
        self._board = SummaryWriter(str(self._out / "tensorboard"))
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._board.close()

    def add(self, row: EpochMetrics) -> None:
        """Write one row."""
        values = asdict(row)
        self._csv.writerow(values)
        self._file.flush()
        for name, value in values.items():
            if name != "epoch":
                self._board.add_scalar(name, value, row.epoch)
