"""Images and masks in the layouts that programs for segmentation train on.

stardist  images/NAME_tTTT.tif and masks/NAME_tTTT.tif, a volume (z, y, x) or a plane (y, x) each
cellpose  NAME_tTTT_zZZZ.tif and NAME_tTTT_zZZZ_masks.tif, every plane with a cell; cellpose trains on planes
nnunet    imagesTr/NAME_tTTT_0000.nii.gz, labelsTr/NAME_tTTT.nii.gz and dataset.json; labels 1 core and 2 border, so that
          cells that touch can be told apart

Trackastra, and others that track, train on Cell Tracking Challenge folders as they are: CTCData(FOLDER/01).
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Shaped, UInt8, UInt16

from cytoform.base.files import write_atomically, write_json
from cytoform.base.kinds import paths_of
from cytoform.base.output import Output
from cytoform.base.parallel import Progress, no_progress
from cytoform.base.provenance import recorded_names, software_versions
from cytoform.base.triples import Triple
from cytoform.errors import InputError
from cytoform.movies.pairs.pair_sources import PairedMovie, find_pairs

Trainer = Literal["stardist", "cellpose", "nnunet"]
NNUNET_NAME = re.compile(r"Dataset\d{3}_\w+")
CORE, BORDER = 1, 2


@dataclass(frozen=True)
class Example:
    """An image and the labels of its cells; 2D data have one plane."""

    name: str
    image: Shaped[np.ndarray, "z y x"]
    labels: UInt16[np.ndarray, "z y x"]
    spacing_zyx_um: Triple | None


def export_training(
    sources: Sequence[Path | str],
    out: Path,
    *,
    to: Trainer,
    spacing_zyx_um: Triple | None = None,
    overwrite: bool = False,
    progress: Progress = no_progress,
) -> int:
    """Write all frames of images with masks into the folder `out`, in the layout that a program trains on.

    A source is a data set of `benchmark` or any Cell Tracking Challenge folder with images, or IMAGE.zarr:LABELS.zarr. Returns
    the number of images. Raises InputError.
    """
    paths = [path for source in sources for path in paths_of(source)]
    output = Output.at(out, inputs=paths, overwrite=overwrite)
    output.check()
    if to == "nnunet" and not NNUNET_NAME.fullmatch(out.name):
        raise InputError(f"{out}: nnU-Net knows its data sets by names such as Dataset001_Cells; choose such an --out")
    movies = [movie for source in sources for movie in find_pairs(Path(source))]
    if len({movie.name for movie in movies}) < len(movies):
        raise InputError("two sources have the same name; rename a folder, or export one at a time")
    n = 0
    with output.staged() as folder, progress("exporting", sum(len(movie.images.frames) for movie in movies)) as advance:
        for movie in movies:
            for frame in movie.images.frames:
                n += WRITERS[to](_example(movie, frame, spacing_zyx_um), folder)
                advance(1)
        if not n:
            raise InputError(f"{sources[0]}: no cell in any frame; there is nothing to train on")
        if to == "nnunet":
            _describe(folder, n)
        provenance = {
            "command": "cytoform export",
            "to": to,
            "sources": recorded_names(paths),
            "versions": software_versions(),
        }
        write_json(folder / "provenance.json", provenance)
    return n


def _example(movie: PairedMovie, frame: int, spacing_zyx_um: Triple | None) -> Example:
    image, labels = movie.read(frame)
    recorded = movie.images.recorded.spacing_zyx_um or movie.labels.recorded.spacing_zyx_um
    return Example(f"{movie.name}_t{frame:03d}", image, labels.astype(np.uint16), spacing_zyx_um or recorded)


def write_stardist(example: Example, folder: Path) -> int:
    """One image and its labels."""
    for inner, values in (("images", example.image), ("masks", example.labels)):
        (folder / inner).mkdir(exist_ok=True)
        _write_tiff(folder / inner / f"{example.name}.tif", values[0] if len(values) == 1 else values)
    return 1


def write_cellpose(example: Example, folder: Path) -> int:
    """Every plane that has a cell, and its labels."""
    planes = [z for z in range(len(example.labels)) if example.labels[z].any()]
    for z in planes:
        name = f"{example.name}_z{z:03d}" if len(example.labels) > 1 else example.name
        _write_tiff(folder / f"{name}.tif", example.image[z])
        _write_tiff(folder / f"{name}_masks.tif", example.labels[z])
    return len(planes)


def write_nnunet(example: Example, folder: Path) -> int:
    """One NIfTI image with axes x, y, z, and its core and border."""
    import nibabel

    # NIfTI has no µm: nnU-Net takes the numbers as they are.
    affine = np.diag([*(example.spacing_zyx_um or (1.0, 1.0, 1.0))[::-1], 1.0])
    for inner, name, values in (
        ("imagesTr", f"{example.name}_0000", example.image),
        ("labelsTr", example.name, core_and_border(example.labels)),
    ):
        (folder / inner).mkdir(exist_ok=True)
        nibabel.save(nibabel.Nifti1Image(values.transpose(2, 1, 0), affine), folder / inner / f"{name}.nii.gz")
    return 1


def core_and_border(labels: UInt16[np.ndarray, "z y x"]) -> UInt8[np.ndarray, "z y x"]:
    """1 inside a cell, 2 at its voxels that touch anything else, along each axis."""
    border = np.zeros(labels.shape, bool)
    for axis in range(labels.ndim):
        steps = np.diff(labels.astype(np.int32), axis=axis) != 0
        before, after = [slice(None)] * 3, [slice(None)] * 3
        before[axis], after[axis] = slice(None, -1), slice(1, None)
        border[tuple(before)] |= steps
        border[tuple(after)] |= steps
    return np.where(labels > 0, np.where(border, BORDER, CORE), 0).astype(np.uint8)


def _describe(folder: Path, n: int) -> None:
    """The description that nnU-Net reads."""
    about = {
        "channel_names": {"0": "image"},
        "labels": {"background": 0, "core": CORE, "border": BORDER},
        "numTraining": n,
        "file_ending": ".nii.gz",
    }
    write_atomically(folder / "dataset.json", (json.dumps(about, indent=2) + "\n").encode())


def _write_tiff(path: Path, values: Shaped[np.ndarray, "..."]) -> None:
    import tifffile

    tifffile.imwrite(path, values, compression="zlib", photometric="minisblack")


WRITERS: dict[Trainer, Callable[[Example, Path], int]] = {
    "stardist": write_stardist,
    "cellpose": write_cellpose,
    "nnunet": write_nnunet,
}
