"""`cytoform train`: a shape store to a trained run."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from cytoform.base.options import WORKERS
from cytoform.base.system import n_processors
from cytoform.commands.common import Common, Device

if TYPE_CHECKING:
    from cytoform.training.folder import RunOutput


@Parameter(name="*")
@dataclass(frozen=True)
class DeviceOptions:
    """Devices and processes of a training."""

    device: Device = "auto"
    devices: Annotated[
        int | None,
        WORKERS,
        Parameter(
            help="GPUs, or processes on a CPU, that share the work on this machine; by default 1, or all that torchrun or "
            "srun start."
        ),
    ] = None
    nodes: Annotated[
        int | None, WORKERS, Parameter(help="Machines; start the training on each with torchrun or srun.")
    ] = None
    workers: Annotated[
        int | None, WORKERS, Parameter(help="Processes that draw training samples; by default one per CPU core.")
    ] = None


def train(
    shapes: Path,
    /,
    *,
    out: Path,
    preset: str | None = None,
    config: Path | None = None,
    set_: Annotated[list[str] | None, Parameter(name="--set", negative=())] = None,
    align: Literal["none", "principal"] | None = None,
    rotations: Literal["none", "learned"] | None = None,
    resume: Annotated[bool, Parameter(negative=())] = False,
    where: DeviceOptions = DeviceOptions(),
    common: Common = Common(),  # noqa: B008 (frozen)
) -> int:
    """Learn the cells of a shape store: a decoder, and a latent code for each sequence.

    Parameters
    ----------
    shapes
        Shape store of 'cytoform prepare'.
    out
        Run folder to write.
    preset
        Settings to start from. auto (the default) looks at the data and takes one of: parts (bodies with protrusions, taken
        apart), linear (smooth cells, seconds), or a network where these do not do: unseen (many cells) or quick (few cells,
        minutes). Others: best, thin (protrusions without taking cells apart) and paper.
    config
        TOML file of settings that differ from the preset.
    set_
        One more setting, for example --set training.epochs=10; may be repeated.
    align
        principal: turn every sequence into its principal axes first; short for --set data.align=…
    rotations
        learned: also learn a rotation of every sequence; short for --set model.rotations=…
    resume
        Continue the run in --out with its settings.
    """
    from cytoform.errors import InputError
    from cytoform.priors.file import write_priors
    from cytoform.runs.config import load_config
    from cytoform.runs.stage import train as train_model
    from cytoform.synthesis.choice import Choice
    from cytoform.training.folder import WEIGHTS, RunOutput
    from cytoform.training.metrics import NO_BOARD, has_board

    poses = {"data.align": align, "model.rotations": rotations}
    settings = [*(set_ or []), *(f"{name}={value}" for name, value in poses.items() if value)]
    if resume and (preset or config or settings):
        raise InputError(
            f"--resume keeps the settings of {out / 'config.toml'}; leave --preset, --config, --set, --align and "
            "--rotations out"
        )
    output = RunOutput.at(out, inputs=[shapes, config], overwrite=common.overwrite)
    output.check(resume=resume)
    n_workers = n_processors() if where.workers is None else where.workers
    if resume and (output.run / WEIGHTS).exists() and Choice.read(output.run) is None:
        # Stopped after the training, before its priors were compared.
        _close(shapes, output, common.seed)
        return _choose(shapes, output, n_workers, common)
    if not resume and preset in {None, "auto"} and config is None:
        preset, settings = _automatic(shapes, settings, n_workers, common)
    trained = train_model(
        shapes,
        out,
        None if resume else load_config(preset=preset or "quick", file=config, settings=settings),
        resume=resume,
        device=where.device,
        devices=where.devices,
        nodes=where.nodes,
        seed=common.seed,
        workers=n_workers,
        overwrite=common.overwrite,
        at_end=write_priors,
        progress=common.progress,
    )
    if not trained.leads:
        return 0 if trained.finished else 130
    if not trained.finished:
        common.say(f"stopped after {trained.epochs} epochs; a checkpoint is in {trained.path}")
        common.suggest("train", shapes, "--out", out, "--resume")
        return 130
    epochs = f"{trained.epochs} epochs, " if trained.epochs else ""  # components need none
    common.say(f"{epochs}mean L1 distance {trained.loss:.5f} of the half extent")
    if trained.epochs and not has_board():
        common.say(NO_BOARD)
    return _choose(shapes, output, n_workers, common)


def _automatic(shapes: Path, settings: list[str], workers: int, common: Common) -> tuple[str, list[str]]:
    """The preset that fits the cells, and the settings; says why."""
    from cytoform.runs.auto import automatic, presets_with
    from cytoform.runs.config import load_config
    from cytoform.shapes.store import ShapeStore

    # Wrong settings are refused before any work.
    given = load_config(preset=presets_with(settings)[0], settings=settings)
    found = automatic(ShapeStore.open(shapes), names=given.data.sequences, settings=settings, workers=workers)
    common.say(f"preset {' '.join([found.preset, *found.settings])}: {found.reason}")
    return found.preset, [*found.settings, *settings]


def _close(shapes: Path, output: "RunOutput", seed: int) -> None:
    """Put a trained run in its place. Raises InputError if it was trained on other cells or with another seed."""
    from cytoform.base.digest import folder_sha256
    from cytoform.runs.stage import close_run
    from cytoform.shapes.store import ShapeStore
    from cytoform.training.folder import refuse_other_data

    recorded = {"data_sha256": folder_sha256(ShapeStore.open(shapes).path), "seed": seed}
    refuse_other_data(output.run, recorded, data="shape store")
    with output.locked():
        close_run(output)


def _choose(shapes: Path, output: "RunOutput", workers: int, common: Common) -> int:
    """Compare the priors of a finished run, and record the best."""
    from cytoform.synthesis.cells import load
    from cytoform.synthesis.trial import choose_prior
    from cytoform.synthesis.verdict import remark_on_training

    out = output.out
    with output.locked():
        for stray in out.glob(".choice.json.partial-*"):
            stray.unlink()
        cells = load(out)
        choice = choose_prior(cells, shapes, seed=common.seed, workers=workers, progress=common.progress)
        choice.write(out)
    common.say(f"prior {choice.sentence}")
    for line in choice.to_lines():
        common.say(line)
    if line := remark_on_training(cells):
        common.say(line)
    common.done(out, "generate", out, "--out", "new.zarr", "-n", 10)
    return 0
