"""`cytoform benchmark`: many generated cells in one movie, with images, masks, tracks and lineage."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from cytoform.commands.common import Common, Device, WorkerOptions


def benchmark(
    runs: Annotated[list[Path], Parameter(name="RUN", negative=())],
    /,
    *,
    out: Path,
    cells: int,
    frames: int,
    size: tuple[int, int, int],
    texture: str = "optics",
    voxel_size: tuple[float, float, float] | None = None,
    time_step: float | None = None,
    prior: Literal["gaussian", "around", "between", "covariance", "mixture"] = "between",
    motion: str = "walk",
    speed: float | None = None,
    persistence: float | None = None,
    leave: Literal["xy", "xyz", "none"] = "xy",
    arrivals: float = 0.2,
    gap: float = 0.0,
    projection: Annotated[bool, Parameter(negative=())] = False,
    series: str | None = None,
    ome_zarr: bool = True,
    geff: bool = True,
    meshes: Annotated[bool, Parameter(negative=())] = False,
    licence: str = "",
    device: Device = "auto",
    resume: Annotated[bool, Parameter(negative=())] = False,
    workers: WorkerOptions = WorkerOptions(),  # noqa: B008 (frozen)
    common: Common = Common(),  # noqa: B008 (frozen)
) -> None:
    """Make a scene of many cells that move, divide, enter and leave, and write it as a benchmark data set.

    Parameters
    ----------
    runs
        Runs of 'cytoform train', whose new cells populate the scene, or shape stores, whose cells do; several mix.
    out
        Folder to write: Cell Tracking Challenge layout, with README.md and index.html.
    cells
        Cell families in the scene.
    frames
        Frames of the movie.
    size
        Voxels of the field of view, Z Y X.
    texture
        What makes the images: 'optics', a parameter file of optics (.toml), a trained texture model, or 'none'.
    voxel_size
        Voxel size Z Y X in µm; by default that of the first RUN.
    time_step
        Seconds between frames; by default that of the first RUN.
    prior
        Where the codes of new cells are drawn from, as in 'cytoform generate'.
    motion
        walk is a persistent random walk; a shape store gives the ways of its real cells.
    speed
        Root mean square speed of the walk in µm/min; by default a tenth of the cells' mean diameter a frame.
    persistence
        For how many minutes a walking cell keeps its direction; by default five frames.
    leave
        Borders through which cells come and go: xy leaves them the whole depth of the field.
    arrivals
        Share of the families that come in through these borders after the first frame.
    gap
        Least distance between two cells in µm.
    projection
        Write 2D movies: maximum projections of images and masks.
    series
        A dial of difficulty and its values: one data set each of the same scene. snr=0.5,1,2 (signal-to-noise ratio in
        units of the texture's own), cells=10,20 (families), every=1,2,4 (frames kept), planes=1,2,4 (planes kept).
    ome_zarr
        Write OME-Zarr images with labels too.
    geff
        Write the tracks as a GEFF graph too.
    meshes
        Write a surface of every cell in every frame too (PLY, in µm of the scene).
    licence
        Under which licence you publish the data set, for its README.md.
    resume
        Go on where the same command was interrupted.
    """
    from cytoform.reports.scenes.page import write_scene_report
    from cytoform.scenes.request import SceneRequest, parse_series
    from cytoform.scenes.stage import benchmark as make

    request = SceneRequest(
        sources=tuple(runs),
        cells=cells,
        frames=frames,
        size_zyx=size,
        texture=texture,
        voxel_size_zyx_um=voxel_size,
        time_step_s=time_step,
        prior=prior,
        motion=motion,
        speed_um_per_min=speed,
        persistence_min=persistence,
        leave=leave,
        arrivals=arrivals,
        gap_um=gap,
        projection=projection,
        series=None if series is None else parse_series(series),
        ome_zarr=ome_zarr,
        geff=geff,
        meshes=meshes,
        licence=licence,
        seed=common.seed,
        device=device,
    )
    with workers.ready() as n_workers:
        made = make(
            request,
            out,
            workers=n_workers,
            overwrite=common.overwrite,
            resume=resume,
            progress=common.progress,
            report=write_scene_report,
        )
    for one in made:
        n_divisions = one.tracked.n_divisions
        name = f"{one.name}: " if one.name else ""
        common.say(f"{name}{len(one.tracked.tracks)} tracks, {n_divisions} divisions, {len(one.frames)} frames")
    first = out / made[0].name
    after = f"texture train {first} --out texture" if projection else f"prepare {first} --out shapes.zarr"
    common.done(out, next_command=f"cytoform {after}")
