"""Inputs that users have (../shared/cases/README.md), and the store or the line that each must give.

Run as a program, it tries them with the `cytoform` of the environment, which needs no library for tests:
python tests/support/cases.py ../shared/cases/inputs
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

VOXELS = ("--voxel-size", "1", "0.5", "0.5")
# Voxels of the label images times 0.25 µm³. The first label and the second of most inputs.
VOLUMES_UM3 = (411.75, 167.75)
# The surface of a mask cuts its corners.
TOLERANCE = 0.05

# Exit status, and all lines written, of a command.
Run = Callable[[Sequence[str]], tuple[int, str]]


@dataclass(frozen=True)
class Family:
    """Frames, volume in the first frame and time step of a cell family."""

    n_frames: int
    volume_um3: float
    time_step_s: float | None = 60.0


@dataclass(frozen=True)
class Case:
    """Arguments of `cytoform prepare`, and the families of the store; refused with one line if there are none."""

    arguments: tuple[str, ...]
    families: dict[str, Family] = field(default_factory=dict)
    # Parts of the line with which it is refused, or of the output.
    words: tuple[str, ...] = ()


def two(
    name: str, *arguments: str, n_frames: int = 4, step_s: float | None = 60.0, words: tuple[str, ...] = ()
) -> Case:
    """A movie of the two usual cells."""
    families = {f"{name}_{n + 1:05d}": Family(n_frames, volume, step_s) for n, volume in enumerate(VOLUMES_UM3)}
    return Case(arguments, families, words)


def refused(*arguments: str, words: str) -> Case:
    """An input that cannot be read, with parts of the reason."""
    return Case(arguments, words=tuple(words.split(" … ")))


SET = tuple(f"03_multifile_ome/cells_T{t}.ome.tif" for t in range(4))
OTHER = "32_other_formats"
CASES = {
    "control": two("cells", "00_control/cells.ome.tif"),
    "01 float labels": two("LblImg_cells", "01_float32_labels_imagej"),
    "02 LZW": two("cells", "02_lzw"),
    "03 OME-TIFF set": two("cells", "03_multifile_ome"),
    "03 its files": two("cells", *SET),
    "03 one file": two("cells", SET[2]),
    "04 frames with a time axis": two("04_folder_of_1zyx", "04_folder_of_1zyx", *VOXELS, step_s=None),
    "09 tracks by Notepad": two("09_bom_crlf_01", "09_bom_crlf"),
    "20 large labels": Case(
        ("20_labels_over_65535",),
        {f"cells_{n}": Family(4, volume) for n, volume in zip((100001, 200002), VOLUMES_UM3, strict=True)},
    ),
    "23 bioformats2raw": two("cells", "23_bf2raw/cells.zarr"),
    "25 scale of the image": two("cells", "25_label_scale_lost/cells.zarr", words=("taken from its image",)),
    "27 array in a group": two("group", "27_plain_zarr_array/group.zarr", *VOXELS, step_s=None),
    "27 array of Zarr 2": two("segments", "27_plain_zarr_array/segments.zarr", *VOXELS, step_s=None),
    "27 array of Zarr 3": two("segments3", "27_plain_zarr_array/segments3.zarr", *VOXELS, step_s=None),
    "27 without a voxel size": refused(
        "27_plain_zarr_array/segments3.zarr", words="nowhere recorded; pass --voxel-size"
    ),
    "31 ozx": two("cells", "31_ozx/cells.ozx"),
    "31 zip": two("cells", "31_ozx/cells.zarr.zip"),
    "32 BigTIFF": two("cells", f"{OTHER}/cells.btf", *VOXELS, step_s=None),
    "32 OME-BigTIFF": two("cells", f"{OTHER}/cells.ome.tf8", step_s=None),
    "32 npy": two("cells_masks", f"{OTHER}/cells_masks.npy", *VOXELS, step_s=None),
    "32 folder of npy": two("npy", f"{OTHER}/npy", *VOXELS, n_frames=1, step_s=None),
    "32 pickle": refused(f"{OTHER}/cells_seg.npy", *VOXELS, words="holds Python objects … np.save(NAME, masks)"),
    "32 ilastik": two("cells_Object_Identities", f"{OTHER}/cells_Object Identities.h5", *VOXELS, step_s=None),
    "32 no NIfTI": refused(f"{OTHER}/cells.nii.gz", *VOXELS, words="cells.nii.gz: not a NIfTI file"),
    "32 folder of no NIfTI": refused(f"{OTHER}/nii", *VOXELS, words="cell_000.nii.gz: not a NIfTI file"),
    "35 Z before T": two("cells", "35_ome_ztyx", step_s=None),
    "41 channels": refused(
        "41_ij_t_as_channels/cells.tif", words="several channels … or pass --axes TZYX if these are no channels"
    ),
    "41 one volume": refused("41_ij_t_as_channels/cell.tif", words="several channels … --axes ZYX"),
    "41 with axes": two("cells", "41_ij_t_as_channels/cells.tif", "--axes", "TZYX"),
    "44 no names": two("cells", "44_shaped_noaxes/cells.tif", *VOXELS, step_s=None),
    "44 five axes": two("tczyx", "44_shaped_noaxes/tczyx.tif", *VOXELS, step_s=None),
    "45 pages": refused("45_matlab_multipage/cell.tif", *VOXELS, words="three axes without names … pass --axes ZYX"),
    "45 with axes": two("cell", "45_matlab_multipage/cell.tif", *VOXELS, "--axes", "z y x", n_frames=1, step_s=None),
    "56 lone file": refused(
        "56_multifile_lone", words="one of 4 files of an OME-TIFF set … cells_T0.ome.tif and 2 more are"
    ),
    "58 companion": two("c", "58_companion", step_s=None),
    "58 one file": two("c", "58_companion/c_T2.ome.tif", step_s=None),
    "58 the companion": two("c", "58_companion/c.companion.ome", step_s=None),
    "86 data set": two("86_res_tra_inner_01", "86_res_tra_inner"),
    "86 result": two("86_res_tra_inner_01", "86_res_tra_inner/01_RES"),
    "86 tracks": two("86_res_tra_inner_01", "86_res_tra_inner/01_RES/TRA"),
    "18 linked": Case(
        ("18_untracked_labels", "--link"),
        {f"stardist_{n:05d}": Family(4, volume) for n, volume in enumerate(VOLUMES_UM3, 1)},
        ("linked by overlap (--link): 2 tracks, 0 divisions, 0 that end",),
    ),
    "07 a frame is missing": refused(
        "07_folder_gap", words="07_folder_gap: frame 2 is missing after frame_001.tif; add"
    ),
    "13 a gap in a track": Case(
        ("13_track_gap_res",),
        {"13_track_gap_res_01_00002": Family(4, VOLUMES_UM3[1])},
        ("label 1 has no voxels in frame 2 although its track runs from frame 0 to 3", "mask002.tif, frame 2)"),
    ),
    "16 images": refused(
        "16_ctc_raw_images/01", words="t000.tif, frame 0: grey values, not labels: 9 … give the label"
    ),
    "17 images among labels": two(
        "17_cellpose_mixed_folder",
        "17_cellpose_mixed_folder",
        words=("17_cellpose_mixed_folder: 4 files such as img_000.tif left aside as images",),
    ),
    "18 numbered anew": refused(
        "18_untracked_labels",
        words="stardist.tif, frame 1: the labels do not follow the cells: label 1 lies in frame 1 where label 2 was in frame 0 "
        "… pass --link",
    ),
    "18 kept": Case(
        ("18_untracked_labels", "--jumps", "keep"),
        {f"stardist_{n:05d}": Family(4, volume) for n, volume in enumerate(VOLUMES_UM3, 1)},
        ("stardist.tif, frame 1: label 1 lies where label 2 was in frame 0, and 5 more like it; check",),
    ),
    "19 two cells in one label": Case(
        ("19_binary_many_cells",),
        {"binary": Family(4, sum(VOLUMES_UM3))},
        ("binary.tif, frame 0: label 255 lies in 2 pieces, one with 29 % of it", "pass --split --link"),
    ),
    "19 split": two("binary", "19_binary_many_cells", "--split", "--link"),
    "19 strict": refused("19_binary_many_cells", "--strict", words="label 255 lies in 2 pieces … refused by --strict"),
    "49 markers": Case(
        ("49_st_incomplete",),
        # 73 voxels; a ball so small loses its corners.
        {f"49_st_incomplete_01_{n:05d}": Family(4, 16.0) for n in (1, 2)},
        ("01_GT/TRA: tracking markers stand in for the cells", "01_ST/SEG has no mask in frame 2; add the masks"),
    ),
    "49 strict": refused("49_st_incomplete", "--strict", words="tracking markers stand in … refused by --strict"),
    "54 a gap": Case(
        ("54_label_gap_tiff",),
        {"cells_00002": Family(4, VOLUMES_UM3[1])},
        ("left out: cells_00001, label 1 has no voxels in frame 2 although it is there from frame 0 to 3",),
    ),
    "55 empty frames of a set": two("55_empty_first_frame_01", "55_empty_first_frame/01_GT", n_frames=2),
    "55 empty frames": two("cells", "55_empty_first_frame/cells.tif", n_frames=2),
    "59 grey values": refused(
        "59_grey_image", words="image.tif, frame 0: grey values, not labels … scattered in pieces"
    ),
    "61 no depth": refused(
        "61_fiji_depth_one", words="along Z is not recorded (Fiji leaves out a depth of 1); pass --voxel-size Z 0.5 0.5"
    ),
    "61 given": two("cells", "61_fiji_depth_one", *VOXELS),
    "62 one frame": two("62_single_frame", "62_single_frame", n_frames=1),
    "65 two scales": refused("65_voxel_size_differs", words="t1.tif: voxels of 2 1 1 µm, but 1 0.5 0.5 µm in … t0.tif"),
    "65 given": two(
        "65_voxel_size_differs", "65_voxel_size_differs", *VOXELS, n_frames=2, words=("replaces the recorded 2 1 1 µm",)
    ),
    "87 another order": two(
        "cells",
        "87_given_contradicts_recorded",
        *("--voxel-size", "0.5", "0.5", "1"),
        words=("--voxel-size 0.5 0.5 1 replaces the recorded 1 0.5 0.5 µm; the order is Z Y X",),
    ),
    "88 images": refused("88_raw_beside_gt/01", words="the images of a Cell Tracking Challenge sequence … 01_GT"),
    "88 labels": two("88_raw_beside_gt_01", "88_raw_beside_gt", n_frames=2, words=("perhaps tracking markers",)),
    "A0 lineage beside": two("tracked", "A0_lineage_beside_movie", words=("A0_lineage_beside_movie/man_track.txt",)),
    "A6 a copy": two(
        "cells_2",
        "A6_two_exports_same_movie",
        words=("cells.ome.tif: the same label images as", "A6_two_exports_same_movie/cells.tif; left out"),
    ),
    "A7 too shallow": refused(
        "A7_touching_only_at_depth", words="the top or bottom of the stack cuts every cell … --border keep"
    ),
    "A7 kept": Case(
        ("A7_touching_only_at_depth", "--border", "keep"),
        {"cells_00001": Family(4, 281.25), "cells_00002": Family(4, 129.75)},
        ("cells.tif, frame 0: the border cuts cells_00001 and 1 more, kept on request; cut faces count as surface",),
    ),
    "B9 movies among frames": refused("B9_volumes_then_movie", words="t2.tif holds 4 frames and t0.tif only one; keep"),
}


def check(case: Case, inputs: Path, folder: Path, run: Run) -> None:
    """Prepare the input of a case into a new folder. Raises AssertionError if the store or the refusal is another."""
    out = folder / "shapes.zarr"
    first = [str(inputs / argument) if (inputs / argument).exists() else argument for argument in case.arguments]
    status, written = run(["prepare", *first, "--out", str(out), "--grid", "48", "--workers", "1"])
    for words in case.words:
        assert words in written, f"{words!r} is not in {written!r}"
    if not case.families:
        assert (status, written.count("\n")) == (2, 1), written
        assert not list(folder.iterdir()), "something was written"
        return
    assert status == 0, written
    assert found(out) == case.families


class _Near(float):
    """A volume that equals others within the tolerance."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, float) and abs(float(self) - float(other)) <= TOLERANCE * float(other)

    __hash__ = float.__hash__


def found(out: Path) -> dict[str, Family]:
    """The families of a store."""
    from cytoform.shapes.store import ShapeStore

    store = ShapeStore.open(out)
    families = {}
    for sequence in store:
        volume = float(sequence.mask(0).sum()) * store.grid.spacing_um**3
        families[sequence.info.name] = Family(sequence.info.n_frames, _Near(volume), sequence.info.time_step_s)
    return families


def _by_command(arguments: Sequence[str]) -> tuple[int, str]:
    done = subprocess.run(["cytoform", *arguments], capture_output=True, text=True, timeout=300)
    return done.returncode, done.stderr if done.returncode else done.stdout + done.stderr


def main(inputs: Path) -> int:
    """Try every case; returns how many failed."""
    failed = 0
    for name, case in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            try:
                check(case, inputs, Path(folder), _by_command)
            except AssertionError as fault:
                failed += 1
                print(f"{name}: {fault}", file=sys.stderr)
    print(f"{len(CASES) - failed} of {len(CASES)} cases are as expected")
    return failed


if __name__ == "__main__":
    sys.exit(bool(main(Path(sys.argv[1]))))
