"""`cytoform simulate`: movies of simulated cells with known truth."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from cytoform.base.options import FRAMES, LENGTH_UM, SECONDS, whole
from cytoform.commands.common import Common, WorkerOptions
from cytoform.simulate.parameters import BlebsParameters, FilopodiaParameters, MitosisParameters

if TYPE_CHECKING:
    from cytoform.simulate.population import SimulatedFamily

simulate = App(name="simulate", help="Make movies of simulated living cells with known truth.")


@Parameter(name="*")
@dataclass(frozen=True)
class MovieOptions:
    """Options of every kind of cell."""

    cells: Annotated[int, whole(1, 999), Parameter(help="Number of cell families, each a sequence of its own.")] = 33
    frames: Annotated[int, FRAMES, Parameter(help="Frames of every movie.")] = 30
    voxel_size: Annotated[
        tuple[float, float, float],
        LENGTH_UM,
        Parameter(help="Voxel size Z Y X in µm; the paper's C. elegans have 1.0 0.09 0.09.", negative=()),
    ] = (0.125, 0.125, 0.125)
    ome_zarr: Annotated[
        bool, Parameter(help="Write OME-Zarr label images too (OUT/ome_zarr/NN.zarr).", negative=())
    ] = False
    report: Annotated[bool, Parameter(help="Write OUT/report.html: renderings and descriptors.")] = True


@Parameter(name="*")
@dataclass(frozen=True)
class CoarserMovieOptions(MovieOptions):
    """The same options for cells without parts as thin as filopodia."""

    voxel_size: Annotated[
        tuple[float, float, float],
        LENGTH_UM,
        Parameter(help="Voxel size Z Y X in µm, none longer than a ruffle is thick.", negative=()),
    ] = (0.2, 0.2, 0.2)


@simulate.command
def mitosis(
    *,
    out: Path,
    time_step: Annotated[float, SECONDS] = 60.0,
    parameters: MitosisParameters = MitosisParameters(),  # noqa: B008 (frozen)
    movies: MovieOptions = MovieOptions(),
    workers: WorkerOptions = WorkerOptions(),  # noqa: B008 (frozen)
    common: Common = Common(),  # noqa: B008 (frozen)
) -> None:
    """Cells that grow, round up, furrow and divide, as a Cell Tracking Challenge folder with lineage.

    Parameters
    ----------
    out
        Folder to write; each family is a sequence of its own (01_GT, 02_GT, ...).
    time_step
        Seconds between frames.
    """
    _run(parameters, out, time_step, movies, workers, common)


@simulate.command
def filopodia(
    *,
    out: Path,
    time_step: Annotated[float, SECONDS] = 20.0,
    parameters: FilopodiaParameters = FilopodiaParameters(),  # noqa: B008 (frozen)
    movies: MovieOptions = MovieOptions(),
    workers: WorkerOptions = WorkerOptions(),  # noqa: B008 (frozen)
    common: Common = Common(),  # noqa: B008 (frozen)
) -> None:
    """Cells with filopodia that sprout, grow, bend, branch and retract, as a Cell Tracking Challenge folder.

    Parameters
    ----------
    out
        Folder to write; each cell is a sequence of its own (01_GT, 02_GT, ...).
    time_step
        Seconds between frames.
    """
    _run(parameters, out, time_step, movies, workers, common)


@simulate.command
def blebs(
    *,
    out: Path,
    time_step: Annotated[float, SECONDS] = 10.0,
    parameters: BlebsParameters = BlebsParameters(),  # noqa: B008 (frozen)
    movies: CoarserMovieOptions = CoarserMovieOptions(),
    workers: WorkerOptions = WorkerOptions(),  # noqa: B008 (frozen)
    common: Common = Common(),  # noqa: B008 (frozen)
) -> None:
    """Lobed cells on which blebs swell and retract and ruffles rise and sink, as a Cell Tracking Challenge folder.

    Parameters
    ----------
    out
        Folder to write; each cell is a sequence of its own (01_GT, 02_GT, ...).
    time_step
        Seconds between frames; blebs swell in about 20.
    """
    _run(parameters, out, time_step, movies, workers, common)


def _run(
    parameters: MitosisParameters | FilopodiaParameters | BlebsParameters,
    out: Path,
    time_step: float,
    movies: MovieOptions,
    workers: WorkerOptions,
    common: Common,
) -> None:
    from cytoform.simulate.population import n_tasks
    from cytoform.simulate.population import simulate as write

    def describe(folder: Path, families: "list[SimulatedFamily]") -> None:
        from cytoform.reports.simulation import write_simulation_report

        if movies.report:
            write_simulation_report(folder, families, parameters, time_step_s=time_step, workers=n_workers)

    n_pieces = n_tasks(n_cells=max(movies.cells, 0), n_frames=max(movies.frames, 0))
    with workers.ready() as n_workers, common.progress("simulating", n_pieces) as advance:
        write(
            parameters,
            out,
            n_cells=movies.cells,
            n_frames=movies.frames,
            seed=common.seed,
            spacing_zyx_um=movies.voxel_size,
            time_step_s=time_step,
            workers=n_workers,
            ome_zarr=movies.ome_zarr,
            overwrite=common.overwrite,
            done=advance,
            report=describe,
        )
    common.done(out, "prepare", out, "--out", "shapes.zarr")
