"""Training of a texture model on image-mask pairs."""

import hashlib
import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from cytoform.base.files import write_atomically, write_json
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
    RunOutput,
    refuse_other_data,
)
from cytoform.training.launch import run_in_processes
from cytoform.training.loop import Trained, run_training
from cytoform.training.team import Team, make_fabric


@dataclass(frozen=True)
class _Plan:
    """Data, settings and output of a training."""

    pairs: Pairs
    output: RunOutput
    config: TextureConfig
    resume: bool
    seed: int


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

    With `overwrite` an older model stays at `out` until the new one, which grows in a hidden folder beside it, is finished.

    Ctrl-C and SIGTERM end the training at the next step, with a checkpoint and `finished` false. Raises InputError.
    """
    sources = [part.source for movie in pairs.movies for part in (movie.images, movie.labels)]
    output = RunOutput.at(out, inputs=sources, overwrite=overwrite)
    output.check(resume=resume)
    if resume:
        config = TextureConfig.read(output.require_begun())
    elif config is None:
        raise InputError("no settings: give a preset, or resume a training")
    config.generator.check_memory()
    plan = _Plan(pairs, output, config, resume, seed)
    precision = config.training.precision
    fabric = make_fabric(device, precision, devices=1, nodes=1, cpu_precision=_on_cpu(precision))
    return run_in_processes(partial(_train, plan, progress), fabric)


def _on_cpu(precision: str) -> str:
    """Mixed precision only on processors with bfloat16 instructions; emulated, it is slower than full precision."""
    able = torch.cpu.get_capabilities()
    return "bf16-mixed" if precision == "bf16-mixed" and able.get("avx512_bf16") else "32-true"


def _train(plan: _Plan, progress: Progress, team: Team) -> Trained:
    output, training = plan.output, plan.config.training
    scale = IntensityScale.learn(plan.pairs)
    batches = Batches(plan.pairs, scale, crop_px=training.crop_px)
    trainer = AdversarialTrainer(plan.config, batches, seed=plan.seed, fabric=team.fabric)
    with output.locked():
        _open(plan)
        run = output.run
        newest = newest_checkpoint(run / CHECKPOINTS)
        if newest:
            trainer.restore(newest)
        loss = run_training(team, trainer, run, progress)
        finished = trainer.position.epoch == trainer.n_epochs
        if finished:
            write_model(run, trainer.model["generator"], LearnedTexture.of(plan.pairs, scale))
            output.finish()
            run = output.out
    return Trained(run, finished, trainer.position.epoch, loss)


def _open(plan: _Plan) -> None:
    """Create the folder of a new training, or check that data and seed of a resumed one are the same. Raises InputError."""
    output, now = plan.output, _provenance(plan)
    if plan.resume:
        output.require_unfinished()
        refuse_other_data(output.run, now, data="set of pairs from sources, --frames or --planes")
        return
    with output.beginning() as partial_folder:
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
