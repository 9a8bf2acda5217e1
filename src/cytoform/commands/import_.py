"""`cytoform import`: files of the published code."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from cytoform.base.kinds import CHECKPOINT_ENDINGS
from cytoform.base.options import FRAMES, GRID, LENGTH_UM, SECONDS, WORKERS, real
from cytoform.base.system import n_processors
from cytoform.commands.common import Common


@Parameter(name="*")
@dataclass(frozen=True)
class CheckpointOptions:
    """Parameters of a published model that its checkpoint does not record."""

    codes: Annotated[Path | None, Parameter(help="For a checkpoint: the Matlab file with its codes, lat_vecs.")] = None
    grid: Annotated[
        int | None,
        GRID,
        Parameter(help="For a checkpoint: voxels along a side of the volumes it was trained on; by default 256."),
    ] = None
    frames: Annotated[
        int | None, FRAMES, Parameter(help="For a checkpoint: frames of a sequence it was trained on; by default 30.")
    ] = None
    activation: Annotated[Literal["sine", "relu"] | None, Parameter(help="For a checkpoint: by default sine.")] = None
    omega: Annotated[
        float | None, real(1e-3, 1e4), Parameter(help="For a checkpoint: frequency of the sine; by default 30.")
    ] = None
    unit: Annotated[
        float | None,
        LENGTH_UM,
        Parameter(
            help="For a checkpoint: µm in one unit of its output; by default 32 voxels, as in the published data."
        ),
    ] = None

    @property
    def given(self) -> list[str]:
        """The options that were given."""
        return [f"--{name}" for name, value in vars(self).items() if value is not None]


def import_(
    sources: Annotated[list[Path], Parameter(name="SOURCE", negative=())],
    /,
    *,
    out: Path,
    half_extent: Annotated[float | None, LENGTH_UM] = None,
    voxel_size: Annotated[float | None, LENGTH_UM] = None,
    time_step: Annotated[float | None, SECONDS] = None,
    workers: Annotated[int | None, WORKERS] = None,
    checkpoint: CheckpointOptions = CheckpointOptions(),
    common: Common = Common(),  # noqa: B008 (frozen)
) -> None:
    """Read files of the published code: distances to a shape store, a checkpoint to a run.

    Parameters
    ----------
    sources
        Files .h5 or .mat with an array sdf_vid, one sequence each; or one checkpoint .pth with --codes.
    out
        Shape store or run folder to write.
    half_extent
        Half the side of the cube in µm; published files do not record it.
    voxel_size
        Size of a voxel in µm, instead of --half-extent.
    time_step
        Seconds between frames.
    workers
        For distances: number of processes; by default one per CPU core.
    """
    from cytoform.errors import InputError

    if any(source.suffix.lower() in CHECKPOINT_ENDINGS for source in sources):
        if len(sources) > 1 or checkpoint.codes is None:
            raise InputError(f"{sources[0]}: give one checkpoint at a time, with --codes lat_vecs.mat")
        _import_run(sources[0], checkpoint.codes, out, half_extent, voxel_size, time_step, checkpoint, common)
        return
    if checkpoint.given:
        raise InputError(f"{sources[0]}: no checkpoint .pth, so leave {' '.join(checkpoint.given)} out")
    from cytoform.exchange.published_shapes import import_shapes

    cube = import_shapes(
        sources,
        out,
        half_extent_um=half_extent,
        voxel_size_um=voxel_size,
        time_step_s=time_step,
        workers=n_processors() if workers is None else workers,
        overwrite=common.overwrite,
        progress=common.progress,
    )
    sequences = "1 sequence" if len(sources) == 1 else f"{len(sources)} sequences"
    common.say(
        f"{sequences} in a cube of {2 * cube.half_extent_um:g} µm, {cube.size}³ voxels of {cube.spacing_um:.4g} µm"
    )
    common.done(out, "train", out, "--out", "run")


def _import_run(
    source: Path,
    codes: Path,
    out: Path,
    half_extent: float | None,
    voxel_size: float | None,
    time_step: float | None,
    checkpoint: CheckpointOptions,
    common: Common,
) -> None:
    from cytoform.exchange.import_run import Assumptions, import_run
    from cytoform.exchange.published_shapes import given_grid
    from cytoform.representations.table import new_representation

    if half_extent is None and voxel_size is None:
        voxel_size = 1.0
        common.say("no --voxel-size given: sizes will be in voxels, 1 µm each")
    assumed = Assumptions(
        given_grid(
            source,
            256 if checkpoint.grid is None else checkpoint.grid,
            half_extent_um=half_extent,
            voxel_size_um=voxel_size,
        ),
        activation=checkpoint.activation or "sine",
        omega=30.0 if checkpoint.omega is None else checkpoint.omega,
        n_frames=30 if checkpoint.frames is None else checkpoint.frames,
        time_step_s=time_step,
        um_per_unit=checkpoint.unit,
    )
    config = import_run(source, codes, out, assumed=assumed, seed=common.seed, overwrite=common.overwrite)
    common.say(new_representation(config.model, seed=0).describe())
    frequency = f", omega {assumed.omega:g}" if assumed.activation == "sine" else ""
    common.say(
        f"assumed: {assumed.activation}{frequency}, {assumed.n_frames} frames, {assumed.grid.size}³ voxels of "
        f"{assumed.grid.spacing_um:.4g} µm, {assumed.unit_um:.4g} µm in a unit of its output"
    )
    common.done(out, "reconstruct", out, "--out", "reconstructed.zarr")
