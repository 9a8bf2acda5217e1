"""Writes two cells of 294 and 125 µm³ that go on over four frames, in the layouts of many programs."""

import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import h5py
import nibabel
import numpy as np
import tifffile
import zarr
from scipy import ndimage

LARGE, SMALL = 6 * 14 * 14 * 0.25, 5 * 10 * 10 * 0.25
OME = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
SHAPE = (12, 30, 44)


def frames_of_two(large: int = 1, small: int = 2, n_frames: int = 4) -> np.ndarray:
    """Both cells, which move by a voxel a frame."""
    frames = np.zeros((n_frames, *SHAPE), np.uint16)
    for t in range(n_frames):
        frames[t, 3:9, 4 + t : 18 + t, 4:18] = large
        frames[t, 4:9, 8:18, 26 + t : 36 + t] = small
    return frames


FRAMES = frames_of_two()


def tif(path: Path, values: np.ndarray = FRAMES, axes: str | None = "TZYX", **options: Any) -> Path:
    """A TIFF, by default with named axes and without a scale."""
    metadata = options.pop("metadata", {"axes": axes} if axes else None)
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, values, photometric=options.pop("photometric", "minisblack"), metadata=metadata, **options)
    return path


def ome(path: Path, values: np.ndarray = FRAMES, axes: str = "TZYX", **more: Any) -> Path:
    """An OME-TIFF with the scale; `more` replaces or adds entries."""
    scale = {"PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5, "PhysicalSizeZ": 1.0, "TimeIncrement": 60.0} | more
    metadata = {"axes": axes} | {name: value for name, value in scale.items() if value is not None}
    return tif(path, values, ome=True, metadata=metadata)


def imagej(path: Path, values: np.ndarray = FRAMES, axes: str = "TZYX", **more: Any) -> Path:
    """A TIFF as Fiji writes it."""
    resolution = more.pop("resolution", (2, 2))
    metadata = {"axes": axes, "unit": "um", "spacing": 1.0, "finterval": 60.0} | more
    metadata = {name: value for name, value in metadata.items() if value is not None}
    return tif(path, values, imagej=True, resolution=resolution, metadata=metadata)


def folder(
    at: Path, names: Sequence[str], write: Callable[..., Path] = tif, frames: np.ndarray = FRAMES, **more: Any
) -> Path:
    """A file a frame."""
    for name, frame in zip(names, frames, strict=False):
        write(at / "masks" / name, frame, **({"axes": "ZYX"} if write is not npy else {}), **more)
    return at / "masks"


def npy(path: Path, values: np.ndarray = FRAMES) -> Path:
    """A NumPy file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, values)
    return path


def npz(path: Path, **arrays: np.ndarray) -> Path:
    """A NumPy file of several arrays."""
    np.savez_compressed(path, **arrays)
    return path


def nifti(path: Path, values: np.ndarray, sizes_xyz: Sequence[float], unit: str) -> Path:
    """A NIfTI file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nibabel.Nifti1Image(np.ascontiguousarray(values.T), np.diag([*sizes_xyz, 1]))
    image.header.set_xyzt_units(unit, "sec")
    nibabel.save(image, path)
    return path


def hdf5(path: Path, *, attributes: dict[str, Any] | None = None, **arrays: np.ndarray) -> Path:
    """An HDF5 file; two underscores in a name stand for a group."""
    with h5py.File(path, "w") as file:
        for name, values in arrays.items():
            array = file.create_dataset(name.replace("__", "/"), data=values, chunks=True, compression="gzip")
            array.attrs.update(attributes or {})
    return path


def text(path: Path, content: str) -> Path:
    """A text file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def challenge(at: Path, kind: str = "GT", name: str = "man_track", first: int = 0, **more: Any) -> Path:
    """A Challenge folder of a sequence with tracks."""
    inner = at / "data" / f"01_{kind}" / ("TRA" if kind == "GT" else "")
    for t, frame in enumerate(FRAMES, first):
        tif(inner / f"{name}{t:03d}.tif", frame, "ZYX", **more)
    text(inner / ("man_track.txt" if kind == "GT" else "res_track.txt"), "1 0 3 0\n2 0 3 0\n")
    return at / "data"


def ome_set(at: Path, *, by_plane: bool = False, channels: int = 1, without: int | None = None) -> Path:
    """An OME-TIFF set of a file a frame, a plane or a channel."""
    values = np.stack([FRAMES] * channels, axis=1)
    n_z = 1 if by_plane else SHAPE[0]
    places = [(t, c, z) for t in range(4) for c in range(channels) for z in range(0, SHAPE[0], n_z)]
    data = "".join(
        f'<TiffData FirstT="{t}" FirstC="{c}" FirstZ="{z}" IFD="0" PlaneCount="{n_z}">'
        f'<UUID FileName="c_T{t}_C{c}_Z{z}.ome.tif">urn:uuid:{n}</UUID></TiffData>'
        for n, (t, c, z) in enumerate(places)
    )
    sizes = f'SizeX="44" SizeY="30" SizeZ="12" SizeC="{channels}" SizeT="4" Type="uint16" DimensionOrder="XYZCT"'
    scale = 'PhysicalSizeX="0.5" PhysicalSizeY="0.5" PhysicalSizeZ="1" TimeIncrement="60"'
    names = "".join(f'<Channel ID="Channel:0:{c}"/>' for c in range(channels))
    image = f'<Image ID="Image:0"><Pixels ID="Pixels:0" {sizes} {scale}>{names}{data}</Pixels></Image>'
    for n, (t, c, z) in enumerate(places):
        if n != without:
            xml = f'<OME xmlns="{OME}" UUID="urn:uuid:{n}">{image}</OME>'
            path = at / "set" / f"c_T{t}_C{c}_Z{z}.ome.tif"
            tif(path, values[t, c, z : z + n_z], None, description=xml)
    return at / "set"


def multiscales(
    version: str = "0.4", axes: str = "tzyx", unit: str | None = "micrometer", **more: Any
) -> dict[str, Any]:
    """OME-Zarr metadata; `more` replaces the scale of the level (`level`) or of the image (`image`), None for none."""
    units = {"t": "second"} | dict.fromkeys("zyx", unit)
    types = {"t": "time", "c": "channel"}
    listed = [{"name": a, "type": types.get(a, "space")} | ({"unit": units[a]} if units.get(a) else {}) for a in axes]
    level, whole = more.get("level", [60, 1, 0.5, 0.5]), more.get("image")
    one: dict[str, Any] = {"axes": listed, "datasets": [{"path": "0"}], "version": version}
    if level:
        one["datasets"][0]["coordinateTransformations"] = [
            {"type": "scale", "scale": level},
            {"type": "translation", "translation": [3.0] * len(level)},
        ]
    if whole:
        one["coordinateTransformations"] = [{"type": "scale", "scale": whole}]
    return {"multiscales": [one]} | ({"version": version} if version == "0.5" else {})


def zarr_image(path: Path, metadata: dict[str, Any], values: np.ndarray = FRAMES, labels: Sequence[str] = ()) -> Path:
    """An OME-Zarr image; with `labels`, a grey image and its label images."""
    version = metadata["multiscales"][0]["version"]
    wrapped = (lambda ome: {"ome": ome}) if version == "0.5" else (lambda ome: ome)
    root = zarr.create_group(path, zarr_format=3 if version == "0.5" else 2)
    if labels:
        root.create_group("labels").attrs.update(wrapped({"labels": list(labels)}))
    for group in [root, *(root.create_group(f"labels/{name}") for name in labels)]:
        group.attrs.update(wrapped(metadata))
        grey = labels and group is root
        group.create_array("0", data=np.where(values, 900, 100).astype("u2") if grey else values, chunks=values.shape)
    return path


def bioformats2raw(path: Path, n_images: int = 1) -> Path:
    """The folder that bioformats2raw writes."""
    root = zarr.create_group(path, zarr_format=2)
    root.attrs["bioformats2raw.layout"] = 3
    values = FRAMES[:, None]
    for n in range(n_images):
        zarr_image(path / str(n), multiscales(axes="tczyx", level=[60, 1, 1, 0.5, 0.5]), values)
    text(path / "OME" / "METADATA.ome.xml", f'<OME xmlns="{OME}"/>')
    return path


def plate(path: Path) -> Path:
    """A plate of one well with one image."""
    root = zarr.create_group(path, zarr_format=2)
    root.attrs["plate"] = {"wells": [{"path": "A/1"}], "rows": [{"name": "A"}], "columns": [{"name": "1"}]}
    root.create_group("A/1").attrs["well"] = {"images": [{"path": "0"}]}
    zarr_image(path / "A/1/0", multiscales())
    return path


def zip_of(at: Path, source: Path, inner: str = "") -> Path:
    """A zip file of a folder."""
    with zipfile.ZipFile(at, "w") as archive:
        for file in sorted(source.rglob("*")):
            if file.is_file():
                archive.write(file, Path(inner) / file.relative_to(source))
    return at


def trackmate(movie: Path, unit: str, size_zyx: Sequence[float]) -> Path:
    """Tracks of a mother (the large cell to frame 1) whose daughters are both cells afterwards."""
    root = ElementTree.Element("TrackMate", version="7.11.1")
    model = ElementTree.SubElement(root, "Model", spatialunits=unit, timeunits="sec")
    spots = ElementTree.SubElement(model, "AllSpots")
    number = {}
    for t, frame in enumerate(FRAMES):
        inner = ElementTree.SubElement(spots, "SpotsInFrame", frame=str(t))
        for label in (1, 2):
            number[t, label] = str(10 * t + label)
            z, y, x = (
                str((at + 0.5) * s) for at, s in zip(ndimage.center_of_mass(frame == label), size_zyx, strict=True)
            )
            place = {"POSITION_Z": z, "POSITION_Y": y, "POSITION_X": x, "FRAME": str(t)}
            ElementTree.SubElement(inner, "Spot", {"ID": number[t, label], **place})
    track = ElementTree.SubElement(ElementTree.SubElement(model, "AllTracks"), "Track", TRACK_ID="0")
    for label in (1, 2):
        for t in range(3):
            ends = {"SPOT_SOURCE_ID": number[t, label], "SPOT_TARGET_ID": number[t + 1, label]}
            ElementTree.SubElement(track, "Edge", ends)
    ElementTree.ElementTree(root).write(movie.parent / f"{movie.name.partition('.')[0]}.xml")
    return movie


def geff(movie: Path, unit: str, size_zyx: Sequence[float]) -> Path:
    """A GEFF 1 graph of both cells, known by their positions."""
    graph = zarr.create_group(movie.parent / "tracks.geff", zarr_format=3)
    axes = [{"name": "t", "type": "time", "unit": "frame"}]
    axes += [{"name": a, "type": "space", "unit": unit} for a in "zyx"]
    graph.attrs["geff"] = {"directed": True, "axes": axes, "geff_version": "1.1.0"}
    nodes = [(t, label) for label in (1, 2) for t in range(4)]
    graph.create_array("nodes/ids", data=np.arange(8, dtype=np.uint64))
    graph.create_array("edges/ids", data=np.array([[n, n + 1] for n in (0, 1, 2, 4, 5, 6)], np.uint64))
    points = [(t, *(np.array(ndimage.center_of_mass(FRAMES[t] == label)) * size_zyx)) for t, label in nodes]
    for name, values in zip("tzyx", zip(*points, strict=True), strict=True):
        graph.create_array(f"nodes/props/{name}/values", data=np.array(values))
    return movie


def each(values: np.ndarray, change: Callable[[int, np.ndarray], np.ndarray]) -> np.ndarray:
    """Frames changed one by one."""
    return np.stack([change(t, frame) for t, frame in enumerate(values)])


def swapped(t: int, frame: np.ndarray) -> np.ndarray:
    """Labels exchanged in odd frames."""
    return frame if t % 2 == 0 else np.where(frame, 3 - frame, 0).astype(frame.dtype)


def balls() -> np.ndarray:
    """Three equal balls with a radius of 2 µm, as TrackMate draws its spots."""
    z, y, x = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    frames = np.zeros((4, *SHAPE), np.uint16)
    for t in range(4):
        for label, (y0, x0) in enumerate(((8, 8), (20, 20), (8, 32)), 1):
            frames[t][(z - 6) ** 2 + ((y - y0 - t) ** 2 + (x - x0) ** 2) / 4 <= 4] = label
    return frames


def grey(seed: int = 0) -> np.ndarray:
    """Images of the cells with noise, on a dark background."""
    rng = np.random.default_rng(seed)
    blurred = ndimage.gaussian_filter((FRAMES > 0) * 200.0, (0, 1, 1, 1))
    return np.where(blurred > 20, blurred + rng.normal(0, 8, FRAMES.shape), 0).clip(0).astype(np.uint8)


def blurred() -> np.ndarray:
    """Labels resampled by linear interpolation, which makes values in between."""
    return ndimage.zoom(frames_of_two(40, 90).astype(float), (1, 1, 1.3, 1.3), order=1).round().astype(np.uint16)


NAMES = tuple(f"t{t:03d}.tif" for t in range(4))
