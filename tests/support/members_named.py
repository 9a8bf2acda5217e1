"""Members of the classes I to R, and of the layouts of Zarr, which are read or refused with the true reason."""

import gzip
import json

import numpy as np
from member_files import (
    FRAMES,
    LARGE,
    NAMES,
    SMALL,
    bioformats2raw,
    challenge,
    each,
    folder,
    grey,
    hdf5,
    imagej,
    multiscales,
    nifti,
    npy,
    npz,
    plate,
    text,
    tif,
    zarr_image,
    zip_of,
)
from members import VOXELS, Member, both, refused

NAMED: dict[str, Member] = {
    # J. The true reason.
    "J plate": Member(lambda at: plate(at / "p.zarr"), **refused("a plate of wells, not one movie")),
    "J image of a plate": Member(lambda at: plate(at / "p.zarr") / "A/1/0", **both(step_s=60.0)),
    "J newer Zarr": Member(lambda at: zarr_image(at / "a.zarr", multiscales("0.9")), **refused("newer than 0.5")),
    "J gzip": Member(
        lambda at: [(at / "a.tif").write_bytes(gzip.compress(tif(at / "b.tif").read_bytes())), at / "a.tif"][1],
        **refused("a gzip file", *VOXELS),
    ),
    "J gzip by name": Member(
        lambda at: [(at / "a.tif.gz").write_bytes(gzip.compress(tif(at / "b.tif").read_bytes())), at / "a.tif.gz"][1],
        **refused("gzip", *VOXELS),
    ),
    "J Git LFS": Member(
        lambda at: text(at / "a.tif", "version https://git-lfs.github.com/spec/v1\n"), **refused("Git LFS", *VOXELS)
    ),
    "J page of an error": Member(
        lambda at: text(at / "a.tif", "<!DOCTYPE html><html>"), **refused("a page or XML text", *VOXELS)
    ),
    "J empty file": Member(lambda at: text(at / "a.tif", ""), **refused("an empty file", *VOXELS)),
    "J NRRD": Member(lambda at: text(at / "a.nrrd", "NRRD0005\n"), **refused("an NRRD volume", *VOXELS)),
    "J MetaImage": Member(
        lambda at: text(at / "a.mha", "ObjectType = Image\n"), **refused("a MetaImage volume", *VOXELS)
    ),
    "J two images of bioformats2raw": Member(lambda at: bioformats2raw(at / "a.zarr", 2), **refused("it has 0, 1")),
    # K. Axes.
    "K channels": Member(lambda at: tif(at / "a.tif", FRAMES, "CZYX"), **both("", *VOXELS, "--axes", "TZYX")),
    "K MATLAB order": Member(
        lambda at: npy(at / "a.npy", FRAMES.transpose(2, 3, 1, 0)), **both("", *VOXELS, "--axes", "YXZT")
    ),
    "K three axes": Member(lambda at: npy(at / "a.npy", FRAMES[0]), **refused("pass --axes ZYX", *VOXELS)),
    "K Fiji, planes as times": Member(
        lambda at: imagej(at / "a.tif", FRAMES[0], "TYX", finterval=None), **refused("--axes ZYX", *VOXELS)
    ),
    "K six axes": Member(lambda at: tif(at / "a.tif", FRAMES[None, :, None], "QTCZYX"), **both("", *VOXELS)),
    "K ilastik": Member(
        lambda at: hdf5(
            at / "a_Object Identities.h5",
            exported_data=FRAMES.transpose(0, 3, 2, 1)[..., None],
            attributes={"axistags": json.dumps({"axes": [{"key": key} for key in "txyzc"]})},
        ),
        **both("", *VOXELS),
    ),
    "K BigDataViewer": Member(
        lambda at: hdf5(at / "a.h5", **{f"t{t:05d}__s00__0__cells": frame for t, frame in enumerate(FRAMES)}),
        **refused("several arrays", *VOXELS),
    ),
    # L. Number types.
    **{
        f"L {dtype}": Member(lambda at, dtype=dtype: tif(at / "a.tif", FRAMES.astype(dtype)), **both("", *VOXELS))
        for dtype in ("u1", "i2", "i4", "i8", "u8", "f2", "f4", "f8", ">u2", ">f4")
    },
    "L huge labels": Member(lambda at: npy(at / "a.npy", FRAMES.astype("u8") * (1 << 60)), **both("", *VOXELS)),
    "L background -1": Member(
        lambda at: npy(at / "a.npy", FRAMES.astype("i4") - 1), **refused("a negative label -1", *VOXELS)
    ),
    "L no number as background": Member(
        lambda at: tif(at / "a.tif", np.where(FRAMES, FRAMES, np.nan).astype("f4")), **refused("nan", *VOXELS)
    ),
    "L complex": Member(lambda at: npy(at / "a.npy", FRAMES.astype("c8")), **refused("type complex64", *VOXELS)),
    # O. One bad cell or frame.
    "O a frame without cells": Member(
        lambda at: tif(at / "a.tif", each(FRAMES, lambda t, f: f * (t != 2))),
        **refused("no foreground in frame 2", *VOXELS),
    ),
    "O a frame without cells, kept": Member(
        lambda at: tif(at / "a.tif", each(FRAMES, lambda t, f: f * (t != 2))), **both("", *VOXELS, "--gaps", "keep")
    ),
    "O a cell that comes late": Member(
        lambda at: tif(at / "a.tif", each(FRAMES, lambda t, f: np.where((f == 2) & (t < 2), 0, f))),
        families=((4, LARGE, None), (2, SMALL, None)),
        options=VOXELS,
    ),
    "O tracks beyond the movie": Member(
        lambda at: (text(at / "man_track.txt", "1 0 9 0\n2 0 3 0\n"), tif(at / "a.tif"))[1],
        families=((4, SMALL, None),),
        words="runs to frame 9",
        options=VOXELS,
    ),
    # P. Names and places.
    "P capitals": Member(lambda at: folder(at, ["T0.TIF", "T1.TIF", "T2.TIF", "T3.TIF"]), **both("", *VOXELS)),
    "P Apple's and Windows' files": Member(
        lambda at: (
            folder(at, NAMES),
            text(at / "masks" / "._t000.tif", "x"),
            text(at / "masks" / ".DS_Store", "x"),
            text(at / "masks" / "Thumbs.db", "x"),
        )[0],
        **both("", *VOXELS),
    ),
    "P blanks and umlauts": Member(
        lambda at: folder(at, [f"Zelle ü {t} %.tif" for t in range(4)]), **both("", *VOXELS)
    ),
    "P no ending": Member(lambda at: tif(at / "labels"), **both("", *VOXELS)),
    "P a folder too high": Member(
        lambda at: challenge(at).parent, **refused("no label movie, but data in it; give", *VOXELS)
    ),
    "P a folder of pictures": Member(
        lambda at: [(at / "d").mkdir(), (at / "d" / "0.png").write_bytes(b"\x89PNG\r\n"), at / "d"][2],
        **refused("0.png is a PNG picture", *VOXELS),
    ),
    "P result": Member(lambda at: challenge(at, "RES", "mask"), **both("", *VOXELS)),
    # Q. Containers.
    "Q npz of cellpose": Member(
        lambda at: npz(at / "a.npz", masks=FRAMES, flows=np.zeros((2, 3))), **both("", *VOXELS)
    ),
    "Q npz of two arrays": Member(
        lambda at: npz(at / "a.npz", one=FRAMES, two=FRAMES), **refused("several arrays", *VOXELS)
    ),
    "Q HDF5 with its image": Member(lambda at: hdf5(at / "a.h5", raw=grey(), labels=FRAMES), **both("", *VOXELS)),
    "Q nnU-Net": Member(
        lambda at: (
            [
                text(at / "pred" / "dataset.json", "{}"),
                *(
                    nifti(at / "pred" / f"cell_{t:03d}.nii.gz", frame, (0.5, 0.5, 1), "micron")
                    for t, frame in enumerate(FRAMES)
                ),
            ][0].parent
        ),
        **both(),
    ),
    "Q zip of TIFFs": Member(
        lambda at: zip_of(at / "a.zip", folder(at, NAMES)), **refused("a zip file without Zarr", *VOXELS)
    ),
    "Q ozx of 0.5": Member(
        lambda at: zip_of(at / "a.ozx", zarr_image(at / "a.zarr", multiscales("0.5"))), **both(step_s=60.0)
    ),
    "Q zip with the folder inside": Member(
        lambda at: zip_of(at / "a.zarr.zip", zarr_image(at / "a.zarr", multiscales()), "a.zarr"), **both(step_s=60.0)
    ),
    "Q Imaris": Member(lambda at: hdf5(at / "a.ims", DataSet__x=FRAMES), **refused("bioio", *VOXELS)),
    "Q pickled cellpose": Member(
        lambda at: [np.save(at / "a_seg.npy", {"masks": FRAMES}, allow_pickle=True), at / "a_seg.npy"][1],
        **refused("the entry 'masks'", *VOXELS),
    ),
    # Zarr.
    "Z bioformats2raw": Member(lambda at: bioformats2raw(at / "a.zarr"), **both(step_s=60.0)),
    "Z 0.5": Member(lambda at: zarr_image(at / "a.zarr", multiscales("0.5")), **both(step_s=60.0)),
    "Z labels of 0.4": Member(
        lambda at: zarr_image(at / "a.zarr", multiscales(), labels=["cells"]), **both(step_s=60.0)
    ),
    "Z labels of 0.5": Member(
        lambda at: zarr_image(at / "a.zarr", multiscales("0.5"), labels=["cells"]), **both(step_s=60.0)
    ),
    "Z several labels": Member(
        lambda at: zarr_image(at / "a.zarr", multiscales(), labels=["cells", "nuclei"]),
        **refused("it has cells, nuclei"),
    ),
    "Z one of several labels": Member(
        lambda at: zarr_image(at / "a.zarr", multiscales(), labels=["cells", "nuclei"]) / "labels" / "nuclei",
        **both(step_s=60.0),
    ),
    "Z scale of the image": Member(
        lambda at: zarr_image(at / "a.zarr", multiscales(level=[1, 1, 1, 1], image=[60, 1, 0.5, 0.5])),
        **both(step_s=60.0),
    ),
    "Z both scales": Member(
        lambda at: zarr_image(at / "a.zarr", multiscales(level=[1, 0.5, 0.5, 0.5], image=[60, 2, 1, 1])),
        **both(step_s=60.0),
    ),
    "Z nanometres": Member(
        lambda at: zarr_image(at / "a.zarr", multiscales(unit="nanometer", level=[60, 1000, 500, 500])),
        **both(step_s=60.0),
    ),
    "Z no units": Member(lambda at: zarr_image(at / "a.zarr", multiscales(unit=None)), **refused("the voxel size")),
    "Z no units, given": Member(
        lambda at: zarr_image(at / "a.zarr", multiscales(unit=None)), **both("", *VOXELS, step_s=60.0)
    ),
    "Z no scale": Member(
        lambda at: zarr_image(at / "a.zarr", multiscales(level=None)), **refused("the voxel size is nowhere recorded")
    ),
    "Z two channels": Member(
        lambda at: zarr_image(
            at / "a.zarr", multiscales(axes="tczyx", level=[60, 1, 1, 0.5, 0.5]), np.stack([FRAMES] * 2, 1)
        ),
        **refused("several channels"),
    ),
    "Z a lost part": Member(
        lambda at: [
            zarr_image(at / "a.zarr", multiscales()),
            (at / "a.zarr" / "0" / ".zarray").unlink(),
            at / "a.zarr",
        ][2],
        **refused("a.zarr"),
    ),
}
