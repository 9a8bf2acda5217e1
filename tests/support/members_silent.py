"""Members of the classes A to H, which end in a wrong result if nobody looks."""

import numpy as np
from member_files import (
    FRAMES,
    LARGE,
    NAMES,
    SMALL,
    balls,
    blurred,
    challenge,
    each,
    folder,
    geff,
    grey,
    hdf5,
    imagej,
    multiscales,
    nifti,
    npy,
    ome,
    ome_set,
    swapped,
    text,
    tif,
    trackmate,
    zarr_image,
)
from members import VOXELS, Member, both, refused
from scipy import ndimage

SILENT: dict[str, Member] = {
    # A. Files of a set, axes of length one, the same data twice.
    "A set of planes": Member(lambda at: ome_set(at, by_plane=True), **both(step_s=60.0)),
    "A set of channels": Member(lambda at: ome_set(at, channels=2), **refused("several channels")),
    "A set without a file": Member(lambda at: ome_set(at, without=2), **refused("c_T2_C0_Z0.ome.tif")),
    "A frames TCZYX": Member(
        lambda at: folder(at, NAMES, lambda path, frame, axes: ome(path, frame[None, None], "TCZYX")),
        **both(step_s=60.0),
    ),
    "A one file, axis C": Member(lambda at: ome(at / "a.ome.tif", FRAMES[:, None], "TCZYX"), **both(step_s=60.0)),
    "A copy as npy": Member(
        lambda at: (ome(at / "cells.ome.tif"), npy(at / "cells_copy.npy")),
        **both("the same label images as", *VOXELS, step_s=60.0),
    ),
    "A copy as Zarr in the folder": Member(
        lambda at: (ome(at / "d" / "cells.ome.tif"), zarr_image(at / "d" / "cells.zarr", multiscales()))[0].parent,
        **both(step_s=60.0),
    ),
    "A copy on another grid": Member(
        lambda at: (
            ome(at / "one.ome.tif"),
            ome(at / "two.ome.tif", FRAMES[..., ::2, ::2], PhysicalSizeX=1.0, PhysicalSizeY=1.0),
        ),
        words="two.ome.tif: the same cells as",
        families=((4, LARGE, 60.0), (4, SMALL, 60.0)) * 2,
    ),
    "A another movie as Zarr in the folder": Member(
        lambda at: (ome(at / "d" / "cells.ome.tif"), zarr_image(at / "d" / "other.zarr", multiscales()))[0].parent,
        **both("other.zarr beside cells.ome.tif not read", step_s=60.0),
    ),
    "A frames and a stack of them": Member(
        lambda at: (folder(at, NAMES, imagej), imagej(at / "masks" / "stack.tif"))[0],
        **refused("stack.tif holds 4 frames"),
    ),
    # B. Numbers in file names.
    "B from 1": Member(lambda at: folder(at, ["t1.tif", "t2.tif", "t3.tif", "t4.tif"]), **both("", *VOXELS)),
    "B over 9": Member(
        lambda at: folder(at, ["t10.tif", "t11.tif", "t8.tif", "t9.tif"], frames=FRAMES[[2, 3, 0, 1]]),
        **both("", *VOXELS),
    ),
    "B mixed widths": Member(
        lambda at: folder(at, ["t009.tif", "t10.tif", "t0011.tif", "t12.tif"]), **both("", *VOXELS)
    ),
    "B two widths of one number": Member(
        lambda at: folder(at, ["t1.tif", "t01.tif", "t2.tif", "t3.tif"]), **refused("both frame 1", *VOXELS)
    ),
    "B a gap at ten": Member(
        lambda at: folder(at, ["t1.tif", "t2.tif", "t3.tif", "t10.tif"]), **refused("frame 4 is missing", *VOXELS)
    ),
    "B every fifth": Member(
        lambda at: folder(at, ["t0.tif", "t5.tif", "t10.tif", "t15.tif"]), **both("rise by 5", *VOXELS)
    ),
    "B channel and position": Member(
        lambda at: folder(at, [f"exp3_s02_t{t:04d}_c1.tif" for t in range(4)]), **both("", *VOXELS)
    ),
    "B two positions": Member(
        lambda at: folder(at, ["s1_t0.tif", "s1_t1.tif", "s2_t0.tif", "s2_t1.tif"]),
        **refused("several numbers vary", *VOXELS),
    ),
    "B two channels": Member(
        lambda at: folder(at, ["t0_c1.tif", "t0_c2.tif", "t1_c1.tif", "t1_c2.tif"]),
        **refused("several numbers vary", *VOXELS),
    ),
    "B a second download": Member(
        lambda at: folder(at, ["t0.tif", "t1.tif", "t1 (1).tif", "t2.tif"]),
        **refused("differ in more than a number", *VOXELS),
    ),
    "B times of day": Member(
        lambda at: folder(at, ["x_10-50.tif", "x_10-55.tif", "x_11-00.tif", "x_11-05.tif"]),
        **refused("several numbers vary", *VOXELS),
    ),
    "B no numbers": Member(
        lambda at: folder(at, ["a.tif", "b.tif", "c.tif"]), **refused("differ in more than a number", *VOXELS)
    ),
    "B Challenge from 1": Member(lambda at: challenge(at, first=1), **refused("man_track000.tif is missing", *VOXELS)),
    "B planes of MicroManager": Member(
        lambda at: folder(
            at,
            [f"img_channel000_position000_time{t:09d}_z{z:03d}.tif" for t in range(2) for z in range(3)],
            lambda path, plane, axes: tif(path, plane, "YX"),
            FRAMES[:2, :3].reshape(6, 30, 44),
        ),
        **refused("several numbers vary", *VOXELS),
    ),
    # C. Scales.
    "C nanometres": Member(
        lambda at: ome(
            at / "a.ome.tif",
            PhysicalSizeX=500,
            PhysicalSizeY=500,
            PhysicalSizeZ=1000,
            PhysicalSizeXUnit="nm",
            PhysicalSizeYUnit="nm",
            PhysicalSizeZUnit="nm",
        ),
        **both(step_s=60.0),
    ),
    "C millimetres and minutes": Member(
        lambda at: ome(
            at / "a.ome.tif",
            PhysicalSizeX=0.0005,
            PhysicalSizeY=0.0005,
            PhysicalSizeZ=1.0,
            TimeIncrement=1,
            PhysicalSizeXUnit="mm",
            PhysicalSizeYUnit="mm",
            PhysicalSizeZUnit="µm",
            TimeIncrementUnit="min",
        ),
        **both(step_s=60.0),
    ),
    "C pixels as unit": Member(
        lambda at: ome(
            at / "a.ome.tif", PhysicalSizeXUnit="pixel", PhysicalSizeYUnit="pixel", PhysicalSizeZUnit="pixel"
        ),
        **refused("the voxel size is nowhere recorded"),
    ),
    "C Fiji without calibration": Member(
        lambda at: imagej(at / "a.tif", unit="pixel", resolution=(1, 1)),
        **refused("the voxel size is nowhere recorded"),
    ),
    "C Fiji in millimetres": Member(
        lambda at: imagej(at / "a.tif", unit="mm", spacing=0.001, resolution=(2000, 2000)), **both(step_s=60.0)
    ),
    "C Fiji micro sign": Member(lambda at: imagej(at / "a.tif", unit="\\u00B5m"), **both(step_s=60.0)),
    "C dots per inch": Member(
        lambda at: tif(at / "a.tif", resolution=(72, 72), resolutionunit="INCH"),
        **refused("the voxel size is nowhere recorded"),
    ),
    "C scale in the first frame only": Member(
        lambda at: (
            folder(at, NAMES[:1], imagej),
            folder(at, ["t-", *NAMES[1:]], frames=FRAMES),
            (at / "masks" / "t-").unlink(),
        )[0],
        **both(step_s=60.0),
    ),
    "C third frame in another scale": Member(
        lambda at: (folder(at, NAMES, imagej), imagej(at / "masks" / NAMES[2], FRAMES[2], "ZYX", spacing=2.0))[0],
        **refused("t002.tif: voxels of 2 0.5 0.5 µm, but 1 0.5 0.5"),
    ),
    "C another time step": Member(
        lambda at: imagej(at / "a.tif"),
        **both("--time-step 30 replaces the recorded 60 s", "--time-step", "30", step_s=30.0),
    ),
    "C NIfTI in micrometres": Member(
        lambda at: nifti(at / "a.nii.gz", FRAMES, (0.5, 0.5, 1.0), "micron"), **both(step_s=1.0)
    ),
    "C NIfTI in millimetres": Member(
        lambda at: nifti(at / "a.nii", FRAMES, (0.0005, 0.0005, 0.001), "mm"), **both(step_s=1.0)
    ),
    "C NIfTI with wrong millimetres": Member(
        lambda at: nifti(at / "a.nii", FRAMES, (0.5, 0.5, 1.0), "mm"), **refused("too large for cells")
    ),
    "C PlantSeg": Member(
        lambda at: hdf5(at / "a.h5", segmentation=FRAMES, attributes={"element_size_um": [1.0, 0.5, 0.5]}), **both()
    ),
    "C reversed depth": Member(lambda at: imagej(at / "a.tif", spacing=-1.0), **both(step_s=60.0)),
    # D. Labels that do not follow the cells.
    "D exchanged in odd frames": Member(
        lambda at: ome(at / "a.ome.tif", each(FRAMES, swapped)), **refused("pass --link")
    ),
    "D exchanged, linked": Member(
        lambda at: ome(at / "a.ome.tif", each(FRAMES, swapped)), **both("linked by overlap", "--link", step_s=60.0)
    ),
    "D never the same number": Member(
        lambda at: ome(at / "a.ome.tif", each(FRAMES, lambda t, frame: np.where(frame, frame + 2 * t, 0))),
        **refused("pass --link"),
    ),
    "D cellpose folder": Member(
        lambda at: folder(at, [f"im_{t}_cp_masks.tif" for t in range(4)], frames=each(FRAMES, swapped)),
        **both("linked by overlap", "--link", *VOXELS),
    ),
    # E. Many cells in one label, and masks without labels.
    "E mask of booleans": Member(
        lambda at: npy(at / "a.npy", FRAMES > 0),
        families=((4, LARGE + SMALL, None),),
        words="2 pieces",
        options=VOXELS,
    ),
    "E one cell, booleans": Member(
        lambda at: npy(at / "a.npy", FRAMES == 1), families=((4, LARGE, None),), options=VOXELS
    ),
    "E TIFF of one bit": Member(
        lambda at: tif(at / "a.tif", FRAMES == 1), families=((4, LARGE, None),), options=VOXELS
    ),
    "E mask 0 and 255, split": Member(
        lambda at: tif(at / "a.tif", ((FRAMES > 0) * 255).astype("u1")), **both("", *VOXELS, "--split", "--link")
    ),
    "E background 1": Member(lambda at: tif(at / "a.tif", FRAMES + 1), **both("no voxel is 0", *VOXELS)),
    # F. Grey values.
    "F probabilities": Member(
        lambda at: tif(at / "a.tif", (grey() / 255).astype("f4")), **refused("labels are whole numbers", *VOXELS)
    ),
    "F noise in cells": Member(lambda at: tif(at / "a.tif", grey()), **refused("grey values, not labels", *VOXELS)),
    "F whole numbers as floats": Member(
        lambda at: tif(at / "a.tif", grey().astype("f4")), **refused("grey values, not labels", *VOXELS)
    ),
    "F distances": Member(
        lambda at: tif(
            at / "a.tif", each(FRAMES, lambda t, f: ndimage.distance_transform_edt(f > 0).round().astype("u2"))
        ),
        **refused("grey values, not labels", *VOXELS),
    ),
    "F interpolated labels": Member(lambda at: tif(at / "a.tif", blurred()), **refused("a.tif, frame 0", *VOXELS)),
    "F JPEG": Member(
        lambda at: tif(at / "a.tif", ((FRAMES > 0) * 255).astype("u1"), compression="jpeg"),
        **refused("a.tif, frame 0", *VOXELS),
    ),
    "F a palette": Member(
        lambda at: tif(at / "a.tif", FRAMES.astype("u1"), photometric="palette", colormap=np.zeros((3, 256), "u2")),
        **both("", *VOXELS),
    ),
    "F colours": Member(
        lambda at: tif(at / "a.tif", np.stack([(FRAMES * 60).astype("u1")] * 3, -1), "TZYXS", photometric="rgb"),
        **refused("RGB or several channels", *VOXELS),
    ),
    "F images among masks": Member(
        lambda at: (
            folder(at, [f"a{t}_seg.tif" for t in range(4)]),
            folder(at, [f"a{t}.tif" for t in range(4)], frames=grey()),
        )[0],
        **both("left aside as images", *VOXELS),
    ),
    # G. Markers.
    "G markers alone": Member(lambda at: challenge(at), **both("perhaps tracking markers", *VOXELS)),
    "G balls of TrackMate": Member(
        lambda at: tif(at / "LblImg_a.tif", balls()),
        families=((4, 28.0, None),) * 3,
        words="the size of tracking markers",
        options=VOXELS,
    ),
    # H. Lineages.
    "H TrackMate in µm": Member(
        lambda at: trackmate(ome(at / "c.ome.tif"), "µm", (1, 0.5, 0.5)), **both("c.xml", step_s=60.0)
    ),
    "H TrackMate in pixels": Member(
        lambda at: trackmate(ome(at / "c.ome.tif"), "pixel", (1, 1, 1)), **both("c.xml", step_s=60.0)
    ),
    "H TrackMate in nm": Member(
        lambda at: trackmate(ome(at / "c.ome.tif"), "nm", (1000, 500, 500)), **both("c.xml", step_s=60.0)
    ),
    "H GEFF in µm": Member(
        lambda at: geff(ome(at / "c.ome.tif"), "micrometer", (1, 0.5, 0.5)), **both("tracks.geff", step_s=60.0)
    ),
    "H GEFF in pixels": Member(
        lambda at: geff(ome(at / "c.ome.tif"), "pixel", (1, 1, 1)), **both("tracks.geff", step_s=60.0)
    ),
    "H mother and daughters": Member(
        lambda at: (
            text(at / "c_man_track.txt", "1 0 1 0\n2 2 3 1\n3 2 3 1\n"),
            ome(at / "c.ome.tif", each(FRAMES, lambda t, f: (f == 1) * f if t < 2 else (f > 0) * (f + 1))),
        )[1],
        families=((4, LARGE, 60.0),),
        words="c_man_track.txt",
    ),
    "H no lineage is said": Member(lambda at: ome(at / "c.ome.tif"), **both("no lineage", step_s=60.0)),
    "H tracks of TrackMate as a table": Member(
        lambda at: (
            text(at / "c_spots.csv", "LABEL,ID,TRACK_ID,POSITION_X,POSITION_Y,POSITION_Z,FRAME\n"),
            ome(at / "c.ome.tif"),
        )[1],
        **both("no lineage", step_s=60.0),
    ),
}
