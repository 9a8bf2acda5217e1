"""The stage from a shape store to a run folder."""

import contextlib
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import Parameter
from torch.nn.functional import normalize

from cytoform.base.digest import folder_sha256
from cytoform.base.files import write_atomically, write_json
from cytoform.base.parallel import Progress, no_progress
from cytoform.base.provenance import software_versions
from cytoform.errors import InputError
from cytoform.representations.bounds import measure_bounds
from cytoform.representations.refined.representation import InGrid
from cytoform.representations.rotation import identity
from cytoform.representations.threads import small_products_alone
from cytoform.runs.alignment import principal_rotations
from cytoform.runs.autodecoder import new_model
from cytoform.runs.components import learn_components
from cytoform.runs.config import Config, DataConfig, SamplingConfig, TrainingConfig, read_config
from cytoform.runs.level import mend_level
from cytoform.runs.parts import BODIES, resolved, take_run_apart
from cytoform.runs.refined import COMPONENTS, Bringing, learn_base, read_base
from cytoform.runs.run import SAMPLES, Learned, LearnedSequence, assembled, write_weights
from cytoform.runs.same_cell import cells_of
from cytoform.runs.samples import SamplePool, TrainingFrame, draw_pool, training_frames
from cytoform.runs.trainer import Trainer
from cytoform.shapes.store import ShapeStore
from cytoform.training.checkpoint import newest_checkpoint, read_checkpoint, refuse_other_model
from cytoform.training.folder import (
    CHECKPOINTS,
    CONFIG,
    PROVENANCE,
    WEIGHTS,
    RunOutput,
    refuse_other_data,
)
from cytoform.training.launch import run_in_processes
from cytoform.training.loop import Trained, run_training
from cytoform.training.metrics import METRICS
from cytoform.training.team import Team, make_fabric

# Called with the run folder and the learned codes before the run counts as finished.
AtEnd = Callable[[Path, Float[np.ndarray, "sequences ..."]], None]


@dataclass(frozen=True)
class _Plan:
    """The arguments of `train`, as all its processes know them."""

    shapes: Path
    output: RunOutput
    config: Config
    resume: bool
    seed: int
    workers: int
    at_end: AtEnd | None


def train(
    shapes: Path,
    out: Path,
    config: Config | None = None,
    *,
    resume: bool = False,
    device: str = "auto",
    devices: int | None = None,
    nodes: int | None = None,
    seed: int = 0,
    workers: int = 1,
    overwrite: bool = False,
    at_end: AtEnd | None = None,
    progress: Progress = no_progress,
) -> Trained:
    """Learn the sequences of a shape store into the run folder `out`; `resume` goes on with one, exactly.

    With `overwrite` an older run stays at `out` until the new one, which grows in a hidden folder beside it, is finished.

    `devices` processes share the work, by default this one alone; under torchrun or srun, the processes that it
    started. Several import the calling script anew: it has to call this under `if __name__ == "__main__":`, and
    `progress` and `at_end` must be picklable. `at_end` may add files to the run. Ctrl-C and
    SIGTERM end at the next step, with a checkpoint written and `finished` false. Raises InputError.
    """
    output = RunOutput.at(out, inputs=[shapes], overwrite=overwrite)
    if resume:
        config = read_config(output.require_begun())
    elif config is None:
        raise InputError("no settings: give a preset, or resume a run")
    plan = _Plan(shapes, output, config, resume, seed, workers, at_end)
    if config.model.kind == "linear":
        _refuse_settings_of_networks(config)
        return _learn_in_closed_form(plan, progress)
    fabric = make_fabric(device, config.training.precision, devices=devices, nodes=nodes)
    return run_in_processes(partial(_train, plan, progress), fabric)


def _train(plan: _Plan, progress: Progress, team: Team) -> Trained:
    config, output = plan.config, plan.output
    progress = progress if team.leads else no_progress
    with contextlib.ExitStack() as opened:
        with team.together():
            store = ShapeStore.open(plan.shapes)
            names = _chosen(store, config.data)
            if team.leads and not plan.resume:
                config = resolved(config, store, workers=plan.workers)
                plan = replace(plan, config=config)
            frames = training_frames(store, names, config.data.frame_stride)
            if team.leads:
                output.check(resume=plan.resume)
                opened.enter_context(output.locked())
                _open_run(plan, store, frames, progress)
        with team.together():
            run = Path(team.gather(str(output.run))[0])
            config = read_config(run / CONFIG)
            plan = replace(plan, config=config)
            store = _learned_store(config, store, run)
            pool = draw_pool(store, frames, run / SAMPLES, **_sampling(plan, run))
            trainer = _new_trainer(team, plan, len(names), pool, _start(team, plan, store, frames, run, pool.copies))
        with small_products_alone():
            loss = run_training(team, trainer, run, progress)
        finished = trainer.position.epoch == config.training.epochs
        if finished and team.leads:
            _finish(trainer, plan, frames, _sequences(store, names))
            run = output.out
    return Trained(run, finished, trainer.position.epoch, loss, team.leads)


def _refuse_settings_of_networks(config: Config) -> None:
    """Components know no epochs and no samples. Raises InputError for a setting that would do nothing."""
    for section, default in (("training", TrainingConfig()), ("sampling", SamplingConfig())):
        given = getattr(config, section)
        if changed := [name for name in type(default).model_fields if getattr(given, name) != getattr(default, name)]:
            raise InputError(
                f"{section}.{changed[0]}: components are learned in closed form, so this setting does nothing; leave it out, "
                "or train a network (--preset quick)"
            )


def _learn_in_closed_form(plan: _Plan, progress: Progress) -> Trained:
    """A run appears when all is learned: there is nothing to resume."""
    plan.output.check(resume=plan.resume)
    if plan.resume:
        plan.output.require_unfinished()
    store = ShapeStore.open(plan.shapes)
    names = _chosen(store, plan.config.data)
    frames = training_frames(store, names, plan.config.data.frame_stride)
    with plan.output.staged() as partial:
        found = learn_components(store, frames, plan.config, partial, workers=plan.workers, progress=progress)
        write_atomically(partial / CONFIG, found.resolved(plan.config).to_toml().encode())
        write_json(partial / PROVENANCE, _provenance(store, plan.seed))
        (partial / METRICS).write_bytes(f"epoch,loss\n1,{found.error}\n".encode())
        bounds = measure_bounds(found.decoder, found.codes, seed=plan.seed)
        grid = store.grid
        learned = Learned(_sequences(store, names), grid.half_extent_um, grid.size, bounds, grid.n_dims)
        write_weights(partial, found.decoder, found.codes, learned, found.rotations, found.scales)
    return Trained(plan.output.out, True, 0, found.error)


def _sequences(store: ShapeStore, names: list[str]) -> tuple[LearnedSequence, ...]:
    return tuple(LearnedSequence(name, i.n_frames, i.time_step_s) for name in names for i in [store[name].info])


def _learned_store(config: Config, store: ShapeStore, run: Path) -> ShapeStore:
    """The shapes that the decoder learns: the cells, or their bodies."""
    return ShapeStore.open(run / BODIES) if config.model.kind == "parts" else store


def _sampling(plan: _Plan, run: Path) -> dict[str, Any]:
    config = plan.config
    is_refined = config.model.kind == "refined"
    return {
        "sampling": config.sampling,
        "mirrored": config.data.mirrored,
        "any_pose": config.has_rotations and not is_refined,  # the network sees the cube of the grid in one pose
        "changed": Bringing(run, config.sampling.truncation).of if is_refined else None,
        "seed": plan.seed,
        "workers": plan.workers,
    }


def _start(
    team: Team, plan: _Plan, store: ShapeStore, frames: list[TrainingFrame], run: Path, copies: int
) -> dict[str, Any]:
    """Where rotations and codes of an auto-decoder start, the same in all processes."""
    if plan.config.model.kind == "refined":  # samples lie in the frame of the grid
        return dict(read_base(run).start(copies))
    return {"rotations": _rotations(team, plan, store, frames)}


def _rotations(team: Team, plan: _Plan, store: ShapeStore, frames: list[TrainingFrame]) -> Tensor | None:
    """Where the rotations start, the same in all processes: a parameter if they are to be learned, None if unused."""
    n_sequences = 1 + max(frame.code for frame in frames)
    start = None
    if plan.config.data.align == "principal":
        start = team.gather(principal_rotations(store, frames) if team.leads else None)[0]
    if plan.config.model.rotations == "learned":
        return Parameter(identity(n_sequences) if start is None else start)
    return start


def _chosen(store: ShapeStore, data: DataConfig) -> list[str]:
    for name in data.sequences:
        store[name]  # raises where there is none
    names = list(data.sequences) or store.names
    if not names:
        raise InputError(f"{store.path}: holds no sequences; prepare some first")
    cells_of(names, data.same_cell)  # raises where it finds nothing
    return names


def _provenance(store: ShapeStore, seed: int) -> dict[str, object]:
    return {
        "data": store.path.name,
        "data_sha256": folder_sha256(store.path),
        "seed": seed,
        "versions": software_versions(),
    }


def _open_run(plan: _Plan, store: ShapeStore, frames: list[TrainingFrame], progress: Progress) -> None:
    """Begin a run, with its samples, or make sure that the one to be resumed has them.

    A run appears only with its samples drawn, and an older one is there until then.
    """
    output = plan.output
    if plan.resume:
        if (output.run / WEIGHTS).exists():
            close_run(output)
        output.require_unfinished()
        run = output.run
        refuse_other_data(run, _provenance(store, plan.seed), data="shape store")
        if plan.config.model.kind == "parts" and not (run / BODIES).exists():
            raise InputError(f"{run / BODIES}: missing, so the training cannot go on; train the run anew")
        if plan.config.model.kind == "refined":
            read_base(run)  # raises where it is missing or damaged
        _draw(plan, _learned_store(plan.config, store, run), frames, run, progress)
        return
    with output.beginning() as partial:
        (partial / CHECKPOINTS).mkdir()
        if plan.config.model.kind == "refined":
            config = learn_base(store, frames, plan.config, partial, workers=plan.workers, progress=progress)
            plan = replace(plan, config=config)
        write_atomically(partial / CONFIG, plan.config.to_toml().encode())
        write_json(partial / PROVENANCE, _provenance(store, plan.seed))
        if plan.config.model.kind == "parts":
            names = list(dict.fromkeys(frame.sequence for frame in frames))
            take_run_apart(plan.config, store, names, partial, plan.workers, progress)
        _draw(plan, _learned_store(plan.config, store, partial), frames, partial, progress)


def close_run(output: RunOutput) -> None:
    """Delete the samples of a finished run, and put it in the place of the one that it replaces."""
    shutil.rmtree(output.run / SAMPLES, ignore_errors=True)
    shutil.rmtree(output.run / BODIES, ignore_errors=True)
    (output.run / COMPONENTS).unlink(missing_ok=True)
    output.finish()


def _draw(plan: _Plan, store: ShapeStore, frames: list[TrainingFrame], run: Path, progress: Progress) -> None:
    with progress("drawing samples", len(frames)) as advance:
        draw_pool(store, frames, run / SAMPLES, **_sampling(plan, run), done=advance)


def _new_trainer(team: Team, plan: _Plan, n_sequences: int, pool: SamplePool, start: dict[str, Any]) -> Trainer:
    """A trainer where the run has come to."""
    sizes = {"seed": plan.seed, "n_dims": pool.n_dims, "copies": pool.copies}
    build = partial(new_model, plan.config, n_sequences, **sizes, **start)
    newest = newest_checkpoint(plan.output.run / CHECKPOINTS) if team.leads else None
    if newest:
        with torch.device("meta"):  # damaged settings must not take memory
            refuse_other_model(newest, build())
    trainer = Trainer(build(), pool, plan.config.training, seed=plan.seed, fabric=team.fabric)
    path = team.gather(newest and newest.path)[0]
    if path:
        trainer.restore(newest or read_checkpoint(path))
    return trainer


def _finish(
    trainer: Trainer, plan: _Plan, frames: Sequence[TrainingFrame], sequences: tuple[LearnedSequence, ...]
) -> None:
    run, model = plan.output.run, trainer.raw_model
    decoder, codes, rotations, scales = model.decoder, model.own_codes, model.rotations, None
    if plan.config.model.kind == "refined":
        base = read_base(run)
        decoder, codes = base.refined(plan.config, cast(InGrid, decoder)), codes.cpu()
        rotations, scales = base.rotations, base.scales
    elif plan.at_end is not None:
        plan.at_end(run, codes.cpu().numpy())
    cells = ShapeStore.open(plan.shapes)
    grid, bounds = cells.grid, measure_bounds(decoder, codes, seed=plan.seed)
    learned = Learned(sequences, grid.half_extent_um, grid.size, bounds, grid.n_dims)
    turns = identity(len(codes)).to(codes) if rotations is None else normalize(rotations.detach(), dim=1)
    trained = assembled(run, plan.config, learned, decoder, codes, turns, scales)
    mend_level(trained, frames, cells, _learned_store(plan.config, cells, run))
    write_weights(run, decoder, codes, learned, turns, scales)
    trainer.pool.close()
    close_run(plan.output)
