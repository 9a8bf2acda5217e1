"""Fuzz every reader of label movies: python benchmarks/attacks/readers.py --minutes 60 --jobs 2.

Good files of every container are damaged at random (bits, lengths, digits, pieces of other files, members of zip files) and
read as `cytoform prepare` reads them: the movie is opened, and its first and last frames are read. Each must give frames or
one InputError of one line. Counted as harm:

fault     another exception, more than one line, or a warning
hang      more than 20 s of CPU time, or 200 s in all (on a busy machine little of that is CPU time)
memory    more than 2 GB
crash     the process ends

Prints a row for each container. The exit status is 1 if there was any harm; --keep saves the harmful files.
"""

import argparse
import contextlib
import gzip
import io
import multiprocessing
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from xml.etree import ElementTree

import h5py
import nibabel
import numpy as np
import tifffile
import zarr

from cytoform.errors import InputError
from cytoform.movies.readers import open_movies

CPU_S, HANG_S, MEMORY_BYTES, BATCH = 20, 200, 2_000_000_000, 100
HARMS = ("fault", "hang", "memory", "crash")
UM = (1.0, 0.5, 0.5)
FRAMES = np.zeros((4, 6, 10, 12), np.uint16)
FRAMES[:, 1:4, 2:6, 2:6], FRAMES[:, 2:5, 6:9, 7:11] = 1, 2
OME = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
SCALE = {"PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5, "PhysicalSizeZ": 1.0}
WORDS = [b"", b"-1", b"0", b"1e309", b"NaN", b"null", b"999999999999", b"\xff\xfe", b"{", b"[]", b"</", b"\x00" * 8]


@dataclass(frozen=True)
class Harm:
    """What went wrong with a damaged file of a container."""

    kind: str
    container: str
    words: str


def tiff(path: Path, **options: object) -> Path:
    """Write the frames as one TIFF."""
    tifffile.imwrite(path, options.pop("frames", FRAMES), photometric="minisblack", **options)
    return path


def ome_set(folder: Path, *, companion: bool) -> Path:
    """Write an OME-TIFF set of one file a frame."""
    data = "".join(
        f'<TiffData FirstT="{t}" IFD="0" PlaneCount="6"><UUID FileName="c{t}.ome.tif">urn:uuid:{t}</UUID></TiffData>'
        for t in range(4)
    )
    sizes = 'DimensionOrder="XYZCT" SizeX="12" SizeY="10" SizeZ="6" SizeC="1" SizeT="4" Type="uint16"'
    image = f'<Image ID="Image:0"><Pixels ID="Pixels:0" {sizes}><Channel ID="Channel:0"/>{data}</Pixels></Image>'
    if companion:
        (folder / "c.companion.ome").write_text(f'<OME xmlns="{OME}" UUID="urn:uuid:9">{image}</OME>')
    for t, frame in enumerate(FRAMES):
        inner = '<BinaryOnly MetadataFile="c.companion.ome" UUID="urn:uuid:9"/>' if companion else image
        xml = f'<OME xmlns="{OME}" UUID="urn:uuid:{t}">{inner}</OME>'
        tiff(folder / f"c{t}.ome.tif", frames=frame, description=xml, metadata=None, compression="lzw")
    return folder


def challenge(folder: Path) -> Path:
    """Write a Challenge folder with masks and tracks."""
    for inner, name in (("01_GT/TRA", "man_track"), ("01_GT/SEG", "man_seg")):
        (folder / inner).mkdir(parents=True)
        for t, frame in enumerate(FRAMES):
            tiff(folder / inner / f"{name}{t:03d}.tif", frames=frame, compression="zlib")
    (folder / "01_GT" / "TRA" / "man_track.txt").write_text("1 0 3 0\n2 0 1 0\n3 2 3 2\n")
    return folder


def ome_zarr(path: Path, version: str) -> Path:
    """Write an OME-Zarr image with a label image."""
    root = zarr.create_group(path, zarr_format=3 if version == "0.5" else 2)
    for group in (root, root.create_group("labels/cells")):
        axes = [{"name": a, "type": "time" if a == "t" else "space", "unit": "micrometer"} for a in "tzyx"]
        dataset = {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1, 1, 0.5, 0.5]}]}
        multiscale = [{"axes": axes, "datasets": [dataset], "version": version}]
        metadata = {"multiscales": multiscale, "version": version}
        group.attrs.update({"ome": metadata} if version == "0.5" else metadata)
        group.create_array("0", data=FRAMES, chunks=(1, *FRAMES.shape[1:]))
    labels = {"labels": ["cells"], "version": version}
    root["labels"].attrs.update({"ome": labels} if version == "0.5" else labels)
    return path


def zipped(path: Path, version: str) -> Path:
    """Write an OME-Zarr in a zip file."""
    folder = ome_zarr(path.with_suffix(".zarr"), version)
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder))
    shutil.rmtree(folder)
    return path


def nifti(path: Path) -> Path:
    """Write a NIfTI file."""
    image = nibabel.Nifti1Image(np.ascontiguousarray(FRAMES.T), np.diag([0.0005, 0.0005, 0.001, 1]))
    image.header.set_xyzt_units("mm", "sec")
    nibabel.save(image, path)
    return path


def ilastik(path: Path) -> Path:
    """Write labels as ilastik does."""
    with h5py.File(path, "w") as file:
        array = file.create_dataset("exported_data", data=FRAMES[..., None], chunks=True, compression="gzip")
        array.attrs["axistags"] = '{"axes": [' + ", ".join(f'{{"key": "{axis}"}}' for axis in "tzyxc") + "]}"
    return path


def with_tracks(folder: Path, kind: str) -> Path:
    """Write a movie with its lineage beside it."""
    movie = tiff(folder / "cells.tif", imagej=True, metadata={"axes": "TZYX", "unit": "um", "spacing": 1.0})
    if kind == "text":
        (folder / "man_track.txt").write_bytes(b"1 0 3 0\r\n2 0 3 0\r\n")
    if kind == "geff":
        graph = zarr.create_group(folder / "cells.geff", zarr_format=3)
        axes = [{"name": "t", "type": "time"}, *({"name": a, "type": "space", "unit": "pixel"} for a in "zyx")]
        graph.attrs["geff"] = {"directed": True, "axes": axes, "geff_version": "1.0"}
        graph.create_array("nodes/ids", data=np.arange(8, dtype=np.uint64))
        graph.create_array("edges/ids", data=np.array([[n, n + 1] for n in (0, 1, 2, 4, 5, 6)], np.uint64))
        points = {"t": [0, 1, 2, 3] * 2, "z": [2] * 4 + [3] * 4, "y": [4] * 4 + [7] * 4, "x": [4] * 4 + [9] * 4}
        for name, values in points.items():
            graph.create_array(f"nodes/props/{name}/values", data=np.array(values, float))
    if kind == "trackmate":
        root = ElementTree.Element("TrackMate", version="7")
        model = ElementTree.SubElement(root, "Model", spatialunits="pixel")
        for n in range(8):
            z, y, x = ("2", "4", "4") if n < 4 else ("3", "7", "9")
            place = {"POSITION_Z": z, "POSITION_Y": y, "POSITION_X": x}
            ElementTree.SubElement(model, "Spot", {"ID": str(n), "FRAME": str(n % 4), **place})
        track = ElementTree.SubElement(model, "Track", TRACK_ID="0")
        for n in (0, 1, 2, 4, 5, 6):
            ElementTree.SubElement(track, "Edge", SPOT_SOURCE_ID=str(n), SPOT_TARGET_ID=str(n + 1))
        ElementTree.ElementTree(root).write(folder / "cells.xml")
    return movie


def frames_of(folder: Path, write: Callable[[Path, np.ndarray], object]) -> Path:
    """Write a folder of one file a frame."""
    folder.mkdir()
    for t, frame in enumerate(FRAMES):
        write(folder / f"t{t}", frame)
    return folder


def array(path: Path) -> Path:
    """Write a plain Zarr array."""
    zarr.create_array(path, data=FRAMES, chunks=(1, 6, 10, 12))
    return path


CONTAINERS: dict[str, Callable[[Path], Path]] = {
    "OME-TIFF": lambda at: tiff(at / "a.ome.tif", ome=True, metadata={"axes": "TZYX", **SCALE}, compression="zlib"),
    "OME-TIFF plain": lambda at: tiff(at / "a.ome.tif", ome=True, metadata={"axes": "ZTYX", **SCALE}),
    "ImageJ": lambda at: tiff(at / "a.tif", imagej=True, metadata={"axes": "TZYX", "unit": "um", "spacing": 1.0}),
    "TIFF LZW": lambda at: tiff(at / "a.tif", compression="lzw", predictor=True),
    "TIFF tiles": lambda at: tiff(at / "a.tif", compression="zstd", tile=(16, 16), metadata={"axes": "TZYX"}),
    "TIFF JPEG XL": lambda at: tiff(at / "a.tif", compression="jpegxl", metadata={"axes": "TZYX"}),
    "BigTIFF floats": lambda at: tiff(
        at / "a.btf", frames=FRAMES.astype("f4"), bigtiff=True, metadata={"axes": "TZYX"}
    ),
    "TIFF large labels": lambda at: tiff(at / "a.tif", frames=FRAMES.astype("u4") * 100_000, metadata={"axes": "TZYX"}),
    "OME-TIFF set": lambda at: ome_set(at, companion=False),
    "OME-TIFF companion": lambda at: ome_set(at, companion=True),
    "folder": lambda at: frames_of(at / "f", lambda path, frame: tiff(path.with_suffix(".tif"), frames=frame)),
    "Challenge": lambda at: challenge(at / "data"),
    "OME-Zarr 0.4": lambda at: ome_zarr(at / "a.zarr", "0.4"),
    "OME-Zarr 0.5": lambda at: ome_zarr(at / "a.zarr", "0.5"),
    "Zarr array": lambda at: array(at / "a.zarr"),
    "ozx": lambda at: zipped(at / "a.ozx", "0.5"),
    "zip": lambda at: zipped(at / "a.zip", "0.4"),
    "npy": lambda at: (np.save(at / "a.npy", FRAMES), at / "a.npy")[1],
    "npz": lambda at: (np.savez_compressed(at / "a.npz", labels=FRAMES), at / "a.npz")[1],
    "folder of npy": lambda at: frames_of(at / "f", lambda path, frame: np.save(path, frame)),
    "NIfTI": lambda at: nifti(at / "a.nii"),
    "NIfTI gz": lambda at: nifti(at / "a.nii.gz"),
    "HDF5": lambda at: ilastik(at / "a.h5"),
    "man_track.txt": lambda at: with_tracks(at, "text"),
    "GEFF": lambda at: with_tracks(at, "geff"),
    "TrackMate": lambda at: with_tracks(at, "trackmate"),
}


def damage(content: bytes, rng: random.Random, others: list[bytes]) -> bytes:
    """Change a file at random in one to six places."""
    data = bytearray(content)
    for _ in range(rng.choice([1, 1, 1, 2, 3, 6])):
        at, length = rng.randrange(len(data) + 1), rng.choice([1, 2, 4, 8, 40])
        # Headers matter more than values.
        at = min(at, rng.choice([at, at, 64, 512]))
        kind = rng.randrange(8)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[at : at + length] = rng.randbytes(length)
        elif kind == 2:
            data[at : at + length] = rng.choice([b"\0", b"\xff", b"\x7f"]) * length
        elif kind == 3:
            del data[at : at + length]
        elif kind == 4:
            data = data[:at]
        elif kind == 5:
            other = rng.choice(others)
            begin = rng.randrange(len(other) + 1)
            data[at : at + length] = other[begin : begin + length]
        elif kind == 6:
            digits = [n for n, byte in enumerate(data) if chr(byte).isdigit()]
            if digits:
                place = rng.choice(digits)
                data[place : place + 1] = rng.choice([*WORDS, str(rng.randrange(10)).encode(), b"77777"])
        else:
            data[at : at + length] = rng.choice(WORDS)
    return bytes(data)


def damage_file(path: Path, rng: random.Random, others: list[bytes]) -> None:
    """Damage a file, or what a zip or gzip file holds."""
    content = path.read_bytes()
    with contextlib.suppress(OSError, EOFError, ValueError, RuntimeError, zlib.error, zipfile.BadZipFile):
        if rng.random() < 0.5 and _damage_inside(path, content, rng, others):
            return
    path.write_bytes(damage(content, rng, others))


def _damage_inside(path: Path, content: bytes, rng: random.Random, others: list[bytes]) -> bool:
    if content[:2] == b"\x1f\x8b":
        path.write_bytes(gzip.compress(damage(gzip.decompress(content), rng, others)))
    elif content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        name = rng.choice(sorted(members))
        members[name] = damage(members[name], rng, others)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, data in members.items():
                archive.writestr(member, data)
    else:
        return False
    return True


def damaged(good: Path, place: Path, rng: random.Random, others: list[bytes]) -> None:
    """Copy a good folder to `place`, then damage or remove some of its files."""
    shutil.copytree(good, place)
    files = sorted(path for path in place.rglob("*") if path.is_file())
    telling = [path for path in files if path.suffix in (".json", ".xml", ".txt", ".ome") or path.name.startswith(".z")]
    for _ in range(rng.choice([1, 1, 2])):
        path = rng.choice(telling if telling and rng.random() < 0.5 else files)
        if not path.exists():
            continue
        if len(files) > 1 and rng.random() < 0.05:
            path.unlink()
        else:
            damage_file(path, rng, others)


class _Hang(BaseException):
    """Reading took too long."""


def read(source: Path, rng: random.Random) -> str:
    """Read a source as `prepare` does; returns the message of a fault, or nothing."""
    voxel_size = rng.choice([UM, UM, None])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            for movie in open_movies(source, voxel_size_zyx_um=voxel_size):
                for frame in sorted({0, 1, movie.n_frames - 1} & set(range(movie.n_frames))):
                    labels = movie.read(frame)
                    if labels.shape != movie.shape_zyx or labels.dtype != np.uint16:
                        return f"frame {frame} has {labels.dtype} {labels.shape} where the movie has {movie.shape_zyx}"
        except InputError as fault:
            return "" if "\n" not in str(fault) and "; " in str(fault) else f"not one line with a remedy: {fault}"
        except Exception as fault:
            return f"{type(fault).__name__}: {fault}"[:300]
    return ""


def batch(container: str, seed: int, n_files: int, keep: Path | None, begin: Callable[[int], None]) -> Iterator[Harm]:
    """Read damaged files of one container in this process, until one takes too much memory; `begin` is called for each."""
    rng = random.Random(f"{container} {seed}")
    with tempfile.TemporaryDirectory() as room:
        good = Path(room) / "good"
        good.mkdir()
        inside = CONTAINERS[container](good).relative_to(good)
        others = [path.read_bytes() for path in sorted(good.rglob("*")) if path.is_file()]
        for number in range(n_files):
            begin(number)
            place = Path(room) / f"{number}"
            damaged(good, place, rng, others)
            harm = _tried(place / inside, rng)
            if harm is not None:
                kind, words = harm
                if keep is not None:
                    shutil.copytree(place, keep / f"{container.replace(' ', '-')}-{seed}-{number}", dirs_exist_ok=True)
                yield Harm(kind, container, f"seed {seed}, file {number}: {words}".replace(str(place), ""))
                if kind == "memory":
                    return
            shutil.rmtree(place)


def _tried(source: Path, rng: random.Random) -> tuple[str, str] | None:
    def ring(*_: object) -> None:
        raise _Hang

    for alarm, timer, limit_s in (
        (signal.SIGALRM, signal.ITIMER_REAL, HANG_S),
        (signal.SIGPROF, signal.ITIMER_PROF, CPU_S),
    ):
        signal.signal(alarm, ring)
        signal.setitimer(timer, limit_s)
    try:
        words = read(source, rng)
    except _Hang:
        return "hang", f"more than {CPU_S} s of CPU time, or {HANG_S} s in all"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.setitimer(signal.ITIMER_PROF, 0)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    if peak > MEMORY_BYTES:
        return "memory", f"{peak / 1e9:.1f} GB"
    return ("fault", words) if words else None


def _job(sender: Connection, container: str, seed: int, n_files: int, keep: Path | None) -> None:
    """Send the number of each file before it is read, and at the end the harms."""
    with contextlib.redirect_stderr(io.StringIO()):
        sender.send(list(batch(container, seed, n_files, keep, sender.send)))


def _in_process(container: str, seed: int, n_files: int, keep: Path | None) -> tuple[str, int, list[Harm]]:
    """A batch in a process of its own, so that memory is counted anew and a crash is one more harm."""
    context = multiprocessing.get_context("forkserver")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_job, args=(sender, container, seed, n_files, keep))
    process.start()
    sender.close()
    said: int | list[Harm] = 0
    try:
        while isinstance(said, int):
            number, said = said, receiver.recv()
    except EOFError:
        process.join()
        words = f"seed {seed}, file {said}: the process ended with status {process.exitcode}"
        return container, number, [Harm("crash", container, words)]
    process.join()
    return container, n_files, said


def main() -> int:
    """Fuzz for a time, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="containers with this in their name")
    parser.add_argument("--keep", type=Path, help="folder for the files that harm")
    options = parser.parse_args()
    names = [name for name in CONTAINERS if options.only in name]
    end = time.monotonic() + 60 * options.minutes

    tried: Counter[str] = Counter()
    harms: list[Harm] = []
    seed = options.seed
    with ThreadPoolExecutor(options.jobs) as pool:
        while time.monotonic() < end:
            tasks = [pool.submit(_in_process, name, seed, BATCH, options.keep) for name in names]
            for done in as_completed(tasks):
                container, n_files, found = done.result()
                tried[container] += n_files
                for harm in found:
                    print(f"{harm.kind}: {harm.container}: {harm.words}", flush=True)
                harms += found
            seed += 1
    counts = Counter((harm.container, harm.kind) for harm in harms)
    print("| container | files | " + " | ".join(HARMS) + " |\n|---|---|" + "---|" * len(HARMS))
    for name in names:
        print(f"| {name} | {tried[name]} | " + " | ".join(str(counts[name, kind]) for kind in HARMS) + " |")
    print(
        f"| all | {sum(tried.values())} | "
        + " | ".join(str(sum(h.kind == kind for h in harms)) for kind in HARMS)
        + " |"
    )
    return int(bool(harms))


if __name__ == "__main__":
    sys.exit(main())
