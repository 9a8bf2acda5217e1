"""Training of a texture model on image-mask pairs."""

import contextlib
import hashlib
import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from cytoform.base.files import staged, write_atomically, write_json
from cytoform.base.parallel import Progress, no_progress
from cytoform.base.provenance import software_versions
from cytoform.errors import InputError
from cytoform.imaging.networks.batches import Batches
from cytoform.imaging.networks.config import TextureConfig
from cytoform.imaging.networks.intensity import IntensityScale
from cytoform.imaging.networks.model import LearnedTexture, write_model
from cytoform.imaging.networks.trainer import AdversarialTrainer
from cytoform.movies.pairs.pairs import Pairs
from cytoform.training.checkpoint import newest_checkpoint
from cytoform.training.folder import (
    CHECKPOINTS,
    CONFIG,
    PROVENANCE,
    refuse_other_data,
    require_begun,
    require_unfinished,
    sole_writer,
)
from cytoform.training.launch import run_in_processes
from cytoform.training.loop import Trained, run_training
from cytoform.training.team import Team, make_fabric


@dataclass(frozen=True)
class _Plan:
    """Data, settings and output of a training."""

    pairs: Pairs
    out: Path
    config: TextureConfig
    resume: bool
    seed: int
    overwrite: bool


def train_texture(
    pairs: Pairs,
    out: Path,
    config: TextureConfig | None = None,
    *,
    device: str = "auto",
    seed: int = 0,
    resume: bool = False,
    overwrite: bool = False,
    progress: Progress = no_progress,
) -> Trained:
    """Train a texture model into the folder `out`; `resume` continues a training exactly, with its settings.

    Ctrl-C and SIGTERM end the training at the next step, with a checkpoint and `finished` false. Raises InputError.
    """
    if resume:
        config = TextureConfig.read(require_begun(out))
    elif config is None:
        raise InputError("no settings: give a preset, or resume a training")
    config.generator.check_memory()
    plan = _Plan(pairs, out, config, resume, seed, overwrite)
    precision = config.training.precision
    fabric = make_fabric(device, precision, devices=1, nodes=1, cpu_precision=_on_cpu(precision))
    return run_in_processes(partial(_train, plan, progress), fabric)


def _on_cpu(precision: str) -> str:
    """Mixed precision only on processors with bfloat16 instructions; emulated, it is slower than full precision."""
    able = torch.cpu.get_capabilities()
    return "bf16-mixed" if precision == "bf16-mixed" and able.get("avx512_bf16") else "32-true"


def _train(plan: _Plan, progress: Progress, team: Team) -> Trained:
    out, training = plan.out, plan.config.training
    scale = IntensityScale.learn(plan.pairs)
    batches = Batches(plan.pairs, scale, crop_px=training.crop_px)
    trainer = AdversarialTrainer(plan.config, batches, seed=plan.seed, fabric=team.fabric)
    _open(plan)
    with contextlib.ExitStack() as opened:
        opened.enter_context(sole_writer(out))
        newest = newest_checkpoint(out / CHECKPOINTS)
        if newest:
            trainer.restore(newest)
        loss = run_training(team, trainer, out, progress)
    finished = trainer.position.epoch == trainer.n_epochs
    if finished:
        write_model(out, trainer.model["generator"], LearnedTexture.of(plan.pairs, scale))
    return Trained(out, finished, trainer.position.epoch, loss)


def _open(plan: _Plan) -> None:
    """Create the folder of a new training, or check that data and seed of a resumed one are the same. Raises InputError."""
    out, now = plan.out, _provenance(plan)
    if plan.resume:
        require_unfinished(out)
        refuse_other_data(out, now, data="set of pairs from sources, --frames or --planes")
        return
    with staged(out, overwrite=plan.overwrite) as partial_folder:
        (partial_folder / CHECKPOINTS).mkdir()
        write_atomically(partial_folder / CONFIG, plan.config.to_toml().encode())
        write_json(partial_folder / PROVENANCE, now)


def _provenance(plan: _Plan) -> dict[str, object]:
    return {
        "data": list(plan.pairs.names),
        "data_sha256": _digest(plan.pairs),
        "seed": plan.seed,
        "versions": software_versions(),
    }


def _digest(pairs: Pairs) -> str:
    whole = hashlib.sha256()
    for plane in pairs:
        whole.update(json.dumps([plane.movie, plane.frame, plane.z, plane.image_yx.shape]).encode())
        whole.update(plane.image_yx.tobytes() + plane.labels_yx.tobytes())
    return whole.hexdigest()
