"""Descriptions of files and folders, in a few lines."""

import os
from collections.abc import Callable
from pathlib import Path

from cytoform.base.gate import MEGABYTE, Record, read_csv, read_json
from cytoform.base.kinds import Kind, kind_of
from cytoform.errors import InputError
from cytoform.imaging.networks.config import TextureConfig
from cytoform.imaging.networks.model import TextureModel
from cytoform.prepare.forecast import forecast
from cytoform.protrusions.verdict import judge
from cytoform.representations.table import unbuilt_representation
from cytoform.runs.config import read_config
from cytoform.runs.run import load_run
from cytoform.shapes.store import ShapeStore
from cytoform.synthesis.choice import Choice
from cytoform.training.folder import CONFIG, WEIGHTS
from cytoform.zoo.find import find_run

MOST_RESULTS_BYTES = 100 * MEGABYTE
EVALUATE = "make it anew with 'cytoform evaluate'"


def info(path: Path, *, allow_incomplete: bool = False) -> list[str]:
    """Describe a shape store, a run, a texture model, a report, label movies, or another file of cytoform.

    Of label movies it says what `prepare` will make of them, and reads every frame once. Raises InputError for a missing,
    damaged or unknown file; for a shape store with lost sequences unless `allow_incomplete`.
    """
    path = find_run(path)
    kind = kind_of(path)
    if kind is Kind.MISSING:
        raise InputError(f"{path}: no such file or folder")
    if kind is Kind.SHAPE_STORE:
        return _store(ShapeStore.open(path, allow_incomplete=allow_incomplete))
    return _DESCRIPTIONS.get(kind, forecast)(path)


def _store(store: ShapeStore) -> list[str]:
    grid = store.grid
    head = f"shape store: {len(store)} sequences, {grid.text}"
    lines = [head, f"made by: cytoform {store.attributes.get('command', '?')}", judge(store, quick=True).sentence]
    if lost := store.lost:
        lines.append(f"incomplete: lost {', '.join(lost[:5])}{', …' * (len(lost) > 5)}")
    return lines + [
        f"  {sequence.info.name}: {sequence.info.n_frames} frames"
        + (f" of {sequence.info.time_step_s:g} s" if sequence.info.time_step_s else "")
        for sequence in store
    ]


def _run(path: Path) -> list[str]:
    config = read_config(path / CONFIG)
    in_closed_form = config.model.kind == "linear"
    learning = "learned in closed form" if in_closed_form else f"{config.training.epochs} epochs"
    if not os.path.lexists(path / WEIGHTS):
        described = unbuilt_representation(config.model).describe()
        return [f"run: {described}, {learning}", "not finished; go on with 'cytoform train ... --resume'"]
    run = load_run(path)
    lines = [f"run: {run.decoder.describe()}, {learning}"]
    in_numbers = f"{sum(tensor.numel() for tensor in run.decoder.buffers()):,}"
    in_weights = f"{sum(weight.numel() for weight in run.decoder.parameters()):,}"
    sizes = [f"components of {in_numbers} numbers"] if run.has_scales else []
    sizes += [] if in_closed_form else [f"decoder of {in_weights} parameters"]
    lines.append(f"{', '.join(sizes)}, steepest slope {run.learned.bounds.slope:.2f}")
    if config.has_rotations:
        lines.append(f"one rotation a sequence: aligned {config.data.align}, learned {config.model.rotations}")
    if run.parts:
        tubes, bulges = (
            sum(len(each) for each in kind) for kind in zip(*((p.units, p.bulges) for p in run.parts), strict=True)
        )
        lines.append(f"protrusions: {tubes} thin ones as tubes, {bulges} thick ones as distances in local frames")
    if (choice := Choice.read(path)) is not None:
        lines.append(f"prior of new cells: {choice.sentence}")
    return [*lines, f"learned {len(run.names)} sequences: {', '.join(run.names[:8])}{' …' * (len(run.names) > 8)}"]


def _texture(path: Path) -> list[str]:
    generator = TextureConfig.read(path / CONFIG).generator
    lines = [f"texture model: {generator.kind} generator of {generator.channels} channels"]
    if not os.path.lexists(path / WEIGHTS):
        return [*lines, "not finished; go on with 'cytoform texture train ... --resume'"]
    learned = TextureModel.open(path, device="cpu").learned
    spacing = learned.spacing_zyx_um
    pixels = "unknown size" if spacing is None else f"{spacing[1]:g} × {spacing[2]:g} µm"
    return [*lines, f"learned {learned.planes} of {learned.scale.dtype}, pixels of {pixels}"]


class _Summary(Record):
    mean: float | None
    std: float | None


class _Results(Record):
    jaccard: _Summary | None = None


class _Cell(Record):
    kind: str
    name: str


class _Component(Record):
    component: str
    share_of_variance: float


class _Made(Record):
    command: str = ""


def _assessment(path: Path) -> list[str]:
    jaccard = read_json(path / "results.json", _Results, most=MOST_RESULTS_BYTES, remedy=EVALUATE).jaccard
    lines = [f"assessment: {path / 'report.html'}"]
    if jaccard and jaccard.mean is not None and jaccard.std is not None:
        lines.append(f"Jaccard index {jaccard.mean:.3f} ± {jaccard.std:.3f}")
    return lines


def _latent_space(path: Path) -> list[str]:
    kinds = [row.kind for row in read_csv(path / "codes.csv", _Cell)]
    n_components = len(read_csv(path / "components.csv", _Component))
    return [
        f"look at a latent space: {path / 'index.html'}",
        f"{kinds.count('learned')} learned and {kinds.count('generated')} generated cells, {n_components} components",
    ]


def _imported(path: Path) -> list[str]:
    return [f"{kind_of(path).noun}; read it with 'cytoform import {path}'"]


def _film(path: Path) -> list[str]:
    return [f"{kind_of(path).noun} of {path.stat().st_size / 1e6:.1f} MB"]


def _output(path: Path) -> list[str]:
    return [f"made by: {read_json(path / 'provenance.json', _Made).command or 'cytoform'}"]


_DESCRIPTIONS: dict[Kind, Callable[[Path], list[str]]] = {
    Kind.RUN: _run,
    Kind.TEXTURE: _texture,
    Kind.REPORT: _assessment,
    Kind.IMAGE_REPORT: _assessment,
    Kind.LATENT_REPORT: _latent_space,
    Kind.PUBLISHED_SHAPES: _imported,
    Kind.PUBLISHED_CHECKPOINT: _imported,
    Kind.PAGE: _film,
    Kind.FILM: _film,
    Kind.OUTPUT: _output,
}
