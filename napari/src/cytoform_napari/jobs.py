"""The jobs of the worker process: each makes one call of cytoform, or two, from arguments that came as JSON."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cytoform.base.parallel import Progress
from cytoform.errors import InputError


def train(
    *,
    labels: str,
    store: str,
    run: str,
    preset: str,
    settings: Sequence[str],
    seed: int,
    workers: int,
    progress: Progress,
    **movie: Any,
) -> dict[str, Any]:
    """Prepare a label movie and learn its cells, as `cytoform prepare` and `cytoform train` do by default.

    A job that was stopped goes on where its store, or its run, has come to.
    """
    from cytoform.priors.file import write_priors
    from cytoform.runs.config import load_config
    from cytoform.runs.stage import train as learn
    from cytoform.shapes.store import ShapeStore
    from cytoform.synthesis.cells import load
    from cytoform.synthesis.trial import choose_prior
    from cytoform.training.folder import WEIGHTS

    shapes, folder = Path(store), Path(run)
    if not shapes.exists():
        _prepare(Path(labels), shapes, workers=workers, progress=progress, **movie)
    if not (folder / WEIGHTS).exists():
        begun = folder.exists()
        config = None
        if not begun:
            preset, settings = _settings(shapes, preset, list(settings), workers)
            config = load_config(preset=preset, settings=settings)
        trained = learn(
            shapes, folder, config, resume=begun, seed=seed, workers=workers, at_end=write_priors, progress=progress
        )
        if not trained.finished:
            raise KeyboardInterrupt
    choice = choose_prior(load(run), shapes, seed=seed, workers=workers, progress=progress)
    choice.write(folder)
    opened = ShapeStore.open(shapes)
    left_out = len(opened.attributes.get("left_out", ()))
    return {"store": store, "run": run, "n_cells": len(opened), "n_left_out": left_out, "prior": choice.sentence}


def _prepare(
    labels: Path,
    store: Path,
    *,
    axes: str,
    voxel_size_zyx_um: Sequence[float],
    time_step_s: float | None,
    grid: int,
    keep_cut: bool,
    keep_gaps: bool,
    workers: int,
    progress: Progress,
) -> None:
    from cytoform.prepare.stage import prepare

    z, y, x = voxel_size_zyx_um
    prepared = prepare(
        [labels],
        store,
        voxel_size_zyx_um=(z, y, x),
        time_step_s=time_step_s,
        axes=axes,
        grid_size=grid,
        border="keep" if keep_cut else "leave-out",
        gaps="keep" if keep_gaps else "leave-out",
        workers=workers,
        progress=progress,
    )
    if prepared.failures:
        raise InputError(prepared.failures[0].reason)


def _settings(store: Path, preset: str, settings: list[str], workers: int) -> tuple[str, list[str]]:
    """The preset and settings; for `auto`, those that fit the data."""
    from cytoform.runs.auto import automatic
    from cytoform.shapes.store import ShapeStore

    if preset != "auto":
        return preset, settings
    found = automatic(ShapeStore.open(store), settings=settings, workers=workers)
    return found.preset, [*found.settings, *settings]


def new_cells(
    *,
    run: str,
    out: str,
    n: int,
    prior: str | None,
    where: Sequence[str],
    seed: int,
    grid: int | None,
    frames: int | None,
    progress: Progress,
) -> dict[str, Any]:
    """New cells from a run, as `cytoform generate` makes them."""
    import cytoform

    cells = cytoform.load(run)
    rendering = cytoform.Rendering(grid_size=grid, n_frames=frames)
    condition = cytoform.condition_on(cells, where, rendering=rendering, progress=progress) if where else None
    cytoform.generate(
        cells,
        Path(out),
        n,
        prior=prior,
        condition=condition,
        rendering=rendering,
        seed=seed,
        progress=progress,
    )
    return {"store": out}


def compare(*, reference: str, other: str, rendered: str, progress: Progress) -> dict[str, Any]:
    """Frame by frame measures of a store against one of the same cells; a run is rendered first, into `rendered`."""
    import cytoform
    from cytoform.assess.measures.sequences import PAIR_MEASURES
    from cytoform.base.kinds import Kind, kind_of

    if kind_of(Path(other)) is Kind.RUN:
        grid = cytoform.ShapeStore.open(Path(reference)).grid.size
        rendering = cytoform.Rendering(grid_size=grid)
        cytoform.reconstruct(cytoform.load(other), Path(rendered), rendering=rendering, progress=progress)
        other = rendered
    n = len(cytoform.ShapeStore.open(Path(other)))
    with progress("measuring cells", n) as advance:
        results = cytoform.evaluate(Path(reference), Path(other), paired=True, done=lambda: advance(1))
    pairs = results.pairs or {}
    rows = [
        [name, frame, *(_rounded(pair.value(measure)) for measure in PAIR_MEASURES)]
        for name, of_cell in pairs.items()
        for frame, pair in enumerate(of_cell)
    ]
    return {"reference": reference, "other": other, "columns": ["cell", "frame", *PAIR_MEASURES], "rows": rows}


def _rounded(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None


def scene(
    *, sources: Sequence[str], out: str, options: Mapping[str, Any], workers: int, progress: Progress
) -> dict[str, Any]:
    """A benchmark data set, as `cytoform benchmark` makes it."""
    import cytoform

    chosen = dict(options)
    for name in ("size_zyx", "voxel_size_zyx_um"):
        chosen[name] = tuple(chosen[name]) if chosen.get(name) else None
    request = cytoform.SceneRequest(sources=tuple(Path(source) for source in sources), **chosen)
    made = cytoform.benchmark(
        request, Path(out), workers=workers, progress=progress, report=cytoform.write_scene_report
    )
    return {"folder": out, "n_tracks": len(made[0].tracked.tracks), "n_divisions": made[0].tracked.n_divisions}


def fill(
    *,
    labels: str,
    axes: str,
    voxel_size_zyx_um: Sequence[float],
    grid: int,
    run: str | None,
    folder: str,
    workers: int,
    progress: Progress,
) -> dict[str, Any]:
    """Labels with their missing frames and planes filled, on their own voxels, as an array beside the stores."""
    from cytoform_napari.filling import fill_labels

    return fill_labels(
        Path(labels),
        axes,
        tuple(voxel_size_zyx_um),
        Path(folder),
        grid=grid,
        run=run,
        workers=workers,
        progress=progress,
    )


JOBS: Mapping[str, Callable[..., dict[str, Any]]] = {
    "train": train,
    "new cells": new_cells,
    "compare": compare,
    "scene": scene,
    "fill": fill,
}
