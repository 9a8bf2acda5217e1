"""Finds images with their masks: Cell Tracking Challenge folders, OME-Zarr images."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cytoform.base.kinds import Kind, kind_of
from cytoform.errors import InputError
from cytoform.movies.metadata import RecordedScale
from cytoform.movies.movie import as_labels, check_dtype, safe_name
from cytoform.movies.readers.challenge import numbered_files
from cytoform.movies.readers.ome_zarr import label_group, open_image
from cytoform.movies.readers.tiff import TiffHeader, read_header, read_image

IMAGE_DTYPES = ("uint8", "uint16", "float32")
# Silver and gold truth are preferred to tracking markers, which may be mere spots.
MASKS = (("ST", "SEG", "man_seg"), ("GT", "SEG", "man_seg"), ("GT", "TRA", "man_track"))
SEQUENCE = re.compile("[0-9]{2,}")


@dataclass(frozen=True)
class ImageMovie:
    """Frames (z, y, x) read on demand by their number; 2D data has one plane."""

    source: str
    frames: tuple[int, ...]
    shape_zyx: tuple[int, int, int]
    dtype: np.dtype
    recorded: RecordedScale
    read: Callable[[int], np.ndarray]
    files: Mapping[int, Path] = field(default_factory=dict)

    def where(self, frame: int) -> str:
        """File and frame, for messages."""
        return f"{self.files.get(frame, self.source)}, frame {frame}"


@dataclass(frozen=True)
class ImageFiles:
    """Reads images stored as one file per frame."""

    files: Mapping[int, Path]
    header: TiffHeader

    def __call__(self, frame: int) -> np.ndarray:
        return read_image(self.files[frame], self.header)


@dataclass(frozen=True)
class PairedMovie:
    """An image movie and a label movie of the same size."""

    name: str
    images: ImageMovie
    labels: ImageMovie

    def read(self, frame: int) -> tuple[np.ndarray, np.ndarray]:
        """Image and uint16 labels of a frame, both (z, y, x). Raises InputError for NaN and infinity."""
        image = self.images.read(frame)
        if image.dtype.kind == "f" and not np.isfinite(image).all():
            raise InputError(f"{self.images.where(frame)}: NaN or infinite grey values; replace them")
        return image, as_labels(self.labels.read(frame), self.labels.where(frame))


def find_pairs(source: Path) -> Iterator[PairedMovie]:
    """The image-mask movies of one source; compares headers without reading frames. Raises InputError."""
    image, colon, labels = str(source).partition(".zarr:")
    if colon:
        yield _of_zarr(Path(f"{image}.zarr"), Path(labels))
    elif not source.is_dir():
        raise InputError(f"{source}: no such folder; give a Cell Tracking Challenge folder or IMAGE.zarr:LABELS.zarr")
    elif kind_of(source) is Kind.OME_ZARR:
        yield _of_zarr(source, source)
    else:
        yield from (_of_sequence(folder) for folder in _sequences(source))


def _of_zarr(image: Path, labels: Path) -> PairedMovie:
    for path in (image, labels):
        if kind_of(path) is not Kind.OME_ZARR:
            raise InputError(f"{path}: no OME-Zarr image; give IMAGE.zarr:LABELS.zarr")
    within = label_group(labels)
    if within == image:
        raise InputError(f"{image}: no label image under labels/; give {image}:LABELS.zarr")
    return _checked(PairedMovie(safe_name(image.stem), open_zarr_movie(image), open_zarr_movie(within)))


def _sequences(source: Path) -> list[Path]:
    if numbered_files(source, "t"):
        return [source]
    found = [p for p in sorted(source.iterdir()) if SEQUENCE.fullmatch(p.name) and numbered_files(p, "t")]
    if not found:
        kind = kind_of(source)
        what = "" if kind in (Kind.OTHER, Kind.CHALLENGE) else f" is {kind.value}"
        raise InputError(f"{source}{what}: no images 01/t000.tif and so on; give a Cell Tracking Challenge folder")
    return found


def _of_sequence(folder: Path) -> PairedMovie:
    folder = Path(folder.absolute() if folder.name in ("", "..") else folder)
    files = numbered_files(folder, "t")
    images = open_image_files(dict(sorted(files.items())), source=str(folder))
    name = f"{folder.absolute().parent.name}_{folder.name}"
    return _checked(PairedMovie(safe_name(name), images, _masks_of(folder, images.frames)))


def _masks_of(folder: Path, frames: Sequence[int]) -> ImageMovie:
    """The preferred masks that exist for every frame."""
    missing = {}
    for kind, inner, prefix in MASKS:
        masks = folder.with_name(f"{folder.name}_{kind}") / inner
        files = numbered_files(masks, prefix)
        absent = [frame for frame in frames if frame not in files]
        if not absent:
            return open_image_files({frame: files[frame] for frame in frames}, source=str(masks))
        if files:
            missing[masks / f"{prefix}{absent[0]:03d}.tif"] = len(absent)
    if not missing:
        raise InputError(f"{folder}: no masks beside it; put them into {folder.name}_GT/SEG or {folder.name}_ST/SEG")
    path, n = min(missing.items(), key=lambda item: item[1])
    raise InputError(f"{path}: missing, as are the masks of {n} of {len(frames)} frames; every image needs its mask")


def _checked(pair: PairedMovie) -> PairedMovie:
    images, labels = pair.images, pair.labels
    image_at, labels_at = (movie.files.get(movie.frames[0], movie.source) for movie in (images, labels))
    if images.dtype.name not in IMAGE_DTYPES:
        raise InputError(f"{image_at}: an image of type {images.dtype}; save it as uint8, uint16 or float32")
    check_dtype(labels.dtype, str(labels_at))
    if images.shape_zyx != labels.shape_zyx:
        sizes = f"{shape_text(labels.shape_zyx)} pixels but {image_at} has {shape_text(images.shape_zyx)}"
        raise InputError(f"{labels_at}: {sizes}; masks and images must be of one size")
    if images.frames != labels.frames:
        n_frames = f"{len(labels.frames)} frames but {images.source} has {len(images.frames)}"
        raise InputError(f"{labels.source}: {n_frames}; every image needs its mask")
    return pair


def open_image_files(files: Mapping[int, Path], *, source: str) -> ImageMovie:
    """A movie of one file per frame. Reads every header, so that a deviating file is found before long work."""
    headers = {frame: _header(path) for frame, path in files.items()}
    first = next(iter(headers))
    for frame, header in headers.items():
        for name, one, other in (
            ("size", shape_text(header.shape_zyx), shape_text(headers[first].shape_zyx)),
            ("type", header.dtype, headers[first].dtype),
        ):
            if one != other:
                raise InputError(f"{files[frame]}: {name} {one} where {files[first].name} has {other}; all must agree")
    header = headers[first]
    reader = ImageFiles(files, header)
    return ImageMovie(source, tuple(sorted(files)), header.shape_zyx, header.dtype, header.recorded, reader, files)


def _header(path: Path) -> TiffHeader:
    header = read_header(path, volume=True, grey=True)
    if header.n_frames is not None:
        raise InputError(f"{path}: several frames where every file is one; give axes Y X or Z Y X")
    return header


def open_zarr_movie(path: Path) -> ImageMovie:
    """Open an OME-Zarr image or label image as a movie."""
    image = open_image(path)
    return ImageMovie(str(path), tuple(range(image.n_frames)), image.shape_zyx, image.dtype, image.recorded, image.read)


def shape_text(shape_zyx: tuple[int, ...]) -> str:
    """Format a shape for messages, such as 64×512×512; a single plane is left out."""
    return "×".join(str(n) for n in (shape_zyx[1:] if shape_zyx[0] == 1 else shape_zyx))
