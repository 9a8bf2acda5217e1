"""`cytoform export`: shape stores in the formats of other programs."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from cytoform.base.options import whole
from cytoform.commands.common import Common, Incomplete
from cytoform.errors import InputError

Format = Literal["masks", "ome-zarr", "meshes", "points", "ctc", "h5", "mat", "stardist", "cellpose", "nnunet", "onnx"]


def export(
    store: Path,
    /,
    *,
    to: Format,
    out: Path,
    sequences: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    points: Annotated[int, whole(1, 1_000_000)] = 2048,
    resume: Annotated[bool, Parameter(negative=())] = False,
    incomplete: Incomplete = Incomplete(),  # noqa: B008 (frozen)
    common: Common = Common(),  # noqa: B008 (frozen)
) -> None:
    """Write the sequences of a shape store in another format, or images with masks as programs for segmentation train on them.

    Parameters
    ----------
    store
        Shape store: prepared, reconstructed or generated. For stardist, cellpose and nnunet: a data set of 'cytoform
        benchmark', a Cell Tracking Challenge folder with images, or IMAGE.zarr:LABELS.zarr.
    to
        masks: one OME-TIFF a sequence (TZYX, with voxel size and time step). ome-zarr: one OME-Zarr a sequence, signed distance
        in µm with the mask as labels. meshes: one PLY a frame, in µm.
        points: points on the surface or outline, PLY and NumPy. ctc: a Cell Tracking Challenge folder, without images.
        h5: HDF5 in the layout of the published code. mat: the same for Matlab, up to 2 GB a sequence.
        onnx: of a run or model, its network as a function of points, time and code, checked against the run; --out is a file.
        stardist, cellpose, nnunet: training images with masks, in the layout of that program.
    out
        Folder to write.
    sequences
        Names of the sequences to export; by default all.
    points
        Points per frame, for points.
    resume
        Continue where the same command was interrupted.
    """
    from cytoform.exchange.export import export as export_store

    if to == "onnx":
        _refuse_options_of_stores(to, sequences, resume, incomplete)
        _export_onnx(store, out, common)
        return
    if to == "stardist" or to == "cellpose" or to == "nnunet":
        _refuse_options_of_stores(to, sequences, resume, incomplete)
        _export_training(store, to, out, common)
        return
    chosen = incomplete.sequences(store, sequences, common)
    export_store(
        store,
        out,
        to=to,
        sequences=chosen,
        points=points,
        seed=common.seed,
        overwrite=common.overwrite,
        resume=resume,
        progress=common.progress,
    )
    common.remark(
        store, sequences, remedy="an empty frame has no surface and no label; leave such cells out with --sequences"
    )
    common.done(out, "info", store)


def _export_training(source: Path, to: Literal["stardist", "cellpose", "nnunet"], out: Path, common: Common) -> None:
    from cytoform.exchange.trainers import export_training

    n = export_training([source], out, to=to, overwrite=common.overwrite, progress=common.progress)
    common.say(f"{n} images with masks")
    common.say(f"wrote {out}")


def _export_onnx(run: Path, out: Path, common: Common) -> None:
    from cytoform.exchange.onnx_model import export_onnx

    difference_um = export_onnx(run, out, overwrite=common.overwrite)
    common.say(f"differs from the run by at most {difference_um:.2g} µm")
    common.say(f"wrote {out}")


def _refuse_options_of_stores(to: str, sequences: list[str] | None, resume: bool, incomplete: Incomplete) -> None:
    if sequences or resume or incomplete.allow_incomplete:
        raise InputError(
            f"--to {to}: --sequences, --resume and --allow-incomplete are for shape stores; leave them out"
        )
