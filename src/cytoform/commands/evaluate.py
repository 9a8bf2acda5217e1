"""`cytoform evaluate`: how alike two shape stores are."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cytoform.commands.common import Common, WorkerOptions

# What the report calls the cells of a store, by the command that wrote it.
LABELS = {"reconstruct": "Reconstructed", "generate": "Generated", "interpolate": "Interpolated", "fit": "Fitted"}


def evaluate(
    reference: Path,
    other: Path,
    /,
    *,
    out: Path,
    paired: Annotated[bool, Parameter(negative=())] = False,
    sequences: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    workers: WorkerOptions = WorkerOptions(),  # noqa: B008 (frozen)
    common: Common = Common(),  # noqa: B008 (frozen)
) -> None:
    """Compare two shape stores: results.json, figures and report.html.

    Parameters
    ----------
    reference
        Shape store of the original cells.
    other
        Shape store to judge: reconstructed or generated cells.
    out
        Folder to write.
    paired
        The sequences of OTHER reconstruct those of REFERENCE with the same name: overlap and surface distances too.
    sequences
        Compare only the sequences with these names.
    """
    from cytoform.assess.report import Comparison, write_report
    from cytoform.assess.results import evaluate as compare
    from cytoform.files import refuse_existing, staged, write_json
    from cytoform.shapes.store import ShapeStore

    refuse_existing(out, overwrite=common.overwrite)
    stores = ShapeStore.open(reference), ShapeStore.open(other)
    n_sequences = sum(len(sequences or store.names) for store in stores)
    with workers.ready() as n_workers, common.progress("measuring", n_sequences) as advance:
        results = compare(
            reference,
            other,
            paired=paired,
            sequences=sequences,
            workers=n_workers,
            seed=common.seed,
            done=lambda: advance(2 if paired else 1),
        )
    label = LABELS.get(str(stores[1].attributes.get("command", "")).removeprefix("cytoform "), "Compared")
    provenance = {"command": "cytoform evaluate", "seed": common.seed}
    with staged(out, overwrite=common.overwrite) as folder:
        results.write(folder / "results.json")
        write_report(
            folder,
            title=f"{other.name} against {reference.name}",
            reference=reference,
            comparisons=[Comparison(label, other, results)],
            provenance=provenance,
        )
        write_json(folder / "provenance.json", provenance | results.provenance)
    common.done(out / "report.html", next_command=f"cytoform export {other} --to meshes --out meshes")
