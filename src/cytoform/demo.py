"""The whole path on simulated cells: the pipeline of README and tutorial as one short script, a call a stage."""

import os
from dataclasses import dataclass
from pathlib import Path

from cytoform.assess.results import Results, evaluate_all
from cytoform.assess.stores import select
from cytoform.base.files import staged, write_json
from cytoform.base.lazy import make_callable
from cytoform.base.parallel import Progress, no_progress
from cytoform.base.provenance import software_versions
from cytoform.prepare.stage import prepare
from cytoform.priors.file import write_priors
from cytoform.reports.shapes.codes import map_of_codes
from cytoform.reports.shapes.write import Comparison, write_report
from cytoform.runs.config import load_config
from cytoform.runs.stage import train
from cytoform.simulate.parameters import MitosisParameters
from cytoform.simulate.population import n_tasks, simulate
from cytoform.synthesis.cells import load
from cytoform.synthesis.sequences import generate, reconstruct

# Six cells that divide along six axes do not say what lies between them, so new ones are drawn around each; with a σ
# several times the paper's, since the preset quick trains with noise on the codes.
NOVELTY_SIGMA = 0.05
VOXEL_ZYX_UM, TIME_STEP_S = (0.2, 0.2, 0.2), 60.0


@dataclass(frozen=True)
class DemoSize:
    """How much the demo computes."""

    n_cells: int = 6
    n_frames: int = 12
    grid_size: int = 96
    n_generated: int = 6
    settings: tuple[str, ...] = ()


def demo(
    out: Path,
    *,
    size: DemoSize = DemoSize(),
    seed: int = 0,
    overwrite: bool = False,
    progress: Progress = no_progress,
) -> Results:
    """Simulate, prepare, train, reconstruct, generate, evaluate and report into the folder `out`.

    Returns the comparison of reconstructed with simulated cells.
    """
    workers = len(os.sched_getaffinity(0))
    with staged(out, overwrite=overwrite) as folder:
        movies, shapes, run = folder / "movies", folder / "shapes.zarr", folder / "run"
        reconstructed, generated = folder / "reconstructed.zarr", folder / "generated.zarr"
        with progress("simulating", n_tasks(n_cells=size.n_cells, n_frames=size.n_frames)) as advance:
            simulate(
                MitosisParameters(),
                movies,
                n_cells=size.n_cells,
                n_frames=size.n_frames,
                seed=seed,
                spacing_zyx_um=VOXEL_ZYX_UM,
                time_step_s=TIME_STEP_S,
                workers=workers,
                done=advance,
            )
        prepare([movies], shapes, grid_size=size.grid_size, workers=workers, progress=progress)
        config = load_config(preset="quick", settings=list(size.settings))
        trained = train(shapes, run, config, seed=seed, workers=workers, at_end=write_priors, progress=progress)
        if not trained.finished:
            raise KeyboardInterrupt
        cells = load(run)
        reconstruct(cells, reconstructed, seed=seed, progress=progress)
        generate(cells, generated, size.n_generated, prior="around", sigma=NOVELTY_SIGMA, seed=seed, progress=progress)
        selection = select(shapes, [reconstructed, generated], paired=[True, False])
        pairs, new = evaluate_all(selection, workers=workers)
        (folder / "report").mkdir()
        provenance = {"command": "cytoform demo", "seed": seed, "versions": software_versions()}
        write_json(folder / "provenance.json", provenance)
        write_report(
            folder / "report",
            title="cytoform demo: dividing cells",
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


make_callable(__name__)
