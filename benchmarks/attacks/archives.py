"""Attacks by HDF5 files, archives, checkpoints with code in them, and addresses with secrets."""

import hashlib
import io
import os
import pickle
import stat
import zipfile
from collections.abc import Callable
from random import Random
from typing import Any

import h5py
import numpy as np
import pooch
from damage import cut, flip, hostile_text
from place import Attack, Place

IMPORT = "import cell.h5 --voxel-size 0.5 --workers 1 --out new.zarr"
ADDRESS = "https://127.0.0.1:1/cells.zip"
SECRET = "hunter2"
MEMBERS = (
    "../evil", "a/../../evil", "/tmp/evil", "..\\evil", "C:\\evil", ".", "a/..", "a\nb", "a\x1b[31m", "a" * 300, "CON/../../x",
    "a/" * 200 + "b", "provenance.json", "$(touch evil)_GT/x", "'; touch evil #", "-rf", "\u202e",
)  # fmt: skip


def _ball() -> np.ndarray:
    z, y, x = np.indices((16, 16, 16)) - 7.5
    return np.stack([(np.sqrt(z**2 + y**2 + x**2) - 5) / 32] * 2, axis=-1).astype(np.float32)


def _link(file: h5py.File) -> None:
    file["sdf_vid"] = h5py.ExternalLink("other.h5", "sdf_vid")


def _virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((16, 16, 16, 2), np.float32)
    layout[:] = h5py.VirtualSource("other.h5", "sdf_vid", (16, 16, 16, 2))
    file.create_virtual_dataset("sdf_vid", layout)


def _external(file: h5py.File) -> None:
    file.create_dataset("sdf_vid", (16, 16, 16, 2), np.float32, external=[("/etc/passwd", 0, 32768)])


def _claim(*shape: int) -> Callable[[h5py.File], object]:
    return lambda file: file.create_dataset("sdf_vid", shape, np.float32, chunks=(16, 16, 16, 1))


def _values(values: Any) -> Callable[[h5py.File], object]:
    return lambda file: file.create_dataset("sdf_vid", data=values)


HDF5: dict[str, Callable[[h5py.File], object]] = {
    "link to another file": _link,
    "virtual values of another file": _virtual,
    "values in any file": _external,
    "link to itself": lambda file: file.__setitem__("sdf_vid", h5py.SoftLink("/sdf_vid")),
    "a group": lambda file: file.create_group("sdf_vid"),
    "other array": lambda file: file.create_dataset("other", data=[1]),
    "a billion frames": _claim(16, 16, 16, 10**9),
    "huge cube": _claim(10**6, 10**6, 10**6, 2),
    "flat": _values(np.zeros((16, 16), np.float32)),
    "no cube": _values(np.zeros((16, 8, 16, 2), np.float32)),
    "empty": _values(np.zeros((0, 0, 0, 0), np.float32)),
    "no frames": _values(np.zeros((16, 16, 16, 0), np.float32)),
    "text": _values("text"),
    "complex": _values(_ball() * 1j),
    "NaN": _values(_ball() * np.nan),
    "infinite": _values(_ball() + np.inf),
    "all inside": _values(-np.ones((16, 16, 16, 2), np.float32)),
    "inside out": _values(-_ball()),
}


def hdf5_contents(place: Place, random: Random) -> None:
    """Values elsewhere, of huge or wrong shapes, no numbers."""
    name = random.choice(sorted(HDF5))
    with h5py.File(place.folder / "other.h5", "w") as other:
        other["sdf_vid"] = _ball()
    with h5py.File(place.folder / "cell.h5", "w") as file:
        HDF5[name](file)
    place.about = f"HDF5: {name}"
    place.read(IMPORT, refuses=True)
    place.read(
        random.choice(["info cell.h5", "prepare cell.h5 --voxel-size 1 1 1 --workers 1 --out other.zarr"]), allowed=True
    )


def hdf5_scale(place: Place, random: Random) -> None:
    """The scale that export records is of a wrong kind."""
    name = random.choice(["um_per_unit", "band_um", "time_step_s"])
    value = random.choice([np.nan, np.inf, -1.0, 0.0, 1e308, "x", [1.0, 2.0], np.zeros((0,)), 1j, b"\xff"])
    with h5py.File(place.folder / "cell.h5", "w") as file:
        file["sdf_vid"] = _ball()
        for key in ("um_per_unit", "band_um", "time_step_s"):
            file[key] = value if key == name else 1.0
    place.about = f"HDF5: {name} = {value!r}"
    place.read("import cell.h5 --workers 1 --out new.zarr", refuses=True)


def hdf5_bytes(place: Place, random: Random) -> None:
    """A file that is cut, has flipped bits, or is none."""
    place.about = random.choice([cut, flip, flip, hostile_text])(place.copy("cell.h5"), random)
    place.read(random.choice([IMPORT, "info cell.h5"]), allowed=True)


class _Code:
    """Code that a pickle runs."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, ("touch evil",)


def checkpoint(place: Place, random: Random) -> None:
    """A checkpoint with code in its pickle, that is cut, or that names files elsewhere; and hostile codes."""
    data = random.choice(
        [pickle.dumps(_Code()), pickle.dumps({"a": 1}), b"", b"\x80\x04.", b"cos\nsystem\n(S'touch evil'\ntR."]
    )
    path = place.folder / "model.pth"
    if random.random() < 0.7:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(random.choice(["archive/data.pkl", "../data.pkl", "data.pkl"]), data)
            archive.writestr("archive/version", "3")
            archive.writestr(random.choice(["archive/data/0", "archive/../../evil"]), bytes(64))
    else:
        path.write_bytes(data)
    (place.folder / "codes.mat").write_bytes(
        random.choice([b"", b"MATLAB 5.0 MAT-file" + b"\x00" * 200, b"\x89HDF\r\n\x1a\n"])
    )
    place.run("import", "model.pth", "--codes", "codes.mat", "--out", "new", refuses=True)
    place.run("info", "model.pth")
    _nothing_ran(place)


def archive(place: Place, random: Random) -> None:
    """A download with names that lead out of its folder, links, bombs, or damage."""
    data = io.BytesIO()
    name = random.choice(MEMBERS)
    how = random.choice(["name", "name", "name", "link", "bomb", "cut", "flip", "twice", "no archive"])
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as written:
        for member in [name] * (2 if how == "twice" else 1):
            info = zipfile.ZipInfo(member)
            info.external_attr = ((stat.S_IFLNK if how == "link" else stat.S_IFREG) | 0o777) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            written.writestr(info, b"\x00" * (10**8 if how == "bomb" else 100))
    path = place.folder / "cache" / pooch.utils.unique_file_name(ADDRESS)
    path.parent.mkdir()
    path.write_bytes(b"none" if how == "no archive" else data.getvalue())
    if how in ("cut", "flip"):
        {"cut": cut, "flip": flip}[how](path, random)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_name(f"{path.name}.sha256").write_text(f"{digest}  {path.name}\n")
    place.about = f"archive: {how}, {name!r:.40}"
    ran = place.run("fetch", ADDRESS, "--cache", "cache", "--out", "new", "--timeout", "1", may_change=[path.parent])
    if "\x1b" in ran.out + ran.error or ran.out.count("next:") > 1:
        place.blame("silent", "fetch", f"hostile names reach the terminal: {ran.out!r}")
    _nothing_ran(place)


def address(place: Place, random: Random) -> None:
    """Addresses with passwords and keys, of other schemes, or that are none; secrets are neither said nor kept."""
    where = random.choice(
        [
            f"https://me:{SECRET}@127.0.0.1:1/cells.zip",
            f"https://127.0.0.1:1/cells.zip?key={SECRET}",
            f"https://127.0.0.1:1/cells.zip#{SECRET}",
            f"https://me:{SECRET}@127.0.0.1:99999/c.zip",
            f"https://me:{SECRET}/x@127.0.0.1:1/c.zip",
            f"http://me:{SECRET}@127.0.0.1:1/c.zip",
            f"file:///etc/passwd?{SECRET}",
            f"ftp://me:{SECRET}@127.0.0.1/c.zip",
            f"https://[::1?{SECRET}",
            f"https://me:{SECRET}@/",
            f"HTTPS://ME:{SECRET}@127.0.0.1:1/C.ZIP",
        ]
    )
    options = random.choice([[], ["--mirror", where], ["--sha256", "0" * 64]])
    data = "celltracking:Fluo-N3DH-CE" if "--mirror" in options else where
    ran = place.run(
        "fetch",
        data,
        *options,
        "--cache",
        "cache",
        "--out",
        "new",
        "--timeout",
        "0.01",
        refuses=True,
        may_change=[place.folder / "cache"],
    )
    kept = b"".join(path.read_bytes() for path in place.folder.rglob("*") if path.is_file())
    if SECRET in ran.out + ran.error or SECRET.encode() in kept:
        place.blame("silent", f"fetch {where}", f"a secret is said or kept: {ran.error}")


def _nothing_ran(place: Place) -> None:
    if any(path.name == "evil" for path in place.folder.parent.rglob("evil")):
        place.blame("lost", place.about, "a file was written where it must not be")


KINDS: dict[str, Attack] = {
    "HDF5: contents": hdf5_contents,
    "HDF5: recorded scale": hdf5_scale,
    "HDF5: bytes": hdf5_bytes,
    "checkpoint of others": checkpoint,
    "archive": archive,
    "address with secrets": address,
}
