"""`cytoform evaluate`: a comparison of shape stores."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from cytoform.commands.common import Common, WorkerOptions, export_of

if TYPE_CHECKING:
    from cytoform.reports.shapes.write import Comparison
    from cytoform.shapes.store import ShapeStore


def evaluate(
    reference: Path,
    other: Path,
    /,
    *others: Path,
    out: Path,
    paired: Annotated[bool, Parameter(negative=())] = False,
    sequences: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    held_out: Path | None = None,
    run: Path | None = None,
    workers: WorkerOptions = WorkerOptions(),  # noqa: B008 (frozen)
    common: Common = Common(),  # noqa: B008 (frozen)
) -> None:
    """Compare shape stores: results.json, figures, tables and report.html.

    Parameters
    ----------
    reference
        Shape store of the original cells.
    other
        Shape store to compare with it: reconstructed or generated cells.
    others
        More such stores, in the same report. Of several stores, each with the sequence names of REFERENCE is paired.
    out
        Folder to write.
    paired
        Compare sequences of the same name pair by pair too: overlap and surface distances.
    sequences
        Names of the sequences of REFERENCE to compare. Unpaired stores are compared with all their cells.
    held_out
        Shape store of real cells that were not learned: new cells are judged against them too, and by how near they lie to
        learned ones. With --sequences it may be REFERENCE: all its other cells are held out.
    run
        Run folder of the cells: adds its learned codes to the map in the report.
    """
    from cytoform.assess.results import evaluate_all
    from cytoform.assess.stores import select
    from cytoform.base.cluster import local_workers
    from cytoform.base.files import write_json
    from cytoform.base.output import Output
    from cytoform.reports.shapes.codes import map_of_codes
    from cytoform.reports.shapes.write import Comparison, write_report
    from cytoform.shapes.store import ShapeStore

    output = Output.at(out, inputs=[reference, other, *others, held_out, run], overwrite=common.overwrite)
    output.check()
    original, *stores = (ShapeStore.open(path) for path in (reference, other, *others))
    labels = _labels(stores)
    chart = map_of_codes([(label, store.path) for label, store in zip(labels, stores, strict=True)], run=run)
    pairs = [paired or (bool(others) and _same_names(original, store, sequences)) for store in stores]
    selection = select(reference, [other, *others], paired=pairs, sequences=sequences, held_out=held_out)
    n_cells = len(selection.cells)
    with workers.ready() as n_workers, local_workers(min(n_workers, n_cells)):
        with common.progress("measuring cells", n_cells) as advance:
            found = evaluate_all(selection, workers=n_workers, seed=common.seed, done=advance)
        comparisons = [
            Comparison(label, store.path, results) for label, store, results in zip(labels, stores, found, strict=True)
        ]
        provenance = {"command": "cytoform evaluate", "seed": common.seed} | ({} if run is None else {"run": run.name})
        with output.staged() as folder:
            write_report(
                folder,
                title=f"{' and '.join(store.path.name for store in stores)} against {reference.name}",
                reference=reference,
                comparisons=comparisons,
                provenance=provenance,
                code_map=chart,
                beside=out.absolute().parent,
                workers=n_workers,
                progress=common.progress,
            )
            write_json(folder / "provenance.json", provenance | _provenance(comparisons))
    common.done(out / "report.html", *export_of(other))


def _same_names(original: "ShapeStore", store: "ShapeStore", sequences: list[str] | None) -> bool:
    """Whether a store has all sequences of the original, or all of `sequences`."""
    if sequences:
        return set(sequences) <= set(store.names)
    return original.names == store.names


def _provenance(comparisons: "list[Comparison]") -> dict[str, Any]:
    """The provenance of a single comparison; of several, by label."""
    if len(comparisons) == 1:
        return comparisons[0].results.provenance
    return {comparison.label: comparison.results.provenance for comparison in comparisons}


def _labels(stores: "list[ShapeStore]") -> list[str]:
    """Name of each store's cells in the report."""
    from cytoform.pictures.labels import distinct, label_of

    # "Original" is the reference, whatever the others are.
    return distinct([label if (label := label_of(store)) != "Original" else "Compared" for store in stores], stores)
