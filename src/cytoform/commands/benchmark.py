"""`cytoform benchmark`: many generated cells in one movie, with images, masks, tracks and lineage."""

import shlex
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import CycloptsError, Parameter

from cytoform.base.geff import NO_GRAPHS, has_geff
from cytoform.commands.common import Common, WorkerOptions
from cytoform.errors import InputError
from cytoform.scenes.request import SceneRequest, parse_series

if TYPE_CHECKING:
    from cytoform.scenes.scene import Scene
    from cytoform.scenes.stage import Made


def benchmark(
    runs: Annotated[tuple[Path, ...], Parameter(name="RUN", negative=())] = (),
    /,
    *,
    out: Path,
    scene: SceneRequest = SceneRequest(),  # noqa: B008 (frozen)
    series: str | None = None,
    recipe: str | None = None,
    small: Annotated[bool, Parameter(negative=())] = False,
    resume: Annotated[bool, Parameter(negative=())] = False,
    workers: WorkerOptions = WorkerOptions(),  # noqa: B008 (frozen)
    common: Common = Common(),  # noqa: B008 (frozen)
) -> None:
    """Make a scene of many cells that move, divide, enter and leave, and write it as a benchmark data set.

    Parameters
    ----------
    runs
        Sources of cells: runs of 'cytoform train' give new cells, shape stores give theirs. Several are mixed.
    out
        Folder to write: Cell Tracking Challenge layout, with README.md and index.html.
    series
        Vary one difficulty and write a data set of the same scene for each value. snr=0.5,1,2: signal-to-noise ratio
        relative to the texture's. cells=10,20: families. every=1,2,4: every n-th frame. planes=1,2,4: every n-th plane.
        gap=0,0.2 (in contact), bleaching=0,0.5, blur=0,0.4, focus-drift=0,3, debris=0,50, missing=0,0.1: as the options.
    recipe
        Rebuild a data set, in place of RUN and all options: embryo, filopodia, monolayer, or a TOML file.
    small
        The small version of a recipe.
    resume
        Continue where the same command was interrupted.
    """
    from cytoform.reports.scenes.beside import summary
    from cytoform.reports.scenes.page import write_scene_report
    from cytoform.scenes.stage import benchmark as make

    def report(folder: Path, staged: "Scene", written: Sequence["Made"]) -> None:
        found = write_scene_report(folder, staged, written)
        if staged.likeness is None:
            return
        for sentence in staged.likeness.sentences:
            common.say(f"{staged.likeness.name}: {sentence}")
        for each in found:
            common.say(summary(each.beside, staged.likeness.name))

    if recipe is not None:
        if runs or series is not None or scene != SceneRequest() or common.seed:
            raise InputError(f"--recipe {recipe}: it holds RUN and all options; leave them out, or change a copy of it")
        _rebuild(recipe, out, small=small, resume=resume, workers=workers, common=common)
        return
    dial = None if series is None else parse_series(series)
    request = replace(scene, sources=runs, series=dial, seed=common.seed)
    with workers.ready() as n_workers:
        made = make(
            request,
            out,
            workers=n_workers,
            overwrite=common.overwrite,
            resume=resume,
            progress=common.progress,
            report=report,
        )
    for one in made:
        n_divisions = one.tracked.n_divisions
        name = f"{one.name}: " if one.name else ""
        common.say(f"{name}{len(one.tracked.tracks)} tracks, {n_divisions} divisions, {len(one.frames)} frames")
    if not has_geff():
        common.say(NO_GRAPHS)
    first = out / made[0].name
    after = ("texture", "train", first, "--out", "texture")
    common.done(out, *(after if scene.projection else ("prepare", first, "--out", "shapes.zarr")))


def _rebuild(recipe: str, out: Path, *, small: bool, resume: bool, workers: WorkerOptions, common: Common) -> None:
    """Run the commands of a recipe, and say the checksum of the data set."""
    from cytoform.base.digest import folder_sha256
    from cytoform.cli import app
    from cytoform.scenes.recipe import read_recipe

    with tempfile.TemporaryDirectory(prefix="cytoform-") as folder:
        *before, last = read_recipe(recipe).commands(Path(folder), small=small)
        callers = {"--resume": resume, "--overwrite": common.overwrite}
        last += ["--out", str(out), *(name for name, given in callers.items() if given)]
        for step in [*before, last]:
            common.say(shlex.join(["cytoform", *step]))
            shared = ["--quiet"] * (common.quiet or step is not last)
            shared += [] if workers.workers is None else ["--workers", str(workers.workers)]
            shared += [] if workers.scheduler is None else ["--scheduler", workers.scheduler]
            try:
                app([*step, *shared], exit_on_error=False, print_error=False, result_action="return_value")
            except CycloptsError as fault:
                raise InputError(f"{recipe}: {fault}") from None
    common.say(f"checksum: sha256 {folder_sha256(out)}")
