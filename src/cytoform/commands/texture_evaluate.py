"""`cytoform texture evaluate`: generated images against real ones."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from cytoform.base.options import FIRST_LAST, whole
from cytoform.commands.common import Common, Device
from cytoform.errors import InputError


def evaluate(
    real: Path,
    generated: Path,
    /,
    *others: Path,
    out: Path,
    names: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    frames: Annotated[tuple[int, int] | None, FIRST_LAST] = None,
    train_on: Path | None = None,
    train_frames: Annotated[tuple[int, int] | None, FIRST_LAST] = None,
    segmenter: Literal["unet", "otsu", "none"] = "unet",
    steps: Annotated[int, whole(1, 1_000_000)] = 1600,
    planes: Literal["projection", "slices"] = "projection",
    device: Annotated[Device, Parameter(help="Where the segmenter computes.")] = "auto",
    common: Common = Common(),  # noqa: B008 (frozen)
) -> None:
    """Compare generated images with real ones: results.json, figures, tables and report.html.

    Measures histograms, spectra, noise, texture, flicker and the share of squares that pass for real. With --train-on, a
    segmenter trained on the generated pairs is tested on the real ones. Sources are pairs of image and mask: Cell Tracking
    Challenge folders, or IMAGE.zarr:LABELS.zarr.

    Parameters
    ----------
    real
        Real pairs, not used for training.
    generated
        Generated pairs, as 'cytoform texture render' writes them.
    others
        More generated pairs, in the same report: from another model, or from optics.
    out
        Folder to write.
    names
        Names of GENERATED and the others in the report; by default their folders.
    frames
        First and last frame of REAL to compare with; by default all.
    train_on
        Real pairs for training. They show how similar real images are, and train the segmenter for comparison. By default
        the two halves of REAL are compared, without a segmenter.
    train_frames
        First and last frame of --train-on, which may be other frames of REAL.
    segmenter
        Segmenter that learns from the pairs: a small network, or Otsu's threshold with a range of cell sizes.
    steps
        Training steps of the network.
    planes
        For 3D images: maximum projections or all slices.
    """
    from cytoform.reports.images.stage import Source, TrainingBudget, write_texture_report

    write_texture_report(
        Source(real, frames),
        {label: Source(path) for label, path in _labelled([generated, *others], names)},
        out,
        training=None if train_on is None else Source(train_on, train_frames),
        planes=planes,
        budget=TrainingBudget(segmenter, steps, device),
        seed=common.seed,
        overwrite=common.overwrite,
        progress=common.progress,
    )
    common.done(out / "report.html", "info", out)


def _labelled(paths: Sequence[Path], names: Sequence[str] | None) -> list[tuple[str, Path]]:
    """Name of each set in the report: the given name or its folder, numbered if taken."""
    if names is not None and (len(names) != len(paths) or len(set(names)) != len(names)):
        raise InputError(
            f"--names {' '.join(names)}: {len(paths)} different names are needed, one for each set to judge"
        )
    labels: list[str] = []
    for number, path in enumerate(paths, start=1):
        label = names[number - 1] if names is not None else path.resolve().name.split(".zarr")[0]
        labels.append(f"{label} {number}" if label in labels else label)
    return list(zip(labels, paths, strict=True))
