"""The whole path on simulated cells: the pipeline of README and tutorial as one short script, a call a stage."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cytoform.assess.results import Results, evaluate_all
from cytoform.assess.stores import select
from cytoform.base.files import write_json
from cytoform.base.lazy import make_callable
from cytoform.base.output import Output
from cytoform.base.parallel import Progress, no_progress
from cytoform.base.provenance import software_versions
from cytoform.base.system import n_processors
from cytoform.errors import InputError
from cytoform.prepare.stage import prepare
from cytoform.priors.file import write_priors
from cytoform.reports.shapes.codes import map_of_codes
from cytoform.reports.shapes.write import Comparison, write_report
from cytoform.runs.auto import automatic
from cytoform.runs.config import load_config
from cytoform.runs.stage import train
from cytoform.shapes.store import ShapeStore
from cytoform.simulate.parameters import FilopodiaParameters, MitosisParameters
from cytoform.simulate.population import n_tasks, simulate
from cytoform.synthesis.cells import load
from cytoform.synthesis.sequences import generate, reconstruct
from cytoform.synthesis.trial import choose_prior

Kind = Literal["mitosis", "filopodia"]


@dataclass(frozen=True)
class DemoSize:
    """What the demo simulates, and how much it computes."""

    n_cells: int
    n_frames: int = 12
    grid_size: int = 96
    n_generated: int = 6
    voxel_um: float = 0.2
    time_step_s: float = 60.0
    settings: tuple[str, ...] = ()
    alone: bool = False  # in one process, where starting others would take longer than the work


# By kind and number of dimensions. Filopodia need voxels of at most their radius, and enough cells to learn from.
SIZES: dict[tuple[Kind, int], DemoSize] = {
    ("mitosis", 3): DemoSize(10),
    ("mitosis", 2): DemoSize(8, grid_size=64, voxel_um=0.15, alone=True),
    ("filopodia", 3): DemoSize(8, grid_size=160, voxel_um=0.125, time_step_s=20.0),
}
PARAMETERS: dict[tuple[Kind, int], MitosisParameters | FilopodiaParameters] = {
    ("mitosis", 3): MitosisParameters(),
    ("mitosis", 2): MitosisParameters(dims=2),
    ("filopodia", 3): FilopodiaParameters(),
}
TITLES: dict[Kind, str] = {"mitosis": "dividing cells", "filopodia": "cells with filopodia"}


def demo(
    out: Path,
    kind: Kind = "mitosis",
    *,
    dims: int = 3,
    size: DemoSize | None = None,
    seed: int = 0,
    overwrite: bool = False,
    progress: Progress = no_progress,
) -> Results:
    """Simulate, prepare, train, reconstruct, generate, evaluate and report into the folder `out`.

    Returns the comparison of reconstructed with simulated cells. Raises InputError for an unknown `kind`, and for one that
    is not simulated in so many dimensions.
    """
    size = size or size_of(kind, dims)
    workers = 1 if size.alone else n_processors()
    with Output.at(out, inputs=[], overwrite=overwrite).staged() as folder:
        movies, shapes, run = folder / "movies", folder / "shapes.zarr", folder / "run"
        reconstructed, generated = folder / "reconstructed.zarr", folder / "generated.zarr"
        with progress("simulating", n_tasks(n_cells=size.n_cells, n_frames=size.n_frames)) as advance:
            simulate(
                PARAMETERS[kind, dims],
                movies,
                n_cells=size.n_cells,
                n_frames=size.n_frames,
                seed=seed,
                spacing_zyx_um=(size.voxel_um,) * 3,
                time_step_s=size.time_step_s,
                workers=workers,
                done=advance,
            )
        prepare([movies], shapes, grid_size=size.grid_size, workers=workers, progress=progress)
        found = automatic(ShapeStore.open(shapes), settings=size.settings, workers=workers)
        config = load_config(preset=found.preset, settings=[*found.settings, *size.settings])
        trained = train(shapes, run, config, seed=seed, workers=workers, at_end=write_priors, progress=progress)
        if not trained.finished:
            raise KeyboardInterrupt
        cells = load(run)
        reconstruct(cells, reconstructed, seed=seed, progress=progress)
        choose_prior(cells, shapes, seed=seed, workers=workers, progress=progress).write(run)
        generate(cells, generated, size.n_generated, seed=seed, progress=progress)
        selection = select(shapes, [reconstructed, generated], paired=[True, False])
        pairs, new = evaluate_all(selection, workers=workers)
        (folder / "report").mkdir()
        command = f"cytoform demo {kind}" + f" --dims {dims}" * (dims != 3)
        provenance = {"command": command, "seed": seed, "versions": software_versions()}
        write_json(folder / "provenance.json", provenance)
        write_report(
            folder / "report",
            title=f"cytoform demo: {TITLES[kind]}",
            reference=shapes,
            comparisons=[
                Comparison("Reconstructed", reconstructed, pairs),
                Comparison("Generated", generated, new),
            ],
            provenance=provenance,
            code_map=map_of_codes([("Reconstructed", reconstructed), ("Generated", generated)]),
            workers=workers,
            progress=progress,
        )
    return pairs


def size_of(kind: Kind, dims: int) -> DemoSize:
    """What the demo does unless it is told otherwise. Raises InputError."""
    if (kind, dims) in SIZES:
        return SIZES[kind, dims]
    of_kind = [str(n) for name, n in SIZES if name == kind]
    if not of_kind:
        raise InputError(f"demo {kind}: unknown; choose one of {', '.join(TITLES)}")
    raise InputError(f"demo {kind} --dims {dims}: simulated in {' and '.join(of_kind)} dimensions; choose another kind")


make_callable(__name__)
