"""Do synthetic pairs help a segmenter more than the same real cells used again? A handful of cells, eight seeds.

python experiments/usefulness_controls.py

The training, the data and the scene are those of usefulness_seeds.py, whose scores are used where they exist. Controls are made
of the same real cells without a model (usefulness_arms.py):

exchanged   real masks in images of the pixels of other real cells
deformed    real pairs under smooth random displacements
again       real shapes set down again in planes as full as the scene, in such images

A last arm has deformed pairs and the scene.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from cytoform.base.files import write_json
from cytoform.base.provenance import software_versions
from cytoform.commands.common import Common, WorkerOptions
from cytoform.errors import InputError
from experiment import Places, run_script
from tables import Row, difference, share_std
from usefulness_arms import CONTROLS, JOINED
from usefulness_gain import gain, summary
from usefulness_seeds import CHOSEN, METRICS, NETWORKS, OUT, REAL, Amount, Name, Network, Run, make_scene, measure

COLUMNS = (
    "data set",
    "real frames",
    "learned from",
    *METRICS,
    "SEG beyond real alone",
    "SEG with the scene instead",
    "SEG with the scene as well",
)


def rows(name: str, results: dict[str, Any]) -> list[Row]:
    """Rows of all arms, with the gain beyond real pairs alone, and that of the scene in place of a control and beside it."""
    found = []
    for share, single in results.items():
        of_seeds = single["scores"]
        for arm in of_seeds[0]:
            values = [share_std(summary(of_seeds, arm, metric)) for metric in METRICS]
            alone = difference(single["gain"][arm]["SEG"]) if arm != REAL else ""
            instead = difference(gain(of_seeds, "SEG", CHOSEN, beside=arm)) if arm in CONTROLS else ""
            joined = {REAL: CHOSEN, **JOINED}.get(arm)
            as_well = difference(gain(of_seeds, "SEG", joined, beside=arm)) if joined in of_seeds[0] else ""
            found.append((name, share, arm, *values, alone, instead, as_well))
    return found


def command(
    *,
    data: Annotated[list[Name], Parameter(consume_multiple=True, negative=())] = ["nuclei", "dic"],  # noqa: B006
    amounts: Annotated[list[Amount], Parameter(consume_multiple=True, negative=())] = ["handful"],  # noqa: B006
    seeds: int = 8,
    network: Network = "half",
    steps: int | None = None,
    out: Path = OUT,
    places: Places = Places(),  # noqa: B008 (frozen)
    workers: WorkerOptions = WorkerOptions(),  # noqa: B008 (frozen)
    common: Common = Common(),  # noqa: B008 (frozen)
) -> None:
    """Measure each data set, write controls-DATA SET.json, and update the table in the docs.

    Parameters
    ----------
    data
        nuclei and dic are real images of HeLa cells.
    amounts
        Amounts of real cells: a handful, a whole frame.
    seeds
        Number of repetitions.
    network
        half the usual width and 1,000 steps; or the usual network of 'cytoform texture evaluate' and 1,600 steps.
    steps
        Other steps of each training, of four crops.
    out
        Working folder, that of usefulness_seeds.py.
    """
    if seeds < 1:
        raise InputError(f"--seeds {seeds}: at least one")
    make_scene(out)
    with workers.ready() as n_workers:
        run = Run(places.shared, n_workers, common, network, steps or NETWORKS[network][0], amounts)
        for name in data:
            results = measure(name, "test", [CHOSEN, *CONTROLS, *JOINED.values()], range(seeds), out, run)
            settings = {"steps": run.steps, "channels": list(run.channels)}
            path = out / f"controls-{run.named(name)}.json"
            write_json(path, {"results": results, **settings, "versions": software_versions()})
            places.update("usefulness_controls", COLUMNS, rows(name, results))
    common.done(out)


def main(arguments: Sequence[str]) -> int:
    """Run the experiment from the command line; returns the exit status."""
    return run_script("usefulness_controls", command, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
