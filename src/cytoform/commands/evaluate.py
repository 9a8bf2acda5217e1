"""`cytoform evaluate`: how alike two shape stores are."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cytoform.commands.common import Common


def evaluate(
    reference: Path,
    other: Path,
    *,
    out: Path,
    paired: Annotated[bool, Parameter(negative=())] = False,
    sequences: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    workers: int = 1,
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
    workers
        Processes to measure in.
    """
    from cytoform.assess.results import evaluate as compare
    from cytoform.files import refuse_existing, staged
    from cytoform.shapes.store import ShapeStore

    refuse_existing(out, overwrite=common.overwrite)
    total = len(ShapeStore.open(reference)) + len(ShapeStore.open(other))
    with common.progress("measuring", total) as advance:
        results = compare(
            reference,
            other,
            paired=paired,
            sequences=sequences,
            workers=workers,
            done=lambda: advance(2 if paired else 1),
        )
    with staged(out, overwrite=common.overwrite) as folder:
        results.write(folder / "results.json")
    common.done(out / "results.json", next_command=f"cytoform export {other} --to meshes --out meshes")
