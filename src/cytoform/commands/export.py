"""`cytoform export`: shape stores in the formats of other programs."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from cytoform.commands.common import Common

Format = Literal["masks", "meshes", "points", "ctc", "h5", "mat"]


def export(
    store: Path,
    /,
    *,
    to: Format,
    out: Path,
    sequences: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    points: int = 2048,
    common: Common = Common(),  # noqa: B008 (frozen)
) -> None:
    """Write the sequences of a shape store in another format.

    Parameters
    ----------
    store
        Shape store: prepared, reconstructed or generated.
    to
        masks: one OME-TIFF a sequence (TZYX, with voxel size and time step). meshes: one PLY a frame, in µm.
        points: points on the surface, PLY and NumPy. ctc: a Cell Tracking Challenge folder, without images.
        h5: HDF5 in the layout of the published code. mat: the same for Matlab, up to 2 GB a sequence.
    out
        Folder to write.
    sequences
        Export only the sequences with these names.
    points
        Points a frame, for points.
    """
    from functools import partial

    import numpy as np

    from cytoform.base.digest import folder_sha256
    from cytoform.base.files import staged, write_json
    from cytoform.base.provenance import software_versions
    from cytoform.exchange.export import write_ctc, write_h5, write_masks, write_mat, write_meshes, write_points
    from cytoform.shapes.store import ShapeSequence, ShapeStore

    writers: dict[Format, Callable[[ShapeSequence, Path], None]] = {
        "masks": write_masks,
        "meshes": write_meshes,
        "points": partial(write_points, n_points=points, rng=np.random.default_rng(common.seed)),
        "ctc": write_ctc,
        "h5": write_h5,
        "mat": write_mat,
    }
    shapes = ShapeStore.open(store)
    names = sorted(set(sequences)) if sequences else shapes.names
    chosen = [shapes[name] for name in names]
    with staged(out, overwrite=common.overwrite) as folder, common.progress("exporting", len(names)) as advance:
        for sequence in chosen:
            writers[to](sequence, folder)
            advance(1)
        provenance = {
            "command": "cytoform export",
            "to": to,
            "seed": common.seed,
            "source": {"name": store.name, "sha256": folder_sha256(store)},
            "sequences": names,
            "versions": software_versions(),
        }
        write_json(folder / "provenance.json", provenance)
    common.done(out, next_command=f"cytoform info {store}")
